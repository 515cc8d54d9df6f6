import { ERRNO } from '../contracts/errors.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap } from './bpf_map.ts';
import type { MapEnvironment } from './environment.ts';

const PAGE_BYTES = 4096;
export const RING_HEADER_BYTES = 8;
export const RING_BUSY = 0x80000000;
export const RING_DISCARD = 0x40000000;

const EPOLLOUT = 0x004;
const EPOLLWRNORM = 0x100;

/**
 * BPF_MAP_TYPE_USER_RINGBUF: user space produces, programs consume. Source: kernel/bpf/ringbuf.c.
 *
 *     | private page | consumer position | producer position | data … | the same data once more |
 *     record: | u32 length, bit 31 busy, bit 30 discard | u32 | sample, to a multiple of 8 |
 *
 * Both positions and the data can be written by user space at any time, so nothing here trusts them. Guest memory cannot show
 * the same bytes twice: a sample that runs over the end is copied behind it while a program looks at it, and back afterwards.
 */
export class UserRingBufferMap extends BpfMap {
  readonly size: number;
  readonly #base: number;
  /** a drain is under way (atomic_t busy) */
  isBusy = false;
  /** what waits for free space: epoll items of producers */
  readonly waiters = new Set<() => void>();
  #isWorkQueued = false;
  #wakeups = 0;

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    this.size = def.maxEntries;
    this.#base = this.memory.allocate(3 * PAGE_BYTES + 2 * this.size, { what: `ring of map ${def.name}`, align: PAGE_BYTES });
    if (this.#base !== 0) this.memory.setRedZone(this.#base, this.#base + 3 * PAGE_BYTES + 2 * this.size);
  }

  get isAllocated(): boolean {
    return this.#base !== 0;
  }

  get consumer(): bigint {
    return this.memory.loadU64(this.#base + PAGE_BYTES);
  }

  set consumer(position: bigint) {
    this.memory.storeU64(this.#base + PAGE_BYTES, position);
  }

  get producer(): bigint {
    return this.memory.loadU64(this.#base + 2 * PAGE_BYTES);
  }

  set producer(position: bigint) {
    this.memory.storeU64(this.#base + 2 * PAGE_BYTES, position);
  }

  /** How often waiting producers were woken. */
  get wakeups(): number {
    return this.#wakeups;
  }

  /** The length word at a position. */
  header(position: bigint): number {
    return this.memory.loadU32(this.#at(position));
  }

  setHeader(position: bigint, length: number): void {
    this.memory.store64(this.#at(position), length | 0, 0);
  }

  /** Bytes of the data area as a producer sees them from a position on. */
  write(position: bigint, bytes: Uint8Array): void {
    const start = Number(BigInt.asUintN(64, position) % BigInt(this.size));
    const first = Math.min(bytes.length, this.size - start);
    this.memory.u8.set(bytes.subarray(0, first), this.#data + start);
    this.memory.u8.set(bytes.subarray(first), this.#data);
  }

  read(position: bigint, length: number): Uint8Array {
    const start = Number(BigInt.asUintN(64, position) % BigInt(this.size));
    const out = new Uint8Array(length);
    const first = Math.min(length, this.size - start);
    out.set(this.memory.u8.subarray(this.#data + start, this.#data + start + first));
    out.set(this.memory.u8.subarray(this.#data, this.#data + length - first), first);
    return out;
  }

  /** Lets programs touch the sample of the record at a position; its offset. */
  openSample(record: bigint, length: number): number {
    const sample = this.#at(record + BigInt(RING_HEADER_BYTES));
    const over = sample + length - this.#end;
    if (over > 0) this.memory.u8.copyWithin(this.#end, this.#data, this.#data + over);
    this.memory.setWindow(sample, sample + Math.ceil(length / 8) * 8, sample, length);
    return sample;
  }

  closeSample(sample: number, length: number): void {
    this.memory.setRedZone(sample, sample + Math.ceil(length / 8) * 8);
    const over = sample + length - this.#end;
    if (over > 0) this.memory.u8.copyWithin(this.#data, this.#end, this.#end + over);
  }

  /** Queues the irq work that wakes waiting producers. Work that is still queued is not queued again. */
  queueWakeup(schedule: (action: () => void) => void): void {
    if (this.#isWorkQueued) return;
    this.#isWorkQueued = true;
    this.environment.record({ kind: 'event', name: 'wakeup', detail: { map: this.name } });
    schedule(() => {
      this.#isWorkQueued = false;
      this.#wakeups++;
      for (const waiter of [...this.waiters]) waiter();
    });
  }

  /** EPOLL* bits for a producer: there is room. Source: ringbuf_map_poll_user. */
  poll(): number {
    const used = BigInt.asUintN(64, this.producer - this.consumer);
    return used < BigInt(this.size) ? EPOLLOUT | EPOLLWRNORM : 0;
  }

  protected override readForUser(_key: Uint8Array): Uint8Array | number {
    return -ERRNO.ENOTSUPP;
  }

  protected override writeFromUser(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -ERRNO.ENOTSUPP;
  }

  protected override deleteForUser(_key: Uint8Array): number {
    return -ERRNO.ENOTSUPP;
  }

  get #data(): number {
    return this.#base + 3 * PAGE_BYTES;
  }

  get #end(): number {
    return this.#data + this.size;
  }

  #at(position: bigint): number {
    return this.#data + Number(position & BigInt(this.size - 1));
  }
}
