import { Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { FileTable } from '../kernel/objects/file_table.ts';
import type { KernelFile } from '../kernel/objects/files.ts';
import { outsider } from '../kernel/objects/locks.ts';
import { AddressSpace } from '../kernel/objects/mm.ts';
import { PF_EXITING, PF_KTHREAD, type Task } from '../kernel/objects/task.ts';
import { UserMemory } from '../kernel/user_space.ts';
import { seedMap } from '../maps/dump.ts';
import { UserRingBufferMap } from '../maps/user_ring_buffer.ts';
import type { MapDef } from '../program/program.ts';
import { epollOf } from '../sys/event_calls.ts';
import { ringOfFile } from '../sys/io_uring_calls.ts';
import type { Process } from '../sys/process.ts';
import { System } from '../sys/system.ts';
import { readArea } from './areas.ts';
import { FileBuilder } from './build_files.ts';
import { publish } from './publish.ts';
import { readWorld, type WorldFile, type WorldPath } from './read.ts';
import type { LockSpec, TaskSpec, WriterSpec } from './schema.ts';

export interface WorldOptions {
  readonly memoryLimit?: number;
  readonly onPrintk?: (text: string) => void;
}

/** Counts allocations from the moment at which programs may begin. */
class Allocations {
  #attempts = 0;
  #start: number | null = null;

  begin(): void {
    this.#start ??= this.#attempts;
  }

  fails(attempt: number, failing: readonly number[]): boolean {
    this.#attempts = attempt + 1;
    return this.#start !== null && failing.includes(attempt - this.#start);
  }
}

/** A world that has been built: the system, and what waits for the maps of the programs that will run in it. */
export class World {
  readonly system: System;
  readonly #file: WorldFile;
  readonly #allocations: Allocations;
  #messages = 0;

  constructor(system: System, file: WorldFile, allocations: Allocations) {
    this.system = system;
    this.#allocations = allocations;
    this.#file = file;
  }

  /** A program of the world has printed a message: writers that have waited for it come. */
  afterMessage(): void {
    this.#messages++;
    for (const writer of this.#file.spec.writers) {
      const { mm } = this.system.kernel.tasks.byPid(writer.pid)!;
      if (writer.after === this.#messages) mm!.lock.queueWriter(() => change(mm!, writer));
    }
  }

  /** Creates the maps of a program and fills them as the world says. From then on allocations may fail. */
  fill(maps: readonly MapDef[]): void {
    const { spec } = this.#file;
    for (const def of maps) {
      this.system.map(def);
      const ring = spec.user_ringbufs[def.name];
      const path = ['user_ringbufs', def.name];
      if (ring !== undefined) {
        const map = this.system.map(def);
        if (!(map instanceof UserRingBufferMap)) this.#file.fail(path, `map ${def.name} is no ring buffer of user space`);
        const problem = publish(map as UserRingBufferMap, ring);
        if (problem !== null) this.#file.fail([...path, 'samples', problem], 'there is no room for the sample');
      }
      const content = spec.maps[def.name];
      if (content !== undefined && seedMap(this.system.map(def), content) !== 0) {
        this.#file.fail(['maps', def.name], `map ${def.name} does not take this content`);
      }
    }
    this.#allocations.begin();
  }
}

function change(mm: AddressSpace, { unmap, map }: WriterSpec): void {
  for (const start of unmap) {
    const area = mm.find(start);
    if (area?.start === start) mm.remove(area);
  }
  for (const given of map) {
    const area = readArea(given);
    if (area !== null && mm.overlapping(area.start, area.end) === null)
      mm.add({ start: area.start, end: area.end, flags: area.flags, pageOffset: area.pageOffset ?? 0 });
  }
}

/** Builds the world of a file's text over a profile. Throws `Malformed`. */
export const openWorld = (text: string, file: string, profile: Profile, options: WorldOptions = {}): World =>
  new Builder(readWorld(text, file), profile, options).build();

class Builder {
  readonly #allocations = new Allocations();
  readonly #file: WorldFile;
  readonly #system: System;
  readonly #files: FileBuilder;
  /** mapped files by path and inode */
  readonly #mapped = new Map<string, KernelFile>();

  constructor(file: WorldFile, profile: Profile, options: WorldOptions) {
    const { machine, failing_allocations: failing } = file.spec;
    this.#file = file;
    this.#files = new FileBuilder(file);
    this.#system = new System(profile, {
      cpuCount: machine.cpus,
      seed: machine.seed,
      hz: machine.hz,
      longBytes: machine.bits / 8,
      failAllocation: (attempt) => this.#allocations.fails(attempt, failing),
      ...options,
    });
  }

  build(): World {
    const { spec } = this.#file;
    const { kernel } = this.#system;
    for (const [index, { path, id }] of spec.cgroups.entries()) {
      if (kernel.cgroups.find(path) !== null) this.#file.fail(['cgroups', index, 'path'], `there is a cgroup ${path} already`);
      if (id !== undefined && kernel.cgroups.byId(id) !== null)
        this.#file.fail(['cgroups', index, 'id'], `id ${id} is used twice`);
      kernel.cgroups.at(path, id);
    }
    for (const [index, task] of spec.tasks.entries()) this.#task(task, ['tasks', index]);
    this.#files.build();
    for (const [index, lock] of spec.locks.entries()) this.#lock(lock, ['locks', index]);
    for (const [index, writer] of spec.writers.entries()) this.#writer(writer, ['writers', index]);
    kernel.interruption.irqsDisabled = spec.interrupts !== 'on';
    kernel.interruption.nmi = spec.interrupts === 'nmi';
    const current = spec.current === undefined ? (kernel.tasks.processes[1] ?? null) : kernel.tasks.byPid(spec.current);
    if (spec.current !== undefined && current === null) this.#file.fail(['current'], `there is no task ${spec.current}`);
    if (current !== null) this.#system.enter(current);
    this.#system.calls.length = 0;
    return new World(this.#system, this.#file, this.#allocations);
  }

  #task(spec: TaskSpec, path: WorldPath): void {
    const { kernel } = this.#system;
    const owner = `pid ${spec.pid}`;
    const parent = spec.parent === undefined || spec.parent === 0 ? kernel.tasks.init : kernel.tasks.byPid(spec.parent);
    if (parent === null) this.#file.fail([...path, 'parent'], `there is no task ${spec.parent} before this one`);
    const isThread = spec.kthread;
    const lives = !spec.exited || spec.threads.length > 0;
    const mm = isThread || !lives ? null : new AddressSpace(kernel.objects, new UserMemory(), owner);
    const leader = this.#add(
      {
        pid: spec.pid,
        uid: spec.uid,
        gid: spec.gid,
        flags: (isThread ? PF_KTHREAD : 0) | (spec.exited ? PF_EXITING : 0),
        startTime: BigInt(spec.start_time),
        parent,
        mm: spec.exited ? null : mm,
        files: spec.exited ? null : new FileTable(kernel.objects, owner, spec.limit_nofile),
        cgroup: kernel.cgroups.at(spec.cgroup),
        ...(spec.comm === undefined ? {} : { comm: spec.comm }),
      },
      [...path, 'pid'],
    );
    if (isThread && spec.maps.length > 0) this.#file.fail([...path, 'maps'], 'a kernel thread has no memory');
    if (!isThread && mm === null && spec.maps.length > 0) this.#file.fail([...path, 'maps'], 'a zombie has no memory');
    if (spec.exited && Object.keys(spec.files).length > 0) this.#file.fail([...path, 'files'], 'a zombie has no descriptors');
    if (mm !== null) this.#memory(mm, spec, path);
    this.#files.add(this.#system.processOf(leader), spec.files, [...path, 'files']);
    for (const [index, thread] of spec.threads.entries()) {
      const here = [...path, 'threads', index];
      const isShared = thread.files === undefined && leader.files !== null;
      const own = isShared ? leader.files! : new FileTable(kernel.objects, `tid ${thread.tid}`, spec.limit_nofile);
      if (isShared) own.share();
      const task = this.#add(
        {
          pid: thread.tid,
          tgid: spec.pid,
          leader,
          parent,
          uid: spec.uid,
          gid: spec.gid,
          flags: isThread ? PF_KTHREAD : 0,
          mm,
          files: own,
          cgroup: leader.cgroup,
          comm: thread.comm ?? leader.comm,
        },
        [...here, 'tid'],
      );
      if (thread.files !== undefined) this.#files.add(this.#system.processOf(task), thread.files, [...here, 'files']);
    }
  }

  #add(spec: Parameters<System['kernel']['tasks']['add']>[0], path: WorldPath): Task {
    const task = this.#system.kernel.tasks.add(spec);
    return task ?? this.#file.fail(path, `there is a task ${spec.pid} already`);
  }

  #memory(mm: AddressSpace, spec: TaskSpec, path: WorldPath): void {
    for (const [index, given] of spec.maps.entries()) {
      const area = readArea(given);
      if (area === null) continue;
      const here = [...path, 'maps', index];
      if (area.end <= area.start) this.#file.fail(here, 'the area ends before it begins');
      const other = mm.overlapping(area.start, area.end);
      if (other !== null) {
        this.#file.fail(here, `the area overlaps the one at 0x${other.start.toString(16)}-0x${other.end.toString(16)}`);
      }
      const file = area.path === null ? null : this.#mappedFile(area.path, area.inode, area.device);
      const added = mm.add({ start: area.start, end: area.end, flags: area.flags, pageOffset: area.pageOffset ?? 0, file });
      if (area.isLocked) added.lock.tryLock(outsider('a writer'));
    }
    for (const [index, { address, hex = '', text, size, writable }] of spec.memory.entries()) {
      const bytes = text === undefined ? bytesOfHex(hex) : new TextEncoder().encode(text);
      if (size !== undefined && size < bytes.length) this.#file.fail([...path, 'memory', index, 'size'], 'the bytes do not fit');
      mm.memory.map(address, Math.max(size ?? 0, bytes.length, 1), writable);
      mm.memory.place(address, bytes, writable);
    }
  }

  #mappedFile(name: string, inode: number | null, device: number | null): KernelFile {
    const key = `${name} ${inode} ${device}`;
    const known = this.#mapped.get(key);
    if (known !== undefined) return known;
    const { kernel } = this.#system;
    const [, path, deleted] = /^([\s\S]*?)( \(deleted\))?$/.exec(name)!;
    const dentry = path!.startsWith('/')
      ? kernel.paths.open(path!, {
          isUnlinked: deleted !== undefined,
          ...(inode === null ? {} : { inode }),
          ...(device === null ? {} : { device }),
        })
      : kernel.paths.nameless(name, inode ?? 0, device ?? undefined);
    const file = kernel.openFile(dentry, { operations: 'ext4_file_operations', privateData: 0 });
    this.#mapped.set(key, file);
    return file;
  }

  /** What a writer is to take away has to be there, and what it adds must have room. */
  #writer({ pid, unmap, map }: WriterSpec, path: WorldPath): void {
    const mm = this.#system.kernel.tasks.byPid(pid)?.mm ?? this.#file.fail([...path, 'pid'], `task ${pid} has no memory`);
    for (const [index, start] of unmap.entries()) {
      if (mm.find(start)?.start !== start)
        this.#file.fail([...path, 'unmap', index], `no area begins at 0x${start.toString(16)}`);
    }
    for (const [index, given] of map.entries()) {
      const area = readArea(given);
      const other = area === null ? null : mm.overlapping(area.start, area.end);
      if (area !== null && area.end <= area.start) this.#file.fail([...path, 'map', index], 'the area ends before it begins');
      if (other !== null && !unmap.includes(other.start)) {
        this.#file.fail([...path, 'map', index], `the area overlaps the one at 0x${other.start.toString(16)}`);
      }
    }
  }

  #lock(spec: LockSpec, path: WorldPath): void {
    const { kernel } = this.#system;
    const somebody = outsider('somebody else');
    const task = (pid: number, key: string): Task =>
      kernel.tasks.byPid(pid) ?? this.#file.fail([...path, key], `there is no task ${pid}`);
    const mm = (pid: number, key: string): AddressSpace =>
      task(pid, key).mm ?? this.#file.fail([...path, key], `task ${pid} has no memory`);
    const file = (where: string, key: string): { readonly process: Process; readonly file: KernelFile } => {
      const [pid, fd] = where.split('/').map(Number);
      const process = this.#system.processOf(task(pid!, key));
      const found = process.file(fd!);
      return found === null ? this.#file.fail([...path, key], `there is no descriptor ${where}`) : { process, file: found };
    };
    if ('mmap_write' in spec) mm(spec.mmap_write, 'mmap_write').lock.tryWriteLock(somebody);
    else if ('mmap_waiting' in spec) {
      const { lock } = mm(spec.mmap_waiting, 'mmap_waiting');
      lock.tryReadLock();
      lock.queueWriter(() => {});
    } else if ('alloc' in spec) task(spec.alloc, 'alloc').allocLock.tryLock(somebody);
    else if ('uring' in spec) {
      const found = file(spec.uring, 'uring');
      const ring = ringOfFile(found.process, found.file) ?? this.#file.fail([...path, 'uring'], `${spec.uring} is no ring`);
      ring.uringLock.tryLock(somebody);
    } else {
      const found = file(spec.epoll, 'epoll');
      const poll =
        epollOf(found.process, found.file) ?? this.#file.fail([...path, 'epoll'], `${spec.epoll} is no epoll instance`);
      poll.mutex.tryLock(somebody);
    }
  }
}

function bytesOfHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0) throw new Malformed('an odd number of hexadecimal digits');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
