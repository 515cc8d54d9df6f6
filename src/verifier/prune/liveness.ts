import { Bug } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { postorderEnd, successorsOf } from '../program/cfg.ts';
import { subprogEnd } from '../program/subprogs.ts';
import type { State } from '../state/state.ts';
import { stackMaskText } from './format.ts';

/**
 * Which stack slots may still be read (kernel/bpf/liveness.c). For every chain of calls and every instruction of the function at
 * its end, marks are collected while states are explored: slots that the instruction may read (a union over the visits) and slots
 * that it surely writes (an intersection). From them the liveness before each instruction follows as the usual backward data flow;
 * what a function reads and surely writes of its callers' stacks becomes a mark of the call instruction.
 *
 * Masks of one instruction and one frame, eight words in a row:
 *
 *     0 1   may read             4 5   surely written by it or behind it
 *     2 3   surely written       6 7   live before
 */
const WORDS = 8;
const MAX_CALL_FRAMES = 8;

/** What visits of an instruction wrote. NOTHING: no visit wrote to a stack, so that no mask can have changed. */
const UNSEEN = 0;
const NOTHING = 1;
const SOMETHING = 2;

/** Masks of a function's instructions for the stack of one frame, and which of them have to be computed again. */
class FrameMasks {
  readonly words: Int32Array;
  /** by instruction from the function's start: its own marks, or those of a successor, changed since it was computed */
  readonly stale: Uint8Array;
  staleCount = 0;

  constructor(length: number) {
    this.words = new Int32Array(length * WORDS);
    this.stale = new Uint8Array(length);
  }

  markStale(index: number): void {
    if (this.stale[index] !== 0) return;
    this.stale[index] = 1;
    this.staleCount++;
  }
}

/** A function as entered through one chain of calls (struct func_instance). */
class FuncInstance {
  readonly caller: FuncInstance | null;
  /** call instruction in the caller; the function's first instruction in a chain of one */
  readonly callsite: number;
  readonly start: number;
  readonly length: number;
  readonly postorderStart: number;
  readonly postorderEnd: number;
  /** number of its frame: callers above it */
  readonly depth: number;
  updated = false;
  mustWriteDropped = false;
  /** masks per frame, null until one is set */
  readonly frames: (FrameMasks | null)[];
  /** by instruction from the function's start: `UNSEEN`, or what the visits so far surely write */
  readonly mustWrite: Uint8Array;
  readonly callees = new Map<number, FuncInstance>();
  /** another function entered from the same call instruction (callbacks) */
  sibling: FuncInstance | null = null;

  constructor(env: Env, subprogno: number, caller: FuncInstance | null, callsite: number) {
    const subprog = env.subprogs[subprogno];
    if (!subprog) throw new Bug(`no function ${subprogno}`);
    this.caller = caller;
    this.callsite = callsite;
    this.start = subprog.start;
    this.length = subprogEnd(env, subprogno) - subprog.start;
    this.postorderStart = subprog.postorderStart;
    this.postorderEnd = postorderEnd(env, subprogno);
    this.depth = caller ? caller.depth + 1 : 0;
    this.frames = new Array<FrameMasks | null>(this.depth + 1).fill(null);
    this.mustWrite = new Uint8Array(this.length);
  }

  masksOf(frameno: number): FrameMasks {
    this.frames[frameno] ??= new FrameMasks(this.length);
    return this.frames[frameno];
  }

  chainText(): string {
    let text = `${this.start})`;
    for (let at: FuncInstance = this; at.caller; at = at.caller) text = `${at.callsite},${text}`;
    return `(${text}`;
  }
}

/** Everything the analysis keeps for one verification (struct bpf_liveness). */
export class LivenessState {
  readonly roots = new Map<number, FuncInstance>();
  /** instance of the current state's top frame, null when calls or returns made it stale */
  current: FuncInstance | null = null;
  /** write marks of the instruction under way, two words a frame */
  readonly writes = new Int32Array(MAX_CALL_FRAMES * 2);
  hasWrites = false;
  writeInsn = 0;
  /** edges of the control flow inside functions; found at the first propagation */
  flow: Flow | null = null;
  // the state that is being asked about
  readonly queryInstances: FuncInstance[] = [];
  readonly queryCallsites: number[] = [];
  queryFrame = 0;
  queryInsn = 0;
}

export function initLiveness(env: Env): void {
  env.liveness = new LivenessState();
}

const livenessOf = (env: Env): LivenessState => {
  if (!env.liveness) throw new Bug('stack liveness is used before initLiveness');
  return env.liveness;
};

