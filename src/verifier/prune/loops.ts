import type { Env } from '../env.ts';
import { setRegTo } from '../state/access.ts';
import type { Frame } from '../state/frame.ts';
import { type Reg, UNKNOWN_REG } from '../state/reg.ts';
import { SCALAR_VALUE } from '../state/reg_types.ts';
import { isSpilled, Slot } from '../state/stack_slot.ts';
import type { State } from '../state/state.ts';
import { frameInsn, regsExact, sameCallsites } from './equality.ts';
import { SccVisit, type VisitedStates, visitedOf } from './explored.ts';
import { resetIdMap } from './id_map.ts';
import { markAllScalarsPrecise, propagatePrecision } from './precision.ts';

/**
 * Loops whose states converge instead of being unrolled (iterators, may_goto, callbacks). A path that comes back to a state which
 * is still being explored may be pruned before that state's precision marks are final: such a state is kept as a backedge of the
 * strongly connected component, and when the component is left, marks are carried around until nothing changes.
 *
 * Source: compute_scc_callchain() to free_backedges() and propagate_backedges(), kernel/bpf/verifier.c.
 */

const MAX_CALL_FRAMES = 8;
const MAX_BACKEDGE_ITERS = 64;

/** Call chain and component that `findChain` found last. */
const chain = new Int32Array(MAX_CALL_FRAMES - 1);
let chainScc = 0;

/** The outermost frame that stands in a component, and the calls that lead to it; false when none does. */
function findChain(env: Env, state: State): boolean {
  if (env.sccCount <= 1) return false; // numbers start at 1
  chain.fill(0);
  for (let frameno = 0; frameno <= state.curframe; frameno++) {
    const insnIdx = frameInsn(state, frameno);
    const scc = env.facts.scc[insnIdx]!;
    if (scc !== 0) {
      chainScc = scc;
      return true;
    }
    if (frameno < state.curframe) chain[frameno] = insnIdx;
  }
  return false;
}

function isChainOf(visit: SccVisit): boolean {
  const { callsites } = visit;
  for (let i = 0; i < callsites.length; i++) if (callsites[i] !== chain[i]) return false;
  return true;
}

function findVisit(visited: VisitedStates): SccVisit | null {
  const visits = visited.sccVisits[chainScc];
  if (visits) for (const visit of visits) if (isChainOf(visit)) return visit;
  return null;
}

function addVisit(visited: VisitedStates): SccVisit {
  const visit = new SccVisit(chain.slice(), chainScc);
  const visits = visited.sccVisits[chainScc];
  if (visits) visits.push(visit);
  else visited.sccVisits[chainScc] = [visit];
  return visit;
}

/** "(callsite,callsite,scc)" of the chain found last. */
function chainText(): string {
  let text = '(';
  for (let i = 0; i < chain.length && chain[i] !== 0; i++) text += `${chain[i]},`;
  return `${text}${chainScc})`;
}

/** A state was stored: if it stands in a component that the path was not in, it is the entry (maybe_enter_scc). */
export function maybeEnterScc(env: Env, state: State): void {
  if (!findChain(env, state)) return;
  const visited = visitedOf(env);
  const visit = findVisit(visited) ?? addVisit(visited);
  if (visit.entry) return;
  visit.entry = state;
  if (env.log.tracesAll) env.log.trace(`SCC enter ${chainText()}\n`);
}

/** All paths from the state are explored: if it entered a component, that is left and its backedges are settled. */
export function maybeExitScc(env: Env, state: State): void {
  if (!findChain(env, state)) return;
  const visited = visitedOf(env);
  const visit = findVisit(visited);
  if (!visit) {
    // a path that ends by an exception inside a component is one that Linux does not count on, too
    if (!state.speculative) env.reject('EFAULT', `verifier bug: scc exit: no visit info for call chain ${chainText()}`);
    return;
  }
  if (visit.entry !== state) return;
  if (env.log.tracesAll) env.log.trace(`SCC exit ${chainText()}\n`);
  visit.entry = null;
  visited.backedgeCount -= visit.backedges.length;
  visited.updatePeak(env);
  propagateBackedges(env, visit);
}

