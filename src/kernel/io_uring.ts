import type { EventFd } from './eventfd.ts';
import type { KernelFile } from './objects/files.ts';
import type { KernelObjects } from './objects/kernel_objects.ts';
import { Lock } from './objects/locks.ts';
import type { AddressSpace } from './objects/mm.ts';
import type { PageFrames } from './page_frames.ts';

/** IORING_SETUP_*, include/uapi/linux/io_uring.h. */
export const IORING_SETUP = {
  IOPOLL: 1 << 0,
  SQPOLL: 1 << 1,
  SQ_AFF: 1 << 2,
  CQSIZE: 1 << 3,
  CLAMP: 1 << 4,
  ATTACH_WQ: 1 << 5,
  R_DISABLED: 1 << 6,
  SUBMIT_ALL: 1 << 7,
} as const;

const CTX = 'io_ring_ctx';
const SQ_DATA = 'io_sq_data';
const UBUF = 'io_mapped_ubuf';
const BVEC = 'bio_vec';
const NODE = 'io_rsrc_node';
const EV_FD = 'io_ev_fd';
const POINTER_BYTES = 8;
const PAGE_BYTES = 4096;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** The thread that polls submission queues, shared by rings that were attached to each other. */
export class SqData {
  readonly offset: number;
  readonly cpu: number;
  readonly tgid: number;
  readonly #objects: KernelObjects;
  #references = 1;
  #idle = 0;

  constructor(objects: KernelObjects, cpu: number, tgid: number) {
    this.#objects = objects;
    this.cpu = cpu;
    this.tgid = tgid;
    this.offset = objects.create(SQ_DATA);
    objects.field(SQ_DATA, 'sq_cpu').set(this.offset, cpu);
    objects.field(SQ_DATA, 'task_tgid').set(this.offset, tgid);
    objects.field(SQ_DATA, 'refs.refs.counter').set(this.offset, 1);
  }

  /** jiffies until the thread sleeps: the most that one of its rings wants */
  get idle(): number {
    return this.#idle;
  }

  wait(jiffies: number): void {
    this.#idle = Math.max(this.#idle, jiffies);
    this.#objects.field(SQ_DATA, 'sq_thread_idle').set(this.offset, this.#idle);
  }

  share(): void {
    this.#references++;
    this.#objects.field(SQ_DATA, 'refs.refs.counter').set(this.offset, this.#references);
  }
}

/** A registered buffer. `base` null: an empty slot, for which the ring's dummy stands. */
export interface RingBuffer {
  readonly offset: number;
  readonly base: bigint | null;
  readonly length: number;
}

export interface RingSetup {
  /** IORING_SETUP_* */
  readonly flags: number;
  readonly sqEntries: number;
  readonly cqEntries: number;
  readonly sqData: SqData | null;
}

/**
 * An io_uring instance. Its objects have the shape that the BTF gives them: that of Linux 6.18, or that of 5.16 for which the
 * iterators over rings were proposed. Fields that a shape lacks take nothing.
 */
export class IoRing {
  readonly offset: number;
  readonly setup: RingSetup;
  readonly uringLock: Lock;
  /** buffer object of empty slots */
  readonly dummy: number;
  /** the ring is being torn down: no new references (percpu_ref_is_dying) */
  isDying = false;
  readonly #objects: KernelObjects;
  #references = 1;
  #files: readonly (KernelFile | null)[] | null = null;
  #fileTable = 0;
  #buffers: readonly RingBuffer[] | null = null;
  #eventFd: { readonly event: EventFd; readonly async: boolean } | null = null;

  constructor(objects: KernelObjects, setup: RingSetup, name: string) {
    this.#objects = objects;
    this.setup = setup;
    this.uringLock = new Lock(`uring_lock of ${name}`);
    this.offset = objects.create(CTX, { what: `io_ring_ctx of ${name}` });
    this.dummy = objects.create(UBUF, { what: 'dummy buffer of a ring' });
    objects.field(UBUF, 'ubuf').set(this.dummy, objects.field(UBUF, 'ubuf_end').exists ? ALL_ONES : 0);
    objects.field(UBUF, 'len').set(this.dummy, 0xffffffff);
    const set = (path: string, value: number): void => objects.field(CTX, path).set(this.offset, value);
    set('flags', setup.flags);
    set('sq_entries', setup.sqEntries);
    set('cq_entries', setup.cqEntries);
    objects.field(CTX, 'sq_data').setPointer(this.offset, setup.sqData?.offset ?? 0);
    objects.field(CTX, 'dummy_ubuf').setPointer(this.offset, this.dummy);
  }

  get files(): readonly (KernelFile | null)[] | null {
    return this.#files;
  }

  get buffers(): readonly RingBuffer[] | null {
    return this.#buffers;
  }

  get eventFd(): { readonly event: EventFd; readonly async: boolean } | null {
    return this.#eventFd;
  }

  get references(): number {
    return this.#references;
  }

  /** The ring was freed; who still uses it uses freed memory. */
  get isFreed(): boolean {
    return this.#references <= 0;
  }