function calleeInstance(env: Env, caller: FuncInstance, callsite: number, subprogno: number): FuncInstance {
  const first = caller.callees.get(callsite);
  const start = env.subprogs[subprogno]?.start;
  for (let at = first ?? null; at; at = at.sibling) if (at.start === start) return at;
  const fresh = new FuncInstance(env, subprogno, caller, callsite);
  if (first) {
    fresh.sibling = first.sibling;
    first.sibling = fresh;
  } else caller.callees.set(callsite, fresh);
  return fresh;
}

/** The instance of frame `frameno` of `state`; made when it is new (lookup_instance). */
function instanceOf(env: Env, state: State, frameno: number): FuncInstance {
  const live = livenessOf(env);
  const entry = state.frame(0).subprogno;
  let instance = live.roots.get(entry);
  if (!instance) {
    const start = env.subprogs[entry]?.start ?? 0;
    instance = new FuncInstance(env, entry, null, start);
    live.roots.set(entry, instance);
  }
  for (let i = 1; i <= frameno; i++) {
    const frame = state.frame(i);
    instance = calleeInstance(env, instance, frame.callsite, frame.subprogno);
  }
  return instance;
}

/** Forgets which instance belongs to the current state: a call was entered (bpf_reset_live_stack_callchain). */
export function resetLiveStackCallchain(env: Env): void {
  livenessOf(env).current = null;
}

const currentInstance = (env: Env, live: LivenessState): FuncInstance => {
  live.current ??= instanceOf(env, env.cur, env.cur.curframe);
  return live.current;
};

function addReads(instance: FuncInstance, frameno: number, insnIdx: number, lo: number, hi: number): void {
  const frame = instance.masksOf(frameno);
  const masks = frame.words;
  const at = (insnIdx - instance.start) * WORDS;
  const readLo = masks[at]! | lo;
  const readHi = masks[at + 1]! | hi;
  if (readLo === masks[at] && readHi === masks[at + 1]) return;
  frame.markStale(insnIdx - instance.start);
  if (((readLo & ~masks[at + 6]!) | (readHi & ~masks[at + 7]!)) !== 0) instance.updated = true;
  masks[at] = readLo;
  masks[at + 1] = readHi;
}

/** Instruction `insnIdx` of the current function may read the slots of the mask in frame `frameno` (bpf_mark_stack_read). */
export function markStackRead(env: Env, frameno: number, insnIdx: number, lo: number, hi: number): void {
  addReads(currentInstance(env, livenessOf(env)), frameno, insnIdx, lo, hi);
}

function startWrites(live: LivenessState, insnIdx: number): void {
  live.writeInsn = insnIdx;
  if (!live.hasWrites) return;
  live.writes.fill(0);
  live.hasWrites = false;
}

/** Starts collecting the writes of instruction `insnIdx` (bpf_reset_stack_write_marks). */
export function resetStackWriteMarks(env: Env, insnIdx: number): void {
  const live = livenessOf(env);
  currentInstance(env, live);
  startWrites(live, insnIdx);
}

/** The instruction under way surely writes the slots of the mask in frame `frameno` (bpf_mark_stack_write). */
export function markStackWrite(env: Env, frameno: number, lo: number, hi: number): void {
  const live = livenessOf(env);
  const { writes } = live;
  live.hasWrites = true;
  writes[frameno * 2] = writes[frameno * 2]! | lo;
  writes[frameno * 2 + 1] = writes[frameno * 2 + 1]! | hi;
}

function commitWrites(live: LivenessState, instance: FuncInstance): void {
  const { writes } = live;
  const index = live.writeInsn - instance.start;
  const before = instance.mustWrite[index]!;
  live.writeInsn = 0;
  if (!live.hasWrites && before !== SOMETHING) {
    instance.mustWrite[index] = NOTHING;
    return;
  }
  const seen = before !== UNSEEN;
  for (let frameno = 0; frameno <= instance.depth; frameno++) {
    let lo = writes[frameno * 2]!;
    let hi = writes[frameno * 2 + 1]!;
    if (!seen && (lo | hi) === 0) continue;
    const frame = instance.masksOf(frameno);
    const masks = frame.words;
    const at = index * WORDS;
    const oldLo = masks[at + 2]!;
    const oldHi = masks[at + 3]!;
    if (seen) {
      lo &= oldLo;
      hi &= oldHi;
    }
    if (lo !== oldLo || hi !== oldHi) {
      masks[at + 2] = lo;
      masks[at + 3] = hi;
      frame.markStale(index);
      instance.updated = true;
    }
    if (((oldLo & ~lo) | (oldHi & ~hi)) !== 0) instance.mustWriteDropped = true;
  }
  instance.mustWrite[index] = SOMETHING;
}

/**
 * Merges the collected writes into what earlier visits wrote: only slots that every visit writes stay. Does nothing when the
 * instruction entered or left a function (bpf_commit_stack_write_marks).
 */
