import type { Env } from '../env.ts';
import { isHelperCall } from '../program/subprogs.ts';

/**
 * A tail call whose index has to be masked against speculation belongs to one map, because the mask is written into the program
 * (do_misc_fixups, kernel/bpf/verifier.c).
 */
export function checkTailCallMaps(env: Env, start: number, end: number): void {
  for (let index = start; index < end; index++) {
    const facts = env.facts.call[index];
    if (facts?.map !== 'poison' || !facts.mapUnprivileged) continue;
    const insn = env.insn(index);
    if (isHelperCall(insn) && env.profile.helpers[insn.imm]?.effects?.rule === 'tail_call')
      env.reject('EINVAL', 'tail_call abusing map_ptr');
  }
}
