import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../src/contracts/errors.ts';
import { KERNEL_HIGH } from '../../src/kernel/memory.ts';
import type { BpfMap } from '../../src/maps/bpf_map.ts';
import { BPF_F_NO_COMMON_LRU, BPF_F_NO_PREALLOC } from '../../src/maps/environment.ts';
import { Bench, u32, u64 } from './environment.ts';

const keysOf = (map: BpfMap): number[] => [...map.entries()].map(([key]) => new DataView(key.buffer).getUint32(0, true));

describe.each([
  ['hash', 0],
  ['hash', BPF_F_NO_PREALLOC],
  ['percpu_hash', 0],
  ['lru_hash', 0],
  ['lru_hash', BPF_F_NO_COMMON_LRU],
  ['lru_percpu_hash', 0],
] as const)('%s with flags %i', (type, flags) => {
  it.each([
    ['BPF_ANY of a new key', 5, 0n, 0],
    ['BPF_ANY of a known key', 1, 0n, 0],
    ['BPF_NOEXIST of a new key', 5, 1n, 0],
    ['BPF_NOEXIST of a known key', 1, 1n, -ERRNO.EEXIST],
    ['BPF_EXIST of a new key', 5, 2n, -ERRNO.ENOENT],
    ['BPF_EXIST of a known key', 1, 2n, 0],
    ['unknown flags', 1, 3n, -ERRNO.EINVAL],
    ['BPF_F_LOCK without a lock', 1, 4n, -ERRNO.EINVAL],
  ] as const)('update with %s', (_name, key, updateFlags, expected) => {
    const bench = new Bench();
    const map = bench.create(type, { flags, maxEntries: 8 });
    expect(bench.put(map, 1, 11)).toBe(0);
    expect(bench.put(map, key, 0x22, updateFlags)).toBe(expected);
    expect(bench.get(map, 1)).toEqual([key === 1 && expected === 0 ? 0x22 : 11, 0, 0, 0]);
    expect(bench.get(map, 5)).toEqual(key === 5 && expected === 0 ? [0x22, 0, 0, 0] : null);
  });

  it('forgets what is deleted', () => {
    const bench = new Bench();
    const map = bench.create(type, { flags });
    bench.put(map, 1, 11);
    expect(map.delete(bench.key(1))).toBe(0);
    expect(map.delete(bench.key(1))).toBe(-ERRNO.ENOENT);
    expect(bench.get(map, 1)).toBeNull();
    expect(map.userLookup(u32(1))).toBe(-ERRNO.ENOENT);
    expect(map.userNextKey(null)).toBe(-ERRNO.ENOENT);
  });

  it('is walked key by key, and from the start for a key that is not there', () => {
    const bench = new Bench();
    const map = bench.create(type, { flags, maxEntries: 8 });
    for (const key of [7, 3, 9]) bench.put(map, key, key);
    expect(keysOf(map).sort()).toEqual([3, 7, 9]);
    expect(map.userNextKey(u32(1234))).toEqual(map.userNextKey(null));
    const visited: number[] = [];
    const visit = (key: number, value: number): number => {
      visited.push(bench.memory.loadU32(key), bench.memory.loadU32(value));
      return 0;
    };
    expect(map.forEach(visit)).toBe(3);
    expect(visited.filter((_, i) => i % 2 === 0).sort()).toEqual([3, 7, 9]);
    expect(visited.every((word, i) => word === visited[i - (i % 2)])).toBe(true);
  });

  it('takes keys of any size', () => {
    for (const keySize of [1, 2, 3, 5, 8, 13, 64]) {
      const bench = new Bench();
      const map = bench.create(type, { flags, keySize, maxEntries: 16 });
      const key = (last: number): Uint8Array => new Uint8Array(keySize).fill(last, keySize - 1);
      bench.put(map, key(1), 1);
      bench.put(map, key(2), 2);
      expect(bench.get(map, key(1))).toEqual([1, 0, 0, 0]);
      expect(bench.get(map, key(2))).toEqual([2, 0, 0, 0]);
      expect(bench.get(map, key(3))).toBeNull();
    }
  });

  it('has a fence between key and value', () => {
    const bench = new Bench();
    const map = bench.create(type, { flags, keySize: 5, valueSize: 5 });
    bench.put(map, new Uint8Array(5), new Uint8Array(5));
    const visit = (key: number, value: number): number => {
      expect(bench.memory.probe(key, KERNEL_HIGH, 5, false)).toBe(key);
      expect(bench.memory.probe(key, KERNEL_HIGH, 6, false)).toBe(-1);
      expect(bench.memory.probe(value, KERNEL_HIGH, 5, true)).toBe(value);
      expect(bench.memory.probe(value - 1, KERNEL_HIGH, 1, false)).toBe(-1);
      expect(bench.memory.probe(value + 5, KERNEL_HIGH, 1, false)).toBe(-1);
      return 0;
    };
    expect(map.forEach(visit)).toBe(1);
  });
});