export function commitStackWriteMarks(env: Env): void {
  const live = livenessOf(env);
  if (live.current) commitWrites(live, live.current);
}

/** Edges between instructions. */
interface Flow {
  /** two successors of every instruction, -1 for none */
  readonly successors: Int32Array;
  /** predecessors of instruction i are `predecessors[first[i]]` to `predecessors[first[i + 1] - 1]` */
  readonly first: Int32Array;
  readonly predecessors: Int32Array;
}

function findFlow(env: Env): Flow {
  const { length } = env.insns;
  const successors = successorsOf(env);
  const first = new Int32Array(length + 2);
  for (let edge = 0; edge < successors.length; edge++) {
    const to = successors[edge]!;
    if (to >= 0) first[to + 2] = first[to + 2]! + 1;
  }
  for (let i = 2; i < first.length; i++) first[i] = first[i]! + first[i - 1]!;
  const predecessors = new Int32Array(first[length + 1]!);
  for (let edge = 0; edge < successors.length; edge++) {
    const to = successors[edge]!;
    if (to < 0) continue;
    predecessors[first[to + 1]!] = edge >> 1;
    first[to + 1] = first[to + 1]! + 1;
  }
  return { successors, first, predecessors };
}

function logMaskChange(
  env: Env,
  chain: string,
  what: string,
  frameno: number,
  insnIdx: number,
  oldLo: number,
  oldHi: number,
  newLo: number,
  newHi: number,
): void {
  if (oldLo === newLo && oldHi === newHi) return;
  let line = `${chain} frame ${frameno} insn ${insnIdx} `;
  const gained = stackMaskText(newLo & ~oldLo, newHi & ~oldHi);
  const lost = stackMaskText(oldLo & ~newLo, oldHi & ~newHi);
  if (gained !== '') line += `+${what} ${gained} `;
  if (lost !== '') line += `-${what} ${lost}`;
  env.log.trace(`${line}\n`);
}

/** One step of the data flow at one instruction; true when its masks changed (update_insn). */
function updateInsn(env: Env, instance: FuncInstance, frameno: number, frame: FrameMasks, flow: Flow, insnIdx: number): boolean {
  const { successors } = flow;
  const masks = frame.words;
  const next = successors[insnIdx * 2]!;
  if (next < 0) return false;
  const at = (insnIdx - instance.start) * WORDS;
  let from = (next - instance.start) * WORDS;
  let accLo = masks[from + 4]!;
  let accHi = masks[from + 5]!;
  let afterLo = masks[from + 6]!;
  let afterHi = masks[from + 7]!;
  const other = successors[insnIdx * 2 + 1]!;
  if (other >= 0) {
    from = (other - instance.start) * WORDS;
    accLo &= masks[from + 4]!;
    accHi &= masks[from + 5]!;
    afterLo |= masks[from + 6]!;
    afterHi |= masks[from + 7]!;
  }
  const readLo = masks[at]!;
  const readHi = masks[at + 1]!;
  const writeLo = masks[at + 2]!;
  const writeHi = masks[at + 3]!;
  accLo |= writeLo;
  accHi |= writeHi;
  const liveLo = (afterLo & ~writeLo) | readLo;
  const liveHi = (afterHi & ~writeHi) | readHi;
  const changed =
    ((liveLo ^ masks[at + 6]!) | (liveHi ^ masks[at + 7]!) | (accLo ^ masks[at + 4]!) | (accHi ^ masks[at + 5]!)) !== 0;
  if (!changed) return false;
  for (let edge = flow.first[insnIdx]!; edge < flow.first[insnIdx + 1]!; edge++) {
    const before = flow.predecessors[edge]! - instance.start;
    if (before >= 0 && before < instance.length) frame.markStale(before);
  }
  if (
    env.log.tracesAll &&
    ((readLo | readHi | writeLo | writeHi) !== 0 || insnIdx === instance.start || env.facts.prunePoint[insnIdx] !== 0)
  ) {
    const chain = instance.chainText();
    logMaskChange(env, chain, 'live', frameno, insnIdx, masks[at + 6]!, masks[at + 7]!, liveLo, liveHi);
    logMaskChange(env, chain, 'written', frameno, insnIdx, masks[at + 4]!, masks[at + 5]!, accLo, accHi);
  }
  masks[at + 4] = accLo;
  masks[at + 5] = accHi;
  masks[at + 6] = liveLo;
  masks[at + 7] = liveHi;
  return true;
}

