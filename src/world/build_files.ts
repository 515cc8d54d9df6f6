import { errnoName } from '../contracts/errors.ts';
import { EPOLL, EventPoll } from '../kernel/event_poll.ts';
import { EventFd } from '../kernel/eventfd.ts';
import { IORING_SETUP } from '../kernel/io_uring.ts';
import type { FileBehaviour, KernelFile } from '../kernel/objects/files.ts';
import type { OperationsName } from '../kernel/objects/operations.ts';
import { EPOLL_CTL, epollCtl } from '../sys/event_calls.ts';
import { ioUringSetup, registerBuffers, registerEventFd, registerFiles, ringParams } from '../sys/io_uring_calls.ts';
import type { Process } from '../sys/process.ts';
import { deviceNumber } from './areas.ts';
import type { WorldFile, WorldPath } from './read.ts';
import type { FileSpec, RingSpec } from './schema.ts';

/** A descriptor of the world file that still has to be made. */
interface Pending {
  readonly process: Process;
  readonly fd: number;
  readonly spec: FileSpec;
  readonly path: WorldPath;
}

type FilesSpec = Readonly<Record<string, FileSpec>>;

const CHARACTER_DEVICES: Readonly<Record<string, OperationsName>> = {
  '/dev/null': 'null_fops',
  '/dev/random': 'random_fops',
  '/dev/urandom': 'urandom_fops',
};

const pollable = { poll: (): number => 0, waiters: new Set<() => void>() };

/** Opens what the tasks of a world have open. Files that refer to others wait until those are there. */
export class FileBuilder {
  readonly #world: WorldFile;
  #pending: Pending[] = [];
  /** what is registered with a ring may be any open file */
  readonly #rings: Pending[] = [];
  /** epoll items come last: they may watch anything */
  readonly #watched: Pending[] = [];

  constructor(world: WorldFile) {
    this.#world = world;
  }

  add(process: Process, files: FilesSpec, path: WorldPath): void {
    for (const [fd, spec] of Object.entries(files)) {
      this.#pending.push({ process, fd: Number(fd), spec, path: [...path, fd] });
    }
  }

  /** Makes everything that was added. `Malformed` where something refers to what is not there. */
  build(): void {
    this.#pending.sort((a, b) => rank(a.spec) - rank(b.spec) || a.process.pid - b.process.pid || a.fd - b.fd);
    while (this.#pending.length > 0) {
      const left = this.#pending.filter((pending) => !this.#open(pending));
      if (left.length === this.#pending.length) {
        const { spec, path } = left[0]!;
        if ('dup' in spec) this.#world.fail([...path, 'dup'], `there is no open file ${spec.dup}`);
        if ('io_uring' in spec) this.#world.fail([...path, 'io_uring', 'wq_fd'], `there is no open file ${spec.io_uring.wq_fd}`);
      }
      this.#pending = left;
    }
    for (const pending of this.#rings) this.#register(pending);
    for (const pending of this.#watched) this.#watch(pending);
  }

  /** False when what the file refers to is not open yet. */
  #open(pending: Pending): boolean {
    const { process, fd, spec, path } = pending;
    if ('dup' in spec) {
      const file = this.fileAt(process, spec.dup);
      if (file === null) return false;
      file.get();
      this.#install(process, fd, file, path);
      return true;
    }
    if ('io_uring' in spec) {
      if (spec.io_uring.flags.includes('ATTACH_WQ') && process.file(spec.io_uring.wq_fd) === null) return false;
      this.#ring(process, fd, spec.io_uring, [...path, 'io_uring']);
      this.#rings.push(pending);
      return true;
    }
    if ('epoll' in spec) this.#watched.push(pending);
    this.#install(process, fd, this.#plain(process, spec, path), path);
    return true;
  }

  /** The file of `3` (of this process) or `318/3`; null when there is none. */
  fileAt(process: Process, where: number | string): KernelFile | null {
    if (typeof where === 'number') return process.file(where);
    const [pid, fd] = where.split('/').map(Number);
    return process.system.kernel.tasks.byPid(pid!)?.files?.get(fd!) ?? null;
  }

  #install(process: Process, fd: number, file: KernelFile, path: WorldPath): void {
    if (process.files.get(fd) !== null) this.#world.fail(path, `descriptor ${fd} is used twice`);
    const error = process.files.installAt(fd, file);
    if (error < 0) this.#world.fail(path, `descriptor ${fd} cannot be opened: ${errnoName(-error)}`);
  }

