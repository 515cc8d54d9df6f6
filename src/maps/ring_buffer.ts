import { ERRNO, Fault } from '../contracts/errors.ts';
import type { HostRing } from '../contracts/host_map.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap } from './bpf_map.ts';
import type { MapEnvironment } from './environment.ts';

const HEADER_BYTES = 8;
const BUSY = 0x80000000;
const DISCARD = 0x40000000;
const LENGTH_MASK = 0x3fffffff;
/** Source: RINGBUF_MAX_RECORD_SZ, kernel/bpf/ringbuf.c. */
const LARGEST_RECORD = Math.floor(0xffffffff / 4);
const PAGE_SHIFT = 12;
/** Pages in front of the data: meta data of the ring, consumer position, producer position (struct bpf_ringbuf). */
const HEADER_PAGES = 3;

const BPF_RB_NO_WAKEUP = 1n;
const BPF_RB_FORCE_WAKEUP = 2n;
const BPF_RB_AVAIL_DATA = 0n;
const BPF_RB_RING_SIZE = 1n;
const BPF_RB_CONS_POS = 2n;
const BPF_RB_PROD_POS = 3n;

/**
 * BPF_MAP_TYPE_RINGBUF. Source: kernel/bpf/ringbuf.c.
 *
 *     record: | u32 length, bit 31 busy, bit 30 discard | u32 page offset | sample, to a multiple of 8 |
 *
 * The data area stands twice in a row, so that a record that runs over its end is in one piece; what it left behind the end is
 * copied to the front when it is committed. A sample is addressable from its reservation to its commit.
 */
export class RingBufferMap extends BpfMap implements HostRing {
  readonly #data: number;
  readonly #size: number;
  #producer = 0;
  #consumer = 0;
  #pending = 0;
  #wakeups = 0;

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    this.#size = def.maxEntries;
    this.#data = this.memory.allocate(this.#size * 2, { what: `ring of map ${def.name}`, align: 4096 });
    if (this.#data !== 0) this.memory.setRedZone(this.#data, this.#data + this.#size * 2);
  }

  get isAllocated(): boolean {
    return this.#data !== 0;
  }

  override get ring(): HostRing {
    return this;
  }

  /** How often a consumer that waits would have been woken. */
  get wakeups(): number {
    return this.#wakeups;
  }

  /** Records that were reserved and not yet given back. */
  get openRecords(): number {
    let open = 0;
    for (let at = this.#consumer; at < this.#producer; ) {
      const word = this.memory.loadU32(this.#at(at));
      if (word >= BUSY) open++;
      at += recordBytes(word & LENGTH_MASK);
    }
    return open;
  }

  reserve(size: number): number {
    if (size > LARGEST_RECORD) return 0;
    const length = recordBytes(size);
    if (length > this.#size) return 0;
    this.#skipCommitted();
    const end = this.#producer + length;
    if (end - this.#consumer > this.#size - 1 || end - this.#pending > this.#size - 1) return 0;
    const header = this.#at(this.#producer);
    this.memory.storeI32(header, size | BUSY);
    this.memory.storeI32(header + 4, ((header - this.#data) >>> PAGE_SHIFT) + HEADER_PAGES);
    this.#producer = end;
    const sample = header + HEADER_BYTES;
    this.memory.setWindow(sample, sample + length - HEADER_BYTES, sample, size);
    return sample;
  }

  commit(sample: number, flags: bigint, discard: boolean): void {
    const { memory } = this;
    const header = sample - HEADER_BYTES;
    const word = memory.loadU32(header);
    if (header < this.#data || header >= this.#data + this.#size || word < BUSY) {
      throw new Fault('bad-call', `no reserved sample of map ${this.name} starts there`, null);
    }
    const size = word & LENGTH_MASK;
    const data = memory.u8.slice(sample, sample + size);
    memory.setRedZone(sample, sample + recordBytes(size) - HEADER_BYTES);
    memory.storeI32(header, discard ? size | DISCARD : size);
    this.#foldBack(header, header + recordBytes(size));
    const isNext = this.#consumer % this.#size === header - this.#data;
    const wakeup = (flags & BPF_RB_FORCE_WAKEUP) !== 0n || (isNext && (flags & BPF_RB_NO_WAKEUP) === 0n);
    if (wakeup) this.#wakeups++;
    if (!discard) this.environment.record({ kind: 'ringbuf-output', map: this.name, data, wakeup });
  }

  output(data: number, size: number, flags: bigint): number {
    if ((flags & ~(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP)) !== 0n) return -ERRNO.EINVAL;
    const sample = this.reserve(size);
    if (sample === 0) return -ERRNO.EAGAIN;
    this.memory.u8.copyWithin(sample, data, data + size);
    this.commit(sample, flags, false);
    return 0;
  }

  query(flags: bigint): bigint {
    switch (flags) {
      case BPF_RB_AVAIL_DATA:
        return BigInt(this.#producer - this.#consumer);
      case BPF_RB_RING_SIZE:
        return BigInt(this.#size);
      case BPF_RB_CONS_POS:
        return BigInt(this.#consumer);
      case BPF_RB_PROD_POS:
        return BigInt(this.#producer);
      default:
        return 0n;
    }
  }

  /** Takes what a consumer can take now: samples up to the first that is still reserved. */
  consume(): Uint8Array[] {
    const samples: Uint8Array[] = [];
    while (this.#consumer < this.#producer) {
      const header = this.#at(this.#consumer);
      const word = this.memory.loadU32(header);
      if (word >= BUSY) break;
      const size = word & LENGTH_MASK;
      if ((word & DISCARD) === 0) samples.push(this.memory.u8.slice(header + HEADER_BYTES, header + HEADER_BYTES + size));
      this.#consumer += recordBytes(size);
    }
    return samples;
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

  #at(position: number): number {
    return this.#data + (position % this.#size);
  }

  /** Moves on over records that are committed, which no longer hold the oldest place. */
  #skipCommitted(): void {
    while (this.#pending < this.#producer) {
      const word = this.memory.loadU32(this.#at(this.#pending));
      if (word >= BUSY) break;
      this.#pending += recordBytes(word & ~DISCARD);
    }
  }

  #foldBack(from: number, to: number): void {
    const end = this.#data + this.#size;
    if (to > end && from < end) this.memory.u8.copyWithin(this.#data, end, to);
  }
}

const recordBytes = (size: number): number => Math.ceil((size + HEADER_BYTES) / 8) * 8;
