import { BPF_CMPXCHG, BPF_DW, BPF_FETCH, BPF_LOAD_ACQ, BPF_STORE_REL, BPF_W, BPF_XCHG, sizeOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import { checkMemAccess } from '../memory/access.ts';
import { ADD, AND, OR, XOR } from '../scalar/opcodes.ts';
import { checkOverwritten, checkReadable } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';
import { isPacketPointer, isSocketPointer, PTR_TO_ARENA, PTR_TO_CTX, PTR_TO_FLOW_KEYS } from '../state/reg_types.ts';
import { isPointerValue } from '../state/trust.ts';
import { bytesOf, checkLoadMem, checkStoreReg, NO_VALUE, savePointerType } from './load_store.ts';

const isReadModifyWrite = (imm: number): boolean => {
  switch (imm & ~BPF_FETCH) {
    case ADD:
    case AND:
    case OR:
    case XOR:
      return true;
    default:
      return imm === BPF_XCHG || imm === BPF_CMPXCHG;
  }
};

/** Memory that the kernel can update atomically: everything but what it rewrites accesses to (atomic_ptr_type_ok). */
const allowsAtomics = (type: number): boolean =>
  type !== PTR_TO_CTX && !isPacketPointer(type) && type !== PTR_TO_FLOW_KEYS && !isSocketPointer(type);

/** An atomic instruction; `imm` says which (check_atomic). */
export function checkAtomic(env: Env, insn: Insn): void {
  if (insn.imm === BPF_LOAD_ACQ) {
    checkLoadMem(env, insn, true, false, false, 'atomic_load');
    checkPointer(env, insn.src, 'loads from');
  } else if (insn.imm === BPF_STORE_REL) {
    checkStoreReg(env, insn, true);
    checkPointer(env, insn.dst, 'stores into');
  } else if (isReadModifyWrite(insn.imm)) checkReadModifyWrite(env, insn);
  else env.reject('EINVAL', `BPF_ATOMIC uses invalid atomic opcode ${(insn.imm >>> 0).toString(16).padStart(2, '0')}`);
}

function checkPointer(env: Env, regno: number, verb: string): void {
  const { type } = env.cur.top.regs[regno] as Reg;
  if (!allowsAtomics(type)) env.reject('EACCES', `BPF_ATOMIC ${verb} R${regno} ${regTypeText(type)} is not allowed`);
}

function checkNoLeak(env: Env, regno: number): void {
  if (isPointerValue(env, regno)) env.reject('EACCES', `R${regno} leaks addr into mem`);
}

function checkReadModifyWrite(env: Env, insn: Insn): void {
  const size = sizeOf(insn.code);
  if (size !== BPF_W && size !== BPF_DW) env.reject('EINVAL', 'invalid atomic operand size');
  checkReadable(env, insn.src);
  checkReadable(env, insn.dst);
  if (insn.imm === BPF_CMPXCHG) {
    checkReadable(env, 0);
    checkNoLeak(env, 0);
  }
  checkNoLeak(env, insn.src);
  checkPointer(env, insn.dst, 'stores into');
  const isArena = (env.cur.top.regs[insn.dst] as Reg).type === PTR_TO_ARENA;
  const fetches = (insn.imm & BPF_FETCH) !== 0;
  const loadReg = insn.imm === BPF_CMPXCHG ? 0 : insn.src;
  if (fetches) checkOverwritten(env, loadReg);
  const access = (write: boolean, regno: number): void =>
    checkMemAccess(env, env.insnIdx, insn.dst, insn.off, bytesOf(insn), write, regno, true, false);
  access(false, NO_VALUE);
  if (fetches) access(false, loadReg);
  if (isArena) savePointerType(env, PTR_TO_ARENA, false);
  access(true, NO_VALUE);
}
