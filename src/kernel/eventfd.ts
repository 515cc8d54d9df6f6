import { ERRNO } from '../contracts/errors.ts';
import type { FileBehaviour } from './objects/files.ts';
import type { KernelObjects } from './objects/kernel_objects.ts';

const CONTEXT = 'eventfd_ctx';
const EPOLLIN = 0x1;
const EPOLLOUT = 0x4;
const WORD_BYTES = 8;

/** An eventfd: a counter that can be waited for. Source: fs/eventfd.c. */
export class EventFd {
  readonly offset: number;
  readonly waiters = new Set<() => void>();
  readonly #objects: KernelObjects;
  #count: bigint;

  constructor(objects: KernelObjects, count: bigint) {
    this.#objects = objects;
    this.offset = objects.create(CONTEXT);
    this.#count = count;
    this.#show();
  }

  get count(): bigint {
    return this.#count;
  }

  signal(): void {
    this.#count++;
    this.#show();
    for (const waiter of [...this.waiters]) waiter();
  }

  behaviour(): FileBehaviour {
    return {
      operations: 'eventfd_fops',
      privateData: this.offset,
      waiters: this.waiters,
      poll: () => (this.#count > 0n ? EPOLLIN : 0) | EPOLLOUT,
      read: (size) => this.#read(size),
      fdinfo: () => `eventfd-count: ${this.#count.toString(16).padStart(16)}\n`,
    };
  }

  /** A read takes the whole count. */
  #read(size: number): Uint8Array | number {
    if (size < WORD_BYTES) return -ERRNO.EINVAL;
    if (this.#count === 0n) return -ERRNO.EAGAIN;
    const bytes = new Uint8Array(BigUint64Array.of(this.#count).buffer);
    this.#count = 0n;
    this.#show();
    return bytes;
  }

  #show(): void {
    this.#objects.field(CONTEXT, 'count').set(this.offset, this.#count);
  }
}
