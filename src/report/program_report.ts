import { ATTACH_TYPE_NAMES } from '../contracts/attach_types.ts';
import { PROG_TYPE_NAMES, PROG_TYPES } from '../contracts/uapi_numbers.ts';
import type { Program } from '../program/program.ts';
import type { Verdict } from '../verifier/verdict.ts';

/** What is told of one program: the line that `verify --format json` prints. */
export interface ProgramReport {
  /** file as given */
  readonly object: string;
  /** function name */
  readonly program: string;
  /** ELF section */
  readonly section: string;
  /** `xdp`, `sched_cls`, … */
  readonly progType: string;
  /** `cgroup_inet_ingress`, …; null where the section names none */
  readonly attachType: string | null;
  /** function, hook or struct that the program attaches to; null without */
  readonly attachTarget: string | null;
  /** `not-loaded`: the loader failed before the verifier; `message` says why */
  readonly verdict: Verdict['verdict'] | 'not-loaded';
  readonly errno: string | null;
  /** last line of the level-1 log that is neither statistics nor a state dump */
  readonly message: string | null;
  /** slot of the refused instruction */
  readonly insn: number | null;
  /** why a program that is accepted under these revisions may still do harm; only where there is a reason */
  readonly unsound?: readonly string[];
  /** what `unknown` is for */
  readonly unmodelled: readonly string[];
  /** size in 8-byte slots, after the loader */
  readonly insns: number;
  readonly insnsProcessed: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly maxStatesPerInsn: number;
  /** bytes of stack of each function, as `16+0` */
  readonly stackDepth: string;
  /** time inside the verifier, in microseconds */
  readonly durationUs: number;
  readonly coldUs: number;
  /** only with a log level above 0 */
  readonly log?: string;
  /** bytes of the whole log */
  readonly logTrueSize?: number;
  readonly logTruncated?: boolean;
}

export interface CollectedLog {
  readonly text: string;
  /** bytes of the whole log in UTF-8 */
  readonly trueSize: number;
  readonly truncated: boolean;
}

/** Median of the later half of the runs: what the verifier takes once it is warm. */
export function warmMicros(runs: readonly number[]): number {
  const later = runs.slice(Math.floor(runs.length / 2)).sort((a, b) => a - b);
  return Math.round(later[later.length >> 1] ?? 0);
}

const describeProgram = (object: string, program: Program) => ({
  object,
  program: program.name,
  section: program.section,
  progType: PROG_TYPE_NAMES[program.type] ?? String(program.type),
  attachType: attachTypeName(program),
  attachTarget: program.attach?.name ?? null,
});

/** As libbpf writes it. A struct_ops program has the number of a member there. */
export function attachTypeName(program: Program): string | null {
  if (!program.hasAttachType || program.type === PROG_TYPES.struct_ops) return null;
  const name = ATTACH_TYPE_NAMES[program.expectedAttachType];
  return name === undefined ? String(program.expectedAttachType) : name.replace(/^BPF_/, '').toLowerCase();
}

/** The report of a program that was verified; `runs` are the microseconds that each verification took, in order. */
export function verifiedReport(
  object: string,
  program: Program,
  verdict: Verdict,
  runs: readonly number[],
  log: CollectedLog | null,
): ProgramReport {
  const { stats } = verdict;
  return {
    ...describeProgram(object, program),
    verdict: verdict.verdict,
    errno: verdict.errno,
    message: verdict.message,
    insn: verdict.insn,
    unmodelled: verdict.unmodelled,
    insns: program.insns.length,
    insnsProcessed: stats.insnsProcessed,
    totalStates: stats.totalStates,
    peakStates: stats.peakStates,
    maxStatesPerInsn: stats.maxStatesPerInsn,
    stackDepth: stats.stackDepth,
    durationUs: warmMicros(runs),
    coldUs: Math.round(runs[0] ?? 0),
    ...(log === null ? {} : { log: log.text, logTrueSize: log.trueSize, logTruncated: log.truncated }),
  };
}

/** The report of a program that the loader could not bring to the verifier. */
export const notLoadedReport = (object: string, program: Program, reason: string): ProgramReport => ({
  ...describeProgram(object, program),
  verdict: 'not-loaded',
  errno: null,
  message: reason,
  insn: null,
  unmodelled: [],
  insns: program.insns.length,
  insnsProcessed: 0,
  totalStates: 0,
  peakStates: 0,
  maxStatesPerInsn: 0,
  stackDepth: '0',
  durationUs: 0,
  coldUs: 0,
});