/** What the function reads and surely writes of its callers' stacks becomes a mark of the call (propagate_to_outer_instance). */
function propagateToCaller(live: LivenessState, instance: FuncInstance, caller: FuncInstance): void {
  startWrites(live, instance.callsite);
  live.hasWrites = true;
  for (let frameno = 0; frameno < instance.depth; frameno++) {
    const masks = instance.frames[frameno]?.words;
    if (!masks) continue;
    live.writes[frameno * 2] = masks[4]!;
    live.writes[frameno * 2 + 1] = masks[5]!;
    addReads(caller, frameno, instance.callsite, masks[6]!, masks[7]!);
  }
  commitWrites(live, caller);
}

/** must-write sets became smaller: sets computed from them start over */
function restartWritten(instance: FuncInstance): void {
  for (const frame of instance.frames) {
    if (!frame) continue;
    for (let index = 0; index < instance.length; index++) {
      frame.words[index * WORDS + 4] = 0;
      frame.words[index * WORDS + 5] = 0;
      frame.markStale(index);
    }
  }
}

/** One pass over a frame, against the flow; instructions whose inputs are as they were give what they gave. */
function sweep(env: Env, instance: FuncInstance, frameno: number, frame: FrameMasks, flow: Flow): boolean {
  let changed = false;
  for (let i = instance.postorderStart; i < instance.postorderEnd && frame.staleCount > 0; i++) {
    const insnIdx = env.postorder[i]!;
    const index = insnIdx - instance.start;
    if (frame.stale[index] === 0) continue;
    frame.stale[index] = 0;
    frame.staleCount--;
    if (updateInsn(env, instance, frameno, frame, flow, insnIdx)) changed = true;
  }
  return changed;
}

/** Computes liveness of the instance to its fixed point (update_instance). */
function updateInstance(env: Env, live: LivenessState, instance: FuncInstance): void {
  live.flow ??= findFlow(env);
  if (instance.mustWriteDropped) restartWritten(instance);
  let iterations = 0;
  for (let changed = true; changed; iterations++) {
    changed = false;
    for (let frameno = 0; frameno <= instance.depth; frameno++) {
      const frame = instance.frames[frameno];
      if (frame && sweep(env, instance, frameno, frame, live.flow)) changed = true;
    }
  }
  if (env.log.tracesAll) env.log.trace(`${instance.chainText()} live stack update done in ${iterations} iterations\n`);
  if (instance.caller) propagateToCaller(live, instance, instance.caller);
}

/**
 * Makes the marks collected so far count for every function on the current call chain. To be called when a path ends and when a
 * function returns, so that states without unexplored branches have complete liveness. Source: bpf_update_live_stack.
 */
export function updateLiveStack(env: Env): void {
  const live = livenessOf(env);
  live.current = null;
  let instance: FuncInstance | null = instanceOf(env, env.cur, env.cur.curframe);
  for (; instance; instance = instance.caller) {
    if (!instance.updated) continue;
    updateInstance(env, live, instance);
    instance.updated = false;
    instance.mustWriteDropped = false;
  }
}

/** Selects the state that the questions below are about (bpf_live_stack_query_init). */
export function liveStackQueryInit(env: Env, state: State): void {
  const live = livenessOf(env);
  live.queryFrame = state.curframe;
  live.queryInsn = state.insnIdx;
  let instance: FuncInstance | null = instanceOf(env, state, state.curframe);
  for (let i = state.curframe; instance; i--, instance = instance.caller) {
    live.queryInstances[i] = instance;
    live.queryCallsites[i] = instance.callsite;
  }
}

/** High word of the mask that `liveSlotsLo` last returned. */
export let liveSlotsHi = 0;

/**
 * Slots of frame `frameno` of the selected state that may be read later: by the rest of its own function or of a function above
 * it, or by a callback that the call may enter again. Returns slots 0 to 31, the others are in `liveSlotsHi`.
 */
export function liveSlotsLo(env: Env, frameno: number): number {
  const live = livenessOf(env);
  let lo = 0;
  let hi = 0;
  for (let i = frameno; i <= live.queryFrame; i++) {
    const instance = live.queryInstances[i]!;
    const masks = instance.frames[frameno]?.words;
    if (!masks) continue;
    let insnIdx = live.queryInsn;
    if (i < live.queryFrame) {
      const callsite = live.queryCallsites[i + 1]!;
      insnIdx = env.facts.callsCallback[callsite] !== 0 ? callsite : callsite + 1;
    }
    const at = (insnIdx - instance.start) * WORDS;
    lo |= masks[at + 6]!;
    hi |= masks[at + 7]!;
  }
  liveSlotsHi = hi;
  return lo;
}

/** Whether slot `spi` of frame `frameno` of the selected state may be read later (bpf_stack_slot_alive). */
export function stackSlotAlive(env: Env, frameno: number, spi: number): boolean {
  const lo = liveSlotsLo(env, frameno);
  return ((spi < 32 ? lo >>> spi : liveSlotsHi >>> (spi - 32)) & 1) !== 0;
}