  /** percpu_ref_tryget */
  tryGet(): boolean {
    if (this.isDying) return false;
    this.#references++;
    return true;
  }

  /** The last reference frees the ring. */
  put(): void {
    this.#references--;
    if (this.#references > 0) return;
    this.#objects.free(this.offset);
  }

  registerEventFd(event: EventFd, async: boolean): void {
    this.#eventFd = { event, async };
    const objects = this.#objects;
    objects.field(CTX, 'cq_ev_fd').setPointer(this.offset, event.offset);
    objects.field(CTX, 'eventfd_async').set(this.offset, async ? 1 : 0);
    if (!objects.field(CTX, 'io_ev_fd').exists) return;
    const holder = objects.create(EV_FD);
    objects.field(EV_FD, 'cq_ev_fd').setPointer(holder, event.offset);
    objects.field(EV_FD, 'eventfd_async').set(holder, async ? 1 : 0);
    objects.field(CTX, 'io_ev_fd').setPointer(this.offset, holder);
  }

  registerFiles(files: readonly (KernelFile | null)[]): void {
    const objects = this.#objects;
    this.#files = files;
    this.#fileTable = objects.createBytes(files.length * POINTER_BYTES, 'fixed files of a ring');
    for (const [index, file] of files.entries()) {
      objects.storePointer(this.#fileTable + index * POINTER_BYTES, file?.offset ?? 0);
    }
    objects.field(CTX, 'nr_user_files').set(this.offset, files.length);
    objects.field(CTX, 'file_table.files').setPointer(this.offset, this.#fileTable);
    this.#nodes(
      'file_table.data',
      files.map((file) => file?.offset ?? 0),
      'file_ptr',
    );
  }

  /** The pointer that stands in a slot of the table of fixed files, flags in its low bits and all. */
  fixedFile(index: number): number {
    return this.#objects.memory.loadU32(this.#fileTable + index * POINTER_BYTES);
  }

  /** Buffers over pages of an address space that can all be pinned; null bases become the dummy. */
  registerBuffers(
    buffers: readonly { readonly base: bigint | null; readonly length: number }[],
    mm: AddressSpace,
    frames: PageFrames,
  ): void {
    const objects = this.#objects;
    const made = buffers.map(
      ({ base, length }): RingBuffer => ({
        offset: base === null ? this.dummy : this.#newBuffer(base, length, mm, frames),
        base,
        length,
      }),
    );
    this.#buffers = made;
    const table = objects.createBytes(made.length * POINTER_BYTES, 'buffers of a ring');
    for (const [index, { offset }] of made.entries()) objects.storePointer(table + index * POINTER_BYTES, offset);
    objects.field(CTX, 'nr_user_bufs').set(this.offset, made.length);
    objects.field(CTX, 'user_bufs').setPointer(this.offset, table);
    this.#nodes(
      'buf_table',
      made.map(({ base, offset }) => (base === null ? 0 : offset)),
      'buf',
    );
  }

  #newBuffer(base: bigint, length: number, mm: AddressSpace, frames: PageFrames): number {
    const objects = this.#objects;
    const first = Number(base) - (Number(base) % PAGE_BYTES);
    const pages = Math.ceil((Number(base) + length - first) / PAGE_BYTES);
    const vectors = objects.field(UBUF, 'bvec');
    const vectorBytes = objects.sizeOf(BVEC);
    const offset = objects.create(UBUF, { size: objects.sizeOf(UBUF) + pages * vectorBytes });
    objects.field(UBUF, 'ubuf').set(offset, base);
    objects.field(UBUF, 'ubuf_end').set(offset, base + BigInt(length));
    objects.field(UBUF, 'len').set(offset, length);
    objects.field(UBUF, 'nr_bvecs').set(offset, pages);
    let left = length;
    for (let page = 0; page < pages && vectors.exists; page++) {
      const vector = vectors.at(offset) + page * vectorBytes;
      const within = page === 0 ? Number(base) - first : 0;
      const size = Math.min(left, PAGE_BYTES - within);
      left -= size;
      objects.field(BVEC, 'bv_page').setPointer(vector, frames.pageOf(mm, first / PAGE_BYTES + page));
      objects.field(BVEC, 'bv_len').set(vector, size);
      objects.field(BVEC, 'bv_offset').set(vector, within);
    }
    return offset;
  }

  /** Tables of kernels since 6.13: an array of pointers to nodes, each with a file or a buffer. */
  #nodes(path: string, targets: readonly number[], member: string): void {
    const objects = this.#objects;
    const nodes = objects.field(CTX, `${path}.nodes`);
    if (!nodes.exists) return;
    const table = objects.createBytes(targets.length * POINTER_BYTES, 'resource nodes of a ring');
    for (const [index, target] of targets.entries()) {
      if (target === 0) continue;
      const node = objects.create(NODE);
      objects.field(NODE, 'refs').set(node, 1);
      objects.field(NODE, member).setPointer(node, target);
      objects.storePointer(table + index * POINTER_BYTES, node);
    }
    objects.field(CTX, `${path}.nr`).set(this.offset, targets.length);
    nodes.setPointer(this.offset, table);
  }
}
