import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type CampaignReport, emptyReport, mergeReports } from '../fuzz/campaign.ts';
import { checkProgram } from '../fuzz/check.ts';
import { FuzzKernel } from '../fuzz/generate/kernel.ts';
import { PROFILE_NAMES } from '../profiles/index.ts';
import { openBundledProfile } from './bundled_kernel.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import type { FuzzOptions } from './fuzz_options.ts';
import { campaignText, progressText } from './fuzz_report.ts';
import type { WorkerAnswer, WorkerOrder, WorkerTask } from './fuzz_worker.ts';
import { loadInput, readInput } from './inputs.ts';
import { KernelOracle, NoKernel } from './kernel_oracle.ts';
import { print, warn } from './output.ts';

/** Programs of one order: small enough that progress moves, large enough that messages cost nothing. */
const ORDER = 200;
const DEFAULT_TIME = 60_000;
/** One run of each accepted program: another program says more than another run. */
const LIMITS = { runs: 1, runBudget: 1000, budget: 10_000 } as const;
const PROGRESS_PAUSE = 2000;
const SEEDS = 2 ** 20;
const REPORT = 'report.json';
const WORKER_PLACES = ['./fuzz_worker.js', './fuzz_worker.ts'];

/** A report that goes on in a directory, and where its next programs begin. */
interface Saved {
  readonly report: CampaignReport;
  readonly next: number;
}

const statusOf = (report: CampaignReport): ExitStatus => (report.findings.length === 0 ? EXIT.good : EXIT.bad);

const readSaved = (path: string): Saved => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Saved;
  } catch (error) {
    throw new UsageError(`${path}: no report of a campaign (${error instanceof Error ? error.message : String(error)})`);
  }
};

const fileName = (shape: string, index: number): string =>
  `${String(index).padStart(3, '0')}_${shape.replace(/[^a-zA-Z0-9]+/g, '_').slice(0, 60)}.bpf.s`;

function save(out: string, saved: Saved): void {
  mkdirSync(join(out, 'findings'), { recursive: true });
  writeFileSync(join(out, REPORT), `${JSON.stringify(saved, null, 1)}\n`);
  saved.report.findings.forEach(({ shape, program }, index) => {
    if (program !== '') writeFileSync(join(out, 'findings', fileName(shape, index)), program);
  });
}

/** The workers of a campaign, each with its next order as soon as it has answered. */
class Crew {
  readonly #workers: Worker[];

  constructor(task: WorkerTask, jobs: number) {
    const place = WORKER_PLACES.map((path) => fileURLToPath(new URL(path, import.meta.url))).find(existsSync);
    if (place === undefined) throw new Error('the code of the workers is not installed');
    this.#workers = Array.from({ length: jobs }, () => new Worker(place, { workerData: task }));
  }

  /** Gives out orders until there are none; `told` gets every answer. */
  work(next: () => WorkerOrder | null, told: (answer: WorkerAnswer, order: WorkerOrder) => void): Promise<unknown> {
    return Promise.all(
      this.#workers.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            let current: WorkerOrder | null = null;
            worker.on('error', reject);
            worker.on('message', (answer: WorkerAnswer | 'ready') => {
              if (answer !== 'ready' && current !== null) told(answer, current);
              current = next();
              if (current === null) resolve();
              else worker.postMessage(current);
            });
          }),
      ),
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

async function checkKernel(): Promise<void> {
  try {
    (await KernelOracle.open()).close();
  } catch (error) {
    if (error instanceof NoKernel) throw new UsageError(`the kernel cannot be asked: ${error.message}`);
    throw error;
  }
}

