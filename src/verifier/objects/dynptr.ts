import { ARG_PTR_TO_DYNPTR } from '../call/arg_types.ts';
import type { Env } from '../env.ts';
import { dynptrTypeText } from '../log/state_lines.ts';
import { checkMemAccess } from '../memory/access.ts';
import { replaceRegs } from '../state/each.ts';
import { pointerReg, type Reg } from '../state/reg.ts';
import {
  CONST_PTR_TO_DYNPTR,
  DYNPTR_TYPE_LOCAL,
  DYNPTR_TYPE_RINGBUF,
  DYNPTR_TYPE_SKB,
  DYNPTR_TYPE_SKB_META,
  DYNPTR_TYPE_XDP,
  MEM_RDONLY,
  MEM_UNINIT,
  PTR_MAYBE_NULL,
  PTR_TO_MEM,
  PTR_TO_STACK,
} from '../state/reg_types.ts';
import { fullSlot, INVALID_SLOT, type Slot, STACK_DYNPTR } from '../state/stack_slot.ts';
import { checkFound, markObjectRead, markSlotWritten, NO_SLOT, objectSlot } from './object_slots.ts';
import { acquireReference, invalidReg, releaseReference } from './references.ts';

/**
 * Dynptrs: pointers to memory whose size is known at run time only. One takes two stack slots, of which the one at the lower
 * address is the first. A slice is a plain memory register that carries the dynptr's id. Source: mark_stack_slots_dynptr and its
 * neighbours, kernel/bpf/verifier.c.
 */

/** enum bpf_dynptr_type */
export const DYNPTR_INVALID = 0;
export const DYNPTR_LOCAL = 1;
export const DYNPTR_RINGBUF = 2;
export const DYNPTR_SKB = 3;
export const DYNPTR_XDP = 4;
export const DYNPTR_SKB_META = 5;

const SLOTS = 2;
const SLOT_BYTES = 8;

/** Flag of argument and slice types per dynptr type. */
const FLAGS = [0, DYNPTR_TYPE_LOCAL, DYNPTR_TYPE_RINGBUF, DYNPTR_TYPE_SKB, DYNPTR_TYPE_XDP, DYNPTR_TYPE_SKB_META] as const;
const FLAG_MASK = FLAGS.reduce((mask: number, flag) => mask | flag, 0);

/** The flag for a dynptr type (get_dynptr_type_flag). */
export const dynptrTypeFlag = (type: number): number => FLAGS[type] ?? 0;

/** The dynptr type that an argument type names, DYNPTR_INVALID when it names none (arg_to_dynptr_type). */
const typeOfArg = (argType: number): number => Math.max(0, (FLAGS as readonly number[]).indexOf(argType & FLAG_MASK));

/** The memory belongs to somebody else, who must get it back (dynptr_type_refcounted). */
export const isRefcountedDynptr = (type: number): boolean => type === DYNPTR_RINGBUF;

function dynptrReg(type: number, id: number, refObjId: number, isFirst: boolean): Reg {
  const reg = pointerReg(CONST_PTR_TO_DYNPTR, null, type, isFirst ? 1 : 0);
  reg.id = id;
  reg.refObjId = refObjId;
  return reg;
}

/** A pointer to a dynptr that is not on a program's stack: an argument of a function or callback (mark_dynptr_cb_reg). */
export const constDynptrReg = (type: number, id: number): Reg => dynptrReg(type, id, 0, true);

/** Of a pointer to a dynptr: `aux2` of one that every dynptr argument takes. */
const MUTABLE = 2;

/**
 * The same as kernels had it before CONST_PTR_TO_DYNPTR: PTR_TO_DYNPTR, whose arguments are not looked at any further, not even
 * those that want an uninitialised dynptr. Source: the third version of the series that brought bpf_user_ringbuf_drain.
 */
export function mutableDynptrReg(type: number, id: number): Reg {
  const reg = constDynptrReg(type, id);
  reg.aux2 = MUTABLE;
  return reg;
}

/** PTR_TO_DYNPTR, not CONST_PTR_TO_DYNPTR. */
export const isMutableDynptr = (reg: Reg): boolean => reg.type === CONST_PTR_TO_DYNPTR && reg.aux2 === MUTABLE;

