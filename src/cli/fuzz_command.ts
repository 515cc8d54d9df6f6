import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { roundOf } from '../fuzz/campaign.ts';
import { type CampaignReport, emptyReport, type KeptProgram, mergeReports } from '../fuzz/campaign_report.ts';
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
const FOLDERS = ['findings', 'precision', 'corpus'] as const;
const SAVE_PAUSE = 20_000;
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
  for (const folder of FOLDERS) mkdirSync(join(out, folder), { recursive: true });
  const { findings, precision, kept } = saved.report;
  const put = (folder: (typeof FOLDERS)[number], name: string, program: string): void => {
    if (program !== '') writeFileSync(join(out, folder, name), program);
  };
  for (const [index, { shape, program }] of findings.entries()) put('findings', fileName(shape, index), program);
  for (const [index, { shape, program }] of precision.entries()) put('precision', fileName(shape, index), program);
  for (const { index, program } of kept) put('corpus', `${index}.bpf.s`, program);
  const fresh = join(out, `${REPORT}.new`);
  writeFileSync(fresh, `${JSON.stringify(saved)}\n`);
  renameSync(fresh, join(out, REPORT));
}

/** Code of the workers that is not built yet needs what reads TypeScript. */
const workerFor = (place: string, task: WorkerTask): Worker =>
  place.endsWith('.ts')
    ? new Worker(`import('tsx/esm/api').then(({ register }) => { register(); import(${JSON.stringify(place)}); })`, {
        eval: true,
        workerData: task,
      })
    : new Worker(place, { workerData: task });

/** The workers of a campaign, each with its next order as soon as it has answered. */
class Crew {
  readonly #workers: readonly Worker[];
  readonly #ready: readonly Promise<unknown>[];

  constructor(task: WorkerTask, jobs: number) {
    const place = WORKER_PLACES.map((path) => fileURLToPath(new URL(path, import.meta.url))).find(existsSync);
    if (place === undefined) throw new Error('the code of the workers is not installed');
    this.#workers = Array.from({ length: jobs }, () => workerFor(place, task));
    this.#ready = this.#workers.map(answerOf);
  }

  /** Gives out the orders of a round until there are none; `told` gets every answer. */
  async round(kept: readonly KeptProgram[], next: () => WorkerOrder | null, told: (answer: WorkerAnswer) => void): Promise<void> {
    await Promise.all(this.#ready);
    const work = async (worker: Worker): Promise<void> => {
      let isFirst = true;
      for (let order = next(); order !== null; order = next()) {
        const answer = answerOf(worker);
        worker.postMessage(isFirst ? { ...order, kept } : order);
        isFirst = false;
        told((await answer) as WorkerAnswer);
      }
    };
    await Promise.all(this.#workers.map(work));
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

const answerOf = (worker: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const settle = (answer: unknown): void => {
      worker.off('error', reject);
      resolve(answer);
    };
    worker.once('message', settle);
    worker.once('error', reject);
  });

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
  const { size, wrong, mutants } = options;
  const task: WorkerTask = {
    options: {
      seed,
      oracles: options.oracle,
      ...LIMITS,
      ...(mutants === undefined ? {} : { mutants }),
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
  let savedAt = started;
  let isStopped = false;
  const stop = (): void => void (isStopped = true);
  const isOver = (): boolean => isStopped || next >= end || performance.now() - started > deadline;
  const tell = ({ report: part }: WorkerAnswer): void => {
    const now = performance.now();
    report = { ...mergeReports(report, part), milliseconds: before + now - started };
    if (now - shownAt < PROGRESS_PAUSE) return;
    shownAt = now;
    warn(`${progressText(report, report.milliseconds / 1000)}\n`);
    if (out === undefined || now - savedAt < SAVE_PAUSE) return;
    savedAt = now;
    save(out, { report, next });
  };
  if (options.format === 'text') print(`seed ${seed}\n`);
  const crew = new Crew(task, jobs);
  process.once('SIGINT', stop);
  try {
    while (!isOver()) {
      const round = roundOf(next);
      const kept = report.kept.filter(({ index }) => index < shard.index + round.start * shard.count);
      const order = (): WorkerOrder | null => {
        const last = Math.min(end, round.end);
        if (isOver() || next >= last) return null;
        const count = Math.min(ORDER, last - next);
        const first = shard.index + next * shard.count;
        next += count;
        return { first, step: shard.count, count };
      };
      await crew.round(kept, order, tell);
    }
  } finally {
    process.off('SIGINT', stop);
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
    const { verdict, findings, runs, unmodelled, unsound, precision } = checkProgram(program, kernel, {
      oracles: options.oracle,
      runs: options.runs ?? 10,
      seed: options.seed ?? 1,
    });
    if (findings.length > 0) status = EXIT.bad;
    const note = unmodelled === null ? `${runs} runs` : `not run: ${unmodelled}`;
    print(
      `${program.name}: ${verdict.verdict}${verdict.message ? ` (${verdict.message})` : ''}, ${note}, ${findings.length} findings\n`,
    );
    for (const rule of unsound) print(`    Linux errs: ${rule}\n`);
    if (precision !== null)
      print(
        `    precision: ${precision.runs} runs came to instruction ${verdict.insn} ${precision.reached} times without a fault\n`,
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
