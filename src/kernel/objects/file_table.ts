import { ERRNO } from '../../contracts/errors.ts';
import type { KernelFile } from './files.ts';
import type { KernelObjects } from './kernel_objects.ts';

const TABLE = 'files_struct';
const FDTABLE = 'fdtable';
/** NR_OPEN_DEFAULT: descriptors before the table has to grow. */
const INLINE_SLOTS = 64;
const POINTER_BYTES = 8;

/** The descriptors of a process: shared by its threads. Source: fs/file.c. */
export class FileTable {
  readonly offset: number;
  readonly #objects: KernelObjects;
  readonly #files = new Map<number, KernelFile>();
  /** descriptors in ascending order; null when it has to be made anew */
  #order: number[] | null = null;
  #slots = INLINE_SLOTS;
  #array: number;
  readonly #fdtable: number;
  #users = 1;
  /** RLIMIT_NOFILE */
  readonly limit: number;

  constructor(objects: KernelObjects, owner: string, limit = 1024) {
    this.#objects = objects;
    this.limit = limit;
    this.offset = objects.create(TABLE, { what: `file table of ${owner}` });
    this.#fdtable = objects.create(FDTABLE, { what: `descriptors of ${owner}` });
    const inline = objects.field(TABLE, 'fd_array');
    this.#array = inline.exists ? inline.at(this.offset) : objects.createBytes(INLINE_SLOTS * POINTER_BYTES, 'descriptor array');
    objects.field(TABLE, 'fdt').setPointer(this.offset, this.#fdtable);
    objects.field(TABLE, 'count.counter').set(this.offset, 1);
    this.#showArray();
  }

  get users(): number {
    return this.#users;
  }

  share(): void {
    this.#users++;
    this.#objects.field(TABLE, 'count.counter').set(this.offset, this.#users);
  }

  /** Descriptors in use, ascending. */
  get descriptors(): readonly number[] {
    this.#order ??= [...this.#files.keys()].sort((a, b) => a - b);
    return this.#order;
  }

  get(fd: number): KernelFile | null {
    return this.#files.get(fd) ?? null;
  }

  /** The file of the lowest descriptor that is not below `from`: fget_task_next(). */
  next(from: number): { readonly fd: number; readonly file: KernelFile } | null {
    const order = this.descriptors;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order[middle]! >= from) high = middle;
      else low = middle + 1;
    }
    const fd = order[low];
    return fd === undefined ? null : { fd, file: this.#files.get(fd)! };
  }

  /** Gives a file the lowest free descriptor; the table takes over the caller's reference. A negative errno when it is full. */
  install(file: KernelFile): number {
    let fd = 0;
    while (this.#files.has(fd)) fd++;
    return this.installAt(fd, file);
  }

  installAt(fd: number, file: KernelFile): number {
    if (fd < 0) return -ERRNO.EBADF;
    if (fd >= this.limit) return -ERRNO.EMFILE;
    this.#grow(fd);
    this.#files.set(fd, file);
    this.#order = null;
    this.#objects.storePointer(this.#array + fd * POINTER_BYTES, file.offset);
    return fd;
  }

  close(fd: number): number {
    const file = this.#files.get(fd);
    if (file === undefined) return -ERRNO.EBADF;
    this.#files.delete(fd);
    this.#order = null;
    this.#objects.storePointer(this.#array + fd * POINTER_BYTES, 0);
    file.put();
    return 0;
  }

  #grow(fd: number): void {
    if (fd < this.#slots) return;
    while (fd >= this.#slots) this.#slots *= 2;
    this.#array = this.#objects.createBytes(this.#slots * POINTER_BYTES, 'descriptor array');
    for (const [known, file] of this.#files) this.#objects.storePointer(this.#array + known * POINTER_BYTES, file.offset);
    this.#showArray();
  }

  #showArray(): void {
    this.#objects.field(FDTABLE, 'max_fds').set(this.#fdtable, this.#slots);
    this.#objects.field(FDTABLE, 'fd').setPointer(this.#fdtable, this.#array);
  }
}
