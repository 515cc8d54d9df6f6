import { describe, expect, it } from 'vitest';
import { ERRNO, Malformed, Unmodelled } from '../../src/contracts/errors.ts';
import type { ArenaMap } from '../../src/maps/arena.ts';
import type { BloomFilterMap } from '../../src/maps/bloom_filter.ts';
import { dumpMap, seedMap } from '../../src/maps/dump.ts';
import { BPF_F_ZERO_SEED } from '../../src/maps/environment.ts';
import { jhash } from '../../src/maps/jhash.ts';
import type { PerfEventArrayMap } from '../../src/maps/perf_event_array.ts';
import type { MapOfMaps, ProgArrayMap } from '../../src/maps/reference_maps.ts';
import { BPF_F_REUSE_STACKID, type StackTraceMap } from '../../src/maps/stack_trace.ts';
import type { Program } from '../../src/program/program.ts';
import { Bench, mapDef, u32, u64 } from './environment.ts';

const text = (value: string): Uint8Array => Uint8Array.from(value, (char) => char.charCodeAt(0));

describe('jhash', () => {
  it.each([
    ['nothing', '', 0, 0xdeadbeef],
    ['seeded nothing', '', 0xdeadbeef, 0xbd5b7dde],
    ['a sentence', 'Four score and seven years ago', 0, 0x17770551],
    ['a sentence with a seed', 'Four score and seven years ago', 1, 0xcd628161],
  ] as const)('of %s is the published value of lookup3', (_name, input, seed, expected) => {
    expect(jhash(text(input), seed)).toBe(expected);
  });
});

describe('bloom_filter', () => {
  const newFilter = (flags = 0) => {
    const bench = new Bench();
    return {
      bench,
      filter: bench.create('bloom_filter', { keySize: 0, valueSize: 4, maxEntries: 100, flags }) as BloomFilterMap,
    };
  };

  it('always finds what was pushed, and seldom anything else', () => {
    const { bench, filter } = newFilter();
    for (let i = 0; i < 100; i++) expect(filter.push(bench.value(u32(i)), 0n)).toBe(0);
    let wrong = 0;
    for (let i = 0; i < 1000; i++) {
      const found = filter.peek(bench.value(u32(i))) === 0;
      if (i < 100) expect(found).toBe(true);
      else if (found) wrong++;
    }
    expect(wrong).toBeLessThan(100);
  });

  it('with a zero seed is the same everywhere', () => {
    const bits = (flags: number): boolean[] => {
      const { bench, filter } = newFilter(flags);
      for (let i = 0; i < 100; i++) filter.push(bench.value(u32(i)), 0n);
      return Array.from({ length: 300 }, (_, i) => filter.peek(bench.value(u32(1000 + i))) === 0);
    };
    expect(bits(BPF_F_ZERO_SEED)).toEqual(bits(BPF_F_ZERO_SEED));
    expect(bits(BPF_F_ZERO_SEED)).not.toEqual(bits(0));
  });

  it.each([
    ['push with flags', (bench: Bench, filter: BloomFilterMap) => filter.push(bench.value(u32(1)), 2n), -ERRNO.EINVAL],
    ['pop', (bench: Bench, filter: BloomFilterMap) => filter.pop(bench.value(u32(1))), -ERRNO.EOPNOTSUPP],
    ['delete', (bench: Bench, filter: BloomFilterMap) => filter.delete(bench.key(1)), -ERRNO.EOPNOTSUPP],
    ['update', (bench: Bench, filter: BloomFilterMap) => bench.put(filter, 1, 1), -ERRNO.EINVAL],
    ['the next key', (_: Bench, filter: BloomFilterMap) => filter.userNextKey(null), -ERRNO.EOPNOTSUPP],
  ] as const)('refuses %s', (_name, action, expected) => {
    const { bench, filter } = newFilter();
    expect(action(bench, filter)).toBe(expected);
  });
});