const isDynptrSlot = (slot: Slot): boolean => (slot.typesLo & 0xff) === STACK_DYNPTR;
const isFirstSlot = (slot: Slot): boolean => isDynptrSlot(slot) && slot.reg.aux2 !== 0;

function clearSlots(env: Env, frameno: number, spi: number): void {
  const frame = env.cur.writableFrame(frameno);
  frame.setSlot(spi, INVALID_SLOT);
  frame.setSlot(spi - 1, INVALID_SLOT);
  markSlotWritten(env, frameno, spi);
  markSlotWritten(env, frameno, spi - 1);
}

/** Slices of a dynptr on the stack end with it; those over packets and read-only ones do not carry its type and stay. */
export function invalidateDynptrSlices(env: Env, dynptrId: number): void {
  const invalid = invalidReg(env);
  replaceRegs(env.cur, (reg) =>
    (reg.type === PTR_TO_MEM || reg.type === (PTR_TO_MEM | PTR_MAYBE_NULL)) && reg.aux2 === dynptrId ? invalid : reg,
  );
}

/**
 * Slot `spi` is about to be overwritten: the dynptr that it is part of, if any, is no more. One that holds a reference must not
 * be lost that way. Source: destroy_if_dynptr_stack_slot.
 */
export function destroyIfDynptrStackSlot(env: Env, frameno: number, spi: number): void {
  const slot = env.cur.frame(frameno).slot(spi);
  if (!isDynptrSlot(slot)) return;
  const first = isFirstSlot(slot) ? spi : spi + 1;
  const { reg } = env.cur.frame(frameno).slot(first);
  if (isRefcountedDynptr(reg.aux)) env.reject('EINVAL', 'cannot overwrite referenced dynptr');
  env.scratchSlot(first);
  env.scratchSlot(first - 1);
  invalidateDynptrSlices(env, reg.id);
  clearSlots(env, frameno, first);
}

function markSlots(env: Env, reg: Reg, argType: number, insnIdx: number, cloneRefObjId: number): void {
  const spi = objectSlot(env, reg, 'dynptr', SLOTS);
  checkFound(env, spi);
  const { frameno } = reg;
  // the two slots may be halves of two different dynptrs
  destroyIfDynptrStackSlot(env, frameno, spi);
  destroyIfDynptrStackSlot(env, frameno, spi - 1);
  const type = typeOfArg(argType);
  if (type === DYNPTR_INVALID) env.refuse('EINVAL');
  const id = env.newId();
  let refObjId = 0;
  if (isRefcountedDynptr(type)) refObjId = cloneRefObjId !== 0 ? cloneRefObjId : acquireReference(env, insnIdx);
  const frame = env.cur.writableFrame(frameno);
  frame.setSlot(spi, fullSlot(STACK_DYNPTR, dynptrReg(type, id, refObjId, true)));
  frame.setSlot(spi - 1, fullSlot(STACK_DYNPTR, dynptrReg(type, id, refObjId, false)));
  markSlotWritten(env, frameno, spi);
  markSlotWritten(env, frameno, spi - 1);
}

/** The dynptr at register `regno` is released: with it go its slices and its clones (unmark_stack_slots_dynptr). */
export function unmarkDynptr(env: Env, regno: number): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const spi = objectSlot(env, reg, 'dynptr', SLOTS);
  checkFound(env, spi);
  const { frameno } = reg;
  const dynptr = env.cur.frame(frameno).slot(spi).reg;
  if (!isRefcountedDynptr(dynptr.aux)) {
    clearSlots(env, frameno, spi);
    return;
  }
  const { refObjId } = dynptr;
  releaseReference(env, refObjId);
  for (let at = 1; at < env.cur.frame(frameno).slots.length; at++) {
    const slot = env.cur.frame(frameno).slot(at);
    if (isFirstSlot(slot) && slot.reg.refObjId === refObjId) clearSlots(env, frameno, at);
  }
}

/** First stack slot of the dynptr that a stack pointer points to; below zero where there can be none (dynptr_get_spi). */
export const dynptrSpi = (env: Env, reg: Reg): number => objectSlot(env, reg, 'dynptr', SLOTS);

