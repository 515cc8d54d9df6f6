import type { Env } from '../env.ts';
import { markStackRead, markStackWrite } from '../prune/liveness.ts';
import { isConst } from '../scalar/scalar.ts';
import type { Reg } from '../state/reg.ts';

/** Stack slots that hold a dynptr, an iterator or an interrupt flag. Source: stack_slot_obj_get_spi, kernel/bpf/verifier.c. */

/** The pointer cannot be to such an object; the log says why. */
export const NO_SLOT = -1;
/** The object would lie outside of the stack that the frame has used so far. */
export const UNUSED_STACK = -2;

/**
 * Slot at which an object of `count` slots begins (its lowest address, so the highest number), or NO_SLOT or UNUSED_STACK.
 * `reg` is a stack pointer.
 */
export function objectSlot(env: Env, reg: Reg, kind: 'dynptr' | 'iter' | 'irq_flag', count: number): number {
  if (!isConst(reg.scalar)) {
    env.verbose(`${kind} has to be at a constant offset\n`);
    return NO_SLOT;
  }
  const off = (reg.off + reg.scalar.valueLo) | 0;
  const spi = Math.trunc((-off - 1) / 8) | 0;
  if (off % 8 !== 0 || spi + 1 < count) {
    env.verbose(`cannot pass in ${kind} at an offset=${off}\n`);
    return NO_SLOT;
  }
  const isUsed = spi - count + 1 >= 0 && spi < env.cur.frame(reg.frameno).slots.length;
  return isUsed ? spi : UNUSED_STACK;
}

/** Refuses where `objectSlot` found no slot. */
export function checkFound(env: Env, spi: number): void {
  if (spi < 0) env.refuse(spi === UNUSED_STACK ? 'ERANGE' : 'EINVAL');
}

/** The call reads the `count` slots from `spi` on (mark_stack_slot_obj_read). */
export function markObjectRead(env: Env, frameno: number, spi: number, count: number): void {
  for (let at = spi; at > spi - count; at--) {
    markStackRead(env, frameno, env.insnIdx, at < 32 ? 1 << at : 0, at < 32 ? 0 : 1 << (at - 32));
    env.scratchSlot(at);
  }
}

/** The call surely writes the slot. */
export const markSlotWritten = (env: Env, frameno: number, spi: number): void =>
  markStackWrite(env, frameno, spi < 32 ? 1 << spi : 0, spi < 32 ? 0 : 1 << (spi - 32));
