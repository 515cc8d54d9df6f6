import { BPF_CALL, BPF_JA, BPF_JCOND, BPF_JMP, BPF_K, BPF_PSEUDO_KFUNC_CALL } from '../../isa/constants.ts';
import { checkTailCallMaps } from '../call/tail_calls.ts';
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

/** A call of a kfunc that the loader did not find may stand where no path comes (fixup_kfunc_call). */
function checkKfuncsFound(env: Env, start: number, end: number): void {
  for (let index = start; index < end; index++) {
    const { code, src, imm } = env.insn(index);
    const isUnknown = code === (BPF_JMP | BPF_CALL) && src === BPF_PSEUDO_KFUNC_CALL && imm === 0;
    if (isUnknown && env.facts.seen[index] !== 0)
      env.reject('EINVAL', 'invalid kernel function call not eliminated in verifier pass');
  }
}

/**
 * Functions that no path reached are removed from a privileged loader's program (opt_remove_dead_code); the statistics then
 * list the others only.
 */
export function removeDeadFunctions(env: Env): void {
  if (!env.bpfCapable) return;
  const reached = env.subprogs.map((_, number) => isReached(env, number));
  env.subprogs = env.subprogs.filter((_, number) => reached[number]);
}

const isReached = (env: Env, number: number): boolean => {
  const end = subprogEnd(env, number);
  for (let index = (env.subprogs[number] as Subprog).start; index < end; index++) if (env.facts.seen[index] !== 0) return true;
  return false;
};

/**
 * The address of a function that no path entered, such as the callback of a loop of no turns, leads to what moves into its place
 * when dead code is removed. Unless another function begins right there the program is refused (jit_subprogs). A program of one
 * function is not asked. To be called when dead functions are removed.
 *
 * Differs from the kernel: the place that its message names counts rewritten instructions, ours those that are left.
 */
export function checkFunctionAddresses(env: Env): void {
  const { seen, immRef } = env.facts;
  if (!env.bpfCapable || env.subprogs.length <= 1) return;
  const movedTo = [0];
  for (let index = 0; index < env.insns.length; index++) movedTo.push((movedTo[index] as number) + (seen[index] === 0 ? 0 : 1));
  const newStarts = new Set(env.subprogs.filter(({ start }) => start < env.insns.length).map(({ start }) => movedTo[start]));
  immRef.forEach((ref, index) => {
    if (ref?.kind !== 'func' || seen[index] === 0) return;
    const start = index + env.insn(index).imm + 1;
    if (seen[start] !== 0) return;
    let gap = start;
    while (gap > 0 && seen[gap - 1] === 0) gap--;
    const place = (movedTo[gap] as number) + start - gap;
    if (!newStarts.has(place)) env.reject('EFAULT', `verifier bug: No program to jit at insn ${place} (subprog < 0)`);
  });
}

/** A program that throws without a callback of its own gets one behind its functions (add_hidden_subprog). */
export function addDefaultExceptionCallback(env: Env): void {
  if (env.seenException && env.exceptionCallbackSubprog === 0) env.subprogs.push(new Subprog(env.insns.length));
}

const MAY_GOTO = BPF_JMP | BPF_JCOND | BPF_K;
const GOTO = BPF_JMP | BPF_JA | BPF_K;
/** Count and start time of a function's `may_goto` loops, bytes. */
const MAY_GOTO_STACK = 16;

/** Slots that are left when code that no path reached and jumps to the next instruction are gone (opt_remove_nops). */
function remainingSlots(env: Env): Set<number> {
  const left: number[] = [];
  for (let index = 0; index < env.insns.length; index++) if (env.facts.seen[index] !== 0) left.push(index);
  const leadsOn = (at: number): boolean => {
    const insn = env.insn(left[at] as number);
    if (insn.off < 0 || insn.imm !== 0 || insn.dst !== 0 || insn.src !== 0) return false;
    const target = (left[at] as number) + 1 + insn.off;
    const next = left[at + 1];
    return next === undefined ? target >= env.insns.length : target <= next;
  };
  for (let at = 0; at < left.length; at++) {
    const { code } = env.insn(left[at] as number);
    if ((code !== MAY_GOTO && code !== GOTO) || !leadsOn(at)) continue;
    left.splice(at, 1);
    at -= code === MAY_GOTO && at > 0 ? 2 : 1;
  }
  return new Set(left);
}

/**
 * The last rewriting, function by function: what it refuses, and the stack for a `may_goto` that is left after optimization, which
 * counts and times the loops of its function there. To be called when dead functions are removed. Source: do_misc_fixups.
 */
export function fixUpFunctions(env: Env): void {
  const left = env.insns.some(({ code }) => code === MAY_GOTO) ? remainingSlots(env) : null;
  env.subprogs.forEach((sub, number) => {
    const end = subprogEnd(env, number);
    checkTailCallMaps(env, sub.start, end);
    checkKfuncsFound(env, sub.start, end);
    if (left !== null && hasMayGoto(env, sub.start, end, left)) sub.stackDepth += MAY_GOTO_STACK;
  });
}

function hasMayGoto(env: Env, start: number, end: number, left: ReadonlySet<number>): boolean {
  for (let index = start; index < end; index++) if (env.insn(index).code === MAY_GOTO && left.has(index)) return true;
  return false;
}
