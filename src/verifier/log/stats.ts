import type { Env } from '../env.ts';
import type { VerifierStats } from '../verdict.ts';

const BPF_COMPLEXITY_LIMIT_INSNS = 1_000_000;

export const statsOf = (env: Env): VerifierStats => ({
  insnsProcessed: env.insnProcessed,
  totalStates: env.totalStates,
  peakStates: env.peakStates,
  maxStatesPerInsn: env.maxStatesPerInsn,
  stackDepth: env.subprogs.map((sub) => sub.stackDepth).join('+'),
});

/** The lines that close every log (print_verification_stats); `micros` is the time it took. */
export function printStats(env: Env, micros: number): void {
  const stats = statsOf(env);
  if (env.log.stats) env.log.trace(`verification time ${micros} usec\nstack depth ${stats.stackDepth}\n`);
  env.log.trace(
    `processed ${stats.insnsProcessed} insns (limit ${BPF_COMPLEXITY_LIMIT_INSNS}) ` +
      `max_states_per_insn ${stats.maxStatesPerInsn} total_states ${stats.totalStates} ` +
      `peak_states ${stats.peakStates} mark_read 0\n`,
  );
}
