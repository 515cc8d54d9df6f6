import { ALL_CAPABILITIES, type Capabilities, NO_CAPABILITIES } from '../contracts/subject.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';
import type { Program } from '../program/program.ts';
import type { Verdict } from '../verifier/verdict.ts';
import { verify } from '../verifier/verify.ts';
import { type CampaignReport, emptyReport, type FoundReport, type KeptProgram, type PrecisionReport } from './campaign_report.ts';
import { type Checked, type CheckOptions, checkProgram, type Finding } from './check.ts';
import { formatOf, isSecondLine, shapeOf } from './coverage.ts';
import type { Dials } from './dials.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import { generateProgram } from './generate/program.ts';
import { mutate } from './mutate.ts';
import { mutateEncoding } from './mutate_encoding.ts';
import { mutateFrame } from './mutate_frame.ts';
import { addAgreement, compareWithKernel, type KernelSaid, lastMessage } from './oracle/kernel_agreement.ts';
import { ORACLES, type OracleName } from './oracle_names.ts';
import { Random } from './random.ts';
import { minimize } from './shrink.ts';
import { programText } from './text.ts';

export interface CampaignOptions extends Pick<CheckOptions, 'runs' | 'budget' | 'runBudget' | 'verifier'> {
  readonly seed: number;
  readonly dials?: Partial<Dials>;
  readonly oracles?: readonly OracleName[];
  /** programs of others: the first programs of the campaign, as they are, and then what mutants are made of */
  readonly corpus?: readonly Program[];
  /** what earlier rounds kept, of which mutants are made too */
  readonly kept?: readonly Program[];
  /** what earlier rounds have met: `met` of all they kept */
  readonly known?: ReadonlySet<string>;
  /** share of mutants where there is something to make them of; default 0.15 */
  readonly mutants?: number;
  /** candidates that are tried to make a finding smaller; default 600 */
  readonly shrinkBudget?: number;
}

/** Expensive oracles are asked of one program in so many. */
const SAMPLED: Readonly<Partial<Record<OracleName, number>>> = { 'round-trip': 64, pruning: 4, metamorphic: 2, precision: 8 };
const SEEDS_OF_CAMPAIGN = 2 ** 32;
const EXAMPLE_CHARACTERS = 300;
const LONG = 20;
/** Larger programs are not kept. */
const KEPT_SLOTS = 300;
/** One program in so many, and each that meets something new or says more in the line before, is heard to the end where it is refused, unless it took more instructions. */
const LISTENED_TO = 16;
const LISTENED = 5000;
/** Programs of these types may be loaded without capabilities. */
const UNPRIVILEGED: ReadonlySet<number> = new Set([PROG_TYPES.socket_filter, PROG_TYPES.cgroup_skb]);

/** A program and who loads it. */
export interface Candidate {
  readonly program: Program;
  readonly capabilities: Capabilities;
}

/**
 * The round of a campaign that program number `number` is in: from `start` to `end - 1`. Mutants are made of what the rounds before
 * kept, so that a campaign is the same however many workers share it.
 */
export function roundOf(number: number): { readonly start: number; readonly end: number } {
  let start = 0;
  let end = FIRST_ROUND;
  while (end <= number) {
    start = end;
    end = Math.min(end * 2, end + LARGEST_ROUND);
  }
  return { start, end };
}

const FIRST_ROUND = 2000;
const LARGEST_ROUND = 50_000;

/** The seed of program number `index` of a campaign. */
export const programSeed = (campaignSeed: number, index: number): number => (campaignSeed % 2 ** 20) * SEEDS_OF_CAMPAIGN + index;

/** Checks programs one after the other. What it does depends on seeds and options alone. */
export class Campaign {
  readonly #kernel: FuzzKernel;
  readonly #options: CampaignOptions;
  #report: CampaignReport;
  readonly #messages: Messages = new Map();
  readonly #kernelMessages: Messages = new Map();
  readonly #saidBefore: Messages = new Map();
  readonly #rooms = new Map<string, number>();
  readonly #precision = new Map<string, PrecisionReport>();
  readonly #kept: KeptProgram[] = [];
  readonly #known: Set<string>;
  readonly #unmodelled = new Map<string, number>();
  readonly #unsound = new Map<string, number>();
  readonly #findings = new Map<string, FoundReport>();

