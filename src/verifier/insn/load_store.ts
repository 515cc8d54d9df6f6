import { BPF_MEM, modeOf, sizeBytes, sizeOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { checkMemAccess } from '../memory/access.ts';
import { checkReadable, checkWritable } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';
import {
  baseOf,
  MEM_RDONLY,
  NOT_INIT,
  PTR_TO_ARENA,
  PTR_TO_BTF_ID,
  PTR_TO_CTX,
  PTR_TO_MEM,
  PTR_TO_SOCK_COMMON,
  PTR_TO_SOCKET,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
  PTR_UNTRUSTED,
} from '../state/reg_types.ts';
import { checkRegBounds } from './bounds_check.ts';

/** No value register: the access stores an immediate or discards what it reads. */
export const NO_VALUE = -1;

export const bytesOf = (insn: Insn): number => sizeBytes(sizeOf(insn.code));

/** Loads through these are rewritten by the kernel, so one instruction cannot serve two of them. */
const needsOwnInsn = (type: number): boolean => {
  switch (baseOf(type)) {
    case PTR_TO_CTX:
    case PTR_TO_SOCKET:
    case PTR_TO_SOCK_COMMON:
    case PTR_TO_TCP_SOCK:
    case PTR_TO_XDP_SOCK:
    case PTR_TO_BTF_ID:
    case PTR_TO_ARENA:
      return true;
    default:
      return false;
  }
};

const isMemOrBtf = (type: number): boolean => baseOf(type) === PTR_TO_MEM || baseOf(type) === PTR_TO_BTF_ID;

/**
 * Remembers through which pointer type an instruction goes and refuses a different one on another path. Trusted and untrusted
 * memory may share an instruction where `mayMixTrust`: it then counts as untrusted (save_aux_ptr_type).
 */
export function savePointerType(env: Env, type: number, mayMixTrust: boolean): void {
  const { ptrType } = env.facts;
  const previous = ptrType[env.insnIdx] as number;
  if (previous === NOT_INIT) ptrType[env.insnIdx] = type;
  else if (type !== previous && (needsOwnInsn(type) || needsOwnInsn(previous))) {
    if (!mayMixTrust || !isMemOrBtf(type) || !isMemOrBtf(previous))
      env.reject('EINVAL', 'same insn cannot be used with different pointers');
    const base = baseOf(type) === PTR_TO_MEM || baseOf(previous) === PTR_TO_MEM ? PTR_TO_MEM : PTR_TO_BTF_ID;
    ptrType[env.insnIdx] = base | ((type | previous) & (PTR_UNTRUSTED | MEM_RDONLY));
  }
}

/** A load into a register (check_load_mem); `where` names it if its result has contradictory bounds. */
export function checkLoadMem(
  env: Env,
  insn: Insn,
  strictAlignmentOnce: boolean,
  signExtends: boolean,
  mayMixTrust: boolean,
  where: string,
): void {
  checkReadable(env, insn.src);
  checkWritable(env, insn.dst);
  const { type } = env.cur.top.regs[insn.src] as Reg;
  checkMemAccess(env, env.insnIdx, insn.src, insn.off, bytesOf(insn), false, insn.dst, strictAlignmentOnce, signExtends);
  savePointerType(env, type, mayMixTrust);
  checkRegBounds(env, insn.dst, where);
}

/** A store from a register (check_store_reg). */
export function checkStoreReg(env: Env, insn: Insn, strictAlignmentOnce: boolean): void {
  if (!strictAlignmentOnce && (modeOf(insn.code) !== BPF_MEM || insn.imm !== 0))
    env.reject('EINVAL', 'BPF_STX uses reserved fields');
  checkReadable(env, insn.src);
  checkReadable(env, insn.dst);
  const { type } = env.cur.top.regs[insn.dst] as Reg;
  checkMemAccess(env, env.insnIdx, insn.dst, insn.off, bytesOf(insn), true, insn.src, strictAlignmentOnce, false);
  savePointerType(env, type, false);
}

/** A store of an immediate. */
export function checkStoreImm(env: Env, insn: Insn): void {
  if (modeOf(insn.code) !== BPF_MEM || insn.src !== 0) env.reject('EINVAL', 'BPF_ST uses reserved fields');
  checkReadable(env, insn.dst);
  const { type } = env.cur.top.regs[insn.dst] as Reg;
  checkMemAccess(env, env.insnIdx, insn.dst, insn.off, bytesOf(insn), true, NO_VALUE, false, false);
  savePointerType(env, type, false);
}