describe('hash', () => {
  it.each([0, BPF_F_NO_PREALLOC])('is full at max_entries, but takes updates of known keys (flags %i)', (flags) => {
    const bench = new Bench();
    const map = bench.create('hash', { flags, maxEntries: 3 });
    for (const key of [1, 2, 3]) expect(bench.put(map, key, key)).toBe(0);
    expect(bench.put(map, 4, 4)).toBe(-ERRNO.E2BIG);
    expect(bench.put(map, 2, 22)).toBe(0);
    expect(map.delete(bench.key(1))).toBe(0);
    expect(bench.put(map, 4, 4)).toBe(0);
    expect(keysOf(map).sort()).toEqual([2, 3, 4]);
  });

  it('puts another element in the place of an updated one: old pointers see the old value', () => {
    const bench = new Bench();
    const map = bench.create('hash');
    bench.put(map, 1, 11);
    const old = map.lookup(bench.key(1));
    bench.put(map, 1, 12);
    expect(bench.at(old, 1)).toEqual([11]);
    expect(bench.get(map, 1)).toEqual([12, 0, 0, 0]);
  });

  it('keeps deleted elements readable until the RCU section ends, and notes their reuse within it', () => {
    const bench = new Bench();
    const map = bench.create('hash', { maxEntries: 1 });
    bench.put(map, 1, 11);
    const at = map.lookup(bench.key(1));
    map.delete(bench.key(1));
    expect(bench.memory.probe(at, KERNEL_HIGH, 4, false)).toBe(at);
    bench.put(map, 2, 22);
    expect(bench.notes.length).toBe(1);
    expect(map.lookup(bench.key(2))).toBe(at);
    map.delete(bench.key(2));
    bench.endRcu();
    expect(bench.memory.probe(at, KERNEL_HIGH, 4, false)).toBe(-1);
    bench.put(map, 3, 33);
    expect(bench.get(map, 3)).toEqual([33, 0, 0, 0]);
    expect(bench.notes.length).toBe(1);
  });

  it('without preallocation answers ENOMEM when an allocation fails', () => {
    const bench = new Bench();
    const map = bench.create('hash', { flags: BPF_F_NO_PREALLOC });
    bench.failing = true;
    expect(bench.put(map, 1, 1)).toBe(-ERRNO.ENOMEM);
  });

  it('goes with its callback when that deletes what it visits', () => {
    const bench = new Bench();
    const map = bench.create('hash', { maxEntries: 8 });
    for (const key of [1, 2, 3, 4]) bench.put(map, key, key);
    const visit = (key: number): number => map.delete(key);
    expect(map.forEach(visit)).toBe(4);
    expect(keysOf(map)).toEqual([]);
  });
});

describe('percpu_hash', () => {
  it('gives other CPUs zeros when a program inserts, whatever was there before', () => {
    const bench = new Bench(2);
    const map = bench.create('percpu_hash', { maxEntries: 1 });
    map.userUpdate(u32(1), Uint8Array.from([...u64(5), ...u64(6)]));
    map.userDelete(u32(1));
    bench.put(map, 2, 9);
    expect(map.userLookup(u32(2))).toEqual(Uint8Array.from([...u64(9), ...u64(0)]));
  });

  it('is updated in place, on the CPU that runs', () => {
    const bench = new Bench(2);
    const map = bench.create('percpu_hash');
    bench.put(map, 1, 5);
    const at = map.lookup(bench.key(1));
    bench.currentCpu = 1;
    bench.put(map, 1, 6);
    expect(map.userLookup(u32(1))).toEqual(Uint8Array.from([...u64(5), ...u64(6)]));
    expect(bench.at(at, 4)).toEqual([5, 0, 0, 0]);
    expect(bench.at(map.lookupPercpu(bench.key(1), 0), 4)).toEqual([5, 0, 0, 0]);
  });
});

