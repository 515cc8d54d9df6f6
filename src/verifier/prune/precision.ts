import type { Env } from '../env.ts';
import { printVerifierState } from '../log/state_lines.ts';
import { type Frame, NO_CALLSITE } from '../state/frame.ts';
import type { Reg } from '../state/reg.ts';
import { SCALAR_VALUE } from '../state/reg_types.ts';
import { isSpilled } from '../state/stack_slot.ts';
import type { State } from '../state/state.ts';
import { Backtrack, backtrackInsn, refuseAstray } from './backtrack.ts';
import { concernsOf, isBystander, sparesRegs } from './bystanders.ts';
import { regMaskText, stackMaskText } from './format.ts';
import { historyEntryAt } from './history.ts';

/**
 * Precision: a scalar whose value mattered for the safety of a path must not be matched later by a wider one. The wish for
 * precision is carried back along the path, instruction by instruction, and marks the states that stand on it. The current state
 * is never marked, as only stored states are compared with. Stored frames are shared with the states that were copied from them,
 * so a mark goes to a frame of the stored state's own (`State.writableFrame`).
 *
 * Source: __mark_chain_precision and its neighbours, kernel/bpf/verifier.c.
 */

/** r1 to r5 */
const ARG_REGS = 0b111110;
/** r0 to r9 */
const GENERAL_REGS = 0x3ff;
/** prev_idx of a jump record has 20 bits */
const PREV_IDX_MASK = 0xfffff;
const NO_INSN = -2;

/** What is wanted; empty between two searches. One verification runs at a time, so one is enough. */
const bt = new Backtrack();

/** Position in the history of the state that is walked, as `previousInsn` leaves it. */
let historyEnd = 0;

/** The instruction that ran before `at` in `state`, NO_INSN when `at` is its first (get_prev_insn_idx). */
function previousInsn(state: State, at: number): number {
  const { history } = state;
  if (at === state.firstInsnIdx) {
    if (historyEnd === 0) return NO_INSN;
    if (historyEnd === 1 && history[0]!.idx === at) return NO_INSN;
  }
  if (historyEnd === 0) return at - 1;
  const entry = history[historyEnd - 1]!;
  if (entry.idx !== at) return at - 1;
  historyEnd--;
  return entry.prevIdx & PREV_IDX_MASK;
}

/**
 * The last instruction up to `at` that may have a part in what is wanted of the registers `wanted`, or that the history knows, or
 * that `state` begins with: the path from there to `at` is straight, and nothing on it changes the wish.
 */
function skipBystanders(concerns: Uint16Array, state: State, at: number, wanted: number): number {
  const known = historyEnd === 0 ? NO_INSN : state.history[historyEnd - 1]!.idx;
  const first = state.firstInsnIdx;
  let index = at;
  while (index > 0 && index !== known && index !== first && sparesRegs(concerns[index]!, wanted)) index--;
  return index;
}

const isScalarReg = (frame: Frame, regno: number): boolean => (frame.regs[regno] as Reg).type === SCALAR_VALUE;

const isScalarSlot = (frame: Frame, spi: number): boolean => {
  const slot = frame.slot(spi);
  return isSpilled(slot) && slot.reg.type === SCALAR_VALUE;
};

/** Wanted registers of a frame that are scalars and not marked yet. */
function unmarkedRegs(frame: Frame, wanted: number): number {
  let fresh = wanted & ~frame.preciseRegs;
  for (let rest = fresh; rest !== 0; rest &= rest - 1)
    if (!isScalarReg(frame, 31 - Math.clz32(rest & -rest))) fresh &= ~(rest & -rest);
  return fresh;
}

function unmarkedSlots(env: Env, frame: Frame, wanted: number, marked: number, firstSpi: number): number {
  for (let rest = wanted; rest !== 0; rest &= rest - 1) {
    const bit = rest & -rest;
    const spi = firstSpi + 31 - Math.clz32(bit);
    if (spi >= frame.slots.length)
      refuseAstray(env, `stack slot ${spi}, total slots ${frame.slots.length} (i >= func->allocated_stack / BPF_REG_SIZE)`);
    if ((marked & bit) !== 0 || !isScalarSlot(frame, spi)) wanted &= ~bit;
  }
  return wanted;
}

/** Marks what is wanted in frame `frameno` of a stored state; only what was not marked before is wanted further back. */
function markFrame(env: Env, state: State, frameno: number): boolean {
  const frame = state.frame(frameno);
  const regs = unmarkedRegs(frame, bt.regs[frameno]!);
  const lo = unmarkedSlots(env, frame, bt.slotsLo[frameno]!, frame.preciseSlotsLo, 0);
  const hi = unmarkedSlots(env, frame, bt.slotsHi[frameno]!, frame.preciseSlotsHi, 32);
  bt.regs[frameno] = regs;
  bt.slotsLo[frameno] = lo;
  bt.slotsHi[frameno] = hi;
  if ((regs | lo | hi) === 0) return false;
  const marked = state.writableFrame(frameno);
  marked.preciseRegs |= regs;
  marked.preciseSlotsLo |= lo;
  marked.preciseSlotsHi |= hi;
  return true;
}

