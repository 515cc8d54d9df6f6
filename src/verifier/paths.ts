import type { Env } from './env.ts';
import { Frame, NO_CALLSITE } from './state/frame.ts';
import { stackPointerReg } from './state/reg.ts';
import { State } from './state/state.ts';

/** States that wait to be explored, at most (kernel/bpf/verifier.c). */
const BPF_COMPLEXITY_LIMIT_JMP_SEQ = 8192;

/** A frame as a function starts with: everything unreadable but the frame pointer; the next state line shows all of it (init_func_state). */
export const initialFrame = (env: Env, callsite: number, frameno: number, subprogno: number): Frame => {
  const frame = new Frame(callsite, frameno, subprogno);
  frame.setReg(10, stackPointerReg(frameno));
  env.scratchAll();
  return frame;
};

/**
 * Queues a copy of the current state to be explored from `insnIdx` on and returns the copy, for the caller to refine
 * (push_stack). Paths are taken up again last in, first out.
 */
export function pushStack(env: Env, insnIdx: number, prevInsnIdx: number, speculative: boolean): State {
  const state = env.cur.copy();
  if (speculative) state.speculative = true;
  env.pending.push({ state, insnIdx, prevInsnIdx, logPosition: env.log.position });
  if (env.pending.length > BPF_COMPLEXITY_LIMIT_JMP_SEQ)
    env.reject('EFAULT', `The sequence of ${env.pending.length} jumps is too complex.`);
  if (state.parent) state.parent.branches++;
  return state;
}

/** Queues an asynchronous callback: it starts on a stack of its own, whatever its caller's state (push_async_cb). */
export function pushAsyncCallback(env: Env, insnIdx: number, prevInsnIdx: number, subprogno: number, sleepable: boolean): State {
  const state = new State();
  state.branches = 1;
  state.inSleepable = sleepable;
  state.frames[0] = initialFrame(env, NO_CALLSITE, 0, subprogno);
  env.pending.push({ state, insnIdx, prevInsnIdx, logPosition: env.log.position });
  if (env.pending.length > BPF_COMPLEXITY_LIMIT_JMP_SEQ)
    env.reject('EFAULT', `The sequence of ${env.pending.length} jumps is too complex for async cb.`);
  return state;
}
