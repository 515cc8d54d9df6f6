import type { Env } from '../env.ts';
import type { State } from '../state/state.ts';

/** A stored state in its list, and how often comparing with it paid off (struct bpf_verifier_state_list). */
export class ExploredState {
  readonly state: State;
  next: ExploredState | null;
  missCount = 0;
  hitCount = 0;

  constructor(state: State, next: ExploredState | null) {
    this.state = state;
    this.next = next;
  }
}

/** One stay in a loop, entered through one chain of calls (struct bpf_scc_visit). */
export class SccVisit {
  /** call instructions that lead to the function with the loop; zeros behind them */
  readonly callsites: Int32Array;
  readonly scc: number;
  /** the state on the current path that entered the loop, null outside */
  entry: State | null = null;
  /** states that were found equal to one whose marks were not final (`State.equalState`), in order of discovery */
  backedges: State[] = [];

  constructor(callsites: Int32Array, scc: number) {
    this.callsites = callsites;
    this.scc = scc;
  }
}

/**
 * The stored states of one verification. States of several instructions may share a list, as lists are found by instruction and
 * call site, modulo the program's length; what the statistics count depends on that. Most recent states come first.
 */
export class VisitedStates {
  private readonly lists: (ExploredState | null)[];
  /** states in lists (explored_states_size) */
  count = 0;
  /** states that were taken from their list but have unexplored paths (free_list) */
  readonly evicted = new Set<State>();
  /** what the kernel's counter of the free list shows: it is not reset between functions */
  evictedCount = 0;
  backedgeCount = 0;
  /** by component */
  sccVisits: (SccVisit[] | undefined)[] = [];

  constructor(length: number) {
    this.lists = new Array<ExploredState | null>(length).fill(null);
  }

  /** Number of the list for instruction `insnIdx` of the current function (explored_state). */
  listOf(env: Env, insnIdx: number): number {
    return ((insnIdx ^ env.cur.top.callsite) >>> 0) % this.lists.length;
  }

  first(list: number): ExploredState | null {
    return this.lists[list] ?? null;
  }

  add(list: number, state: State): void {
    this.lists[list] = new ExploredState(state, this.lists[list] ?? null);
    this.count++;
  }

  /** Takes `entry` out of its list; `previous` stands before it. */
  evict(list: number, previous: ExploredState | null, entry: ExploredState): void {
    if (previous) previous.next = entry.next;
    else this.lists[list] = entry.next;
    this.count--;
    this.evicted.add(entry.state);
    this.evictedCount++;
  }

  /** Nothing refers to an evicted state any more. */
  release(state: State): void {
    if (this.evicted.delete(state)) this.evictedCount--;
  }

  /** Most states that ever existed at a time (update_peak_states). */
  updatePeak(env: Env): void {
    const now = this.count + this.evictedCount + this.backedgeCount;
    if (now > env.peakStates) env.peakStates = now;
  }

  /** Forgets all states; the counters go on (free_states). */
  clear(): void {
    this.lists.fill(null);
    this.evicted.clear();
    this.sccVisits = [];
  }
}

/** The stored states; made at the first use. */
export const visitedOf = (env: Env): VisitedStates => {
  env.visited ??= new VisitedStates(env.insns.length);
  return env.visited;
};
