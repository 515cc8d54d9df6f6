import type { Env } from '../env.ts';
import { checkMemAccess } from '../memory/access.ts';
import { ZERO } from '../scalar/scalar.ts';
import { Reg } from '../state/reg.ts';
import { PTR_TO_STACK } from '../state/reg_types.ts';
import { fullSlot, INVALID_SLOT, type Slot, STACK_IRQ_FLAG } from '../state/stack_slot.ts';
import { checkFound, markObjectRead, markSlotWritten, NO_SLOT, objectSlot } from './object_slots.ts';
import { acquireIrqSection, releaseIrqSection } from './references.ts';

/**
 * Sections without interrupts: one stack slot holds what the interrupt state was before. They nest, and each is left by the same
 * kind of kfunc that entered it. Source: process_irq_flag, kernel/bpf/verifier.c.
 */

/** Kfuncs that save and restore interrupts alone. */
export const IRQ_NATIVE = 0;
/** Kfuncs that take and drop a lock as well. */
export const IRQ_LOCK = 1;

const className = (kfuncClass: number): string => (kfuncClass === IRQ_NATIVE ? 'native' : 'lock');

const isFlagSlot = (slot: Slot): boolean => (slot.typesLo & 0xff) === STACK_IRQ_FLAG;

const slotOf = (env: Env, reg: Reg): number => objectSlot(env, reg, 'irq_flag', 1);

/** Interrupts are saved to the slot that register `regno`, a stack pointer, points to. */
export function saveIrqFlag(env: Env, regno: number, kfuncClass: number): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const { frameno } = reg;
  const place = slotOf(env, reg);
  if (place === NO_SLOT || (place >= 0 && isFlagSlot(env.cur.frame(frameno).slot(place))))
    env.reject('EINVAL', `expected uninitialized irq flag as arg#${regno - 1}`);
  checkMemAccess(env, env.insnIdx, regno, 0, 8, true, -1, false, false);
  const spi = slotOf(env, reg);
  checkFound(env, spi);
  const id = acquireIrqSection(env, env.insnIdx);
  markSlotWritten(env, frameno, spi);
  const flag = new Reg(PTR_TO_STACK, 0, 0, id, 0, null, kfuncClass, 0, ZERO);
  env.cur.writableFrame(frameno).setSlot(spi, fullSlot(STACK_IRQ_FLAG, flag));
  env.scratchSlot(spi);
}

/** Interrupts are restored from the slot that register `regno`, a stack pointer, points to. */
export function restoreIrqFlag(env: Env, regno: number, kfuncClass: number): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const { frameno } = reg;
  const spi = slotOf(env, reg);
  const slot = env.cur.frame(frameno).slot(Math.max(spi, 0));
  if (spi < 0 || slot.reg.refObjId === 0 || !isFlagSlot(slot))
    env.reject('EINVAL', `expected an initialized irq flag as arg#${regno - 1}`);
  markObjectRead(env, frameno, spi, 1);
  const flag = slot.reg;
  if (flag.aux !== kfuncClass)
    env.reject(
      'EINVAL',
      `irq flag acquired by ${className(flag.aux)} kfuncs cannot be restored with ${className(kfuncClass)} kfuncs`,
    );
  if (!releaseIrqSection(env.cur, flag.refObjId)) {
    const expected = env.cur.activeIrqId;
    const insnIdx = env.cur.refs.find((ref) => ref.id === expected)?.insnIdx ?? 0;
    env.reject('EACCES', `cannot restore irq state out of order, expected id=${expected} acquired at insn_idx=${insnIdx}`);
  }
  markSlotWritten(env, frameno, spi);
  env.cur.writableFrame(frameno).setSlot(spi, INVALID_SLOT);
  env.scratchSlot(spi);
}