  #plain(process: Process, spec: Exclude<FileSpec, { dup: unknown } | { io_uring: unknown }>, path: WorldPath): KernelFile {
    const { kernel } = process.system;
    const { paths, objects } = kernel;
    const flags = 'flags' in spec ? (spec.flags ?? 0) : 0;
    const named = (name: string, operations: OperationsName, more: Partial<FileBehaviour> = {}): KernelFile =>
      kernel.openFile(paths.open(name), { operations, privateData: 0, ...more }, flags);
    const nameless = (name: string, behaviour: FileBehaviour, inode = 0): KernelFile =>
      kernel.openFile(paths.nameless(name, inode), behaviour, flags);
    if ('tty' in spec) return named(spec.tty, 'tty_fops', pollable);
    if ('path' in spec) {
      const dentry = paths.open(spec.path, {
        isUnlinked: spec.unlinked,
        ...(spec.inode === undefined ? {} : { inode: spec.inode }),
        ...(spec.device === undefined ? {} : { device: deviceNumber(spec.device) }),
      });
      const polls = spec.pollable ? pollable : {};
      return kernel.openFile(dentry, { operations: 'ext4_file_operations', privateData: 0, ...polls }, flags);
    }
    if ('device' in spec)
      return named(spec.device, CHARACTER_DEVICES[spec.device] ?? 'def_chr_fops', spec.device === '/dev/null' ? {} : pollable);
    if ('pipe' in spec)
      return nameless(`pipe:[${spec.pipe}]`, { operations: 'pipefifo_fops', privateData: 0, ...pollable }, spec.pipe);
    if ('socket' in spec) {
      return nameless(`socket:[${spec.socket}]`, { operations: 'socket_file_ops', privateData: 0, ...pollable }, spec.socket);
    }
    if ('eventfd' in spec) {
      const event = new EventFd(objects, BigInt(spec.eventfd));
      kernel.eventFds.set(event.offset, event);
      return nameless('anon_inode:[eventfd]', event.behaviour());
    }
    if ('epoll' in spec) {
      const poll = new EventPoll(objects, `epoll of ${process.pid}`);
      kernel.eventPolls.set(poll.offset, poll);
      return nameless('anon_inode:[eventpoll]', poll.behaviour());
    }
    if ('pidfd' in spec) {
      const task = kernel.tasks.byPid(spec.pidfd);
      if (task === null) return this.#world.fail([...path, 'pidfd'], `there is no task ${spec.pidfd}`);
      return nameless('anon_inode:[pidfd]', { operations: 'pidfs_file_operations', privateData: task.offset, poll: () => 0 });
    }
    if ('cgroup' in spec) {
      const cgroup = kernel.cgroups.find(spec.cgroup);
      if (cgroup === null) return this.#world.fail([...path, 'cgroup'], `there is no cgroup ${spec.cgroup}`);
      return named(`/sys/fs/cgroup${spec.cgroup}`, 'ext4_dir_operations', { privateData: cgroup.offset });
    }
    return nameless(spec.anonymous, { operations: 'def_chr_fops', privateData: 0, ...(spec.pollable ? pollable : {}) });
  }

  /** Sets the ring up as its process would, and moves it to its descriptor. */
  #ring(process: Process, fd: number, spec: RingSpec, path: WorldPath): void {
    const params = ringParams({
      flags: spec.flags.reduce((sum, name) => sum | IORING_SETUP[name], 0),
      cqEntries: spec.cq_entries,
      sqThreadCpu: spec.sq_thread_cpu,
      sqThreadIdle: spec.sq_thread_idle,
      wqFd: spec.wq_fd,
    });
    const made = this.#check(ioUringSetup(process, spec.entries, params), [...path, 'entries'], 'the ring cannot be set up');
    if (made === fd) return;
    const file = process.file(made)!;
    file.get();
    process.files.close(made);
    this.#install(process, fd, file, path);
  }

  #register({ process, fd, spec, path }: Pending): void {
    if (!('io_uring' in spec)) return;
    const ring = spec.io_uring;
    const at = (key: keyof RingSpec): WorldPath => [...path, 'io_uring', key];
    if (ring.eventfd !== undefined) {
      const result = registerEventFd(process, fd, ring.eventfd, ring.eventfd_async);
      this.#check(result, at('eventfd'), 'the eventfd cannot be registered');
    }
    if (ring.files !== undefined) {
      this.#check(registerFiles(process, fd, ring.files), at('files'), 'the files cannot be registered');
    }
    if (ring.buffers === undefined) return;
    const { memory, overlapping } = this.#memoryOf(process);
    const vectors = ring.buffers.map((buffer) => {
      if (buffer === null) return { base: null, length: 0 };
      if (overlapping(buffer.address, buffer.length)) memory?.map(buffer.address, buffer.length);
      return { base: BigInt(buffer.address), length: buffer.length };
    });
    this.#check(registerBuffers(process, fd, vectors), at('buffers'), 'the buffers cannot be registered');
  }

  /** The result of a system call that must not fail. */
  #check(result: number, path: WorldPath, what: string): number {
    if (result < 0) this.#world.fail(path, `${what}: ${errnoName(-result)}`);
    return result;
  }

  #memoryOf({ task }: Process) {
    const { mm } = task;
    return {
      memory: mm?.memory ?? null,
      overlapping: (start: number, length: number): boolean => (mm?.overlapping(start, start + length) ?? null) !== null,
    };
  }

  #watch({ process, fd, spec, path }: Pending): void {
    if (!('epoll' in spec)) return;
    for (const [index, item] of spec.epoll.entries()) {
      const events =
        typeof item.events === 'number' ? item.events : item.events.reduce((sum: number, name) => sum | EPOLL[name], 0);
      const error = epollCtl(process, fd, EPOLL_CTL.ADD, item.fd, { events, data: BigInt(item.data) });
      if (error < 0) {
        this.#world.fail([...path, 'epoll', index, 'fd'], `descriptor ${item.fd} cannot be watched: ${errnoName(-error)}`);
      }
    }
  }
}

/** What others refer to comes first. */
const rank = (spec: FileSpec): number => ('dup' in spec ? 2 : 'io_uring' in spec ? 1 : 0);