async function campaign(options: FuzzOptions): Promise<ExitStatus> {
  const { out, shard, runs } = options;
  const saved = out !== undefined && existsSync(join(out, REPORT)) ? readSaved(join(out, REPORT)) : null;
  const seed = options.seed ?? saved?.report.seed ?? randomInt(SEEDS);
  if (saved !== null && saved.report.seed !== seed) throw new UsageError(`${out} holds a campaign of seed ${saved.report.seed}`);
  if (options.againstKernel === true) await checkKernel();
  const jobs = options.jobs ?? availableParallelism();
  const { size, wrong } = options;
  const task: WorkerTask = {
    options: {
      seed,
      oracles: options.oracle,
      ...LIMITS,
      dials: { ...(size === undefined ? {} : { size }), ...(wrong === undefined ? {} : { wrong }) },
    },
    againstKernel: options.againstKernel === true,
    corpus: options.corpus ?? null,
  };
  let next = saved?.next ?? 0;
  const end = runs === undefined ? Number.POSITIVE_INFINITY : next + Math.ceil(runs / shard.count);
  let report = saved?.report ?? emptyReport(PROFILE_NAMES[0], seed);
  const before = report.milliseconds;
  const started = performance.now();
  const deadline = options.time ?? (runs === undefined ? DEFAULT_TIME : Number.POSITIVE_INFINITY);
  let shownAt = started;
  if (options.format === 'text') print(`seed ${seed}\n`);
  const crew = new Crew(task, jobs);
  const order = (): WorkerOrder | null => {
    if (next >= end || performance.now() - started > deadline) return null;
    const count = Math.min(ORDER, end - next);
    const first = shard.index + next * shard.count;
    next += count;
    return { first, step: shard.count, count };
  };
  try {
    await crew.work(order, ({ report: part }) => {
      report = { ...mergeReports(report, part), milliseconds: before + performance.now() - started };
      if (performance.now() - shownAt < PROGRESS_PAUSE) return;
      shownAt = performance.now();
      warn(`${progressText(report, report.milliseconds / 1000)}\n`);
      if (out !== undefined) save(out, { report, next });
    });
  } finally {
    await crew.end();
  }
  if (out !== undefined) save(out, { report, next });
  print(options.format === 'json' ? `${JSON.stringify(report)}\n` : campaignText(report));
  return statusOf(report);
}

/** Every program of one input through all oracles. */
async function check(path: string, options: FuzzOptions): Promise<ExitStatus> {
  const kernel = new FuzzKernel(openBundledProfile());
  const image = await loadInput(path, readInput(path), { profile: kernel.profile, presets: [], section: 'socket' });
  let status: ExitStatus = EXIT.good;
  for (const program of image.programs) {
    if (program.loadError !== null) {
      print(`${program.name}: not loaded: ${program.loadError}\n`);
      continue;
    }
    const { verdict, findings, runs, unmodelled } = checkProgram(program, kernel, {
      oracles: options.oracle,
      runs: options.runs ?? 10,
      seed: options.seed ?? 1,
    });
    if (findings.length > 0) status = EXIT.bad;
    const note = unmodelled === null ? `${runs} runs` : `not run: ${unmodelled}`;
    print(
      `${program.name}: ${verdict.verdict}${verdict.message ? ` (${verdict.message})` : ''}, ${note}, ${findings.length} findings\n`,
    );
    for (const { oracle, insn, message } of findings) print(`    ${oracle}${insn === null ? '' : ` at ${insn}`}: ${message}\n`);
  }
  return status;
}

/** `drybpf fuzz`: a campaign, or one program through all oracles. */
export const fuzzCommand = (options: FuzzOptions): Promise<ExitStatus> =>
  options.check === undefined ? campaign(options) : check(options.check, options);

/** `drybpf fuzz merge REPORT...`: reports of parts as one. */
export async function fuzzMergeCommand(paths: readonly string[], options: { readonly format: string }): Promise<ExitStatus> {
  const reports = paths.map((path) => readSaved(path.endsWith('.json') ? path : join(path, REPORT)).report);
  const report = reports.reduce(mergeReports);
  print(options.format === 'json' ? `${JSON.stringify(report)}\n` : campaignText(report));
  return statusOf(report);
}
