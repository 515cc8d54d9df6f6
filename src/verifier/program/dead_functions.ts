import type { Env } from '../env.ts';
import { isPseudoFunc } from './subprogs.ts';

/**
 * A function that is referred to but was never entered is removed from a privileged loader's program, and the reference then
 * points to what comes behind it: another function, or nothing, which the kernel notices when it compiles (jit_subprogs,
 * kernel/bpf/verifier.c). To be called when dead functions are forgotten.
 *
 * Differs from the kernel: the number in the message does not count what the kernel puts in for helpers and context accesses.
 */
export function checkFunctionReferences(env: Env): void {
  if (!env.bpfCapable || env.subprogs.length <= 1) return;
  const { seen } = env.facts;
  const movedTo = new Int32Array(env.insns.length + 1);
  for (let index = 0; index < env.insns.length; index++) movedTo[index + 1] = movedTo[index]! + (seen[index] !== 0 ? 1 : 0);
  const starts = new Set(env.subprogs.filter(({ start }) => start < env.insns.length).map(({ start }) => movedTo[start]));
  env.insns.forEach((insn, index) => {
    if (!isPseudoFunc(insn) || seen[index] === 0) return;
    const target = index + insn.imm + 1;
    if (seen[target] !== 0) return;
    let gap = target;
    while (gap > 0 && seen[gap - 1] === 0) gap--;
    const found = movedTo[gap]! + target - gap;
    if (!starts.has(found)) env.reject('EFAULT', `verifier bug: No program to jit at insn ${found} (subprog < 0)`);
  });
}
