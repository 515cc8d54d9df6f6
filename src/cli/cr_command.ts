import { type CrRun, type CrSample, runCrApp, runCrDump, runCrRestore } from '../desk/checkpoint/commands.ts';
import { readSample } from './bundled_sample.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { readInput, textOf } from './inputs.ts';
import { printBytes, warn } from './output.ts';
import { openKernel } from './question.ts';

export interface CrCommandOptions extends Pick<CommonOptions, 'kernel' | 'btf' | 'with'> {
  readonly world?: string;
  readonly strace?: boolean;
}

export interface CrRestoreOptions extends CrCommandOptions {
  readonly dryRun?: boolean;
  readonly order: 'as-written' | 'intended';
}

const PROGRAM = 'bpf_cr/bpf_cr.bpf.s';
const WORLD = 'bpf_cr/seed.world.yaml';

/** The sample's programs in the world of its transcript, or in the user's. */
const sampleOf = ({ world }: CrCommandOptions): CrSample => ({
  program: { text: readSample(PROGRAM), name: PROGRAM },
  world: world === undefined ? { text: readSample(WORLD), name: WORLD } : { text: textOf(readInput(world), world), name: world },
  needsApp: world === undefined,
});

/** What the sample prints goes where it prints it. `isGood`: whether its exit status means success. */
function show({ stdout, stderr, calls }: CrRun, { strace }: CrCommandOptions, isGood: boolean): ExitStatus {
  if (strace === true) warn(calls.map((line) => `${line}\n`).join(''));
  printBytes(stdout);
  warn(stderr);
  return isGood ? EXIT.good : EXIT.bad;
}

function wholeNumberOf(text: string, what: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`${what} is a number, not '${text}'`);
  return Number(text);
}

/** `drybpf cr app` */
export async function crAppCommand(options: CrCommandOptions): Promise<ExitStatus> {
  const run = runCrApp(await openKernel(options), sampleOf(options));
  return show(run, options, run.status === 0);
}

/** `drybpf cr dump PID FD`; the sample's own status after success is the number of bytes written last. */
export async function crDumpCommand(pid: string, fd: string, options: CrCommandOptions): Promise<ExitStatus> {
  const profile = await openKernel(options);
  const run = runCrDump(profile, sampleOf(options), wholeNumberOf(pid, 'PID'), wholeNumberOf(fd, 'FD'));
  return show(run, options, run.stderr === '');
}

/** `drybpf cr restore [--dry-run]`, the image on standard input */
export async function crRestoreCommand(options: CrRestoreOptions): Promise<ExitStatus> {
  const { dryRun = false, order } = options;
  const run = runCrRestore(await openKernel(options), sampleOf(options), readInput('-'), { dryRun, order });
  return show(run, options, run.status === 0);
}
