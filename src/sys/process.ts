import { ERRNO } from '../contracts/errors.ts';
import type { HostMap } from '../contracts/host_map.ts';
import type { IterFile as IterTargetFile } from '../contracts/iteration.ts';
import type { FileTable } from '../kernel/objects/file_table.ts';
import type { FileBehaviour, KernelFile } from '../kernel/objects/files.ts';
import type { Dentry, PathOptions } from '../kernel/objects/paths.ts';
import type { Task } from '../kernel/objects/task.ts';
import type { BpfMap } from '../maps/bpf_map.ts';
import { UserRingBufferMap } from '../maps/user_ring_buffer.ts';
import type { System } from './system.ts';

/** What stands behind files of the bpf system call. */
const MAP_OF_FILE = new WeakMap<KernelFile, BpfMap>();

/** User space of one task: it makes system calls. Results are not negative, or a negative error number. */
export class Process {
  readonly system: System;
  readonly task: Task;

  constructor(system: System, task: Task) {
    this.system = system;
    this.task = task;
  }

  get pid(): number {
    return this.task.pid;
  }

  get files(): FileTable {
    return this.task.files!;
  }

  /** Makes a call: `current` is this task, what it has set off happens, and it is put on record. */
  call(name: string, args: string, action: () => number): number {
    const { system } = this;
    system.enter(this.task);
    const result = action();
    system.settle();
    system.calls.push({ pid: this.pid, name, args, result });
    return result;
  }

  file(fd: number): KernelFile | null {
    return this.files.get(fd);
  }

  iterFile(fd: number): IterTargetFile | null {
    const file = this.file(fd);
    if (file === null) return null;
    return {
      offset: file.offset,
      operations: file.behaviour.operations,
      privateData: file.behaviour.privateData,
      inode: file.dentry.inode.number,
      get: () => file.get(),
      put: () => file.put(),
    };
  }

  /** The map behind a descriptor, or -EBADF, -EINVAL. */
  mapOf(fd: number): HostMap | number {
    const file = this.file(fd);
    if (file === null) return -ERRNO.EBADF;
    return MAP_OF_FILE.get(file) ?? -ERRNO.EINVAL;
  }

  /** Opens a file and gives it the lowest free descriptor. */
  install(dentry: Dentry, behaviour: FileBehaviour, flags = 0): number {
    const file = this.system.kernel.openFile(dentry, behaviour, flags);
    const fd = this.files.install(file);
    if (fd < 0) file.put();
    return fd;
  }

  /** A file of an anonymous inode, such as `anon_inode:bpf-map`. */
  installAnonymous(name: string, behaviour: FileBehaviour, flags = 0): number {
    return this.install(this.system.kernel.paths.nameless(`anon_inode:${name}`), behaviour, flags);
  }

  open(path: string, flags = 0, options: PathOptions = {}): number {
    return this.call('openat', `AT_FDCWD, "${path}", ${flags}`, () => {
      const dentry = this.system.kernel.paths.open(path, options);
      return this.install(dentry, { operations: 'ext4_file_operations', privateData: 0 }, flags);
    });
  }

  /** A descriptor for a map that exists in the machine. */
  openMap(map: BpfMap): number {
    const behaviour: FileBehaviour = {
      operations: 'bpf_map_fops',
      privateData: map.offset,
      ...(map instanceof UserRingBufferMap ? { poll: () => map.poll(), waiters: map.waiters } : {}),
    };
    const fd = this.installAnonymous('bpf-map', behaviour);
    const file = this.file(fd);
    if (file !== null) MAP_OF_FILE.set(file, map);
    return fd;
  }

  /** Bytes, or a negative error number. */
  read(fd: number, size: number): Uint8Array | number {
    let bytes: Uint8Array | number = -ERRNO.EBADF;
    this.call('read', `${fd}, …, ${size}`, () => {
      const file = this.file(fd);
      if (file !== null) bytes = file.behaviour.read?.(size) ?? -ERRNO.EINVAL;
      return typeof bytes === 'number' ? bytes : bytes.length;
    });
    return bytes;
  }

  close(fd: number): number {
    return this.call('close', String(fd), () => this.files.close(fd));
  }

  dup2(from: number, to: number): number {
    return this.call('dup2', `${from}, ${to}`, () => {
      const file = this.file(from);
      if (file === null) return -ERRNO.EBADF;
      if (from === to) return to;
      if (to < 0 || to >= this.files.limit) return -ERRNO.EBADF;
      file.get();
      this.files.close(to);
      return this.files.installAt(to, file);
    });
  }

  /** /proc/PID/fdinfo below the lines that every file has. */
  fdinfo(fd: number): string | null {
    const file = this.file(fd);
    return file === null ? null : (file.behaviour.fdinfo?.() ?? '');
  }

  /** st_ino of fstat, or -EBADF. */
  inodeOf(fd: number): number {
    return this.file(fd)?.dentry.inode.number ?? -ERRNO.EBADF;
  }
}
