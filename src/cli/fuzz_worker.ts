import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { assemble } from '../asm/assemble.ts';
import { Malformed } from '../contracts/errors.ts';
import { Campaign, type CampaignOptions, type Candidate } from '../fuzz/campaign.ts';
import type { CampaignReport, KeptProgram } from '../fuzz/campaign_report.ts';
import { FuzzKernel } from '../fuzz/generate/kernel.ts';
import type { Program } from '../program/program.ts';
import type { Verdict } from '../verifier/verdict.ts';
import { verify } from '../verifier/verify.ts';
import { openBundledProfile } from './bundled_kernel.ts';
import { expandPaths, loadInput, readInput } from './inputs.ts';
import { KernelOracle } from './kernel_oracle.ts';
import { kernelPeril } from './kernel_peril.ts';

/** What a worker of a campaign is told. */
export interface WorkerTask {
  readonly options: Omit<CampaignOptions, 'corpus' | 'kept' | 'known' | 'verifier'>;
  readonly againstKernel: boolean;
  /** inputs of which mutants are made */
  readonly corpus: string | null;
}

/** Programs to check next: `first`, `first + step`, … */
export interface WorkerOrder {
  readonly first: number;
  readonly step: number;
  readonly count: number;
  /** of a round's first order: what the rounds before it kept */
  readonly kept?: readonly KeptProgram[];
}

export interface WorkerAnswer {
  readonly report: CampaignReport;
}

/** Larger programs say little about a rule and take long. */
const CORPUS_SLOTS = 300;
const CORPUS_BUDGET = 2000;
const LOG_BYTES = 1 << 24;
const UNMAPPED_ARENA = "arena's user address must be set via map_extra or mmap()";
/** Questions that wait for the kernel's answer at a time. */
const ASKED_AT_ONCE = 50;
/** One program in so many is compared by its whole log, the others by what is logged at branches. */
const WHOLE_LOGS = 8;
/** Programs of more processed instructions are not asked for their whole log. */
const LOGGED_INSTRUCTIONS = 20_000;

async function readCorpus(path: string, kernel: FuzzKernel): Promise<Program[]> {
  const programs: Program[] = [];
  for (const file of expandPaths([path])) {
    try {
      const image = await loadInput(file, readInput(file), { profile: kernel.profile, presets: [], section: 'socket' });
      programs.push(...image.programs);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return programs.filter(
    (program) =>
      program.loadError === null &&
      program.insns.length <= CORPUS_SLOTS &&
      verify(program, kernel.profile, { budget: CORPUS_BUDGET }).verdict !== 'unknown',
  );
}

/** What mutants are made of in one round. */
class Round {
  readonly #kernel: FuzzKernel;
  readonly #assembled = new Map<string, Program | null>();
  programs: readonly Program[] = [];
  known: ReadonlySet<string> = new Set();

  constructor(kernel: FuzzKernel) {
    this.#kernel = kernel;
  }

  begin(kept: readonly KeptProgram[]): void {
    this.known = new Set(kept.flatMap(({ met }) => met));
    this.programs = kept.map(({ program }) => this.#assemble(program)).filter((program) => program !== null);
  }

  #assemble(text: string): Program | null {
    const known = this.#assembled.get(text);
    if (known !== undefined) return known;
    let program: Program | null = null;
    try {
      program = assemble(text, 'kept.bpf.s', { profile: this.#kernel.profile }).programs[0] ?? null;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
    }
    this.#assembled.set(text, program);
    return program;
  }
}

/** Works through orders, one report each. */
export async function startWorker(task: WorkerTask): Promise<(order: WorkerOrder) => Promise<WorkerAnswer>> {
  // errors are values here: nobody reads where they were made
  Error.stackTraceLimit = 0;
  const kernel = new FuzzKernel(openBundledProfile());
  const corpus = task.corpus === null ? [] : await readCorpus(task.corpus, kernel);
  const oracle = task.againstKernel ? await KernelOracle.open() : null;
  const round = new Round(kernel);
  return async ({ first, step, count, kept }) => {
    const started = performance.now();
    if (kept !== undefined) round.begin(kept);
    const campaign = new Campaign(kernel, { ...task.options, corpus, kept: round.programs, known: round.known });
    let asked: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      const index = first + i * step;
      const checked = campaign.step(index);
      if (oracle === null || checked === null) continue;
      const candidate = campaign.candidate(index);
      if (!isAskable(candidate.program, checked.verdict)) continue;
      asked.push(compare(campaign, index, candidate, oracle, kernel));
      if (asked.length < ASKED_AT_ONCE) continue;
      await Promise.all(asked);
      asked = [];
    }
    await Promise.all(asked);
    return { report: campaign.report(performance.now() - started) };
  };
}

/**
 * What we gave up is not asked about: the kernel would go on to its own limit, and so would we. Nor is what would take the kernel
 * down.
 */
const isAskable = (program: Program, { verdict, stats, loaded }: Verdict): boolean =>
  verdict !== 'unknown' &&
  stats.insnsProcessed <= LOGGED_INSTRUCTIONS &&
  (loaded === undefined || kernelPeril(program, loaded) === null);

async function compare(
  campaign: Campaign,
  index: number,
  { program, capabilities }: Candidate,
  oracle: KernelOracle,
  kernel: FuzzKernel,
): Promise<void> {
  const logLevel = index % WHOLE_LOGS === 0 ? 6 : 5;
  const answer = await oracle.ask(program, { logLevel, logSize: LOG_BYTES, capabilities });
  const isCut = answer.logTrueSize > LOG_BYTES;
  const isUnasked = answer.stage !== 'program' || answer.btfErrno !== null || (answer.errno === 'EPERM' && answer.log === '');
  // libbpf maps an arena before it loads a program; the oracle maps nothing
  if (isCut || isUnasked || answer.log.includes(UNMAPPED_ARENA)) return;
  const pieces: string[] = [];
  const verdict = verify(program, kernel.profile, { logLevel, capabilities, log: (text) => void pieces.push(text) });
  campaign.compare(index, program, verdict, pieces.join(''), answer);
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const work = await startWorker(workerData as WorkerTask);
  port.on('message', async (order: WorkerOrder) => port.postMessage(await work(order)));
  port.postMessage('ready');
}
