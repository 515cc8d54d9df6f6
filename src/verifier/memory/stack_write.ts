import { BPF_MEM, BPF_ST, classOf, modeOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { linkBeforeMov } from '../insn/linked_regs.ts';
import { verboseLineInfo } from '../log/insn_lines.ts';
import { destroyIfDynptrStackSlot } from '../objects/dynptr.ts';
import { checkFastcallStackContract } from '../program/fastcall.ts';
import { pushHistory } from '../prune/history.ts';
import { markStackWrite } from '../prune/liveness.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { constImm, fitsUnsigned, isConst, isZero } from '../scalar/scalar.ts';
import { isNullReg } from '../state/access.ts';
import type { Frame } from '../state/frame.ts';
import { type Reg, scalarReg } from '../state/reg.ts';
import { baseOf, CONST_PTR_TO_DYNPTR, NOT_INIT, PTR_TO_STACK, PTR_TO_TP_BUFFER, SCALAR_VALUE } from '../state/reg_types.ts';
import {
  isSpilled,
  Slot,
  STACK_INVALID,
  STACK_MISC,
  STACK_SPILL,
  STACK_ZERO,
  slotType,
  withSlotType,
} from '../state/stack_slot.ts';
import { INSN_F_SPI_SHIFT, INSN_F_STACK_ACCESS } from '../state/state.ts';
import { signedNumber } from './region.ts';

/** Stores to the stack. Source: check_stack_write_fixed_off, check_stack_write_var_off, kernel/bpf/verifier.c. */

export const stackAccessFlags = (frameno: number, spi: number): number =>
  INSN_F_STACK_ACCESS | (spi << INSN_F_SPI_SHIFT) | frameno;

/** Registers whose state survives in a slot; a scalar of a loader without CAP_BPF does not. */
const isSpillablePointer = (type: number): boolean => {
  const base = baseOf(type);
  return base !== NOT_INIT && base !== SCALAR_VALUE && base !== PTR_TO_TP_BUFFER && base !== CONST_PTR_TO_DYNPTR;
};

const storesImmediate = (insn: Insn): boolean => classOf(insn.code) === BPF_ST && modeOf(insn.code) === BPF_MEM;

const storesZero = (insn: Insn, value: Reg | null): boolean =>
  value ? isNullReg(value) : storesImmediate(insn) && insn.imm === 0;

const MISC_LETTERS: readonly number[] = [STACK_INVALID, STACK_MISC, STACK_MISC, STACK_ZERO, STACK_MISC, STACK_MISC, STACK_MISC];

const ALL_SPILLED = STACK_SPILL * 0x01010101;

/**
 * The slot with `reg` spilled into its `size` lowest addresses (save_register_state). Beside a narrow spill known zeros and
 * unwritten bytes stay, everything else is misc.
 */
export function spilled(slot: Slot, reg: Reg, size: number): Slot {
  if (size === 8) return new Slot(ALL_SPILLED, ALL_SPILLED, reg);
  let next = new Slot(slot.typesLo, slot.typesHi, reg);
  for (let i = 7; i >= 0; i--)
    next = withSlotType(next, i, i >= 8 - size ? STACK_SPILL : (MISC_LETTERS[slotType(slot, i)] as number));
  return next;
}

const isSpecial = (slot: Slot): boolean => {
  const type = slotType(slot, 7);
  return type !== STACK_INVALID && type !== STACK_MISC && type !== STACK_ZERO;
};

/** A spill or an object loses its meaning when part of it is overwritten; its written bytes become misc (scrub_special_slot). */
export function scrubbed(slot: Slot): Slot {
  if (!isSpecial(slot)) return slot;
  let next = slot;
  for (let i = 0; i < 8; i++) if (slotType(slot, i) !== STACK_INVALID) next = withSlotType(next, i, STACK_MISC);
  return next;
}

/** Speculatively the store may not have happened yet: what was there before must not be used as a pointer (Spectre v4). */
function guardStore(env: Env, slot: Slot, off: number, size: number, value: Reg | null, insnIdx: number): void {
  let needsBarrier = value !== null && isSpillablePointer(value.type);
  for (let i = 0; i < size && !needsBarrier; i++) {
    const type = slotType(slot, (-off - 1 - i) & 7);
    needsBarrier = type !== STACK_MISC && type !== STACK_ZERO;
  }
  if (needsBarrier) env.facts.nospecResult[insnIdx] = 1;
}

/** A store at a known offset; `off` lies in the stack and is aligned to `size`. `valueRegno` -1: an immediate or nothing. */
export function writeStackFixed(env: Env, frameno: number, off: number, size: number, valueRegno: number, insnIdx: number): void {
  const spi = (-off - 1) >> 3;
  const insn = env.insn(insnIdx);
  const isAligned = (off & 7) === 0;
  const before = env.cur.frame(frameno).slot(spi);
  if (!env.allowPtrLeaks && isSpilled(before) && before.reg.type !== SCALAR_VALUE && size !== 8)
    env.reject('EACCES', 'attempt to corrupt spilled pointer on stack');
  let value = valueRegno >= 0 ? (env.cur.top.regs[valueRegno] as Reg) : null;
  if (!env.bypassSpecV4) guardStore(env, before, off, size, value, insnIdx);
  destroyIfDynptrStackSlot(env, frameno, spi);
  // a slice of that dynptr is no pointer any more
  if (value) value = env.cur.top.regs[valueRegno] as Reg;
  if (isAligned && size === 8) markStackWrite(env, frameno, spi < 32 ? 1 << spi : 0, spi < 32 ? 0 : 1 << (spi - 32));
  checkFastcallStackContract(env, frameno, insnIdx, off);
  env.scratchSlot(spi);

  if (value && isAligned && value.type === SCALAR_VALUE && env.bpfCapable) {
    const fits = fitsUnsigned(value.scalar, 8 * size);
    if (fits) value = linkBeforeMov(env, valueRegno);
    const frame = env.cur.writableFrame(frameno);
    let kept = value;
    if (!fits && kept.id !== 0) {
      kept = kept.clone();
      kept.id = 0;
    }
    frame.setSlot(spi, spilled(frame.slot(spi), kept, size));
    frame.markSlot(spi, env.cur.top.isPreciseReg(valueRegno));
  } else if (!value && isAligned && storesImmediate(insn) && env.bpfCapable) {
    const frame = env.cur.writableFrame(frameno);
    frame.setSlot(spi, spilled(frame.slot(spi), scalarReg(constImm(insn.imm)), size));
  } else if (value && isSpillablePointer(value.type)) {
    if (size !== 8) {
      verboseLineInfo(env, insnIdx, '; ');
      env.reject('EACCES', 'invalid size of register spill');
    }
    if (frameno !== env.cur.curframe && value.type === PTR_TO_STACK)
      env.reject('EINVAL', 'cannot spill pointers to stack into stack frame of the caller');
    const frame = env.cur.writableFrame(frameno);
    frame.setSlot(spi, spilled(frame.slot(spi), value, size));
  } else {
    overwriteBytes(env, frameno, spi, off, size, valueRegno, storesZero(insn, value));
    return;
  }
  pushHistory(env, env.cur, stackAccessFlags(frameno, spi), null);
}

/** Bytes that are no spill: known zero or misc. A zero that comes from a register makes that register precise. */
function overwriteBytes(
  env: Env,
  frameno: number,
  spi: number,
  off: number,
  size: number,
  valueRegno: number,
  isZeroStore: boolean,
): void {
  if (isZeroStore && valueRegno >= 0) markChainPrecision(env, valueRegno);
  const type = isZeroStore ? STACK_ZERO : STACK_MISC;
  const frame = env.cur.writableFrame(frameno);
  let slot = scrubbed(frame.slot(spi));
  for (let i = 0; i < size; i++) slot = withSlotType(slot, (-off - 1 - i) & 7, type);
  frame.refineSlot(spi, slot);
}

/** A store at an offset that varies: every byte it may reach becomes misc, or stays zero (check_stack_write_var_off). */
export function writeStackVariable(
  env: Env,
  frameno: number,
  pointer: Reg,
  off: number,
  size: number,
  valueRegno: number,
  insnIdx: number,
): void {
  const min = signedNumber(pointer.scalar.sminLo, pointer.scalar.sminHi) + off;
  const max = signedNumber(pointer.scalar.smaxLo, pointer.scalar.smaxHi) + off + size;
  const value = valueRegno >= 0 ? (env.cur.top.regs[valueRegno] as Reg) : null;
  const isZeroStore = storesZero(env.insn(insnIdx), value);
  for (let at = min; at < max; at++) destroyIfDynptrStackSlot(env, frameno, (-at - 1) >> 3);
  checkFastcallStackContract(env, frameno, insnIdx, min);
  const frame = env.cur.writableFrame(frameno);
  let usedZero = false;
  for (let at = min; at < max; at++) if (overwriteByte(env, frame, at, isZeroStore, insnIdx)) usedZero = true;
  if (usedZero && valueRegno >= 0) markChainPrecision(env, valueRegno);
}

/** True when the byte stayed a known zero because zero was stored. */
function overwriteByte(env: Env, frame: Frame, at: number, isZeroStore: boolean, insnIdx: number): boolean {
  const spi = (-at - 1) >> 3;
  const index = (-at - 1) & 7;
  const slot = frame.slot(spi);
  const type = slotType(slot, index);
  env.scratchSlot(spi);
  if (!env.allowPtrLeaks && type !== STACK_MISC && type !== STACK_ZERO) {
    env.verbose(`spilled ptr in range of var-offset stack write; insn ${insnIdx}, ptr off: ${at}`);
    env.refuse('EINVAL');
  }
  const spilledZero =
    type === STACK_SPILL &&
    isSpilled(slot) &&
    slot.reg.type === SCALAR_VALUE &&
    isConst(slot.reg.scalar) &&
    isZero(slot.reg.scalar);
  if (isZeroStore && spilledZero) return true;
  const staysZero = isZeroStore && type === STACK_ZERO;
  if (type === STACK_INVALID && !env.allowUninitStack)
    env.reject('EINVAL', `uninit stack in range of var-offset write prohibited for !root; insn ${insnIdx}, off: ${at}`);
  frame.refineSlot(spi, withSlotType(scrubbed(slot), index, staysZero ? STACK_ZERO : STACK_MISC));
  return staysZero;
}
