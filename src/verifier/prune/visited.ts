import { Reject } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { verboseLineInfo } from '../log/insn_lines.ts';
import { printVerifierState } from '../log/state_lines.ts';
import { isMayGoto } from '../program/cfg.ts';
import { NOT_INIT_REG } from '../state/reg.ts';
import { INVALID_SLOT, type Slot, STACK_ITER } from '../state/stack_slot.ts';
import type { State } from '../state/state.ts';
import { type Exactness, frameInsn, sameCallsites, statesEqual, statesMaybeLooping } from './equality.ts';
import { type ExploredState, visitedOf } from './explored.ts';
import { pushHistory } from './history.ts';
import { liveSlotsHi, liveSlotsLo, liveStackQueryInit } from './liveness.ts';
import { addSccBackedge, incompleteReadMarks, maybeEnterScc, maybeExitScc } from './loops.ts';
import { markAllScalarsImprecise, propagatePrecision } from './precision.ts';

export { VisitedStates } from './explored.ts';

/** States per list that an unprivileged loader gets (BPF_COMPLEXITY_LIMIT_STATES, kernel/bpf/verifier.c). */
const BPF_COMPLEXITY_LIMIT_STATES = 64;
/** A history that long forces a checkpoint. */
const MAX_HISTORY = 40;
const BPF_ITER_STATE_ACTIVE = 1;
const ITER_STATE_MASK = 3;

/** Registers and slots of a stored frame that nothing reads any more are forgotten (clean_func_state). */
function cleanFrame(env: Env, state: State, frameno: number): void {
  const liveRegs = env.facts.liveRegsBefore[frameInsn(state, frameno)]!;
  const lo = liveSlotsLo(env, frameno);
  const hi = liveSlotsHi;
  const old = state.frame(frameno);
  let dirty = false;
  for (let regno = 0; regno < 10 && !dirty; regno++) dirty = ((liveRegs >>> regno) & 1) === 0 && old.regs[regno] !== NOT_INIT_REG;
  for (let spi = 0; spi < old.slots.length && !dirty; spi++)
    dirty = ((spi < 32 ? lo >>> spi : hi >>> (spi - 32)) & 1) === 0 && old.slots[spi] !== INVALID_SLOT;
  if (!dirty) return;
  const frame = state.writableFrame(frameno);
  for (let regno = 0; regno < 10; regno++) if (((liveRegs >>> regno) & 1) === 0) frame.regs[regno] = NOT_INIT_REG;
  for (let spi = 0; spi < frame.slots.length; spi++)
    if (((spi < 32 ? lo >>> spi : hi >>> (spi - 32)) & 1) === 0) frame.slots[spi] = INVALID_SLOT;
  frame.preciseRegs &= liveRegs;
  frame.preciseSlotsLo &= lo;
  frame.preciseSlotsHi &= hi;
}

/** Forgets what is dead in a stored state whose liveness is final, so that more states match it (clean_verifier_state). */
export function cleanState(env: Env, state: State): void {
  liveStackQueryInit(env, state);
  state.cleaned = true;
  for (let frameno = 0; frameno <= state.curframe; frameno++) cleanFrame(env, state, frameno);
}

function cleanLiveStates(env: Env, first: ExploredState | null, insnIdx: number): void {
  for (let entry = first; entry; entry = entry.next) {
    const { state } = entry;
    if (state.branches !== 0 || state.insnIdx !== insnIdx || state.cleaned || !sameCallsites(state, env.cur)) continue;
    if (!incompleteReadMarks(env, state)) cleanState(env, state);
  }
}

const iterStateOf = (slot: Slot): number => slot.reg.aux2 & ITER_STATE_MASK;
const iterDepthOf = (slot: Slot): number => slot.reg.aux2 >> 2;

/** An active iterator of the old state is in another turn now: not a loop without progress (iter_active_depths_differ). */
function iterDepthsDiffer(old: State, cur: State): boolean {
  for (let frameno = old.curframe; frameno >= 0; frameno--) {
    const frame = old.frame(frameno);
    for (let spi = 0; spi < frame.slots.length; spi++) {
      const slot = frame.slots[spi]!;
      if ((slot.typesLo & 0xff) !== STACK_ITER || iterStateOf(slot) !== BPF_ITER_STATE_ACTIVE) continue;
      if (iterDepthOf(cur.frame(frameno).slot(spi)) !== iterDepthOf(slot)) return true;
    }
  }
  return false;
}

