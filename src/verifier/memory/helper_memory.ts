import { formatSigned } from '../../isa/word64.ts';
import { type CallMeta, emptyMeta } from '../call/meta.ts';
import type { Env } from '../env.ts';
import { notNull } from '../insn/null_branch.ts';
import { regTypeText } from '../log/state_lines.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { isConst } from '../scalar/scalar.ts';
import { isNullReg } from '../state/access.ts';
import { mapOf, type Reg } from '../state/reg.ts';
import {
  baseOf,
  isMaybeNull,
  MEM_RDONLY,
  PTR_TO_BTF_ID,
  PTR_TO_BUF,
  PTR_TO_CTX,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
} from '../state/reg_types.ts';
import { checkMemAccess } from './access.ts';
import { checkBtfObjectAccess } from './btf_object.ts';
import { checkBufferAccess } from './buffer.ts';
import { checkMapAccess, checkMapAccessType } from './map_value.ts';
import { checkPacketAccess } from './packet.ts';
import { checkMemRegionAccess } from './region.ts';
import { checkStackRangeInitialized } from './stack_range.ts';

/** Memory that is passed to helpers and kfuncs. Source: check_helper_mem_access and around it, kernel/bpf/verifier.c. */

/** Sizes stay below this, so that they fit an int (BPF_MAX_VAR_SIZ). */
const MAX_VAR_SIZE = 1 << 29;

/** `size` bytes at register `regno` may be read, or written, by a call. */
export function checkHelperMemAccess(
  env: Env,
  regno: number,
  size: number,
  write: boolean,
  zeroSizeOk: boolean,
  meta: CallMeta | null,
): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const refuseReadOnly = (): void => {
    if (write) env.reject('EACCES', `R${regno} cannot write into ${regTypeText(reg.type)}`);
  };
  const isReadOnly = (reg.type & MEM_RDONLY) !== 0;
  switch (baseOf(reg.type)) {
    case PTR_TO_PACKET:
    case PTR_TO_PACKET_META:
      return checkPacketAccess(env, regno, reg.off, size, zeroSizeOk);
    case PTR_TO_MAP_KEY:
      refuseReadOnly();
      return checkMemRegionAccess(env, regno, reg.off, size, mapOf(reg).def.keySize, false);
    case PTR_TO_MAP_VALUE:
      checkMapAccessType(env, regno, reg.off, size, write);
      return checkMapAccess(env, regno, reg.off, size, zeroSizeOk, 'helper');
    case PTR_TO_MEM:
      if (isReadOnly) refuseReadOnly();
      return checkMemRegionAccess(env, regno, reg.off, size, reg.aux, zeroSizeOk);
    case PTR_TO_BUF:
      if (isReadOnly) refuseReadOnly();
      return checkBufferAccess(env, reg, regno, reg.off, size, isReadOnly ? 'rdonly' : 'rdwr');
    case PTR_TO_STACK:
      return checkStackRangeInitialized(env, regno, reg.off, size, zeroSizeOk, write, meta);
    case PTR_TO_BTF_ID:
      return checkBtfObjectAccess(env, regno, reg.off, size, false, -1);
    case PTR_TO_CTX:
      if (env.progType.rewritesContext) break;
      if (size !== 0) return checkMemAccess(env, env.insnIdx, regno, size - 1, 1, write, -1, false, false);
      if (!zeroSizeOk) env.refuse('EACCES');
      return;
  }
  if (zeroSizeOk && size === 0 && isNullReg(reg)) return;
  env.reject('EACCES', `R${regno} type=${regTypeText(reg.type)} expected=${regTypeText(PTR_TO_STACK)}`);
}

/**
 * A size in register `regno` for the memory in the register before it (check_mem_size_reg). Where the size varies the memory must
 * be initialised as far as it may reach.
 */
export function checkMemSizeReg(env: Env, regno: number, write: boolean, zeroSizeOk: boolean, meta: CallMeta): void {
  const { scalar } = env.cur.top.regs[regno] as Reg;
  meta.msizeMaxLo = scalar.umaxLo;
  meta.msizeMaxHi = scalar.umaxHi;
  if (scalar.sminHi < 0) env.reject('EACCES', `R${regno} min value is negative, either use unsigned or 'var &= const'`);
  if ((scalar.uminLo | scalar.uminHi) === 0 && !zeroSizeOk) {
    const range = `[${formatSigned(scalar.uminLo, scalar.uminHi)},${formatSigned(scalar.umaxLo, scalar.umaxHi)}]`;
    env.reject('EACCES', `R${regno} invalid zero-sized read: u64=${range}`);
  }
  if (scalar.umaxHi !== 0 || scalar.umaxLo < 0 || scalar.umaxLo >= MAX_VAR_SIZE)
    env.reject('EACCES', `R${regno} unbounded memory access, use 'var &= const' or 'if (var < const)'`);
  checkHelperMemAccess(env, regno - 1, scalar.umaxLo, write, zeroSizeOk, isConst(scalar) ? meta : null);
  markChainPrecision(env, regno);
}

/** Runs `check` as if register `regno` had passed a check for NULL; the register itself stays as it was. */
function asNotNull(env: Env, regno: number, check: () => void): void {
  const reg = env.cur.top.regs[regno] as Reg;
  if (!isMaybeNull(reg.type)) {
    check();
    return;
  }
  env.cur.writableTop().refineReg(regno, notNull(reg));
  check();
  env.cur.writableTop().refineReg(regno, reg);
}

/** Memory of known size that a function reads and writes, or NULL (check_mem_reg). */
export function checkMemReg(env: Env, regno: number, size: number): void {
  if (isNullReg(env.cur.top.regs[regno] as Reg)) return;
  asNotNull(env, regno, () => {
    checkHelperMemAccess(env, regno, size, false, true, null);
    checkHelperMemAccess(env, regno, size, true, true, null);
  });
}

/** A memory and size pair of a kfunc, the size in `regno` (check_kfunc_mem_size_reg). */
export function checkKfuncMemSizeReg(env: Env, regno: number): void {
  const meta = emptyMeta();
  asNotNull(env, regno - 1, () => {
    checkMemSizeReg(env, regno, false, true, meta);
    checkMemSizeReg(env, regno, true, true, meta);
  });
}
