import { assemble } from '../../src/asm/assemble.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { KERNEL, type KernelModel } from '../../src/kernel/kernel_model.ts';
import { FileTable } from '../../src/kernel/objects/file_table.ts';
import { AddressSpace, areaFlags } from '../../src/kernel/objects/mm.ts';
import type { Task } from '../../src/kernel/objects/task.ts';
import { UserMemory } from '../../src/kernel/user_space.ts';
import { openProfile } from '../../src/profiles/index.ts';
import { withRevisions } from '../../src/profiles/revisions.ts';
import { verify } from '../../src/verifier/verify.ts';
import { Machine, type MachineOptions } from '../../src/vm/machine.ts';
import { type Run, type RunOptions, runIn } from '../../src/vm/run.ts';
import { readVmlinuxPart } from '../profiles/packed_vmlinux.ts';

const base = openProfile('linux-6.18', readVmlinuxPart);
const known = new Map<string, Profile>();

/** The base profile under some `NAME=REVISION`. */
export function profileWith(...revisions: string[]): Profile {
  const key = revisions.join();
  const profile = known.get(key) ?? (revisions.length === 0 ? base : withRevisions(base, revisions));
  known.set(key, profile);
  return profile;
}

export const fieldOf = (struct: string, member: string): number => {
  const found = base.btf.findByName(struct, 'STRUCT')!.members.find(({ name }) => name === member)!;
  return found.bitOffset / 8;
};

export interface KernelRun extends Run {
  readonly signed: bigint;
  readonly machine: Machine;
  readonly kernel: KernelModel;
}

export interface KernelRunOptions extends Pick<RunOptions, 'wait' | 'data'> {
  readonly revisions?: readonly string[];
  readonly world?: (kernel: KernelModel, machine: Machine) => void;
  readonly machine?: MachineOptions;
}

/** The verdict on a text's first program, with the last message. */
export function verdictOf(text: string, revisions: readonly string[] = []): string {
  const profile = profileWith(...revisions);
  const { verdict, message, unmodelled } = verify(assemble(text, 'sample.bpf.s', { profile }).programs[0]!, profile);
  return verdict === 'accept' ? verdict : `${verdict}: ${message ?? unmodelled.join(', ')}`;
}

/** Verifies a text's first program, which has to be accepted, and runs it in a machine with a kernel. */
export function runKernelText(
  text: string,
  { revisions = [], world, machine: options, ...runOptions }: KernelRunOptions = {},
): KernelRun {
  const profile = profileWith(...revisions);
  const program = assemble(text, 'sample.bpf.s', { profile }).programs[0]!;
  const verdict = verify(program, profile);
  if (verdict.verdict !== 'accept') {
    throw new Error(`not accepted: ${verdict.message ?? verdict.unmodelled.join(', ')}`);
  }
  const machine = new Machine(profile, options);
  const kernel = machine.part(KERNEL).open(machine.memory, profile.btf, machine.cpuCount);
  world?.(kernel, machine);
  const done = runIn(machine, program, { ...verdict.loaded, ...runOptions });
  if (done.fault !== null) throw done.fault;
  return { ...done, signed: BigInt.asIntN(64, done.result), machine, kernel };
}

/** Adds a process with areas given as `START-END PERMISSIONS` in hexadecimal; without any it has no address space. */
export function addProcess(kernel: KernelModel, pid: number, areas: readonly string[] = [], flags = 0): Task {
  const mm = areas.length === 0 ? null : new AddressSpace(kernel.objects, new UserMemory(), `pid ${pid}`);
  for (const area of areas) {
    const [, start, end, permissions] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)$/.exec(area)!;
    mm!.add({ start: Number.parseInt(start!, 16), end: Number.parseInt(end!, 16), flags: areaFlags(permissions!)! });
  }
  const files = new FileTable(kernel.objects, `pid ${pid}`);
  return kernel.tasks.add({ pid, parent: kernel.tasks.init, mm, files, flags, cgroup: kernel.cgroups.root })!;
}

export function addThread(kernel: KernelModel, leader: Task, pid: number): Task {
  leader.files?.share();
  const { tgid, mm, files, cgroup, parent } = leader;
  return kernel.tasks.add({ pid, tgid, leader, mm, files, cgroup, parent })!;
}