/** A place for a new dynptr; stack that was never used will do (is_dynptr_reg_valid_uninit). */
const isPlace = (env: Env, reg: Reg): boolean => reg.type !== CONST_PTR_TO_DYNPTR && dynptrSpi(env, reg) !== NO_SLOT;

function isInitialised(env: Env, reg: Reg): boolean {
  if (reg.type === CONST_PTR_TO_DYNPTR) return true;
  const spi = dynptrSpi(env, reg);
  if (spi < 0) return false;
  const frame = env.cur.frame(reg.frameno);
  // a dynptr is never there by halves, so one byte of each slot tells
  return isFirstSlot(frame.slot(spi)) && isDynptrSlot(frame.slot(spi - 1));
}

/**
 * The register that says what is known of the dynptr that `reg` points to: itself, or that of the first stack slot. Its `id` is
 * that of the dynptr, `refObjId` the reference that it holds, `aux` its type (dynptr_id, dynptr_ref_obj_id, dynptr_get_type).
 */
export function dynptrOf(env: Env, reg: Reg): Reg {
  if (reg.type === CONST_PTR_TO_DYNPTR) return reg;
  const spi = dynptrSpi(env, reg);
  checkFound(env, spi);
  return env.cur.frame(reg.frameno).slot(spi).reg;
}

function isTypeExpected(env: Env, reg: Reg, argType: number): boolean {
  return argType === ARG_PTR_TO_DYNPTR || dynptrOf(env, reg).aux === typeOfArg(argType);
}

/** A dynptr that exists: the right kind, and not one that the callee would change although it is constant. */
function checkExisting(env: Env, reg: Reg, regno: number, argType: number): void {
  const arg = regno - 1;
  if (reg.type === CONST_PTR_TO_DYNPTR && (argType & MEM_RDONLY) === 0)
    env.reject('EINVAL', 'cannot pass pointer to const bpf_dynptr, the helper mutates it');
  if (!isInitialised(env, reg)) env.reject('EINVAL', `Expected an initialized dynptr as arg #${arg}`);
  if (!isTypeExpected(env, reg, argType & ~MEM_RDONLY))
    env.reject('EINVAL', `Expected a dynptr of type ${dynptrTypeText(typeOfArg(argType))} as arg #${arg}`);
  if (reg.type !== CONST_PTR_TO_DYNPTR) markObjectRead(env, reg.frameno, dynptrSpi(env, reg), SLOTS);
}

/**
 * Register `regno` is passed as a dynptr. `argType` is ARG_PTR_TO_DYNPTR with flags: MEM_UNINIT makes a new one there, of the
 * type that a DYNPTR_TYPE_* flag names and with the reference `cloneRefObjId` (0: its own); MEM_RDONLY leaves the dynptr as it
 * is. Source: process_dynptr_func.
 */
export function checkDynptrArg(env: Env, regno: number, insnIdx: number, argType: number, cloneRefObjId: number): void {
  const reg = env.cur.top.regs[regno] as Reg;
  if (reg.type !== PTR_TO_STACK && reg.type !== CONST_PTR_TO_DYNPTR)
    env.reject('EINVAL', `arg#${regno - 1} expected pointer to stack or const struct bpf_dynptr`);
  if (isMutableDynptr(reg)) return;
  if ((argType & (MEM_UNINIT | MEM_RDONLY)) === (MEM_UNINIT | MEM_RDONLY))
    env.reject('EFAULT', 'verifier bug: misconfigured dynptr helper type flags');
  if ((argType & MEM_UNINIT) === 0) {
    checkExisting(env, reg, regno, argType);
    return;
  }
  if (!isPlace(env, reg)) env.reject('EINVAL', 'Dynptr has to be an uninitialized dynptr');
  for (let off = 0; off < SLOTS * SLOT_BYTES; off += SLOT_BYTES)
    checkMemAccess(env, insnIdx, regno, off, SLOT_BYTES, true, -1, false, false);
  markSlots(env, reg, argType, insnIdx, cloneRefObjId);
}