  constructor(kernel: FuzzKernel, options: CampaignOptions) {
    this.#kernel = kernel;
    this.#options = options;
    this.#report = emptyReport(kernel.profile.name, options.seed);
    this.#known = new Set(options.known);
  }

  /** Program number `index`: one of the corpus, generated, or a mutant. */
  program(index: number): Program {
    const { dials, corpus = [], kept = [], mutants = 0.15, seed } = this.#options;
    if (index < corpus.length) return corpus[index]!;
    const own = programSeed(seed, index);
    const random = new Random(own);
    if (corpus.length + kept.length === 0 || !random.chance(mutants)) return generateProgram(this.#kernel, own, dials);
    const isKept = kept.length > 0 && (corpus.length === 0 || random.chance(0.5));
    const chosen = random.pick(isKept ? kept : corpus);
    if (random.chance(0.15)) return mutateEncoding(random, chosen, this.#kernel);
    const framed = random.chance(0.3) ? mutateFrame(random, chosen, this.#kernel) : chosen;
    if (framed !== chosen && random.chance(0.5)) return framed;
    const other = random.chance(0.1) ? random.pick(isKept ? kept : corpus) : null;
    return mutate(random, framed, random.pick([1, 1, 1, 2, 3, 5]), other);
  }

  /** Program number `index`, and with what capabilities it is loaded: mostly all. */
  candidate(index: number): Candidate {
    const program = this.program(index);
    const random = new Random(programSeed(this.#options.seed, index) + 2 ** 31);
    const isLess = UNPRIVILEGED.has(program.type) && index >= (this.#options.corpus?.length ?? 0) && random.chance(0.25);
    return { program, capabilities: isLess ? random.pick(FEWER_CAPABILITIES) : ALL_CAPABILITIES };
  }

  /** Checks program number `index`; answers what was found in it. */
  step(index: number): Checked | null {
    const { seed, oracles } = this.#options;
    const own = programSeed(seed, index);
    let program: Program | null = null;
    try {
      const candidate = this.candidate(index);
      program = candidate.program;
      const asked = (oracles ?? ORACLES).filter((oracle) => index % (SAMPLED[oracle] ?? 1) === 0);
      const options = { ...this.#checkOptions(own, asked), capabilities: candidate.capabilities };
      const checked = checkProgram(program, this.#kernel, options);
      this.#count(checked);
      const isNew = this.#keep(index, program, checked);
      const isHeard = isNew || index % LISTENED_TO === 0 || isSecondLine(checked.verdict.message ?? '');
      if (isHeard) this.#listen(candidate, checked);
      this.#limit(checked, own, program);
      for (const finding of checked.findings) this.#found(finding, own, candidate.capabilities);
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
    if (kernel.verdict === 'reject') {
      const last = lastMessage(kernel.log);
      note(this.#kernelMessages, last.slice(0, EXAMPLE_CHARACTERS));
      const lines = this.#kernelMessages.get(shapeOf(last.slice(0, EXAMPLE_CHARACTERS)))?.count === 1 ? endOf(kernel.log) : [];
      for (const line of lines) if (line !== last && formatOf(line) !== null) note(this.#kernelMessages, line);
    }
    this.#report = { ...this.#report, kernelAgreement: addAgreement(this.#report.kernelAgreement, counts) };
    if (difference === null) return;
    this.#note({ oracle: 'kernel', insn: verdict.insn, message: difference }, programSeed(this.#options.seed, index), program);
  }

  /** The process that loaded program number `index` into the running kernel did not live to say more. */
  kernelFell(index: number, program: Program): void {
    const message = 'the process that loads the program is killed; this worker asks the kernel no more';
    this.#note({ oracle: 'kernel', insn: null, message }, programSeed(this.#options.seed, index), program);
  }

  report(milliseconds: number): CampaignReport {
    return {
      ...this.#report,
      messages: Object.fromEntries(this.#messages),
      saidBefore: Object.fromEntries(this.#saidBefore),
      kernelMessages: Object.fromEntries(this.#kernelMessages),
      rooms: Object.fromEntries(this.#rooms),
      precision: [...this.#precision.values()],
      kept: this.#kept,
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
    note(this.#messages, (verdict.message ?? '').slice(0, EXAMPLE_CHARACTERS));
  }

  /** Keeps a program that met what none before it has met; says whether it did. */
  #keep(index: number, program: Program, { verdict, rooms }: Checked): boolean {
    const met: string[] = [];
    const meets = (what: string): void => {
      if (this.#known.has(what)) return;
      this.#known.add(what);
      met.push(what);
    };
    for (const room of rooms) {
      this.#rooms.set(room, (this.#rooms.get(room) ?? 0) + 1);
      meets(`room ${room}`);
    }
    if (verdict.verdict === 'reject' && verdict.message) {
      const shape = shapeOf(verdict.message);
      if (this.#messages.get(shape)?.count === 1) meets(`message ${formatOf(verdict.message) ?? shape}`);
    }
    const text = met.length === 0 || program.insns.length > KEPT_SLOTS ? null : this.#textOf(program, null);
    if (text !== null) this.#kept.push({ index, met, program: text });
    return met.length > 0;
  }

  /** The lines that stand before the last message of a refusal: several rules take two lines. */
  #listen({ program, capabilities }: Candidate, { verdict }: Checked): void {
    if (verdict.verdict !== 'reject' || !verdict.message || verdict.stats.insnsProcessed > LISTENED) return;
    const pieces: string[] = [];
    const options = { capabilities, logLevel: 1, log: (text: string) => void pieces.push(text) };
    (this.#options.verifier ?? verify)(program, this.#kernel.profile, options);
    for (const line of endOf(pieces.join('')).filter((one) => one !== verdict.message)) {
      if (formatOf(line) !== null) note(this.#saidBefore, line.slice(0, EXAMPLE_CHARACTERS));
    }
  }

  #limit({ verdict, precision }: Checked, seed: number, program: Program): void {
    if (precision === null || verdict.message === null || verdict.insn === null) return;
    const shape = formatOf(verdict.message) ?? shapeOf(verdict.message);
    const known = this.#precision.get(shape);
    if (known !== undefined) {
      this.#precision.set(shape, { ...known, count: known.count + 1 });
      return;
    }
    const { message, insn } = verdict;
    const text = this.#textOf(program, `no run justifies: ${message}`) ?? '';
    this.#precision.set(shape, { shape, message, count: 1, seed, insn, ...precision, program: text });
  }

  #found(finding: Finding, seed: number, capabilities: Capabilities): void {
    const { oracle } = finding;
    const shape = `${oracle}: ${shapeOf(finding.message)}`;
    if (this.#findings.has(shape) || oracle === 'crash' || oracle === 'kernel' || oracle === 'domain') {
      this.#note(finding, seed, finding.program);
      return;
    }
    const options = { ...this.#checkOptions(seed, [oracle]), capabilities };
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
    const text = program === null ? '' : (this.#textOf(program, `${finding.oracle}: ${finding.message}`) ?? UNPRINTED);
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

  #textOf(program: Program, story: string | null): string | null {
    try {
      return programText(program, this.#kernel.profile, null, story ?? '');
    } catch (error) {
      if (error instanceof Error) return null;
      throw error;
    }
  }
}

/** The last lines of a log that are no statistics and show no instruction or state. */
const endOf = (log: string): string[] =>
  log
    .split('\n')
    .filter((line) => !NO_RULE.test(line))
    .slice(-LAST_LINES);

const NO_RULE = /^(processed \d|verification time|stack depth|$|\d+: |; |from \d+ to |mark_precise: )/;
const LAST_LINES = 4;

const UNPRINTED = '; the program cannot be printed\n';

type Messages = Map<string, { count: number; example: string }>;

function note(messages: Messages, example: string): void {
  const shape = shapeOf(example);
  const known = messages.get(shape);
  if (known === undefined) messages.set(shape, { count: 1, example });
  else known.count++;
}

const FEWER_CAPABILITIES: readonly Capabilities[] = [
  NO_CAPABILITIES,
  NO_CAPABILITIES,
  { ...NO_CAPABILITIES, bpf: true },
  { ...NO_CAPABILITIES, bpf: true, netAdmin: true },
];
