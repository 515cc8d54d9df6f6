import { ERRNO } from '../contracts/errors.ts';
import { EPOLL } from '../kernel/event_poll.ts';
import { RING_BUSY, RING_DISCARD, RING_HEADER_BYTES, UserRingBufferMap } from '../maps/user_ring_buffer.ts';
import { EPOLL_CTL, epollCreate, epollCtl, epollWait } from './event_calls.ts';
import type { Process } from './process.ts';
import { errorText } from './record.ts';
import { type MapMapping, mmapRing, munmap, PROT } from './ring_mapping.ts';

/** The producer of libbpf: as merged, and as the third version of the series had it. Source: tools/lib/bpf/ringbuf.c. */
export type ProducerRevision = 'v3' | '6.1';

/** A sample that was reserved: its place in the data area, and where its record begins. */
export interface ReservedSample {
  readonly record: bigint;
  /** bytes that may be written */
  readonly size: number;
}

const PAGE_BYTES = 4096;
const TWO32 = 2 ** 32;
const NANOSECONDS_PER_MS = 1_000_000n;

/** user_ring_buffer__new and what it makes. Errors are negative numbers; `warnings` are what libbpf prints. */
export class UserRingProducer {
  readonly warnings: string[] = [];
  readonly revision: ProducerRevision;
  readonly epollFd: number;
  /** turns of waiting that found room, but not enough: the ring can be written, says the kernel */
  spins = 0;
  readonly #process: Process;
  readonly #ring: UserRingBufferMap;
  readonly #mappings: readonly MapMapping[];

  private constructor(
    process: Process,
    ring: UserRingBufferMap,
    epollFd: number,
    mappings: readonly MapMapping[],
    revision: ProducerRevision,
  ) {
    this.#process = process;
    this.#ring = ring;
    this.epollFd = epollFd;
    this.#mappings = mappings;
    this.revision = revision;
  }

  /** A producer for the map of a descriptor, or a negative error number. `warn` gets what libbpf prints. */
  static open(
    process: Process,
    mapFd: number,
    { revision = '6.1', warn = () => {} }: { readonly revision?: ProducerRevision; readonly warn?: (text: string) => void } = {},
  ): UserRingProducer | number {
    const refuse = (error: number, text: string): number => {
      warn(`user ringbuf: ${text}`);
      return error;
    };
    const reason = (error: number): string => errorText(-error);
    const epollFd = epollCreate(process);
    if (epollFd < 0) return refuse(epollFd, `failed to create epoll instance: ${reason(epollFd)}`);
    const giveUp = (error: number, text: string): number => {
      process.close(epollFd);
      return refuse(error, text);
    };
    const map = process.mapOf(mapFd);
    if (typeof map === 'number') return giveUp(map, `failed to get map info for fd=${mapFd}: ${reason(map)}`);
    if (!(map instanceof UserRingBufferMap)) {
      return giveUp(-ERRNO.EINVAL, `map fd=${mapFd} is not BPF_MAP_TYPE_USER_RINGBUF`);
    }
    const consumer = mmapRing(process, mapFd, { length: PAGE_BYTES, protection: PROT.READ });
    if (typeof consumer === 'number') {
      return giveUp(consumer, `failed to mmap consumer page for map fd=${mapFd}: ${reason(consumer)}`);
    }
    const data = mmapRing(process, mapFd, {
      length: PAGE_BYTES + 2 * map.size,
      protection: PROT.READ | PROT.WRITE,
      offset: PAGE_BYTES,
    });
    if (typeof data === 'number') {
      munmap(consumer);
      return giveUp(data, `failed to mmap data pages for map fd=${mapFd}: ${reason(data)}`);
    }
    const added = epollCtl(process, epollFd, EPOLL_CTL.ADD, mapFd, { events: EPOLL.OUT, data: 0n });
    if (added < 0) return giveUp(added, `failed to epoll add map fd=${mapFd}: ${reason(added)}`);
    return new UserRingProducer(process, map, epollFd, [consumer, data], revision);
  }

  /** user_ring_buffer__reserve: the record is there at once, but busy. A negative error number when there is no room. */
  reserve(size: number): ReservedSample | number {
    const ring = this.#ring;
    const isMerged = this.revision !== 'v3';
    if (isMerged && ((size & (RING_BUSY | RING_DISCARD)) !== 0 || size >= TWO32)) return -ERRNO.E2BIG;
    const total = Math.ceil((size + RING_HEADER_BYTES) / 8) * 8;
    if (total > ring.size) return -ERRNO.E2BIG;
    const { producer, consumer } = ring;
    const free = Number(BigInt.asUintN(32, BigInt(ring.size) - (producer - consumer)));
    if (free < total) return isMerged ? -ERRNO.ENOSPC : -ERRNO.ENODATA;
    ring.setHeader(producer, (isMerged ? size : total - RING_HEADER_BYTES) | RING_BUSY);
    ring.producer = producer + BigInt(total);
    return { record: producer, size };
  }

  /** user_ring_buffer__reserve_blocking. A timeout of -1 waits as long as it takes. */
  reserveBlocking(size: number, timeoutMs: number): ReservedSample | number {
    if (timeoutMs < -1) return -ERRNO.EINVAL;
    const { clock } = this.#process.system.machine;
    const start = clock.nanoseconds;
    const noRoom = this.revision === 'v3' ? -ERRNO.ENODATA : -ERRNO.ENOSPC;
    for (let left = timeoutMs; ; ) {
      const sample = this.reserve(size);
      if (typeof sample !== 'number' || sample !== noRoom) return sample;
      const events = epollWait(this.#process, this.epollFd, 1, left);
      if (typeof events === 'number') return events;
      if (events.length > 0) this.#spin(timeoutMs < 0 ? null : start + BigInt(timeoutMs) * NANOSECONDS_PER_MS);
      if (timeoutMs === -1) continue;
      const elapsed = Number((clock.nanoseconds - start) / NANOSECONDS_PER_MS);
      left = timeoutMs - elapsed;
      if (this.revision === 'v3') {
        if (elapsed > timeoutMs) return noRoom;
        left = Math.max(left, 0);
        if (left === 0 && events.length === 0) return noRoom;
      } else if (left <= 0) return this.reserve(size);
    }
  }

  /**
   * There is room, so that waiting returns at once, but too little of it: libbpf goes round and round. Nothing changes until the
   * next thing that is due, so the turns until then are not taken one by one.
   */
  #spin(deadline: bigint | null): void {
    if (this.#ring.poll() === 0) return;
    this.spins++;
    const { machine } = this.#process.system;
    const { next } = machine.agenda;
    const until = next !== null && (deadline === null || next < deadline) ? next : deadline;
    if (until === null || until <= machine.clock.nanoseconds) return;
    const fault = machine.advance(until - machine.clock.nanoseconds);
    if (fault !== null) throw fault;
  }

  /** Puts bytes into a sample. */
  write(sample: ReservedSample, bytes: Uint8Array, at = 0): void {
    this.#ring.write(sample.record + BigInt(RING_HEADER_BYTES + at), bytes.subarray(0, sample.size - at));
  }

  submit(sample: ReservedSample): void {
    this.#commit(sample, false);
  }

  discard(sample: ReservedSample): void {
    this.#commit(sample, true);
  }

  #commit({ record }: ReservedSample, discard: boolean): void {
    const length = this.#ring.header(record) & ~RING_BUSY;
    this.#ring.setHeader(record, discard ? length | RING_DISCARD : length);
  }

  free(): void {
    for (const mapping of this.#mappings) munmap(mapping);
    this.#process.close(this.epollFd);
  }
}