/** The entry of a global function was reached: its arguments are marked, there is nothing before it. */
function markFunctionArguments(env: Env, state: State): boolean {
  const frame = state.frame(0);
  const wanted = bt.regs[bt.frame]!;
  const isFunctionEntry = state.curframe === 0 && frame.subprogno > 0 && frame.callsite === NO_CALLSITE;
  if (!isFunctionEntry || bt.topHasSlots || (wanted & ~ARG_REGS) !== 0)
    refuseAstray(
      env,
      `backtracking func entry subprog ${frame.subprogno} reg_mask ${(wanted >>> 0).toString(16)} stack_mask ${bt.topSlotsHex}`,
    );
  bt.regs[bt.frame] = 0;
  let scalars = 0;
  for (let regno = 1; regno <= 5; regno++) if (((wanted >>> regno) & 1) !== 0 && isScalarReg(frame, regno)) scalars |= 1 << regno;
  if (scalars === 0) return false;
  state.writableFrame(0).preciseRegs |= scalars;
  return true;
}

function logParent(env: Env, state: State, frameno: number): void {
  const regs = regMaskText(bt.regs[frameno]!);
  const slots = stackMaskText(bt.slotsLo[frameno]!, bt.slotsHi[frameno]!);
  env.log.trace(`mark_precise: frame${frameno}: parent state regs=${regs} stack=${slots}: `);
  printVerifierState(env, state, frameno, true);
}

/** Carries the wish in `bt` back from `start`. Returns whether a stored state got a mark. */
function walkBack(env: Env, start: State): boolean {
  if (bt.isEmpty()) return false;
  env.concerns ??= concernsOf(env);
  const { concerns } = env;
  const { tracesAll } = env.log;
  let changed = false;
  let state = start;
  let firstIdx = state.firstInsnIdx;
  let lastIdx = state.insnIdx;
  let subseqIdx = -1;
  let skip = true;
  for (;;) {
    historyEnd = state.history.length;
    if (tracesAll)
      env.log.trace(`mark_precise: frame${bt.frame}: last_idx ${lastIdx} first_idx ${firstIdx} subseq_idx ${subseqIdx} \n`);
    if (lastIdx < 0) return markFunctionArguments(env, state) || changed;
    for (let at = lastIdx; ; ) {
      if (skip) skip = false;
      else {
        if (!tracesAll) {
          const met = skipBystanders(concerns, state, at, bt.topRegs);
          if (met !== at) {
            at = met;
            subseqIdx = at + 1;
          }
        }
        const entry = historyEntryAt(state, historyEnd, at);
        if (tracesAll || !isBystander(concerns[at]!, bt, entry)) {
          if (!backtrackInsn(env, at, subseqIdx, entry, bt)) {
            markAllScalarsPrecise(env, start);
            bt.reset();
            return changed;
          }
          if (bt.isEmpty()) return changed;
        }
      }
      subseqIdx = at;
      at = previousInsn(state, at);
      if (at === NO_INSN) break;
      if (at < 0 || at >= env.insns.length) refuseAstray(env, `backtracking idx ${at}`);
    }
    const parent: State | null = state.parent;
    if (!parent) break;
    state = parent;
    for (let frameno = bt.frame; frameno >= 0; frameno--) {
      if (markFrame(env, state, frameno)) changed = true;
      if (env.log.tracesAll) logParent(env, state, frameno);
    }
    if (bt.isEmpty()) return changed;
    subseqIdx = firstIdx;
    lastIdx = state.lastInsnIdx;
    firstIdx = state.firstInsnIdx;
  }
  // Something was missed, such as a stack access through another register than r10.
  markAllScalarsPrecise(env, start);
  bt.reset();
  return changed;
}

/**
 * The exact value of scalar `regno` of the current function was relied on: marks it, and whatever it was made from, in the states
 * on the current path. Without CAP_BPF every scalar is precise anyway. Source: mark_chain_precision.
 */
export function markChainPrecision(env: Env, regno: number): void {
  if (!env.bpfCapable) return;
  const start = env.cur;
  bt.reset();
  bt.frame = start.curframe;
  if (!isScalarReg(start.top, regno)) refuseAstray(env, 'backtracking misuse');
  bt.setReg(regno);
  walkBack(env, start);
}

/** As `markChainPrecision`, for the scalar spilled to slot `spi` of frame `frameno` (bt_set_frame_slot). */
export function markSlotChainPrecision(env: Env, frameno: number, spi: number): void {
  if (!env.bpfCapable) return;
  const start = env.cur;
  bt.reset();
  bt.frame = start.curframe;
  bt.setSlot(frameno, spi);
  walkBack(env, start);
}

