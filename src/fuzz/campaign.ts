import type { Program } from '../program/program.ts';
import type { Verdict } from '../verifier/verdict.ts';
import { type Checked, type CheckOptions, checkProgram, type Finding } from './check.ts';
import { refusalCoverage, shapeOf } from './coverage.ts';
import type { Dials } from './dials.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import { generateProgram } from './generate/program.ts';
import { mutate } from './mutate.ts';
import { mutateFrame } from './mutate_frame.ts';
import {
  type AgreementCounts,
  addAgreement,
  compareWithKernel,
  type KernelSaid,
  NO_AGREEMENT,
} from './oracle/kernel_agreement.ts';
import type { OracleName } from './oracle_names.ts';
import { Random } from './random.ts';
import { minimize } from './shrink.ts';
import { programText } from './text.ts';

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
  readonly findings: readonly FoundReport[];
  /** programs that the running kernel was asked about */
  readonly kernelAgreement: AgreementCounts;
  readonly milliseconds: number;
}

export interface CampaignOptions extends Pick<CheckOptions, 'runs' | 'budget' | 'runBudget' | 'verifier'> {
  readonly seed: number;
  readonly dials?: Partial<Dials>;
  readonly oracles?: readonly OracleName[];
  /** programs of which mutants are made, beside programs that are generated */
  readonly corpus?: readonly Program[];
  /** share of mutants where there is a corpus; default a half */
  readonly mutants?: number;
  /** candidates that are tried to make a finding smaller; default 600 */
  readonly shrinkBudget?: number;
}

/** Expensive oracles are asked of one program in so many. */
const SAMPLED: Readonly<Partial<Record<OracleName, number>>> = { 'round-trip': 64, pruning: 4, metamorphic: 2 };
const SEEDS_OF_CAMPAIGN = 2 ** 32;
const EXAMPLE_CHARACTERS = 300;
const LONG = 20;

/** The seed of program number `index` of a campaign. */
export const programSeed = (campaignSeed: number, index: number): number => (campaignSeed % 2 ** 20) * SEEDS_OF_CAMPAIGN + index;

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
  findings: [],
  kernelAgreement: NO_AGREEMENT,
  milliseconds: 0,
});

/** Checks programs one after the other. What it does depends on seeds and options alone. */
export class Campaign {
  readonly #kernel: FuzzKernel;
  readonly #options: CampaignOptions;
  #report: CampaignReport;
  readonly #messages = new Map<string, { count: number; example: string }>();
  readonly #unmodelled = new Map<string, number>();
  readonly #unsound = new Map<string, number>();
  readonly #findings = new Map<string, FoundReport>();

  constructor(kernel: FuzzKernel, options: CampaignOptions) {
    this.#kernel = kernel;
    this.#options = options;
    this.#report = emptyReport(kernel.profile.name, options.seed);
  }

