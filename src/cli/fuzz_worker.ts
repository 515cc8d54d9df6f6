import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { Campaign, type CampaignOptions, type CampaignReport } from '../fuzz/campaign.ts';
import { FuzzKernel } from '../fuzz/generate/kernel.ts';
import type { Program } from '../program/program.ts';
import { verify } from '../verifier/verify.ts';
import { openBundledProfile } from './bundled_kernel.ts';
import { expandPaths, loadInput, readInput } from './inputs.ts';
import { KernelOracle } from './kernel_oracle.ts';

/** What a worker of a campaign is told. */
export interface WorkerTask {
  readonly options: Omit<CampaignOptions, 'corpus' | 'verifier'>;
  readonly againstKernel: boolean;
  /** inputs of which mutants are made */
  readonly corpus: string | null;
}

/** Programs to check next: `first`, `first + step`, … */
export interface WorkerOrder {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

export interface WorkerAnswer {
  readonly report: CampaignReport;
}

/** Larger programs say little about a rule and take long. */
const CORPUS_SLOTS = 300;
const CORPUS_BUDGET = 2000;
const LOG_BYTES = 1 << 24;
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

/** Works through orders, one report each. */
export async function startWorker(task: WorkerTask): Promise<(order: WorkerOrder) => Promise<WorkerAnswer>> {
  // errors are values here: nobody reads where they were made
  Error.stackTraceLimit = 0;
  const kernel = new FuzzKernel(openBundledProfile());
  const corpus = task.corpus === null ? [] : await readCorpus(task.corpus, kernel);
  const oracle = task.againstKernel ? await KernelOracle.open() : null;
  return async ({ first, step, count }) => {
    const started = performance.now();
    const campaign = new Campaign(kernel, { ...task.options, corpus });
    for (let i = 0; i < count; i++) {
      const index = first + i * step;
      const checked = campaign.step(index);
      if (oracle === null || checked === null || checked.verdict.stats.insnsProcessed > LOGGED_INSTRUCTIONS) continue;
      await compare(campaign, index, oracle, kernel);
    }
    return { report: campaign.report(performance.now() - started) };
  };
}

async function compare(campaign: Campaign, index: number, oracle: KernelOracle, kernel: FuzzKernel): Promise<void> {
  const program = campaign.program(index);
  const answer = await oracle.ask(program, { logLevel: 6, logSize: LOG_BYTES });
  const isUnasked = answer.stage !== 'program' || answer.btfErrno !== null || (answer.errno === 'EPERM' && answer.log === '');
  if (isUnasked) return;
  const pieces: string[] = [];
  const verdict = verify(program, kernel.profile, { logLevel: 6, log: (text) => void pieces.push(text) });
  campaign.compare(index, program, verdict, pieces.join(''), answer);
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const work = await startWorker(workerData as WorkerTask);
  port.on('message', async (order: WorkerOrder) => port.postMessage(await work(order)));
  port.postMessage('ready');
}