describe('lru_hash', () => {
  it('never refuses a new key, and holds at most max_entries', () => {
    const bench = new Bench(2);
    const map = bench.create('lru_hash', { maxEntries: 20 });
    for (let key = 0; key < 1000; key++) expect(bench.put(map, key, key)).toBe(0);
    const keys = keysOf(map);
    expect(keys.length).toBeLessThanOrEqual(20);
    expect(keys).toContain(999);
  });

  it('evicts what was not looked up before what was', () => {
    const bench = new Bench(1);
    const map = bench.create('lru_hash', { maxEntries: 8 });
    for (let key = 0; key < 8; key++) bench.put(map, key, key);
    for (const key of [0, 2, 4]) bench.get(map, key);
    for (let key = 100; key < 103; key++) bench.put(map, key, key);
    const keys = keysOf(map);
    for (const key of [0, 2, 4]) expect(keys).toContain(key);
    expect(keys.length).toBeLessThanOrEqual(8);
  });

  it('is not told by lookups of user space what is in use', () => {
    const evicted = (touch: (bench: Bench, map: BpfMap) => void): boolean => {
      const bench = new Bench(1);
      const map = bench.create('lru_hash', { maxEntries: 4 });
      for (let key = 0; key < 4; key++) bench.put(map, key, key);
      touch(bench, map);
      for (let key = 10; key < 12; key++) bench.put(map, key, key);
      return !keysOf(map).includes(0);
    };
    expect(evicted((bench, map) => bench.get(map, 0))).toBe(false);
    expect(evicted((_, map) => map.userLookup(u32(0)))).toBe(true);
  });

  it('frees in batches: half of its share for each CPU at once', () => {
    const bench = new Bench(2);
    const map = bench.create('lru_hash', { maxEntries: 40 });
    let key = 0;
    while (keysOf(map).length === key) bench.put(map, key, key++);
    expect(key - keysOf(map).length).toBe(10);
  });

  it('with lists of their own gives each CPU its share', () => {
    const bench = new Bench(2);
    const map = bench.create('lru_hash', { maxEntries: 7, flags: BPF_F_NO_COMMON_LRU });
    expect(map.maxEntries).toBe(8);
    for (let key = 0; key < 100; key++) bench.put(map, key, key);
    expect(keysOf(map).length).toBeLessThanOrEqual(4);
    bench.currentCpu = 1;
    for (let key = 200; key < 204; key++) bench.put(map, key, key);
    expect(keysOf(map).filter((key) => key >= 200).length).toBe(4);
  });
});

describe('any sequence of operations on a hash', () => {
  const operation = fc.record({
    kind: fc.constantFrom('update', 'delete', 'lookup', 'end'),
    key: fc.integer({ min: 0, max: 9 }),
    value: fc.integer({ min: 0, max: 255 }),
    flags: fc.constantFrom(0n, 1n, 2n),
  });

  it.each([0, BPF_F_NO_PREALLOC])('gives what a plain dictionary gives (flags %i)', (flags) => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const bench = new Bench(2, 1 << 20);
        const map = bench.create('hash', { maxEntries: 5, flags });
        const model = new Map<number, number>();
        for (const { kind, key, value, flags: updateFlags } of operations) {
          if (kind === 'end') bench.endRcu();
          else if (kind === 'lookup') expect(bench.get(map, key)?.[0]).toBe(model.get(key));
          else if (kind === 'delete') expect(map.delete(bench.key(key))).toBe(model.delete(key) ? 0 : -ERRNO.ENOENT);
          else {
            const known = model.has(key);
            const expected =
              known && updateFlags === 1n
                ? -ERRNO.EEXIST
                : !known && updateFlags === 2n
                  ? -ERRNO.ENOENT
                  : !known && model.size === 5
                    ? -ERRNO.E2BIG
                    : 0;
            expect(bench.put(map, key, value, updateFlags)).toBe(expected);
            if (expected === 0) model.set(key, value);
          }
        }
        expect(new Set(keysOf(map))).toEqual(new Set(model.keys()));
      }),
      { numRuns: 100 },
    );
  });

  it('of an LRU hash never loses a key while it has room, and never tells a wrong value', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), fc.boolean(), (operations, ownLists) => {
        const bench = new Bench(2, 1 << 20);
        const map = bench.create('lru_hash', { maxEntries: 6, flags: ownLists ? BPF_F_NO_COMMON_LRU : 0 });
        const model = new Map<number, number>();
        for (const { kind, key, value } of operations) {
          bench.currentCpu = value & 1;
          if (kind === 'end') bench.endRcu();
          else if (kind === 'delete') {
            map.delete(bench.key(key));
            model.delete(key);
          } else if (kind === 'update') {
            expect(bench.put(map, key, value)).toBe(0);
            model.set(key, value);
            expect(bench.get(map, key)?.[0]).toBe(value);
          } else {
            const seen = bench.get(map, key)?.[0];
            if (seen !== undefined) expect(seen).toBe(model.get(key));
          }
          expect(keysOf(map).length).toBeLessThanOrEqual(6);
        }
      }),
      { numRuns: 100 },
    );
  });
});