  /** Program number `index`: generated, or a mutant of the corpus. */
  program(index: number): Program {
    const { dials, corpus, mutants = 0.5, seed } = this.#options;
    const own = programSeed(seed, index);
    const random = new Random(own);
    if (corpus === undefined || corpus.length === 0 || !random.chance(mutants)) return generateProgram(this.#kernel, own, dials);
    const chosen = random.pick(corpus);
    const framed = random.chance(0.3) ? mutateFrame(random, chosen, this.#kernel) : chosen;
    return mutate(random, framed, random.pick([1, 1, 1, 2, 3, 5]));
  }

  /** Checks program number `index`; answers what was found in it. */
  step(index: number): Checked | null {
    const { seed, oracles } = this.#options;
    const own = programSeed(seed, index);
    let program: Program | null = null;
    try {
      program = this.program(index);
      const asked = oracles?.filter((oracle) => index % (SAMPLED[oracle] ?? 1) === 0);
      const checked = checkProgram(program, this.#kernel, this.#checkOptions(own, asked));
      this.#count(checked);
      for (const finding of checked.findings) this.#found(finding, own);
      return checked;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#report = { ...this.#report, programs: this.#report.programs + 1 };
      this.#note({ oracle: 'crash', insn: null, message: `${error.name}: ${error.message}` }, own, program);
      return null;
    }
  }

  /** What the running kernel said of program number `index`; `log` is ours, of levels 2 and 4. */
  compare(index: number, program: Program, verdict: Verdict, log: string, kernel: KernelSaid): void {
    const { counts, difference } = compareWithKernel(verdict, log, kernel);
    this.#report = { ...this.#report, kernelAgreement: addAgreement(this.#report.kernelAgreement, counts) };
    if (difference === null) return;
    this.#note({ oracle: 'kernel', insn: verdict.insn, message: difference }, programSeed(this.#options.seed, index), program);
  }

  report(milliseconds: number): CampaignReport {
    return {
      ...this.#report,
      messages: Object.fromEntries(this.#messages),
      unmodelled: Object.fromEntries(this.#unmodelled),
      unsound: Object.fromEntries(this.#unsound),
      findings: [...this.#findings.values()],
      milliseconds,
    };
  }

  #checkOptions(seed: number, oracles: readonly OracleName[] | undefined): CheckOptions {
    const { runs, budget, runBudget, verifier } = this.#options;
    return {
      seed,
      ...(oracles === undefined ? {} : { oracles }),
      ...(runs === undefined ? {} : { runs }),
      ...(budget === undefined ? {} : { budget }),
      ...(runBudget === undefined ? {} : { runBudget }),
      ...(verifier === undefined ? {} : { verifier }),
    };
  }

  #count({ verdict, runs, instructions, unmodelled, unsound }: Checked): void {
    const report = this.#report;
    const processed = verdict.stats.insnsProcessed;
    this.#report = {
      ...report,
      programs: report.programs + 1,
      verdicts: { ...report.verdicts, [verdict.verdict]: report.verdicts[verdict.verdict] + 1 },
      long: report.long + (processed >= LONG ? 1 : 0),
      instructionsProcessed: report.instructionsProcessed + processed,
      runs: report.runs + runs,
      instructionsRun: report.instructionsRun + instructions,
    };
    if (unmodelled !== null) this.#unmodelled.set(unmodelled, (this.#unmodelled.get(unmodelled) ?? 0) + 1);
    for (const rule of unsound) this.#unsound.set(rule, (this.#unsound.get(rule) ?? 0) + 1);
    if (verdict.verdict !== 'reject') return;
    const example = (verdict.message ?? '').slice(0, EXAMPLE_CHARACTERS);
    const shape = shapeOf(example);
    const known = this.#messages.get(shape);
    if (known === undefined) this.#messages.set(shape, { count: 1, example });
    else known.count++;
  }

  #found(finding: Finding, seed: number): void {
    const { oracle } = finding;
    const shape = `${oracle}: ${shapeOf(finding.message)}`;
    if (this.#findings.has(shape) || oracle === 'crash' || oracle === 'kernel' || oracle === 'domain') {
      this.#note(finding, seed, finding.program);
      return;
    }
    const options = this.#checkOptions(seed, [oracle]);
    const again = (candidate: Program): Finding | undefined => {
      try {
        return checkProgram(candidate, this.#kernel, options).findings.find((other) => other.oracle === oracle);
      } catch {
        return undefined;
      }
    };
    const smallest = minimize(finding.program, (candidate) => again(candidate) !== undefined, this.#options.shrinkBudget ?? 600);
    this.#note({ ...finding, insn: again(smallest)?.insn ?? finding.insn }, seed, smallest);
  }

  #note(finding: Omit<Finding, 'program'>, seed: number, program: Program | null): void {
    const shape = `${finding.oracle}: ${shapeOf(finding.message)}`;
    const known = this.#findings.get(shape);
    if (known !== undefined) {
      this.#findings.set(shape, { ...known, count: known.count + 1 });
      return;
    }
    const text = program === null ? '' : this.#textOf(program, finding);
    this.#findings.set(shape, {
      oracle: finding.oracle,
      shape,
      message: finding.message,
      count: 1,
      seed,
      insn: finding.insn,
      program: text,
    });
  }

  #textOf(program: Program, { oracle, message }: Omit<Finding, 'program'>): string {
    try {
      return programText(program, this.#kernel.profile, null, `${oracle}: ${message}`);
    } catch (error) {
      return `; cannot be printed: ${error instanceof Error ? error.message : String(error)}\n`;
    }
  }
}

const mergedCounts = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> => {
  const sum = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
};

/** Reports of parts of a campaign, or of several campaigns, as one. */
export function mergeReports(a: CampaignReport, b: CampaignReport): CampaignReport {
  const messages: Record<string, MessageReport> = { ...a.messages };
  for (const [shape, report] of Object.entries(b.messages)) {
    const known = messages[shape];
    messages[shape] = known === undefined ? report : { ...known, count: known.count + report.count };
  }
  const findings = new Map(a.findings.map((found) => [found.shape, found]));
  for (const found of b.findings) {
    const known = findings.get(found.shape);
    findings.set(found.shape, known === undefined ? found : { ...known, count: known.count + found.count });
  }
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
    messages,
    findings: [...findings.values()],
    kernelAgreement: addAgreement(a.kernelAgreement, b.kernelAgreement),
    milliseconds: Math.max(a.milliseconds, b.milliseconds),
  };
}

/** Which of the kernel's refusals the campaign has met. */
export const coverageOf = (report: CampaignReport): ReturnType<typeof refusalCoverage> =>
  refusalCoverage(Object.values(report.messages).map(({ example }) => example));