/** Remembers `backedge`, a copy of a state that was pruned at `state` inside a component. */
export function addSccBackedge(env: Env, state: State, backedge: State): void {
  if (!findChain(env, state)) env.bug(`add backedge: no SCC in verification path, insn_idx ${state.insnIdx}`);
  const visited = visitedOf(env);
  const visit = findVisit(visited);
  if (!visit) return env.bug(`add backedge: no visit info for call chain ${chainText()}`);
  if (env.log.tracesAll) env.log.trace(`SCC backedge ${chainText()}\n`);
  visit.backedges.push(backedge);
  visited.backedgeCount++;
  visited.updatePeak(env);
}

/** Precision marks of the state may still come, around a loop that is being explored (incomplete_read_marks). */
export function incompleteReadMarks(env: Env, state: State): boolean {
  if (!findChain(env, state)) return false;
  const visit = findVisit(visitedOf(env));
  return visit !== null && visit.backedges.length > 0;
}

/** Carries precision from what backedges were equal to into the states that led to them, until no state gets a new mark. */
export function propagateBackedges(env: Env, visit: SccVisit): void {
  const { backedges } = visit;
  let iterations = 0;
  for (let changed = true; changed; ) {
    if (iterations++ > MAX_BACKEDGE_ITERS) {
      if (env.log.tracesAll) env.log.trace('propagate_backedges: too many iterations\n');
      for (let i = backedges.length - 1; i >= 0; i--) markAllScalarsPrecise(env, backedges[i]!);
      break;
    }
    changed = false;
    for (let i = backedges.length - 1; i >= 0; i--) {
      const backedge = backedges[i]!;
      if (backedge.equalState && propagatePrecision(env, backedge.equalState, backedge)) changed = true;
    }
  }
  visit.backedges = [];
}

/**
 * The nearest state on the way to `state` that stood at `insnIdx`, entered by the same calls: the previous turn of the loop
 * (find_prev_entry).
 */
export function findPreviousEntry(env: Env, state: State | null, insnIdx: number): State | null {
  if (!state) return null;
  const visited = visitedOf(env);
  for (let entry = visited.first(visited.listOf(env, insnIdx)); entry; entry = entry.next) {
    const old = entry.state;
    if (old.insnIdx === insnIdx && old.branches !== 0 && sameCallsites(old, state) && old.dfsDepth < state.dfsDepth) return old;
  }
  return null;
}

const mustWiden = (old: Reg, oldPrecise: boolean, cur: Reg, curPrecise: boolean): boolean =>
  old.type === SCALAR_VALUE && cur.type === SCALAR_VALUE && !oldPrecise && !curPrecise && !regsExact(old, cur);

function widenSlots(old: Frame, state: State, frameno: number): void {
  const count = Math.min(old.slots.length, state.frame(frameno).slots.length);
  for (let spi = 0; spi < count; spi++) {
    const frame = state.frame(frameno);
    const oldSlot = old.slot(spi);
    const slot = frame.slot(spi);
    if (!isSpilled(oldSlot) || !isSpilled(slot)) continue;
    if (mustWiden(oldSlot.reg, old.isPreciseSlot(spi), slot.reg, frame.isPreciseSlot(spi)))
      state.writableFrame(frameno).setSlot(spi, new Slot(slot.typesLo, slot.typesHi, UNKNOWN_REG));
  }
}

/**
 * Forgets the ranges of scalars that changed since the previous turn of the loop and that nothing has relied on: otherwise
 * counting variables would keep the loop from converging. Writes to `state`. Source: widen_imprecise_scalars.
 */
export function widenImpreciseScalars(env: Env, old: State, state: State): void {
  if (!env.bpfCapable) return;
  resetIdMap(env);
  for (let frameno = old.curframe; frameno >= 0; frameno--) {
    const oldFrame = old.frame(frameno);
    for (let regno = 0; regno < oldFrame.regs.length; regno++) {
      const frame = state.frame(frameno);
      const reg = frame.regs[regno]!;
      if (mustWiden(oldFrame.regs[regno]!, oldFrame.isPreciseReg(regno), reg, frame.isPreciseReg(regno)))
        setRegTo(env, state.writableFrame(frameno), regno, UNKNOWN_REG);
    }
    widenSlots(oldFrame, state, frameno);
  }
}
