import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { emptyContext } from '../../src/kernel/plain_context.ts';
import { RingBufferMap } from '../../src/maps/ring_buffer.ts';
import type { UserRingBufferMap } from '../../src/maps/user_ring_buffer.ts';
import { type MapMapping, mmapRing, mprotect, mremap, PROT } from '../../src/sys/ring_mapping.ts';
import { type ProducerRevision, UserRingProducer } from '../../src/sys/user_ring_buffer.ts';
import { type Bench, bench } from './iterate.ts';

const [EPERM, E2BIG, EACCES, EFAULT, EINVAL, ENOSPC, ENODATA] = [-1, -7, -13, -14, -22, -28, -61];

/** Counts samples; the second program drains with a forced wake-up. */
const CONSUMER = `
  .license "GPL"
  .map samples user_ringbuf max_entries=4096
  .map replies ringbuf max_entries=4096
  .map counted array key_size=4 value_size=8 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int consume(void *ctx)"
  r1 = replies ll; r1 = counted ll
  r1 = samples ll; r2 = count ll; r3 = 0; r4 = 0; call bpf_user_ringbuf_drain
  exit
  .func "static long count(struct bpf_dynptr *sample, void *ctx)"
  w1 = 0; *(u32 *)(r10 - 4) = w1
  r1 = counted ll; r2 = r10; r2 += -4; call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = *(u64 *)(r0 + 0); r1 += 1; *(u64 *)(r0 + 0) = r1
  out: r0 = 0
  exit`;

interface RingBench extends Bench {
  readonly mapFd: number;
  readonly ring: UserRingBufferMap;
  readonly producer: UserRingProducer;
  readonly drain: () => number;
  readonly counted: () => number;
}

function ringBench(revision: ProducerRevision = '6.1'): RingBench {
  const on = bench([`user_ringbuf_drain=${revision}`]);
  const { system, process } = on;
  const program = assemble(CONSUMER, 'c.bpf.s', { profile: system.profile }).programs[0]!;
  const loaded = system.load(program);
  if ('refused' in loaded) throw new Error(loaded.refused.message ?? 'refused');
  const ring = system.map(program.maps[0]!) as UserRingBufferMap;
  const mapFd = process.openMap(ring);
  const producer = UserRingProducer.open(process, mapFd, { revision });
  if (typeof producer === 'number') throw new Error(`no producer: ${producer}`);
  const drain = (): number => {
    const result = Number(BigInt.asIntN(64, system.execute(loaded.program, emptyContext)));
    system.settle();
    return result;
  };
  const counted = (): number =>
    Number(new DataView((system.map(program.maps[2]!).userLookup(new Uint8Array(4)) as Uint8Array).buffer).getBigUint64(0, true));
  return { ...on, mapFd, ring, producer, drain, counted };
}

/** Submits samples until there is no room; how many. */
function fill({ producer }: RingBench, size: number, end: 'submit' | 'discard' = 'submit'): number {
  for (let count = 0; ; count++) {
    const sample = producer.reserve(size);
    if (typeof sample === 'number') return count;
    producer[end](sample);
  }
}

describe('A.9 mappings: those of a ring of user space', () => {
  const map = (page: number, pages: number, protection: number, shared = true): MapMapping | number => {
    const { process, mapFd } = ringBench();
    return mmapRing(process, mapFd, { length: pages * 4096, protection, offset: page * 4096, shared });
  };
  const [READ, WRITE] = [PROT.READ, PROT.READ | PROT.WRITE];

  it.each([
    ['the consumer position can be read', 0, 1, READ, 'mapped'],
    ['and not written', 0, 1, WRITE, EPERM],
    ['the producer position can be written', 1, 1, WRITE, 'mapped'],
    ['and so can the data, twice in a row', 2, 2, WRITE, 'mapped'],
    ['everything is four pages', 0, 4, READ, 'mapped'],
    ['and no more', 0, 5, READ, EINVAL],
    ['nor behind the end', 4, 1, READ, EINVAL],
  ])('%s', (_rule, page, pages, protection, expected) => {
    const mapped = map(page, pages, protection);
    expect(typeof mapped === 'number' ? mapped : 'mapped').toBe(expected);
  });

  it('are shared', () => {
    expect(map(1, 1, WRITE, false)).toBe(EINVAL);
  });

  it('keep the permissions that they were made with, and do not grow', () => {
    const readOnly = map(0, 1, READ) as MapMapping;
    expect([mprotect(readOnly, WRITE), mprotect(readOnly, READ | PROT.EXEC), mremap(readOnly, 4 * 4096)]).toEqual([
      EACCES,
      EACCES,
      EFAULT,
    ]);
    const writable = map(1, 1, WRITE) as MapMapping;
    expect([mprotect(writable, READ), mprotect(writable, WRITE), mprotect(writable, PROT.EXEC)]).toEqual([0, 0, EACCES]);
    expect(mprotect(map(2, 1, WRITE) as MapMapping, PROT.EXEC)).toBe(EACCES);
  });

  it('follow what the map allows', () => {
    const { process, mapFd, ring } = ringBench();
    ring.frozen = true;
    expect(mmapRing(process, mapFd, { length: 4096, protection: WRITE, offset: 4096 })).toBe(EPERM);
  });

  it('of a ring of the kernel: only its consumer position can be written', () => {
    const { process, system } = ringBench();
    const replies = system.machine.maps.all.find((known) => known instanceof RingBufferMap)!;
    const fd = process.openMap(replies);
    const at = (page: number, pages: number): MapMapping | number =>
      mmapRing(process, fd, { length: pages * 4096, protection: WRITE, offset: page * 4096 });
    expect([typeof at(0, 1), at(0, 2), at(1, 1), at(2, 1)]).toEqual(['object', EPERM, EPERM, EPERM]);
  });
});

