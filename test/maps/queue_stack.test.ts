import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../src/contracts/errors.ts';
import type { QueueStackMap } from '../../src/maps/queue_stack.ts';
import { Bench, u32 } from './environment.ts';

const NO_KEY = new Uint8Array(0);
const newMap = (type: 'queue' | 'stack', maxEntries = 3) => {
  const bench = new Bench();
  const map = bench.create(type, { keySize: 0, maxEntries }) as QueueStackMap;
  const at = bench.memory.allocate(4, { what: 'value' });
  const push = (value: number, flags = 0n): number => map.push(bench.value(u32(value)), flags);
  const take = (how: 'pop' | 'peek'): [number, number] => [map[how](at), bench.memory.loadU32(at)];
  return { bench, map, push, take };
};

describe.each([
  ['queue', [1, 2, 3]],
  ['stack', [3, 2, 1]],
] as const)('%s', (type, order) => {
  it('gives values back in its order', () => {
    const { map, push, take } = newMap(type);
    for (const value of [1, 2, 3]) expect(push(value)).toBe(0);
    expect(take('peek')).toEqual([0, order[0]]);
    expect([...map.entries()].map(([, value]) => value[0])).toEqual(order);
    expect(map.userLookup(NO_KEY)).toEqual(u32(order[0]));
    for (const value of order) expect(take('pop')).toEqual([0, value]);
  });

  it('zeroes the value and answers ENOENT when it is empty', () => {
    const { map, push, take } = newMap(type);
    push(7);
    expect(take('pop')).toEqual([0, 7]);
    expect(take('pop')).toEqual([-ERRNO.ENOENT, 0]);
    expect(take('peek')).toEqual([-ERRNO.ENOENT, 0]);
    expect(map.userLookup(NO_KEY)).toBe(-ERRNO.ENOENT);
    expect(map.userPop()).toBe(-ERRNO.ENOENT);
  });

  it.each([
    ['BPF_ANY', 0n, -ERRNO.E2BIG],
    ['BPF_NOEXIST', 1n, -ERRNO.EINVAL],
    ['BPF_EXIST', 2n, 0],
    ['BPF_F_LOCK', 4n, -ERRNO.EINVAL],
  ] as const)('when full takes a push with %s as the kernel does', (_name, flags, expected) => {
    const { push, take } = newMap(type);
    for (const value of [1, 2, 3]) push(value);
    expect(push(4, flags)).toBe(expected);
    expect(take('peek')[1]).toBe(type === 'stack' ? (expected === 0 ? 4 : 3) : expected === 0 ? 2 : 1);
  });

  it('has no elements by key', () => {
    const { bench, map } = newMap(type);
    expect(map.lookup(bench.key(0))).toBe(0);
    expect(map.update(bench.key(0), bench.value(u32(1)), 0n)).toBe(-ERRNO.EINVAL);
    expect(map.delete(bench.key(0))).toBe(-ERRNO.EINVAL);
    expect(map.userNextKey(null)).toBe(-ERRNO.EINVAL);
  });

  it('behaves like a list', () => {
    const step = fc.tuple(fc.constantFrom('push', 'force', 'pop', 'peek'), fc.integer({ min: 1, max: 1000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { push, take } = newMap(type, 4);
        const model: number[] = [];
        for (const [kind, value] of steps) {
          const end = type === 'stack' ? model.at(-1) : model[0];
          if (kind === 'push') {
            expect(push(value)).toBe(model.length === 4 ? -ERRNO.E2BIG : 0);
            if (model.length < 4) model.push(value);
          } else if (kind === 'force') {
            expect(push(value, 2n)).toBe(0);
            if (model.length === 4) model.shift();
            model.push(value);
          } else {
            expect(take(kind)).toEqual(end === undefined ? [-ERRNO.ENOENT, 0] : [0, end]);
            if (kind === 'pop') type === 'stack' ? model.pop() : model.shift();
          }
        }
      }),
    );
  });
});
