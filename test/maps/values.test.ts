import { describe, expect, it } from 'vitest';
import type { Field, FieldRecord } from '../../src/btf/special.ts';
import { ERRNO } from '../../src/contracts/errors.ts';
import { KERNEL_HIGH } from '../../src/kernel/memory.ts';
import { BPF_F_NO_PREALLOC } from '../../src/maps/environment.ts';
import type { LocalStorageMap } from '../../src/maps/local_storage.ts';
import { Bench, u32 } from './environment.ts';

const LOCK: Field = { type: 'BPF_SPIN_LOCK', offset: 4, size: 4 };
const KPTR: Field = { type: 'BPF_KPTR_REF', offset: 8, size: 8 };
const RECORD: FieldRecord = {
  fields: [LOCK, KPTR],
  mask: 0,
  spinLockOff: 4,
  resSpinLockOff: undefined,
  timerOff: undefined,
  wqOff: undefined,
  refcountOff: undefined,
  taskWorkOff: undefined,
};

/** Values of 20 bytes: plain 0-3, lock 4-7, kptr 8-15, plain 16-19. */
class FieldBench extends Bench {
  readonly freed: [string, number][] = [];

  override fieldsOf(): FieldRecord {
    return RECORD;
  }

  override freeField({ type }: Field, offset: number): void {
    this.freed.push([type, offset]);
  }
}

describe('values with special fields', () => {
  it.each(['array', 'hash', 'percpu_hash', 'lru_hash'] as const)('%s copies only plain bytes in and out', (type) => {
    const bench = new FieldBench(1);
    const map = bench.create(type, { valueSize: 20 });
    bench.put(map, 1, new Uint8Array(20).fill(7));
    const at = map.lookup(bench.key(1));
    expect(bench.at(at, 20)).toEqual([7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7]);
    bench.memory.storeI32(at + 4, 1);
    bench.memory.storeI32(at + 8, 0x1234);
    const seen = map.userLookup(u32(1));
    expect(typeof seen === 'number' ? seen : [...seen.subarray(0, 20)]).toEqual([
      7,
      7,
      7,
      7,
      ...new Array(12).fill(0),
      7,
      7,
      7,
      7,
    ]);
  });

  it('give back what their fields own when they are deleted', () => {
    const bench = new FieldBench(1);
    const map = bench.create('hash', { valueSize: 20 });
    bench.put(map, 1, new Uint8Array(20));
    const at = map.lookup(bench.key(1));
    bench.freed.length = 0;
    map.delete(bench.key(1));
    expect(bench.freed).toEqual([
      ['BPF_SPIN_LOCK', at + 4],
      ['BPF_KPTR_REF', at + 8],
    ]);
  });

  it('of a hash can be updated in place under their lock', () => {
    const bench = new FieldBench(1);
    const map = bench.create('hash', { valueSize: 20 });
    bench.put(map, 1, new Uint8Array(20).fill(1));
    const at = map.lookup(bench.key(1));
    expect(bench.put(map, 1, new Uint8Array(20).fill(2), 4n)).toBe(0);
    expect(map.lookup(bench.key(1))).toBe(at);
    expect(bench.at(at, 4)).toEqual([2, 2, 2, 2]);
    expect(bench.put(map, 1, new Uint8Array(20).fill(2), 5n)).toBe(-ERRNO.EEXIST);
    expect(bench.put(map, 2, new Uint8Array(20).fill(2), 6n)).toBe(-ERRNO.ENOENT);
    expect(map.userLookup(u32(1), 4n)).not.toBe(-ERRNO.EINVAL);
  });

  it('cannot be frozen, and are found by the name of a field', () => {
    const map = new FieldBench(1).create('array', { valueSize: 20 });
    expect(map.freeze()).toBe(-ERRNO.ENOTSUPP);
    expect(map.fieldOffset('bpf_spin_lock')).toBe(4);
    expect(map.fieldOffset('bpf_timer')).toBe(-1);
  });
});

describe('which map a value belongs to', () => {
  it.each(['array', 'percpu_array', 'hash', 'percpu_hash'] as const)('%s knows its own', (type) => {
    const bench = new Bench();
    const map = bench.create(type, { valueSize: 8 });
    bench.put(map, 1, new Uint8Array(8));
    const at = map.lookup(bench.key(1));
    expect([map.holdsValue(at), map.holdsValue(at + 7), map.holdsValue(bench.key(1))]).toEqual([true, true, false]);
  });
});

describe('local storage', () => {
  const newMap = (type: 'task_storage' | 'cgroup_storage') => {
    const bench = new Bench();
    return { bench, map: bench.create(type, { flags: BPF_F_NO_PREALLOC, valueSize: 8 }) as LocalStorageMap };
  };

  it('has a value for each owner, made when it is wanted', () => {
    const { bench, map } = newMap('task_storage');
    expect(map.get(100, 0, false)).toBe(0);
    const at = map.get(100, bench.value(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)), true);
    expect(bench.at(at, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(map.get(100, 0, false)).toBe(at);
    expect(map.get(200, 0, true)).not.toBe(at);
    expect([...map.owned()].map(([owner]) => owner)).toEqual([100, 200]);
  });

  it('of a deleted owner stays readable until the RCU section ends', () => {
    const { bench, map } = newMap('task_storage');
    const at = map.get(100, 0, true);
    expect(map.delete(100)).toBe(0);
    expect(map.delete(100)).toBe(-ERRNO.ENOENT);
    expect(bench.memory.probe(at, KERNEL_HIGH, 8, false)).toBe(at);
    bench.endRcu();
    expect(bench.memory.probe(at, KERNEL_HIGH, 8, false)).toBe(-1);
  });

  it('of the cgroup is always there', () => {
    expect(newMap('cgroup_storage').map.get(0, 0, false)).not.toBe(0);
  });

  it('is not made when an allocation fails', () => {
    const { bench, map } = newMap('task_storage');
    bench.failing = true;
    expect(map.get(1, 0, true)).toBe(0);
  });
});

describe('cpumap', () => {
  it.each([
    ['a queue', 1, 192, 0n, 0],
    ['a queue that is too long', 1, 16385, 0n, -ERRNO.EOVERFLOW],
    ['a processor that does not exist', 2, 192, 0n, -ERRNO.ENODEV],
    ['an index beyond its end', 4, 192, 0n, -ERRNO.E2BIG],
    ['BPF_NOEXIST', 1, 192, 1n, -ERRNO.EEXIST],
    ['unknown flags', 1, 192, 8n, -ERRNO.EINVAL],
    ['no queue, which empties the slot', 1, 0, 0n, 0],
  ] as const)('takes %s', (_name, index, size, flags, expected) => {
    const map = new Bench(2).create('cpumap');
    expect(map.userUpdate(u32(index), u32(size), flags)).toBe(expected);
    expect(map.redirectTarget(1) !== null).toBe(expected === 0 && size > 0);
    expect(map.userDelete(u32(9))).toBe(-ERRNO.EINVAL);
  });
});