/** The iterator that R1 points to is active; states were found equal before, so R1 is a pointer to one. */
function isIteratorActive(cur: State): boolean {
  const pointer = cur.top.regs[1]!;
  const spi = Math.trunc((-(pointer.off + pointer.scalar.valueLo) - 1) / 8);
  return iterStateOf(cur.frame(pointer.frameno).slot(spi)) === BPF_ITER_STATE_ACTIVE;
}

/** The path came back to where it was, with the same state: it would never end. */
function refuseInfiniteLoop(env: Env, insnIdx: number, old: State, cur: State): never {
  const message = `infinite loop detected at insn ${insnIdx}`;
  verboseLineInfo(env, insnIdx, '; ');
  env.verbose(`${message}\n`);
  env.log.trace('cur state:');
  printVerifierState(env, cur, cur.curframe, true);
  env.log.trace('old state:');
  printVerifierState(env, old, cur.curframe, true);
  throw new Reject('EINVAL', message, insnIdx);
}

/**
 * What comparing with a stored state that is still being explored tells. `converged`: a loop that may end covers this turn.
 * `covered`: the same without a backedge of its own. `missed-loop`: not covered, and no new state unless the loop is long.
 */
type Ongoing = 'converged' | 'covered' | 'missed-loop';

/** The stored state has unexplored paths: the current state is in a loop with it, or on a path of its own. */
function compareOngoing(env: Env, insnIdx: number, old: State, cur: State): Ongoing {
  const frame = old.top;
  if (frame.inAsyncCallback && frame.asyncEntryCount !== cur.top.asyncEntryCount) return 'missed-loop';
  if (env.facts.isIterNext[insnIdx] !== 0) {
    const converged = statesEqual(env, old, cur, 'RANGE_WITHIN') && isIteratorActive(cur);
    return converged ? 'converged' : 'missed-loop';
  }
  if (isMayGoto(env.insn(insnIdx)) && old.mayGotoDepth !== cur.mayGotoDepth && statesEqual(env, old, cur, 'RANGE_WITHIN'))
    return 'converged';
  if (env.facts.callsCallback[insnIdx] !== 0) return statesEqual(env, old, cur, 'RANGE_WITHIN') ? 'covered' : 'missed-loop';
  if (
    statesMaybeLooping(old, cur) &&
    statesEqual(env, old, cur, 'EXACT') &&
    !iterDepthsDiffer(old, cur) &&
    old.mayGotoDepth === cur.mayGotoDepth &&
    old.callbackUnrollDepth === cur.callbackUnrollDepth
  )
    refuseInfiniteLoop(env, insnIdx, old, cur);
  return 'missed-loop';
}

/** The current path ends here, covered by `entry`: what that state relied on, this path relies on as well. */
function pruneAt(env: Env, insnIdx: number, entry: ExploredState, cur: State, marksMayCome: boolean): void {
  entry.hitCount++;
  env.observer?.covered(env, cur, entry.state);
  if (env.facts.jmpPoint[env.insnIdx] !== 0) pushHistory(env, cur, 0, null);
  propagatePrecision(env, entry.state, cur);
  if (!marksMayCome) return;
  const backedge = cur.copy();
  backedge.equalState = entry.state;
  backedge.insnIdx = insnIdx;
  addSccBackedge(env, entry.state, backedge);
}

/** Stores a copy of the current state, which becomes its child. */
function storeCurrent(env: Env, list: number, insnIdx: number, cur: State): void {
  const visited = visitedOf(env);
  env.totalStates++;
  // Only what comes behind this state shall make its scalars precise.
  if (env.bpfCapable) markAllScalarsImprecise(cur);
  const history = cur.history;
  cur.history = [];
  const stored = cur.copy();
  stored.history = history;
  stored.insnIdx = insnIdx;
  if (stored.branches !== 1) env.bug(`is_state_visited:branches_to_explore=${stored.branches} insn ${insnIdx}`);
  visited.add(list, stored);
  visited.updatePeak(env);
  env.prevJmpsProcessed = env.jmpsProcessed;
  env.prevInsnProcessed = env.insnProcessed;
  maybeEnterScc(env, stored);
  cur.parent = stored;
  cur.firstInsnIdx = insnIdx;
  cur.dfsDepth = stored.dfsDepth + 1;
}

