import type { Env } from '../env.ts';
import { equals, rangeWithin, tnumIn } from '../scalar/scalar.ts';
import type { Frame } from '../state/frame.ts';
import { BPF_ADD_CONST, type Reg, UNKNOWN_REG } from '../state/reg.ts';
import {
  BASE_MASK,
  NOT_INIT,
  PTR_TO_ARENA,
  PTR_TO_BUF,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
  PTR_TO_TP_BUFFER,
  SCALAR_VALUE,
} from '../state/reg_types.ts';
import {
  INVALID_SLOT,
  type Slot,
  STACK_DYNPTR,
  STACK_INVALID,
  STACK_IRQ_FLAG,
  STACK_ITER,
  STACK_MISC,
  STACK_SPILL,
  STACK_ZERO,
  slotType,
} from '../state/stack_slot.ts';
import { REF_TYPE_LOCK_MASK, type Ref, type State } from '../state/state.ts';
import { checkIds, checkScalarIds, resetIdMap } from './id_map.ts';

/**
 * Whether a state that proved safe covers the current one, so that the current path needs no exploring
 * (states_equal and what it calls, kernel/bpf/verifier.c). Registers and slots that two states share need no comparing, except
 * that ids must still correspond.
 */

/** NOT_EXACT: the old state's liveness and precision are final. RANGE_WITHIN: they are not, so every scalar counts. */
export type Exactness = 'NOT_EXACT' | 'EXACT' | 'RANGE_WITHIN';

/** Everything in front of the ids is the same (memcmp up to bpf_reg_state.id). */
export const sameValue = (old: Reg, cur: Reg): boolean =>
  old === cur ||
  (old.type === cur.type &&
    old.off === cur.off &&
    old.obj === cur.obj &&
    old.aux === cur.aux &&
    old.aux2 === cur.aux2 &&
    equals(old.scalar, cur.scalar));

/** Same value, and ids that correspond (regs_exact). */
export const regsExact = (old: Reg, cur: Reg): boolean =>
  sameValue(old, cur) && checkIds(old.id, cur.id) && checkIds(old.refObjId, cur.refObjId);

const scalarWithin = (old: Reg, cur: Reg): boolean =>
  old.scalar === cur.scalar || (rangeWithin(old.scalar, cur.scalar) && tnumIn(old.scalar, cur.scalar));

function scalarSafe(env: Env, old: Reg, oldPrecise: boolean, cur: Reg, exact: Exactness): boolean {
  if (env.exploreAluLimits) return sameValue(old, cur) && checkScalarIds(old.id, cur.id);
  if (!oldPrecise && exact === 'NOT_EXACT') return true;
  if (old.id !== 0) {
    // 32-bit and 64-bit offsets link differently, and an offset must be the same one
    if ((old.id & BPF_ADD_CONST) !== (cur.id & BPF_ADD_CONST)) return false;
    if ((old.id & BPF_ADD_CONST) !== 0 && old.off !== cur.off) return false;
    if (!checkScalarIds(old.id, cur.id)) return false;
  }
  return scalarWithin(old, cur);
}

/** A packet pointer may have more proven range than the old one; -1 and -2 stand for at and beyond the packet's end. */
function packetSafe(old: Reg, cur: Reg): boolean {
  if (old.aux < 0 || cur.aux < 0 ? old.aux !== cur.aux : old.aux > cur.aux) return false;
  return old.off === cur.off && checkIds(old.id, cur.id) && scalarWithin(old, cur);
}

/** Where `old` is safe `cur` is safe too (regsafe). `oldPrecise` is the old register's mark. */
export function regSafe(env: Env, old: Reg, oldPrecise: boolean, cur: Reg, exact: Exactness): boolean {
  if (old === cur && (old.id | old.refObjId) === 0) return true;
  if (exact === 'EXACT') return regsExact(old, cur);
  if (old.type === NOT_INIT && (exact === 'NOT_EXACT' || cur.type === NOT_INIT)) return true;
  if (old.type !== cur.type) return false;
  switch (old.type & BASE_MASK) {
    case SCALAR_VALUE:
      return scalarSafe(env, old, oldPrecise, cur, exact);
    case PTR_TO_MAP_KEY:
    case PTR_TO_MAP_VALUE:
    case PTR_TO_MEM:
    case PTR_TO_BUF:
    case PTR_TO_TP_BUFFER:
      return (
        old.off === cur.off &&
        old.obj === cur.obj &&
        old.aux === cur.aux &&
        old.aux2 === cur.aux2 &&
        scalarWithin(old, cur) &&
        checkIds(old.id, cur.id) &&
        checkIds(old.refObjId, cur.refObjId)
      );
    case PTR_TO_PACKET_META:
    case PTR_TO_PACKET:
      return packetSafe(old, cur);
    case PTR_TO_STACK:
      return regsExact(old, cur) && old.frameno === cur.frameno;
    case PTR_TO_ARENA:
      return true;
    default:
      return regsExact(old, cur);
  }
}

