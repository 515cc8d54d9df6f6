import { type Env, Subprog } from '../env.ts';
import { subprogEnd } from './subprogs.ts';

/** What the passes behind exploration change of what the log shows. Source: bpf_check, kernel/bpf/verifier.c. */

/** Three registers that an inlined loop keeps on the stack, bytes. */
const LOOP_STACK = 24;

/** A function with an inlined loop needs more stack (optimize_bpf_loop). */
export function addLoopStack(env: Env): void {
  env.subprogs.forEach((sub, number) => {
    const end = subprogEnd(env, number);
    for (let index = sub.start; index < end; index++) {
      if (!env.facts.call[index]?.loopFits) continue;
      sub.stackDepth = ((sub.stackDepth + 7) & ~7) + LOOP_STACK;
      return;
    }
  });
}

/**
 * Functions that no path reached are removed from a privileged loader's program (opt_remove_dead_code); the statistics then
 * list the others only.
 */
export function removeDeadFunctions(env: Env): void {
  if (!env.bpfCapable) return;
  const ends = env.subprogs.map((_, number) => subprogEnd(env, number));
  env.subprogs = env.subprogs.filter((sub, number) => {
    for (let index = sub.start; index < (ends[number] as number); index++) if (env.facts.seen[index] !== 0) return true;
    return false;
  });
}

/** A program that throws without a callback of its own gets one behind its functions (add_hidden_subprog). */
export function addDefaultExceptionCallback(env: Env): void {
  if (env.seenException && env.exceptionCallbackSubprog === 0) env.subprogs.push(new Subprog(env.insns.length));
}