describe('prog_array', () => {
  it('holds programs that only user space puts there', () => {
    const bench = new Bench();
    const map = bench.create('prog_array') as ProgArrayMap;
    const program = { name: 'target' } as Program;
    expect(map.setProgram(4, program)).toBe(-ERRNO.E2BIG);
    expect(map.setProgram(1, program, 1n)).toBe(-ERRNO.EINVAL);
    expect(map.setProgram(1, program)).toBe(0);
    expect(map.programAt(1)).toBe(program);
    expect(map.programAt(-1)).toBeNull();
    expect(map.userLookup(u32(1))).toEqual(u32(1));
    expect(map.lookup(bench.key(1))).toBe(0);
    expect(map.userUpdate(u32(0), u32(3))).toBe(-ERRNO.EINVAL);
    expect(map.userDelete(u32(1))).toBe(0);
    expect(map.userDelete(u32(1))).toBe(-ERRNO.ENOENT);
    expect(map.userDelete(u32(9))).toBe(-ERRNO.E2BIG);
  });
});

describe('maps of maps', () => {
  const inner = mapDef('array', { maxEntries: 2 });

  it.each(['array_of_maps', 'hash_of_maps'] as const)('%s gives the inner map to programs', (type) => {
    const bench = new Bench();
    const outer = bench.create(type, { inner }) as MapOfMaps;
    const map = bench.create('array', { maxEntries: 2 });
    expect(outer.setInner(u32(1), map)).toBe(0);
    expect(outer.lookup(bench.key(1))).toBe(map.offset);
    expect(outer.lookup(bench.key(0))).toBe(0);
    expect(outer.userLookup(u32(1))).toEqual(u32(1));
    expect(outer.setInner(u32(2), bench.create('array', { maxEntries: 2, valueSize: 8 }))).toBe(-ERRNO.EINVAL);
    expect(outer.userDelete(u32(1))).toBe(0);
    expect(outer.userDelete(u32(1))).toBe(-ERRNO.ENOENT);
    expect(outer.lookup(bench.key(1))).toBe(0);
  });

  it('differ in their flags and limits', () => {
    const bench = new Bench();
    const map = bench.create('array', { maxEntries: 2 });
    const array = bench.create('array_of_maps', { inner, maxEntries: 1 }) as MapOfMaps;
    expect(array.setInner(u32(1), map)).toBe(-ERRNO.E2BIG);
    expect(array.setInner(u32(0), map, 1n)).toBe(-ERRNO.EINVAL);
    const hash = bench.create('hash_of_maps', { inner, maxEntries: 1 }) as MapOfMaps;
    expect(hash.setInner(u32(7), map, 2n)).toBe(-ERRNO.ENOENT);
    expect(hash.setInner(u32(7), map, 1n)).toBe(0);
    expect(hash.setInner(u32(7), map, 1n)).toBe(-ERRNO.EEXIST);
    expect(hash.setInner(u32(8), map)).toBe(-ERRNO.E2BIG);
  });
});

describe('perf_event_array', () => {
  const CURRENT = 0xffffffffn;

  it('takes output on the CPU that runs', () => {
    const bench = new Bench(2);
    const map = bench.create('perf_event_array', { maxEntries: 4 }) as PerfEventArrayMap;
    bench.currentCpu = 1;
    expect(map.output(CURRENT, Uint8Array.of(1, 2))).toBe(0);
    expect(map.output(1n, Uint8Array.of(3))).toBe(0);
    expect(map.output(0n, Uint8Array.of(3))).toBe(-ERRNO.EOPNOTSUPP);
    expect(map.output(3n, Uint8Array.of(3))).toBe(-ERRNO.ENOENT);
    expect(map.output(4n, Uint8Array.of(3))).toBe(-ERRNO.E2BIG);
    expect(bench.outcomes).toEqual([
      { kind: 'perf-output', map: 'sample', cpu: 1, data: Uint8Array.of(1, 2) },
      { kind: 'perf-output', map: 'sample', cpu: 1, data: Uint8Array.of(3) },
    ]);
  });

  it('reads counters, and refuses events of the other kind', () => {
    const bench = new Bench(1);
    const map = bench.create('perf_event_array') as PerfEventArrayMap;
    map.events[1] = { kind: 'counter', cpu: 0, count: 123n };
    expect(map.read(1n)).toBe(123n);
    expect(map.read(CURRENT)).toBe(BigInt(-ERRNO.EINVAL));
    expect(map.read(2n)).toBe(BigInt(-ERRNO.ENOENT));
    expect(map.read(9n)).toBe(BigInt(-ERRNO.E2BIG));
    expect(map.read(1n << 32n)).toBe(BigInt(-ERRNO.EINVAL));
    expect(map.output(1n, Uint8Array.of(1))).toBe(-ERRNO.EINVAL);
  });
});