const ALL_MISC = STACK_MISC * 0x01010101;
/** bits of STACK_MISC cleared: what is left of a word of types that are all MISC or INVALID is 0 */
const NOT_MISC = ~ALL_MISC;

const isAllMisc = (env: Env, slot: Slot): boolean =>
  env.allowUninitStack
    ? ((slot.typesLo | slot.typesHi) & NOT_MISC) === 0
    : slot.typesLo === ALL_MISC && slot.typesHi === ALL_MISC;

const isScalarSpill64 = (slot: Slot): boolean => (slot.typesLo & 0xff) === STACK_SPILL && slot.reg.type === SCALAR_VALUE;

/** The scalar that a full load of the slot would give, null when it would not give one (scalar_reg_for_stack). */
const loadedScalar = (env: Env, slot: Slot): Reg | null =>
  isScalarSpill64(slot) ? slot.reg : isAllMisc(env, slot) ? UNKNOWN_REG : null;

/** Two slots whose bytes have the same types: the objects in them decide. */
function sameTypesSafe(env: Env, old: Slot, oldPrecise: boolean, cur: Slot, exact: Exactness): boolean {
  const type = old.typesHi >>> 24;
  switch (type) {
    case STACK_SPILL:
      return regSafe(env, old.reg, oldPrecise, cur.reg, exact);
    case STACK_DYNPTR:
      return old.reg.aux === cur.reg.aux && old.reg.aux2 === cur.reg.aux2 && checkIds(old.reg.refObjId, cur.reg.refObjId);
    case STACK_ITER:
      // the depth of an iteration, above the two bits of its state, does not matter
      return (
        old.reg.obj === cur.reg.obj &&
        old.reg.aux === cur.reg.aux &&
        (old.reg.aux2 & 3) === (cur.reg.aux2 & 3) &&
        checkIds(old.reg.refObjId, cur.reg.refObjId)
      );
    case STACK_IRQ_FLAG:
      return checkIds(old.reg.refObjId, cur.reg.refObjId) && old.reg.aux === cur.reg.aux;
    case STACK_MISC:
    case STACK_ZERO:
    case STACK_INVALID:
      return true;
    default:
      return env.bug(`stack slot type ${type}`);
  }
}

/** A byte that no safe path has read, or that any content suits. */
const isIgnored = (env: Env, type: number): boolean => type === STACK_INVALID || (type === STACK_MISC && env.allowUninitStack);

/** Two slots with different types of bytes; only a comparison that is not exact gets here. */
function mixedTypesSafe(env: Env, old: Slot, oldPrecise: boolean, cur: Slot): boolean {
  const oldScalar = loadedScalar(env, old);
  if (oldScalar && !isIgnored(env, slotType(old, 0))) {
    const curScalar = loadedScalar(env, cur);
    if (curScalar) return regSafe(env, oldScalar, oldPrecise && isScalarSpill64(old), curScalar, 'NOT_EXACT');
  }
  for (let i = 0; i < 8; i++) {
    const type = slotType(old, i);
    if (isIgnored(env, type)) continue;
    const curType = slotType(cur, i);
    if (type === STACK_MISC && curType === STACK_ZERO) continue;
    if (type !== curType) return false;
    if (i === 7) return sameTypesSafe(env, old, oldPrecise, cur, 'NOT_EXACT');
  }
  return true;
}

const isWhollyIgnored = (env: Env, slot: Slot): boolean =>
  env.allowUninitStack ? ((slot.typesLo | slot.typesHi) & NOT_MISC) === 0 : (slot.typesLo | slot.typesHi) === 0;

