import { assemble } from '../../asm/assemble.ts';
import { Malformed } from '../../contracts/errors.ts';
import type { Profile } from '../../contracts/profile.ts';
import { withRevisions } from '../../profiles/revisions.ts';
import type { Process } from '../../sys/process.ts';
import { callText } from '../../sys/record.ts';
import type { System } from '../../sys/system.ts';
import { openWorld } from '../../world/build.ts';
import { crApp } from './app.ts';
import { crDump } from './dump.ts';
import type { CrOutcome } from './outcome.ts';
import { crRestore, type RestoreOptions } from './restore.ts';

/** A text and the name that errors in it are reported under. */
export interface NamedText {
  readonly text: string;
  readonly name: string;
}

/** What a command works with: programs and a world. `programs/bpf_cr` holds those of the sample's transcript. */
export interface CrSample {
  readonly program: NamedText;
  readonly world: NamedText;
  /** the rings are in no world file: the app has to run before there is something to dump */
  readonly needsApp: boolean;
}

export interface CrRun extends CrOutcome {
  /** system calls of the process that ran the command, in the manner of strace */
  readonly calls: readonly string[];
}

/** Entries that the programs need. */
const REVISIONS = ['io_uring_buf=v2', 'io_uring_file=v2'] as const;

const STANDARD_STREAMS = 3;

/** The profile with the iterators that the sample needs, unless others were chosen. */
function withIterators(profile: Profile): Profile {
  const missing = REVISIONS.filter((text) => !profile.iterTargets.has(text.split('=')[0]!));
  return missing.length === 0 ? profile : withRevisions(profile, missing);
}

const open = ({ world }: CrSample, profile: Profile): System => openWorld(world.text, world.name, profile).system;

/** The process of the lowest number in the world: whom `app` and `restore` run as. */
function firstProcess(system: System): Process {
  const task = system.kernel.tasks.processes.find(({ mm }) => mm !== null);
  if (task === undefined) throw new Malformed('the world has no process');
  return system.processOf(task);
}

const withCalls = (outcome: CrOutcome, process: Process): CrRun => ({
  ...outcome,
  calls: process.system.calls.filter(({ pid }) => pid === process.pid).map(callText),
});

/** `bpf_cr app` in the world's first process. */
export function runCrApp(profile: Profile, sample: CrSample): CrRun {
  const process = firstProcess(open(sample, profile));
  return withCalls(crApp(process), process);
}

/** `bpf_cr dump PID FD`, from outside of the world. */
export function runCrDump(profile: Profile, sample: CrSample, pid: number, fd: number): CrRun {
  const own = withIterators(profile);
  const system = open(sample, own);
  if (sample.needsApp) crApp(firstProcess(system));
  const image = assemble(sample.program.text, sample.program.name, { profile: own });
  const process = system.outside('bpf_cr');
  for (let stream = 0; stream < STANDARD_STREAMS; stream++) process.open('/dev/tty');
  system.calls.length = 0;
  return withCalls(crDump(process, image, pid, fd), process);
}

/** `bpf_cr restore [--dry-run]` in the world's first process. */
export function runCrRestore(profile: Profile, sample: CrSample, image: Uint8Array, options: RestoreOptions = {}): CrRun {
  const process = firstProcess(open(sample, profile));
  return withCalls(crRestore(process, image, options), process);
}