describe('redirect maps', () => {
  it('devmap holds interfaces by index', () => {
    const bench = new Bench();
    const map = bench.create('devmap', { valueSize: 8 });
    expect(map.userUpdate(u32(1), u64(3))).toBe(0);
    expect(map.redirectTarget(1)).toEqual({ ifindex: 3 });
    expect(bench.get(map, 1)).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
    expect(map.userUpdate(u32(4), u64(3))).toBe(-ERRNO.E2BIG);
    expect(map.userUpdate(u32(1), u64(3), 1n)).toBe(-ERRNO.EEXIST);
    expect(map.userUpdate(u32(1), u64(0))).toBe(0);
    expect(map.redirectTarget(1)).toBeNull();
  });

  it('devmap_hash holds interfaces by any key', () => {
    const map = new Bench().create('devmap_hash', { maxEntries: 1 });
    expect(map.userUpdate(u32(1000), u32(5))).toBe(0);
    expect(map.userUpdate(u32(1000), u32(6), 1n)).toBe(-ERRNO.EEXIST);
    expect(map.userUpdate(u32(2000), u32(6))).toBe(-ERRNO.E2BIG);
    expect(map.userNextKey(null)).toEqual(u32(1000));
    expect(map.userDelete(u32(2000))).toBe(-ERRNO.ENOENT);
    expect(map.userDelete(u32(1000))).toBe(0);
  });
});

describe('dumps', () => {
  it('have bytes as text, and can be read back', () => {
    const bench = new Bench();
    const map = bench.create('hash', { valueSize: 2 });
    expect(seedMap(map, [{ key: ['0x01', '0x00', '0x00', 0], value: ['0xff', 16] }])).toBe(0);
    const dump = dumpMap(map);
    expect(dump).toEqual([{ key: ['0x01', '0x00', '0x00', '0x00'], value: ['0xff', '0x10'] }]);
    const copy = bench.create('hash', { valueSize: 2 });
    expect(seedMap(copy, dump)).toBe(0);
    expect(dumpMap(copy)).toEqual(dump);
  });

  it('of per-CPU maps have one value for each CPU', () => {
    const bench = new Bench(2);
    const map = bench.create('percpu_array', { maxEntries: 1, valueSize: 1 });
    const dump = [
      {
        key: ['0x00', '0x00', '0x00', '0x00'],
        values: [
          { cpu: 0, value: ['0x07'] },
          { cpu: 1, value: ['0x09'] },
        ],
      },
    ];
    expect(seedMap(map, dump)).toBe(0);
    expect(dumpMap(map)).toEqual(dump);
  });

  it.each([
    ['no list', {}],
    ['an entry that is no object', [3]],
    ['a short key', [{ key: ['0x01'], value: ['0x01', '0x02'] }]],
    ['a byte that is none', [{ key: [0, 0, 0, 256], value: [1, 2] }]],
    ['a word for a byte', [{ key: [0, 0, 0, 'x'], value: [1, 2] }]],
    ['no value', [{ key: [0, 0, 0, 0] }]],
  ])('with %s are malformed', (_name, content) => {
    expect(() => seedMap(new Bench().create('hash', { valueSize: 2 }), content)).toThrow(Malformed);
  });

  it('answer the errno of the map', () => {
    expect(seedMap(new Bench().create('array', { valueSize: 1 }), [{ key: [9, 0, 0, 0], value: [1] }])).toBe(-ERRNO.E2BIG);
  });
});