describe('a producer', () => {
  it('A.9 overfill: fills a ring of one page with 102 samples of 32 bytes', () => {
    const on = ringBench();
    expect([fill(on, 32), on.producer.reserve(32), on.drain(), on.counted()]).toEqual([102, ENOSPC, 102, 102]);
  });

  it('A.9 basic: delivers two samples', () => {
    const on = ringBench();
    for (let i = 0; i < 2; i++) on.producer.submit(on.producer.reserve(32) as never);
    expect([on.drain(), on.counted()]).toEqual([2, 2]);
  });

  it('A.9 full ring sample: takes the whole ring for one sample, and no more', () => {
    const on = ringBench();
    expect(on.producer.reserve(4089)).toBe(E2BIG);
    on.producer.submit(on.producer.reserve(4088) as never);
    expect(on.drain()).toBe(1);
  });

  it('A.9 alignment autoadjust: rounds records, not samples', () => {
    const on = ringBench();
    const sample = on.producer.reserve(33) as { record: bigint };
    on.producer.submit(sample as never);
    expect([on.ring.header(sample.record), Number(on.ring.producer), on.drain()]).toEqual([33, 48, 1]);
  });

  it('A.9 discards ignored: may drop what it reserved: a ring of discarded samples is empty after a drain', () => {
    const on = ringBench();
    expect([fill(on, 8, 'discard'), on.drain(), on.counted()]).toEqual([256, 0, 0]);
    expect(typeof on.producer.reserve(8)).toBe('object');
  });

  it('A.9 loop: goes round and round: 8192 samples in batches', () => {
    const on = ringBench();
    for (let done = 0; done < 8192; ) {
      done += fill(on, 32);
      on.drain();
    }
    expect(on.counted()).toBeGreaterThanOrEqual(8192);
    expect(on.ring.producer).toBe(on.ring.consumer);
  });

  it.each([0x40000000, 0x80000000, 0xffffffff])('cannot reserve 0x%s bytes: those are flags', (size) => {
    expect(ringBench().producer.reserve(size)).toBe(E2BIG);
  });

  it('keeps samples back until they are submitted', () => {
    const on = ringBench();
    const first = on.producer.reserve(8) as never;
    on.producer.submit(on.producer.reserve(8) as never);
    expect(on.drain()).toBe(0);
    on.producer.submit(first);
    expect(on.drain()).toBe(2);
  });
});

describe('a producer that waits', () => {
  const later = (on: RingBench, ms: number, action: () => void): void => {
    on.system.machine.agenda.add(on.system.machine.clock.nanoseconds + BigInt(ms) * 1_000_000n, action);
  };

  it('A.9 blocking reserve: gives up after its time', () => {
    const on = ringBench();
    fill(on, 32);
    const start = on.system.machine.clock.nanoseconds;
    expect(on.producer.reserveBlocking(32, 1000)).toBe(ENOSPC);
    const waited = Number(on.system.machine.clock.nanoseconds - start) / 1e6;
    expect(waited).toBeGreaterThanOrEqual(1000);
    expect(waited).toBeLessThan(1001);
  });

  it('A.9 blocking reserve: is woken by a drain', () => {
    const on = ringBench();
    fill(on, 32);
    later(on, 50, () => void on.drain());
    const start = on.system.machine.clock.nanoseconds;
    expect(typeof on.producer.reserveBlocking(32, 10_000)).toBe('object');
    expect(Number(on.system.machine.clock.nanoseconds - start) / 1e6).toBeLessThan(51);
  });

  it('tries once and once again without time', () => {
    const on = ringBench();
    fill(on, 32);
    expect([on.producer.reserveBlocking(32, 0), on.producer.reserveBlocking(32, -2)]).toEqual([ENOSPC, EINVAL]);
  });

  it('turns on the spot while there is room, but too little', () => {
    const on = ringBench();
    fill(on, 32);
    expect(on.producer.reserveBlocking(32, 5)).toBe(ENOSPC);
    on.ring.consumer += 40n;
    expect([on.producer.reserveBlocking(64, 200), on.producer.spins > 0]).toEqual([ENOSPC, true]);
  });
});

describe('a producer of version 3', () => {
  it('says ENODATA for a full ring and rounds what it writes into the header', () => {
    const on = ringBench('v3');
    const sample = on.producer.reserve(33) as { record: bigint };
    expect(on.ring.header(sample.record) & 0x3fffffff).toBe(40);
    on.producer.submit(sample as never);
    expect(on.drain()).toBe(1);
    fill(on, 32);
    expect([on.producer.reserve(32), on.producer.reserveBlocking(32, 5)]).toEqual([ENODATA, ENODATA]);
  });
});

describe('libbpf says why there is no producer', () => {
  it.each([
    [99, 'user ringbuf: failed to get map info for fd=99: Bad file descriptor', -9],
    ['replies', /^user ringbuf: map fd=\d+ is not BPF_MAP_TYPE_USER_RINGBUF$/, EINVAL],
  ])('%s', (what, message, error) => {
    const { process, system } = ringBench();
    const replies = system.machine.maps.all.find((known) => known instanceof RingBufferMap)!;
    const warnings: string[] = [];
    const fd = typeof what === 'number' ? what : process.openMap(replies);
    expect(UserRingProducer.open(process, fd, { warn: (text) => warnings.push(text) })).toBe(error);
    expect(warnings).toHaveLength(1);
    if (typeof message === 'string') expect(warnings[0]).toBe(message);
    else expect(warnings[0]).toMatch(message);
  });
});
