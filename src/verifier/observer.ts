import type { Env } from './env.ts';
import type { State } from './state/state.ts';

/** Watches an exploration. What it is shown is live: it copies what it keeps. */
export interface Observer {
  /**
   * A path arrives at an instruction, before it is compared with stored states and checked. `State.trail` is the watcher's own:
   * copies of a state inherit it.
   */
  arrive(state: State, insn: number): void;
  /** the path that arrived last ends, as `by` covers it; `env` tells which registers are live there */
  covered(env: Env, state: State, by: State): void;
}

/** Keeps the frames of a state as they are: whoever writes to them from now on writes to a copy. */
export function frozenFrames(state: State): State['frames'] {
  const frames = state.frames.slice(0, state.curframe + 1);
  for (const frame of frames) frame.shared = true;
  return frames;
}
