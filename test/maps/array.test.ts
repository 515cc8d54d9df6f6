import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../src/contracts/errors.ts';
import { KERNEL_HIGH } from '../../src/kernel/memory.ts';
import { BPF_F_RDONLY, BPF_F_RDONLY_PROG, BPF_F_WRONLY } from '../../src/maps/environment.ts';
import { Bench, u32 } from './environment.ts';

describe.each(['array', 'percpu_array'] as const)('%s', (type) => {
  it('has all its elements from the start, zeroed', () => {
    const bench = new Bench();
    const map = bench.create(type, { valueSize: 5 });
    for (let i = 0; i < 4; i++) expect(bench.get(map, i)).toEqual([0, 0, 0, 0, 0]);
    expect(bench.get(map, 4)).toBeNull();
    expect(bench.get(map, 0xffffffff)).toBeNull();
  });

  it.each([
    ['BPF_ANY', 1, 0n, 0],
    ['BPF_EXIST', 1, 2n, 0],
    ['BPF_NOEXIST', 1, 1n, -ERRNO.EEXIST],
    ['an index that is too large', 4, 0n, -ERRNO.E2BIG],
    ['an index that is too large and BPF_NOEXIST', 4, 1n, -ERRNO.E2BIG],
    ['unknown flags', 1, 8n, -ERRNO.EINVAL],
    ['unknown flags and an index that is too large', 9, 1n << 40n, -ERRNO.EINVAL],
    ['BPF_NOEXIST with BPF_EXIST', 1, 3n, -ERRNO.EINVAL],
    ['BPF_F_LOCK without a lock', 1, 4n, -ERRNO.EINVAL],
  ] as const)('update with %s', (_name, index, flags, expected) => {
    const bench = new Bench();
    const map = bench.create(type);
    expect(bench.put(map, index, 0x01020304, flags)).toBe(expected);
    expect(bench.get(map, 1)).toEqual(expected === 0 ? [4, 3, 2, 1] : [0, 0, 0, 0]);
  });

  it('refuses deletion', () => {
    const bench = new Bench();
    const map = bench.create(type);
    expect(map.delete(bench.key(0))).toBe(-ERRNO.EINVAL);
    expect(map.userDelete(u32(0))).toBe(-ERRNO.EINVAL);
  });

  it('is walked by index, from the start for a key beyond its end', () => {
    const map = new Bench().create(type);
    expect(map.userNextKey(null)).toEqual(u32(0));
    expect(map.userNextKey(u32(2))).toEqual(u32(3));
    expect(map.userNextKey(u32(3))).toBe(-ERRNO.ENOENT);
    expect(map.userNextKey(u32(77))).toEqual(u32(0));
  });

  it('is visited in order until the callback says stop', () => {
    const bench = new Bench();
    const map = bench.create(type);
    const keys: number[] = [];
    const visit = (key: number): number => {
      keys.push(bench.memory.loadU32(key));
      return keys.length === 3 ? 1 : 0;
    };
    expect(map.forEach(visit)).toBe(3);
    expect(keys).toEqual([0, 1, 2]);
  });
});

describe('array', () => {
  it('has fences between its elements', () => {
    const bench = new Bench();
    const map = bench.create('array', { valueSize: 12 });
    const at = map.lookup(bench.key(1));
    expect(bench.memory.probe(at + 8, KERNEL_HIGH, 4, true)).toBe(at + 8);
    expect(bench.memory.probe(at + 8, KERNEL_HIGH, 8, true)).toBe(-1);
    expect(bench.memory.probe(at + 16, KERNEL_HIGH, 1, true)).toBe(-1);
    expect(bench.memory.probe(at - 1, KERNEL_HIGH, 1, true)).toBe(-1);
  });

  it('of one element begins with its initial bytes, and is read-only for programs if it says so', () => {
    const bench = new Bench();
    const map = bench.create('array', {
      maxEntries: 1,
      valueSize: 6,
      initial: Uint8Array.of(1, 2, 3, 4, 5, 6),
      flags: BPF_F_RDONLY_PROG,
    });
    const at = map.directValue();
    expect(bench.at(at, 6)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(bench.memory.probe(at, KERNEL_HIGH, 6, false)).toBe(at);
    expect(bench.memory.probe(at, KERNEL_HIGH, 1, true)).toBe(-1);
    expect(map.userUpdate(u32(0), Uint8Array.of(9, 9, 9, 9, 9, 9))).toBe(0);
    expect(bench.at(at, 6)).toEqual([9, 9, 9, 9, 9, 9]);
  });

  it('obeys the access flags of user space and freezing', () => {
    const bench = new Bench();
    const readOnly = bench.create('array', { flags: BPF_F_RDONLY });
    expect(readOnly.userUpdate(u32(0), u32(1))).toBe(-ERRNO.EPERM);
    const writeOnly = bench.create('array', { flags: BPF_F_WRONLY });
    expect(writeOnly.userLookup(u32(0))).toBe(-ERRNO.EPERM);
    expect(writeOnly.userNextKey(null)).toBe(-ERRNO.EPERM);
    const map = bench.create('array');
    expect(map.freeze()).toBe(0);
    expect(map.freeze()).toBe(-ERRNO.EBUSY);
    expect(map.userUpdate(u32(0), u32(1))).toBe(-ERRNO.EPERM);
    expect(bench.put(map, 0, 5)).toBe(0);
  });

  it('reserves a large range of memory without touching it, and says so when there is none', () => {
    const bench = new Bench(1, 64 << 20);
    const map = bench.create('array', { maxEntries: 1 << 20, valueSize: 40 });
    expect(bench.put(map, (1 << 20) - 1, new Uint8Array(40).fill(7))).toBe(0);
    expect(bench.get(map, (1 << 20) - 1)).toEqual(new Array(40).fill(7));
    expect(() => bench.create('array', { maxEntries: 1 << 20, valueSize: 40 })).toThrow(`${-ERRNO.ENOMEM}`);
  });
});

describe('percpu_array', () => {
  it('has a value for each CPU, which user space sees side by side', () => {
    const bench = new Bench(3);
    const map = bench.create('percpu_array');
    for (let cpu = 0; cpu < 3; cpu++) {
      bench.currentCpu = cpu;
      bench.put(map, 1, 100 + cpu);
    }
    expect(map.userLookup(u32(1))).toEqual(
      Uint8Array.of(100, 0, 0, 0, 0, 0, 0, 0, 101, 0, 0, 0, 0, 0, 0, 0, 102, 0, 0, 0, 0, 0, 0, 0),
    );
    expect(bench.at(map.lookupPercpu(bench.key(1), 2), 4)).toEqual([102, 0, 0, 0]);
    expect(map.lookupPercpu(bench.key(1), 3)).toBe(0);
    expect(map.userUpdate(u32(1), u32(1))).toBe(-ERRNO.EINVAL);
    expect(map.userUpdate(u32(1), new Uint8Array(24).fill(1))).toBe(0);
    expect(bench.get(map, 1)).toEqual([1, 1, 1, 1]);
  });
});
