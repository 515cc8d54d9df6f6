import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { assemble } from '../asm/assemble.ts';
import { Malformed } from '../contracts/errors.ts';
import { Campaign, type CampaignOptions } from '../fuzz/campaign.ts';
import type { CampaignReport, KeptProgram } from '../fuzz/campaign_report.ts';
import { FuzzKernel } from '../fuzz/generate/kernel.ts';
import type { Program } from '../program/program.ts';
import { verify } from '../verifier/verify.ts';
import { openBundledProfile } from './bundled_kernel.ts';
import { expandPaths, loadInput, readInput } from './inputs.ts';
import { KernelQuestions } from './kernel_questions.ts';

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
  const questions = task.againstKernel ? await KernelQuestions.open(kernel) : null;
  const round = new Round(kernel);
  return async ({ first, step, count, kept }) => {
    const started = performance.now();
    if (kept !== undefined) round.begin(kept);
    const campaign = new Campaign(kernel, { ...task.options, corpus, kept: round.programs, known: round.known });
    for (let i = 0; i < count; i++) {
      const index = first + i * step;
      const checked = campaign.step(index);
      if (checked !== null) await questions?.ask(campaign, index, checked.verdict);
    }
    await questions?.settle();
    return { report: campaign.report(performance.now() - started) };
  };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const work = await startWorker(workerData as WorkerTask);
  port.on('message', async (order: WorkerOrder) => port.postMessage(await work(order)));
  port.postMessage('ready');
}
