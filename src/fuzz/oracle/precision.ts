import { Bug, Malformed, Reject, Unmodelled } from '../../contracts/errors.ts';
import type { Profile } from '../../contracts/profile.ts';
import type { Program } from '../../program/program.ts';
import type { Verdict } from '../../verifier/verdict.ts';
import { runIn } from '../../vm/run.ts';
import { Random } from '../random.ts';
import { fillMaps } from './run.ts';
import { inputOf, openMachine } from './surroundings.ts';

/** What speaks for a refusal that no input justifies. */
export interface PrecisionEvidence {
  readonly runs: number;
  /** how often the refused instruction was executed in them, without a fault */
  readonly reached: number;
}

/** Refusals about values, which a run could justify: an access out of bounds, a division, a loop that does not end. */
const ABOUT_VALUES =
  /invalid access to (?!map value pointer)|unbounded|is outside of the|min value is|max value is|goes out of range|out of bounds|invalid read from stack|invalid write to stack|invalid variable-offset|infinite loop|too large|too complex|Possibly NULL|_or_null'/;

/** A refused program runs on random inputs: null where one of them goes wrong, or none comes to the refused instruction. */
export function precisionEvidence(
  program: Program,
  verdict: Verdict,
  profile: Profile,
  { seed, runs, budget }: { readonly seed: number; readonly runs: number; readonly budget: number },
): PrecisionEvidence | null {
  const { insn } = verdict;
  if (verdict.verdict !== 'reject' || insn === null || !ABOUT_VALUES.test(verdict.message ?? '')) return null;
  const random = new Random(seed);
  const machine = openMachine(profile, random.next(), false);
  let reached = 0;
  try {
    fillMaps(random, machine, program);
    for (let i = 0; i < runs; i++) {
      const run = runIn(machine, program, { ...inputOf(random, machine, program, undefined), budget, coverage: true });
      if (run.fault !== null) return null;
      reached += run.coverage?.[insn] ?? 0;
    }
  } catch (error) {
    // entry code holds what the verifier would have refused for a bug of ours
    const isExpected = [Unmodelled, Malformed, Reject, Bug].some((kind) => error instanceof kind);
    if (isExpected) return null;
    throw error;
  } finally {
    machine.memory.release();
  }
  return reached === 0 ? null : { runs, reached };
}
