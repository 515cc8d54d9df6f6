import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { roundOf } from '../fuzz/campaign.ts';
import { type CampaignReport, emptyReport, mergeReports } from '../fuzz/campaign_report.ts';
import { checkProgram } from '../fuzz/check.ts';
import { FuzzKernel } from '../fuzz/generate/kernel.ts';
import { PROFILE_NAMES } from '../profiles/open.ts';
import { openBundledProfile } from './bundled_kernel.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { Crew } from './fuzz_crew.ts';
import { save, savedIn, savedReport } from './fuzz_folder.ts';
import type { FuzzOptions } from './fuzz_options.ts';
import { campaignText, progressText } from './fuzz_report.ts';
import type { WorkerAnswer, WorkerOrder, WorkerTask } from './fuzz_worker.ts';
import { loadInput, readInput } from './inputs.ts';
import { KernelOracle, NoKernel } from './kernel_oracle.ts';
import { print, warn } from './output.ts';

/** Programs of one order: small enough that progress moves, large enough that messages cost nothing. */
const ORDER = 200;
/** The same where a kernel is asked, which takes longer. */
const ORDER_WITH_KERNEL = 50;
const DEFAULT_TIME = 60_000;
/** One run of each accepted program: another program says more than another run. */
const LIMITS = { runs: 1, runBudget: 1000, budget: 10_000 } as const;
const PROGRESS_PAUSE = 2000;
const SEEDS = 2 ** 20;
const SAVE_PAUSE = 20_000;

const statusOf = (report: CampaignReport): ExitStatus => (report.findings.length === 0 ? EXIT.good : EXIT.bad);

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
  const saved = out === undefined ? null : savedIn(out);
  const seed = options.seed ?? saved?.report.seed ?? randomInt(SEEDS);
  if (saved !== null && saved.report.seed !== seed) throw new UsageError(`${out} holds a campaign of seed ${saved.report.seed}`);
  if (options.againstKernel === true) await checkKernel();
  const jobs = options.jobs ?? availableParallelism();
  const orderSize = options.againstKernel === true ? ORDER_WITH_KERNEL : ORDER;
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
  let done = next;
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
  const tell = ({ report: part }: WorkerAnswer, { count }: WorkerOrder): void => {
    const now = performance.now();
    done += count;
    report = { ...mergeReports(report, part), milliseconds: before + now - started };
    if (now - shownAt < PROGRESS_PAUSE) return;
    shownAt = now;
    warn(`${progressText(report, report.milliseconds / 1000)}\n`);
    if (out === undefined || now - savedAt < SAVE_PAUSE) return;
    savedAt = now;
    save(out, { report, next: done });
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
        const count = Math.min(orderSize, last - next);
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
  if (out !== undefined) save(out, { report, next: done });
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
  const reports = paths.map(savedReport);
  const report = reports.reduce(mergeReports);
  print(options.format === 'json' ? `${JSON.stringify(report)}\n` : campaignText(report));
  return statusOf(report);
}