/** Where the old stack is safe the current one is; slots that only the current one has were never used (stacksafe). */
export function stackSafe(env: Env, old: Frame, cur: Frame, exact: Exactness): boolean {
  const oldSlots = old.slots;
  const curSlots = cur.slots;
  const always = !env.bpfCapable;
  if (exact !== 'NOT_EXACT' && oldSlots.length > curSlots.length) return false;
  for (let spi = 0; spi < oldSlots.length; spi++) {
    const oldSlot = oldSlots[spi]!;
    const curSlot = curSlots[spi];
    if (oldSlot === INVALID_SLOT && exact === 'NOT_EXACT') continue;
    if (oldSlot === curSlot && (oldSlot.reg.id | oldSlot.reg.refObjId) === 0) continue;
    if (curSlot === undefined) {
      if (!isWhollyIgnored(env, oldSlot)) return false;
      continue;
    }
    const oldPrecise = always || old.isPreciseSlot(spi);
    if (oldSlot.typesLo === curSlot.typesLo && oldSlot.typesHi === curSlot.typesHi) {
      if (!sameTypesSafe(env, oldSlot, oldPrecise, curSlot, exact)) return false;
    } else if (exact !== 'NOT_EXACT' || !mixedTypesSafe(env, oldSlot, oldPrecise, curSlot)) return false;
  }
  return true;
}

const refSafe = (old: Ref, cur: Ref): boolean =>
  checkIds(old.id, cur.id) && old.type === cur.type && ((old.type & REF_TYPE_LOCK_MASK) === 0 || old.ptr === cur.ptr);

/** Same references, locks and sections (refsafe). */
export function refsSafe(old: State, cur: State): boolean {
  if (
    old.refs.length !== cur.refs.length ||
    old.activeLocks !== cur.activeLocks ||
    old.activePreemptLocks !== cur.activePreemptLocks ||
    old.activeRcuLock !== cur.activeRcuLock ||
    !checkIds(old.activeIrqId, cur.activeIrqId) ||
    !checkIds(old.activeLockId, cur.activeLockId) ||
    old.activeLockPtr !== cur.activeLockPtr
  )
    return false;
  for (let i = 0; i < old.refs.length; i++) if (!refSafe(old.refs[i]!, cur.refs[i]!)) return false;
  return true;
}

/** One frame at instruction `insnIdx`; registers that are dead there do not matter (func_states_equal). */
function framesEqual(env: Env, old: Frame, cur: Frame, insnIdx: number, exact: Exactness): boolean {
  if (old.callbackDepth > cur.callbackDepth) return false;
  const always = !env.bpfCapable;
  for (let rest = env.facts.liveRegsBefore[insnIdx]!; rest !== 0; rest &= rest - 1) {
    const regno = 31 - Math.clz32(rest & -rest);
    const oldReg = old.regs[regno]!;
    if (!regSafe(env, oldReg, always || old.isPreciseReg(regno), cur.regs[regno]!, exact)) return false;
  }
  return stackSafe(env, old, cur, exact);
}

/** The instruction that frame `frameno` is at: its own, or its call of the next one (frame_insn_idx). */
export const frameInsn = (state: State, frameno: number): number =>
  frameno === state.curframe ? state.insnIdx : state.frames[frameno + 1]!.callsite;

/** The state `cur` is covered by `old`, at the same instruction (states_equal). */
export function statesEqual(env: Env, old: State, cur: State, exact: Exactness): boolean {
  if (old.curframe !== cur.curframe) return false;
  resetIdMap(env);
  if (old.speculative && !cur.speculative) return false;
  if (old.inSleepable !== cur.inSleepable) return false;
  if (!refsSafe(old, cur)) return false;
  for (let frameno = 0; frameno <= old.curframe; frameno++) {
    const oldFrame = old.frames[frameno]!;
    const curFrame = cur.frames[frameno]!;
    if (oldFrame.callsite !== curFrame.callsite) return false;
    if (!framesEqual(env, oldFrame, curFrame, frameInsn(old, frameno), exact)) return false;
  }
  return true;
}

/** Both states came to their functions by the same calls (same_callsites). */
export function sameCallsites(a: State, b: State): boolean {
  if (a.curframe !== b.curframe) return false;
  for (let i = a.curframe; i >= 0; i--) if (a.frames[i]!.callsite !== b.frames[i]!.callsite) return false;
  return true;
}

/** The registers of the top frames are the same, ids included: perhaps a loop without progress (states_maybe_looping). */
export function statesMaybeLooping(old: State, cur: State): boolean {
  if (old.curframe !== cur.curframe) return false;
  const oldRegs = old.top.regs;
  const curRegs = cur.top.regs;
  for (let i = 0; i < oldRegs.length; i++) {
    const a = oldRegs[i]!;
    const b = curRegs[i]!;
    if (a !== b && !(a.id === b.id && a.refObjId === b.refObjId && sameValue(a, b))) return false;
  }
  return true;
}
