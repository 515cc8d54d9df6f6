import type { ErrnoName } from '../contracts/errors.ts';
import type { Capabilities } from '../contracts/subject.ts';
import type { LogSink } from './log/log.ts';

/** What the kernel counts (print_verification_stats). */
export interface VerifierStats {
  readonly insnsProcessed: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly maxStatesPerInsn: number;
  /** stack of each function in bytes, as `16+0` */
  readonly stackDepth: string;
}

export interface Verdict {
  readonly verdict: 'accept' | 'reject' | 'unknown';
  readonly errno: ErrnoName | null;
  /** last line of the level-1 log that is neither statistics nor a state dump; null for an accepted program */
  readonly message: string | null;
  /** slot index of the refused instruction */
  readonly insn: number | null;
  /** names of what is not modelled, for `unknown` */
  readonly unmodelled: readonly string[];
  readonly stats: VerifierStats;
}

export interface VerifyOptions {
  /** sum of 1 (branches), 2 (every instruction), 4 (statistics), as in bpf(2); default 0 */
  readonly logLevel?: number;
  readonly log?: LogSink;
  readonly capabilities?: Capabilities;
  /** prog_flags to add to those of the program */
  readonly flags?: number;
  /** processed instructions after which the answer is `unknown` (`budget`); default: the kernel's own limit alone */
  readonly budget?: number;
  /** microseconds on some clock, for the statistics line; without it the line says 0 */
  readonly clock?: () => number;
}
