import { describe, expect, it } from 'vitest';
import { ERRNO, Fault } from '../../src/contracts/errors.ts';
import { KERNEL_HIGH } from '../../src/kernel/memory.ts';
import type { RingBufferMap } from '../../src/maps/ring_buffer.ts';
import { Bench } from './environment.ts';

const newRing = (size = 4096) => {
  const bench = new Bench();
  return { bench, ring: bench.create('ringbuf', { keySize: 0, valueSize: 0, maxEntries: size }) as RingBufferMap };
};
const positions = (ring: RingBufferMap): bigint[] => [0n, 1n, 2n, 3n].map((flags) => ring.query(flags));

describe('ringbuf', () => {
  it('has records with an 8-byte header, which are busy until they are committed', () => {
    const { bench, ring } = newRing();
    const sample = ring.reserve(5);
    expect(bench.memory.loadU32(sample - 8)).toBe(0x80000005);
    expect(bench.memory.loadU32(sample - 4)).toBe(3);
    expect(ring.consume()).toEqual([]);
    bench.memory.u8.set([1, 2, 3, 4, 5], sample);
    ring.commit(sample, 0n, false);
    expect(bench.memory.loadU32(sample - 8)).toBe(5);
    expect(positions(ring)).toEqual([16n, 4096n, 0n, 16n]);
    expect(ring.consume()).toEqual([Uint8Array.of(1, 2, 3, 4, 5)]);
    expect(positions(ring)).toEqual([0n, 4096n, 16n, 16n]);
    expect(ring.query(9n)).toBe(0n);
  });

  it('lets a program touch exactly its reserved bytes, until it gives them up', () => {
    const { bench, ring } = newRing();
    const sample = ring.reserve(13);
    const probe = (from: number, size: number): boolean => bench.memory.probe(sample + from, KERNEL_HIGH, size, true) >= 0;
    expect([probe(0, 13), probe(-1, 1), probe(13, 1), probe(8, 8)]).toEqual([true, false, false, false]);
    ring.commit(sample, 0n, true);
    expect(probe(0, 1)).toBe(false);
    expect(() => ring.commit(sample, 0n, false)).toThrow(Fault);
    expect(() => ring.commit(sample + 8, 0n, false)).toThrow(Fault);
  });

  it('delivers in order of reservation; discarded records are skipped', () => {
    const { bench, ring } = newRing();
    const [first, second, third] = [ring.reserve(8), ring.reserve(8), ring.reserve(8)];
    bench.memory.storeI32(third, 3);
    ring.commit(third, 0n, false);
    expect(ring.consume()).toEqual([]);
    ring.commit(second, 0n, true);
    bench.memory.storeI32(first, 1);
    ring.commit(first, 0n, false);
    expect(ring.consume().map((sample) => sample[0])).toEqual([1, 3]);
  });

  it.each([
    ['the whole ring', 4096 - 8, 0],
    ['one byte less than the ring', 4096 - 16, 1],
    ['more than the ring', 5000, 0],
    ['more than any record may have', 2 ** 30, 0],
  ] as const)('takes or refuses a record of %s', (_name, size, taken) => {
    expect(newRing().ring.reserve(size) === 0 ? 0 : 1).toBe(taken);
  });

  it('is full when the producer would catch up with the consumer, or span a whole ring of unfinished records', () => {
    const { ring } = newRing();
    const first = ring.reserve(8);
    let count = 1;
    while (ring.reserve(8) !== 0) count++;
    expect(count).toBe(4096 / 16 - 1);
    ring.commit(first, 0n, false);
    expect(ring.reserve(8)).toBe(0);
    expect(ring.consume().length).toBe(1);
    expect(ring.reserve(8)).not.toBe(0);
  });

  it('keeps a record that runs over the end in one piece', () => {
    const { bench, ring } = newRing();
    ring.output(bench.value(new Uint8Array(3000)), 3000, 0n);
    ring.consume();
    const bytes = Uint8Array.from({ length: 2000 }, (_, i) => i);
    expect(ring.output(bench.value(bytes), 2000, 0n)).toBe(0);
    expect(ring.consume()).toEqual([bytes]);
    expect(positions(ring)).toEqual([0n, 4096n, 5016n, 5016n]);
  });

  it('wakes its consumer when that waits for this record, unless told otherwise', () => {
    const { bench, ring } = newRing();
    const output = (flags: bigint): number => ring.output(bench.value(new Uint8Array(8)), 8, flags);
    output(0n);
    expect(ring.wakeups).toBe(1);
    output(0n);
    expect(ring.wakeups).toBe(1);
    output(2n);
    expect(ring.wakeups).toBe(2);
    ring.consume();
    output(1n);
    expect(ring.wakeups).toBe(2);
    expect(bench.outcomes.map((outcome) => outcome.kind === 'ringbuf-output' && outcome.wakeup)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('output answers EINVAL for unknown flags and EAGAIN without room', () => {
    const { bench, ring } = newRing();
    expect(ring.output(bench.value(new Uint8Array(8)), 8, 4n)).toBe(-ERRNO.EINVAL);
    expect(ring.output(bench.value(new Uint8Array(8)), 4090, 0n)).toBe(-ERRNO.EAGAIN);
  });
});
