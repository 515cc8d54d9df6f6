import type { CallMeta } from '../call/meta.ts';
import type { Env } from '../env.ts';
import { tnumText } from '../log/scalar_text.ts';
import { markStackRead } from '../prune/liveness.ts';
import { isConst } from '../scalar/scalar.ts';
import type { Frame } from '../state/frame.ts';
import { type Reg, UNKNOWN_REG } from '../state/reg.ts';
import { SCALAR_VALUE } from '../state/reg_types.ts';
import {
  isSpilled,
  Slot,
  STACK_DYNPTR,
  STACK_INVALID,
  STACK_MISC,
  STACK_ZERO,
  slotType,
  withSlotType,
} from '../state/stack_slot.ts';
import { signedNumber } from './region.ts';
import { checkStackBounds } from './stack_read.ts';

/** A call may leave anything in the slot: its written bytes become misc, its scalar unknown. */
function clobbered(slot: Slot): Slot {
  let next = new Slot(slot.typesLo, slot.typesHi, UNKNOWN_REG);
  for (let i = 0; i < 8; i++) if (slotType(slot, i) !== STACK_INVALID) next = withSlotType(next, i, STACK_MISC);
  return next;
}

/** Raw memory is written byte by byte later; it must not cover a dynptr that the same call may use. */
function checkNoDynptr(env: Env, frame: Frame, min: number, max: number): void {
  for (let at = min; at < max; at++) {
    const depth = -at - 1;
    if (frame.allocatedStack <= depth) continue;
    if (slotType(frame.slot(depth >> 3), depth & 7) === STACK_DYNPTR)
      env.reject('EACCES', `potential write to dynptr at off=${at} disallowed`);
  }
}

/** True when byte `at` may be read; `write`: it may then hold anything. */
function useByte(env: Env, frameno: number, at: number, write: boolean): boolean {
  const spi = (-at - 1) >> 3;
  const index = (-at - 1) & 7;
  const slot = env.cur.frame(frameno).slot(spi);
  const type = slotType(slot, index);
  if (type === STACK_MISC) return true;
  if (type === STACK_ZERO || (type === STACK_INVALID && env.allowUninitStack)) {
    if (write) env.cur.writableFrame(frameno).refineSlot(spi, withSlotType(slot, index, STACK_MISC));
    return true;
  }
  if (!isSpilled(slot) || (slot.reg.type !== SCALAR_VALUE && !env.allowPtrLeaks)) return false;
  if (write) {
    const frame = env.cur.writableFrame(frameno);
    frame.setSlot(spi, clobbered(slot));
    frame.markSlot(spi, !env.bpfCapable);
  }
  return true;
}

/**
 * Stack memory that is passed to a call: initialised, unless `meta` says that the call fills it (check_stack_range_initialized).
 * `off` and `size` in bytes.
 */
export function checkStackRangeInitialized(
  env: Env,
  regno: number,
  off: number,
  size: number,
  zeroSizeOk: boolean,
  write: boolean,
  meta: CallMeta | null,
): void {
  if (size === 0 && !zeroSizeOk) env.reject('EACCES', 'invalid zero-sized read');
  checkStackBounds(env, regno, off, size, write);
  const reg = env.cur.top.regs[regno] as Reg;
  const { scalar, frameno } = reg;
  const isFixed = isConst(scalar);
  let min = signedNumber(scalar.valueLo, scalar.valueHi) + off;
  let max = min + size;
  if (!isFixed) {
    if (!env.bypassSpecV1)
      env.reject('EACCES', `R${regno} variable offset stack access prohibited for !root, var_off=${tnumText(scalar)}`);
    min = signedNumber(scalar.sminLo, scalar.sminHi) + off;
    max = signedNumber(scalar.smaxLo, scalar.smaxHi) + off + size;
  }
  if (isFixed && meta?.rawMode) {
    checkNoDynptr(env, env.cur.frame(frameno), min, max);
    meta.accessSize = size;
    meta.regno = regno;
    return;
  }
  for (let at = min; at < max; at++) {
    const depth = -at - 1;
    if (env.cur.frame(frameno).allocatedStack <= depth) env.reject('EFAULT', 'allocated_stack too small');
    if (!useByte(env, frameno, at, write)) {
      if (isFixed) env.reject('EACCES', `invalid read from stack R${regno} off ${min}+${at - min} size ${size}`);
      env.reject('EACCES', `invalid read from stack R${regno} var_off ${tnumText(scalar)}+${at - min} size ${size}`);
    }
    const spi = depth >> 3;
    markStackRead(env, frameno, env.insnIdx, spi < 32 ? 1 << spi : 0, spi < 32 ? 0 : 1 << (spi - 32));
  }
}
