import type { HostMap } from '../contracts/host_map.ts';
import type { IterHost } from '../contracts/iteration.ts';
import type { Profile } from '../contracts/profile.ts';
import type { RunContext } from '../kernel/context.ts';
import { KERNEL, type KernelModel } from '../kernel/kernel_model.ts';
import { FileTable } from '../kernel/objects/file_table.ts';
import { AddressSpace } from '../kernel/objects/mm.ts';
import { Task } from '../kernel/objects/task.ts';
import { UserMemory } from '../kernel/user_space.ts';
import type { BpfMap } from '../maps/bpf_map.ts';
import type { MapDef, ObjectImage, Program } from '../program/program.ts';
import type { Verdict } from '../verifier/verdict.ts';
import { verify } from '../verifier/verify.ts';
import { Machine, type MachineOptions } from '../vm/machine.ts';
import { fillSlots } from '../vm/run.ts';
import type { RunReport } from '../vm/run_report.ts';
import { type IterLink, LoadedProgram, Registry } from './bpf_objects.ts';
import { Process } from './process.ts';
import type { SystemCall } from './record.ts';

/** Instructions that one run of a program may take. */
const BUDGET = 500_000_000;
/** Time after a system call in which what it has set off happens: irq work. */
const SETTLING = 1000n;
/** Behind every number that a task can have. */
const OUTSIDE_PID = 4194305;

/** An iterator program or a kprobe is loaded only after the verifier has taken it. */
export type LoadResult = { readonly program: LoadedProgram } | { readonly refused: Verdict };

/** A whole modelled machine: the kernel with its objects, loaded programs and links, processes that make system calls. */
export class System {
  readonly profile: Profile;
  readonly machine: Machine;
  readonly kernel: KernelModel;
  readonly programs = new Registry<LoadedProgram>();
  readonly links = new Registry<IterLink>();
  /** every system call in the order in which it was made */
  readonly calls: SystemCall[] = [];
  /** messages, outcomes and notes of all programs that ran */
  readonly report: RunReport;
  /** ticks of a second, in which the kernel counts timeouts */
  readonly hz: number;
  /** bytes of the kernel's long: 4 on a kernel of 32 bits */
  readonly longBytes: number;
  readonly #processes = new Map<Task, Process>();
  readonly #loaded = new Map<Program, LoadedProgram>();
  #sessions = 0;

  constructor(
    profile: Profile,
    options: MachineOptions & {
      readonly hz?: number;
      readonly longBytes?: number;
      readonly onPrintk?: (text: string) => void;
    } = {},
  ) {
    this.profile = profile;
    this.machine = new Machine(profile, options);
    this.kernel = this.machine.part(KERNEL).open(this.machine.memory, profile.btf, this.machine.cpuCount);
    this.report = this.machine.newReport(options.onPrintk ?? null);
    this.hz = options.hz ?? 1000;
    this.longBytes = options.longBytes ?? 8;
  }

  /** Adds a process of its own, with an empty address space and no descriptors. */
  spawn(pid: number, comm = 'drybpf'): Process {
    const { kernel } = this;
    const task = kernel.tasks.add({
      pid,
      comm,
      parent: kernel.tasks.init,
      mm: new AddressSpace(kernel.objects, new UserMemory(), `pid ${pid}`),
      files: new FileTable(kernel.objects, `pid ${pid}`),
      cgroup: kernel.cgroups.root,
    });
    if (task === null) throw new RangeError(`there is a task ${pid} already`);
    return this.processOf(task);
  }

  /** A process that no walk over tasks meets: whoever looks at the system from outside. */
  outside(comm = 'drybpf'): Process {
    const { kernel } = this;
    const task = new Task(kernel.objects, {
      pid: OUTSIDE_PID,
      comm,
      parent: kernel.tasks.init,
      mm: new AddressSpace(kernel.objects, new UserMemory(), comm),
      files: new FileTable(kernel.objects, comm),
      cgroup: kernel.cgroups.root,
    });
    kernel.cgroups.root.tasks.splice(kernel.cgroups.root.tasks.indexOf(task), 1);
    return this.processOf(task);
  }

  /** The user side of a task. */
  processOf(task: Task): Process {
    const known = this.#processes.get(task);
    if (known !== undefined) return known;
    const process = new Process(this, task);
    this.#processes.set(task, process);
    return process;
  }

  /** `current` from now on. */
  enter(task: Task): void {
    Object.assign(this.machine.task, {
      pid: task.pid,
      tgid: task.tgid,
      uid: task.uid,
      gid: task.gid,
      comm: task.comm,
      cgroupId: BigInt(task.cgroup.id),
      offset: task.offset,
      user: task.mm?.memory ?? this.machine.user,
    });
  }

  /** Verifies a program and loads it. `object`: where the programs and inner maps are that its maps refer to by name. */
  load(program: Program, object?: ObjectImage): LoadResult {
    const known = this.#loaded.get(program);
    if (known !== undefined) return { program: known };
    const verdict = verify(program, this.profile);
    if (verdict.loaded === undefined) return { refused: verdict };
    if (object !== undefined) fillSlots(this.machine, program, object);
    const code = this.machine.load(program, verdict.loaded);
    const loaded = new LoadedProgram(this.kernel.objects, this.programs.nextId, program, code, verdict.loaded);
    this.#loaded.set(program, this.programs.add(loaded));
    return { program: loaded };
  }

  map(def: MapDef): BpfMap {
    return this.machine.maps.of(def);
  }

  /** Runs a loaded program; its result, unsigned. A fault is thrown: an accepted program has none. */
  execute(program: LoadedProgram, context: RunContext): bigint {
    const done = this.machine.execute({
      code: program.code,
      context,
      report: this.report,
      budget: BUDGET,
      step: null,
      retval: 0,
    });
    if (done.fault !== null) throw done.fault;
    return (BigInt(done.hi >>> 0) << 32n) | BigInt(done.lo >>> 0);
  }

  /** Lets happen what is due: irq work, timers. */
  settle(): void {
    const fault = this.machine.advance(SETTLING);
    if (fault !== null) throw fault;
  }

  newSession(): number {
    return ++this.#sessions;
  }

  /** What iterator targets may ask for on behalf of a process. */
  iterHost(process: Process): IterHost {
    const { machine } = this;
    return {
      memory: machine.memory,
      cpuCount: machine.cpuCount,
      maps: { from: (id) => mapFrom(machine.maps.all, id) },
      programs: this.programs,
      links: this.links,
      symbols: machine.symbols,
      programSymbols: this.programs.all.map((program) => program.symbol),
      part: (key) => machine.part(key),
      file: (fd) => process.iterFile(fd),
      map: (fd) => process.mapOf(fd),
    };
  }
}

function mapFrom(maps: readonly BpfMap[], id: number): HostMap | null {
  let best: BpfMap | null = null;
  for (const map of maps) if (map.id >= id && (best === null || map.id < best.id)) best = map;
  return best;
}