/**
 * Whether the current state is covered by one that was seen at `insnIdx` before, so that its path can end. If not, the state may
 * be stored for later comparisons: at forced checkpoints, and otherwise when enough happened since the last one.
 * Refuses loops that make no progress. Source: is_state_visited, kernel/bpf/verifier.c.
 */
export function isStateVisited(env: Env, insnIdx: number): boolean {
  const { cur, facts } = env;
  const visited = visitedOf(env);
  const isCheckpoint = facts.forceCheckpoint[insnIdx] !== 0;
  const forceNewState = env.flags.testStateFreq || isCheckpoint || cur.history.length > MAX_HISTORY;
  const jmps = env.jmpsProcessed - env.prevJmpsProcessed;
  const insns = env.insnProcessed - env.prevInsnProcessed;
  let addNewState = forceNewState || (jmps >= 2 && insns >= 8);

  const list = visited.listOf(env, insnIdx);
  cleanLiveStates(env, visited.first(list), insnIdx);

  let marksMayCome = false;
  let stateCount = 0;
  let previous: ExploredState | null = null;
  let next: ExploredState | null = null;
  for (let entry = visited.first(list); entry; entry = next) {
    next = entry.next;
    stateCount++;
    const old = entry.state;
    if (old.insnIdx !== insnIdx) {
      previous = entry;
      continue;
    }
    if (old.branches !== 0) {
      const outcome = compareOngoing(env, insnIdx, old, cur);
      if (outcome === 'converged') marksMayCome = true;
      if (outcome !== 'missed-loop') {
        pruneAt(env, insnIdx, entry, cur, marksMayCome);
        return true;
      }
      if (!forceNewState && jmps < 20 && insns < 100) addNewState = false;
    } else {
      marksMayCome = incompleteReadMarks(env, old);
      const exact: Exactness = marksMayCome ? 'RANGE_WITHIN' : 'NOT_EXACT';
      if (statesEqual(env, old, cur, exact)) {
        pruneAt(env, insnIdx, entry, cur, marksMayCome);
        return true;
      }
    }
    // A miss counts only where a new state would be stored, so that loops do not evict what was stored before them.
    if (addNewState) entry.missCount++;
    const patience = isCheckpoint && old.branches > 0 ? 64 : 3;
    if (entry.missCount > entry.hitCount * patience + patience) {
      visited.evict(list, previous, entry);
      releaseIfUnused(env, old);
    } else previous = entry;
  }
  if (stateCount > env.maxStatesPerInsn) env.maxStatesPerInsn = stateCount;
  if (!env.bpfCapable && stateCount > BPF_COMPLEXITY_LIMIT_STATES) return false;
  if (addNewState) storeCurrent(env, list, insnIdx, cur);
  return false;
}

/** An evicted state without unexplored paths and without marks to come is gone (maybe_free_verifier_state). */
function releaseIfUnused(env: Env, state: State): void {
  const visited = visitedOf(env);
  if (visited.evicted.has(state) && state.branches === 0 && !incompleteReadMarks(env, state)) visited.release(state);
}

/**
 * The path of `state` ended: takes it off the unexplored paths of the states that led to it. A stored state with none left is
 * final; no search goes through it any more, so it lets go of the states before it. Source: update_branch_counts.
 */
export function updateBranchCounts(env: Env, state: State): void {
  let at: State | null = state;
  while (at) {
    at.branches--;
    if (at.branches < 0) env.bug(`update_branch_counts:branches_to_explore=${at.branches}`);
    if (at.branches > 0) return;
    maybeExitScc(env, at);
    const parent: State | null = at.parent;
    if (at !== state && !incompleteReadMarks(env, at)) {
      visitedOf(env).release(at);
      at.parent = null;
      at.history = [];
    }
    at = parent;
  }
}

/** Forgets all stored and pending states; the next function starts afresh (free_states). */
export function freeStates(env: Env): void {
  env.pending.length = 0;
  env.visited?.clear();
}
