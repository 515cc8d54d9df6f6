import type { Finding } from './check.ts';
import { refusalCoverage } from './coverage.ts';
import { type AgreementCounts, addAgreement, NO_AGREEMENT } from './oracle/kernel_agreement.ts';

/** A finding of a campaign; findings of one shape are counted, the first is kept. */
export interface FoundReport {
  readonly oracle: Finding['oracle'];
  readonly shape: string;
  readonly message: string;
  readonly count: number;
  /** seed of the first program that showed it; `program` is smaller where it could be made smaller */
  readonly seed: number;
  readonly insn: number | null;
  readonly program: string;
}

export interface MessageReport {
  readonly count: number;
  readonly example: string;
}

/** A refusal of one shape that is likely a limit of precision, with the evidence of the first program that showed it. */
export interface PrecisionReport {
  readonly shape: string;
  readonly message: string;
  readonly count: number;
  readonly seed: number;
  readonly insn: number;
  /** runs without a fault, and how often they executed the refused instruction */
  readonly runs: number;
  readonly reached: number;
  readonly program: string;
}

/** A program that met a message or a room that no program before had met. */
export interface KeptProgram {
  /** number of the program in its campaign */
  readonly index: number;
  readonly met: readonly string[];
  readonly program: string;
}

/** What a campaign, a part of one, or several together have seen. Plain data, for JSON. */
export interface CampaignReport {
  readonly kernel: string;
  readonly seed: number;
  readonly programs: number;
  readonly verdicts: Readonly<Record<'accept' | 'reject' | 'unknown', number>>;
  /** programs of which 20 instructions or more were processed */
  readonly long: number;
  readonly instructionsProcessed: number;
  readonly runs: number;
  readonly instructionsRun: number;
  /** what the machine could not run, by name */
  readonly unmodelled: Readonly<Record<string, number>>;
  /** programs that Linux accepts although a run went wrong, by the rule in which it errs */
  readonly unsound: Readonly<Record<string, number>>;
  /** refusals by shape */
  readonly messages: Readonly<Record<string, MessageReport>>;
  /** by shape, lines that stood before the last one of a refusal; only some refusals are heard to the end */
  readonly saidBefore: Readonly<Record<string, MessageReport>>;
  /** refusals of the running kernel by shape */
  readonly kernelMessages: Readonly<Record<string, MessageReport>>;
  /** rooms of the verifier that were entered, with the number of programs */
  readonly rooms: Readonly<Record<string, number>>;
  /** refusals that no input seems to justify */
  readonly precision: readonly PrecisionReport[];
  /** programs that met something new, as text: what mutants are made of from the next round on */
  readonly kept: readonly KeptProgram[];
  readonly findings: readonly FoundReport[];
  /** programs that the running kernel was asked about */
  readonly kernelAgreement: AgreementCounts;
  readonly milliseconds: number;
}

export const emptyReport = (kernel: string, seed: number): CampaignReport => ({
  kernel,
  seed,
  programs: 0,
  verdicts: { accept: 0, reject: 0, unknown: 0 },
  long: 0,
  instructionsProcessed: 0,
  runs: 0,
  instructionsRun: 0,
  unmodelled: {},
  unsound: {},
  messages: {},
  saidBefore: {},
  kernelMessages: {},
  rooms: {},
  precision: [],
  kept: [],
  findings: [],
  kernelAgreement: NO_AGREEMENT,
  milliseconds: 0,
});

const mergedCounts = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> => {
  const sum = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
};

const mergedMessages = (a: CampaignReport['messages'], b: CampaignReport['messages']): Record<string, MessageReport> => {
  const messages: Record<string, MessageReport> = { ...a };
  for (const [shape, report] of Object.entries(b)) {
    const known = messages[shape];
    messages[shape] = known === undefined ? report : { ...known, count: known.count + report.count };
  }
  return messages;
};

/** The first of each shape, with the sum of their counts. */
const mergedShapes = <T extends { readonly shape: string; readonly count: number }>(a: readonly T[], b: readonly T[]): T[] => {
  const found = new Map(a.map((one) => [one.shape, one]));
  for (const one of b) {
    const known = found.get(one.shape);
    found.set(one.shape, known === undefined ? one : { ...known, count: known.count + one.count });
  }
  return [...found.values()];
};

/** What the program with the lowest number met first, whatever the order in which reports come in. */
const mergedKept = (a: readonly KeptProgram[], b: readonly KeptProgram[]): KeptProgram[] => {
  const known = new Set<string>();
  const kept: KeptProgram[] = [];
  for (const one of [...a, ...b].sort((left, right) => left.index - right.index)) {
    const met = one.met.filter((what) => !known.has(what));
    for (const what of met) known.add(what);
    if (met.length > 0) kept.push({ ...one, met });
  }
  return kept;
};

/** Reports of parts of a campaign, or of several campaigns, as one. */
export function mergeReports(a: CampaignReport, b: CampaignReport): CampaignReport {
  return {
    kernel: a.kernel,
    seed: a.seed,
    programs: a.programs + b.programs,
    verdicts: {
      accept: a.verdicts.accept + b.verdicts.accept,
      reject: a.verdicts.reject + b.verdicts.reject,
      unknown: a.verdicts.unknown + b.verdicts.unknown,
    },
    long: a.long + b.long,
    instructionsProcessed: a.instructionsProcessed + b.instructionsProcessed,
    runs: a.runs + b.runs,
    instructionsRun: a.instructionsRun + b.instructionsRun,
    unmodelled: mergedCounts(a.unmodelled, b.unmodelled),
    unsound: mergedCounts(a.unsound, b.unsound),
    messages: mergedMessages(a.messages, b.messages),
    saidBefore: mergedMessages(a.saidBefore, b.saidBefore),
    kernelMessages: mergedMessages(a.kernelMessages, b.kernelMessages),
    rooms: mergedCounts(a.rooms, b.rooms),
    precision: mergedShapes(a.precision, b.precision),
    kept: mergedKept(a.kept, b.kept),
    findings: mergedShapes(a.findings, b.findings),
    kernelAgreement: addAgreement(a.kernelAgreement, b.kernelAgreement),
    milliseconds: Math.max(a.milliseconds, b.milliseconds),
  };
}

/** Which of the kernel's refusals the campaign has met. */
export const coverageOf = (report: CampaignReport): ReturnType<typeof refusalCoverage> =>
  refusalCoverage([report.messages, report.saidBefore].flatMap((said) => Object.values(said).map(({ example }) => example)));

/** Which of its refusals the running kernel has given. */
export const kernelCoverageOf = (report: CampaignReport): ReturnType<typeof refusalCoverage> =>
  refusalCoverage(Object.values(report.kernelMessages).map(({ example }) => example));