describe('stack_trace', () => {
  const newMap = () => new Bench().create('stack_trace', { valueSize: 24, maxEntries: 3 }) as StackTraceMap;

  it('keeps chains by their hash, cut to the depth of its values', () => {
    const map = newMap();
    const id = map.keep([0x10n, 0x20n, 0x30n, 0x40n], 0);
    expect(id).toBeGreaterThanOrEqual(0);
    expect(id).toBeLessThan(4);
    expect(map.keep([0x10n, 0x20n, 0x30n, 0x50n], 0)).toBe(id);
    expect(map.userLookup(u32(id))).toEqual(Uint8Array.from([...u64(0x10), ...u64(0x20), ...u64(0x30)]));
    expect(map.userNextKey(null)).toEqual(u32(id));
    expect(map.userNextKey(u32(id))).toBe(-ERRNO.ENOENT);
    expect(map.userDelete(u32(id))).toBe(0);
    expect(map.userDelete(u32(id))).toBe(-ERRNO.ENOENT);
    expect(map.userDelete(u32(4))).toBe(-ERRNO.E2BIG);
  });

  it('skips frames, and answers EFAULT when none is left', () => {
    const map = newMap();
    const id = map.keep([1n, 2n], 1);
    expect(map.userLookup(u32(id))).toEqual(Uint8Array.from([...u64(2), ...u64(0), ...u64(0)]));
    expect(map.keep([1n, 2n], 2)).toBe(-ERRNO.EFAULT);
  });

  it('answers EEXIST for another chain in the same place, unless it may be replaced', () => {
    const map = newMap();
    const first = map.keep([1n], 0);
    let other = 2n;
    while (map.keep([other], BPF_F_REUSE_STACKID) !== first) map.userDelete(u32(map.keep([other++], BPF_F_REUSE_STACKID)));
    expect(map.keep([1n], 0)).toBe(-ERRNO.EEXIST);
    expect(map.keep([1n], BPF_F_REUSE_STACKID)).toBe(first);
  });
});

describe('maps of descriptors', () => {
  it.each([
    ['sockmap', -ERRNO.EINVAL],
    ['sockhash', -ERRNO.ENOENT],
    ['xskmap', 0],
    ['reuseport_sockarray', -ERRNO.ENOENT],
    ['cgroup_array', -ERRNO.ENOENT],
  ] as const)('%s are empty', (type, deleted) => {
    const bench = new Bench();
    const map = bench.create(type);
    expect(bench.get(map, 0)).toBeNull();
    expect(map.redirectTarget(0)).toBeNull();
    expect(map.userUpdate(u32(0), u32(3))).toBe(-ERRNO.EBADF);
    expect(map.delete(bench.key(0))).toBe(deleted);
  });
});

describe('arena', () => {
  const newArena = (def = {}) => {
    const bench = new Bench();
    return { bench, arena: bench.create('arena', { keySize: 0, valueSize: 0, maxEntries: 4, ...def }) as ArenaMap };
  };

  it('maps pages where it has room, and where it is told', () => {
    const { arena } = newArena();
    expect(arena.allocatePages(0n, 2)).toBe(arena.userStart);
    expect(arena.allocatePages(arena.userStart + 0x1000n, 1)).toBe(0n);
    expect(arena.allocatePages(arena.userStart + 0x3000n, 2)).toBe(0n);
    expect(arena.allocatePages(arena.userStart + 0x3001n, 1)).toBe(0n);
    expect(arena.allocatePages(arena.userStart + 0x3000n, 1)).toBe(arena.userStart + 0x3000n);
    expect(arena.allocatePages(0n, 2)).toBe(0n);
    expect(arena.allocatePages(0n, 1)).toBe(arena.userStart + 0x2000n);
    arena.freePages(arena.userStart, 2);
    expect(arena.allocatePages(0n, 2)).toBe(arena.userStart);
  });

  it('begins with the global variables in it', () => {
    const { bench, arena } = newArena({ initial: Uint8Array.of(1, 2, 3), mapExtra: 0x1000_8000n });
    expect([...arena.read(0, 4)]).toEqual([1, 2, 3, 0]);
    const offset = bench.memory.probe(0x8000, 0, 1, true);
    expect(offset).toBe(-1);
    expect(bench.memory.probe(0x10008000, 0, 4, true)).toBeGreaterThan(0);
  });
});

describe('map types without operations', () => {
  it.each(['struct_ops'] as const)('%s cannot be made', (type) => {
    expect(() => new Bench().create(type)).toThrow(Unmodelled);
  });
});
