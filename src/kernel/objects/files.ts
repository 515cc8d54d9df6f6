import type { KernelObjects } from './kernel_objects.ts';
import { type OperationsName, operationsAddress } from './operations.ts';
import type { Dentry } from './paths.ts';

/** What a file does besides being one; each kind of file brings its own. */
export interface FileBehaviour {
  readonly operations: OperationsName;
  /** what `private_data` points to; 0 for NULL */
  readonly privateData: number;
  /** bytes that a read of `size` gives, or a negative errno; absent: files that cannot be read here */
  readonly read?: (size: number) => Uint8Array | number;
  /** EPOLL* bits that are ready now; absent: the file cannot be polled (EPERM of epoll_ctl) */
  readonly poll?: () => number;
  /** who waits for the file to become ready; told by `KernelFile.wake` */
  readonly waiters?: Set<() => void>;
  /** the last reference is gone */
  readonly release?: () => void;
  /** what /proc/PID/fdinfo shows below the common lines */
  readonly fdinfo?: () => string;
}

const FILE = 'file';

/** FMODE_READ, FMODE_WRITE: include/linux/fs.h. */
const FMODE_READ = 1;
const FMODE_WRITE = 2;
const O_ACCMODE = 3;

/** An open file description. */
export class KernelFile {
  readonly offset: number;
  readonly dentry: Dentry;
  readonly behaviour: FileBehaviour;
  readonly flags: number;
  readonly #objects: KernelObjects;
  #references = 1;
  /** what has to happen when the last reference goes, by who wants to know */
  readonly #releaseHooks = new Map<object, () => void>();

  constructor(objects: KernelObjects, dentry: Dentry, behaviour: FileBehaviour, flags = 0) {
    this.#objects = objects;
    this.dentry = dentry;
    this.behaviour = behaviour;
    this.flags = flags;
    this.offset = objects.create(FILE, { what: `file ${dentry.path()}` });
    const access = flags & O_ACCMODE;
    const mode = access === 0 ? FMODE_READ : access === 1 ? FMODE_WRITE : FMODE_READ | FMODE_WRITE;
    objects.field(FILE, 'f_mode').set(this.offset, mode);
    objects.field(FILE, 'f_flags').set(this.offset, flags);
    objects.field(FILE, 'f_path.dentry').setPointer(this.offset, dentry.offset);
    objects.field(FILE, 'f_path.mnt').setPointer(this.offset, dentry.mount);
    objects.field(FILE, 'f_inode').setPointer(this.offset, dentry.inode.offset);
    objects.field(FILE, 'private_data').setPointer(this.offset, behaviour.privateData);
    const table = operationsAddress(behaviour.operations);
    const place = objects.field(FILE, 'f_op');
    if (table !== undefined && place.exists) objects.memory.store64(place.at(this.offset), table.lo, table.hi);
    this.#showReferences();
  }

  get references(): number {
    return this.#references;
  }

  /** get_file; false when the file is on its way out (file_ref_get) */
  get(): boolean {
    if (this.#references === 0) return false;
    this.#references++;
    this.#showReferences();
    return true;
  }

  /** fput */
  put(): void {
    this.#references--;
    this.#showReferences();
    if (this.#references > 0) return;
    for (const hook of [...this.#releaseHooks.values()]) hook();
    this.behaviour.release?.();
  }

  /** `hook` runs when the last reference is gone, for who does not hold one. */
  onRelease(owner: object, hook: () => void): void {
    this.#releaseHooks.set(owner, hook);
  }

  offRelease(owner: object): void {
    this.#releaseHooks.delete(owner);
  }

  /** Wakes everybody who waits on the file's queue. */
  wake(): void {
    for (const waiter of [...(this.behaviour.waiters ?? [])]) waiter();
  }

  /** Offset of its `struct path`. */
  get pathOffset(): number {
    return this.#objects.field(FILE, 'f_path').at(this.offset);
  }

  /** `f_ref` holds one less than there are references; `f_count` of kernels before 6.13 their number. */
  #showReferences(): void {
    this.#objects.field(FILE, 'f_ref.refcnt.counter').set(this.offset, this.#references - 1);
    this.#objects.field(FILE, 'f_count.counter').set(this.offset, this.#references);
  }
}
