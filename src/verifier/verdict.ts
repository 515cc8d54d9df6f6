import type { ErrnoName } from '../contracts/errors.ts';
import type { Capabilities } from '../contracts/subject.ts';
import type { AttachProto } from './env.ts';
import type { LogSink } from './log/log.ts';
import type { Observer } from './observer.ts';

/** What the kernel counts (print_verification_stats). */
export interface VerifierStats {
  readonly insnsProcessed: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly maxStatesPerInsn: number;
  /** stack of each function in bytes, as `16+0` */
  readonly stackDepth: string;
}

/** What the kernel keeps of an accepted program beside its instructions. */
export interface LoadedFacts {
  /** slots of loads that give 0 where an ordinary load would fault (BPF_PROBE_MEM) */
  readonly probeLoads: ReadonlySet<number>;
  /** slots that some path reaches; the others are taken out or never run */
  readonly reached: ReadonlySet<number>;
  /** bytes of an iterator's key and value that the program may touch */
  readonly keyAccess: number;
  readonly valueAccess: number;
  /** bytes of the context that the program may touch (max_ctx_offset) */
  readonly contextAccess: number;
  /** bytes that it may touch of a buffer that a writable tracepoint passes (max_tp_access) */
  readonly tracepointAccess: number;
  /** the function whose arguments are the context; null where the context is no list of arguments */
  readonly attached: AttachProto | null;
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
  /** of an accepted program */
  readonly loaded?: LoadedFacts;
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
  /** told of every state that is explored */
  readonly observer?: Observer;
  /** false: no path ends because a stored state covers it, so that loops end only where their condition or `budget` ends them */
  readonly prune?: boolean;
  /** microseconds on some clock, for the statistics line; without it the line says 0 */
  readonly clock?: () => number;
}
