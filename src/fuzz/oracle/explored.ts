import type { Env } from '../../verifier/env.ts';
import { frozenFrames, type Observer } from '../../verifier/observer.ts';
import { frameInsn } from '../../verifier/prune/equality.ts';
import type { Frame } from '../../verifier/state/frame.ts';
import type { State } from '../../verifier/state/state.ts';

/** One state at one instruction, as the verifier explored it. */
export interface Arrival {
  readonly insn: number;
  readonly frames: readonly Frame[];
  /** what was explored right behind it */
  readonly next: Arrival[];
  /** why the path ended here without a step further */
  cover: Cover | null;
}

export interface Cover {
  /** the arrival whose state covers the path */
  readonly arrival: Arrival;
  /** the stored state: its precision marks, and what was forgotten in it, are final after the verification */
  readonly state: State;
  /** registers that may be read from there on, one bit each, by frame */
  readonly liveRegs: readonly number[];
}

/** Every state that an exploration went through, as a graph: an edge leads from a state to those right behind its instruction. */
export class ExploredGraph implements Observer {
  /** first arrivals of the main program, of global functions and of asynchronous callbacks */
  readonly roots: Arrival[] = [];
  count = 0;
  /** arrivals beyond this number are not kept */
  readonly #limit: number;

  constructor(limit = 200_000) {
    this.#limit = limit;
  }

  /** Arrivals were left out: nothing can be said about runs. */
  get isIncomplete(): boolean {
    return this.count > this.#limit;
  }

  arrive(state: State, insn: number): void {
    if (++this.count > this.#limit) return;
    const arrival: Arrival = { insn, frames: frozenFrames(state), next: [], cover: null };
    const before = state.trail as Arrival | null;
    if (before === null) this.roots.push(arrival);
    else before.next.push(arrival);
    state.trail = arrival;
  }

  covered(env: Env, state: State, by: State): void {
    if (this.isIncomplete) return;
    const arrival = by.trail as Arrival;
    const liveRegs = arrival.frames.map((_, frameno) => env.facts.liveRegsBefore[frameInsn(by, frameno)]!);
    (state.trail as Arrival).cover = { arrival, state: by, liveRegs };
  }
}