function wantPreciseOf(env: Env, frame: Frame, frameno: number): void {
  let found = false;
  let text = '';
  const regs = env.bpfCapable ? frame.preciseRegs & GENERAL_REGS : GENERAL_REGS;
  for (let rest = regs; rest !== 0; rest &= rest - 1) {
    const regno = 31 - Math.clz32(rest & -rest);
    if (!isScalarReg(frame, regno)) continue;
    bt.setFrameReg(frameno, regno);
    if (env.log.tracesAll) text += found ? `,r${regno}` : `r${regno}`;
    found = true;
  }
  if ((frame.preciseSlotsLo | frame.preciseSlotsHi) !== 0 || !env.bpfCapable)
    for (let spi = 0; spi < frame.slots.length; spi++) {
      if (!isScalarSlot(frame, spi) || (env.bpfCapable && !frame.isPreciseSlot(spi))) continue;
      bt.setSlot(frameno, spi);
      if (env.log.tracesAll) text += `${found ? ',' : ''}fp${-(spi + 1) * 8}`;
      found = true;
    }
  // The kernel ends the line at every level and writes the rest of it at level 2 only.
  if (found) env.log.trace(env.log.tracesAll ? `frame ${frameno}: propagating ${text}\n` : '\n');
}

/**
 * `cur` was found to be covered by the stored state `old`: what is precise there was relied on behind this point, so it is marked
 * in the states that led to `cur`. Returns whether one of them got a new mark. Source: propagate_precision.
 */
export function propagatePrecision(env: Env, old: State, cur: State): boolean {
  bt.reset();
  for (let frameno = old.curframe; frameno >= 0; frameno--) wantPreciseOf(env, old.frame(frameno), frameno);
  if (!env.bpfCapable) return false;
  bt.frame = cur.curframe;
  return walkBack(env, cur);
}

/** Every scalar register and spilled scalar of the frame, as masks in `scalarRegs`, `scalarSlotsLo` and `scalarSlotsHi`. */
let scalarRegs = 0;
let scalarSlotsLo = 0;
let scalarSlotsHi = 0;
function collectScalars(frame: Frame): void {
  scalarRegs = 0;
  scalarSlotsLo = 0;
  scalarSlotsHi = 0;
  for (let regno = 0; regno < 10; regno++) if (isScalarReg(frame, regno)) scalarRegs |= 1 << regno;
  for (let spi = 0; spi < frame.slots.length; spi++) {
    if (!isScalarSlot(frame, spi)) continue;
    if (spi < 32) scalarSlotsLo |= 1 << spi;
    else scalarSlotsHi |= 1 << (spi - 32);
  }
}

function logForced(env: Env, frameno: number, regs: number, lo: number, hi: number): void {
  const say = (what: string): void => env.log.trace(`force_precise: frame${frameno}: forcing ${what} to be precise\n`);
  for (let regno = 0; regno < 10; regno++) if (((regs >>> regno) & 1) !== 0) say(`r${regno}`);
  for (let spi = 0; spi < 64; spi++) if (((spi < 32 ? lo >>> spi : hi >>> (spi - 32)) & 1) !== 0) say(`fp${-(spi + 1) * 8}`);
}

/** Marks every scalar of every state that led to `start`, which itself stays as it is (mark_all_scalars_precise). */
export function markAllScalarsPrecise(env: Env, start: State): void {
  if (env.log.tracesAll) env.log.trace(`mark_precise: frame${start.curframe}: falling back to forcing all scalars precise\n`);
  for (let state = start.parent; state; state = state.parent)
    for (let frameno = 0; frameno <= state.curframe; frameno++) {
      const frame = state.frame(frameno);
      collectScalars(frame);
      const regs = scalarRegs & ~frame.preciseRegs;
      const lo = scalarSlotsLo & ~frame.preciseSlotsLo;
      const hi = scalarSlotsHi & ~frame.preciseSlotsHi;
      if ((regs | lo | hi) === 0) continue;
      const marked = state.writableFrame(frameno);
      marked.preciseRegs |= regs;
      marked.preciseSlotsLo |= lo;
      marked.preciseSlotsHi |= hi;
      if (env.log.tracesAll) logForced(env, frameno, regs, lo, hi);
    }
}

/** Forgets the marks that the state inherited: only what its own successors rely on shall count (mark_all_scalars_imprecise). */
export function markAllScalarsImprecise(state: State): void {
  for (let frameno = 0; frameno <= state.curframe; frameno++) {
    const frame = state.frame(frameno);
    if ((frame.preciseRegs | frame.preciseSlotsLo | frame.preciseSlotsHi) === 0) continue;
    const own = state.writableFrame(frameno);
    own.preciseRegs = 0;
    own.preciseSlotsLo = 0;
    own.preciseSlotsHi = 0;
  }
}
