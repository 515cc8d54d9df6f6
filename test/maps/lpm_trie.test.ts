import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../src/contracts/errors.ts';
import { BPF_F_NO_PREALLOC } from '../../src/maps/environment.ts';
import { Bench, u32 } from './environment.ts';

const prefix = (length: number, ...bytes: number[]): Uint8Array => Uint8Array.of(...u32(length), ...bytes);
const newTrie = (maxEntries = 8) => {
  const bench = new Bench();
  return { bench, map: bench.create('lpm_trie', { keySize: 8, maxEntries, flags: BPF_F_NO_PREALLOC }) };
};

describe('lpm_trie', () => {
  it('finds the longest prefix of a key, within the length that the key names', () => {
    const { bench, map } = newTrie();
    bench.put(map, prefix(16, 192, 168, 0, 0), 16);
    bench.put(map, prefix(24, 192, 168, 1, 0), 24);
    bench.put(map, prefix(32, 192, 168, 1, 7), 32);
    bench.put(map, prefix(0, 0, 0, 0, 0), 1);
    const longest = (length: number, ...bytes: number[]) => bench.get(map, prefix(length, ...bytes))?.[0];
    expect(longest(32, 192, 168, 1, 7)).toBe(32);
    expect(longest(31, 192, 168, 1, 7)).toBe(24);
    expect(longest(32, 192, 168, 1, 8)).toBe(24);
    expect(longest(20, 192, 168, 1, 7)).toBe(16);
    expect(longest(32, 192, 168, 200, 7)).toBe(16);
    expect(longest(32, 10, 0, 0, 1)).toBe(1);
    expect(longest(33, 192, 168, 1, 7)).toBeUndefined();
  });

  it('ignores the bits of a key beyond its length', () => {
    const { bench, map } = newTrie();
    bench.put(map, prefix(9, 10, 0xff, 1, 2), 5);
    expect(bench.put(map, prefix(9, 10, 0x80, 9, 9), 6, 1n)).toBe(-ERRNO.EEXIST);
    expect(bench.get(map, prefix(32, 10, 0x81, 0, 0))?.[0]).toBe(5);
    expect(bench.get(map, prefix(32, 10, 0x7f, 0, 0))).toBeNull();
  });

  it.each([
    ['a prefix that is too long', prefix(33, 1, 2, 3, 4), 0n, -ERRNO.EINVAL],
    ['unknown flags', prefix(8, 1, 0, 0, 0), 3n, -ERRNO.EINVAL],
    ['BPF_F_LOCK', prefix(8, 1, 0, 0, 0), 4n, -ERRNO.EINVAL],
    ['BPF_EXIST of a new prefix', prefix(9, 1, 0, 0, 0), 2n, -ERRNO.ENOENT],
    ['BPF_EXIST of a known prefix', prefix(8, 1, 0, 0, 0), 2n, 0],
    ['BPF_NOEXIST of a known prefix', prefix(8, 1, 0, 0, 0), 1n, -ERRNO.EEXIST],
  ] as const)('update with %s', (_name, key, flags, expected) => {
    const { bench, map } = newTrie();
    bench.put(map, prefix(8, 1, 0, 0, 0), 1);
    expect(bench.put(map, key, 2, flags)).toBe(expected);
  });

  it('is full at max_entries, with ENOSPC', () => {
    const { bench, map } = newTrie(2);
    expect(bench.put(map, prefix(8, 1, 0, 0, 0), 1)).toBe(0);
    expect(bench.put(map, prefix(8, 2, 0, 0, 0), 2)).toBe(0);
    expect(bench.put(map, prefix(8, 3, 0, 0, 0), 3)).toBe(-ERRNO.ENOSPC);
    expect(bench.put(map, prefix(8, 2, 0, 0, 0), 4)).toBe(0);
    expect(map.delete(bench.key(prefix(8, 1, 0, 0, 0)))).toBe(0);
    expect(map.delete(bench.key(prefix(8, 1, 0, 0, 0)))).toBe(-ERRNO.ENOENT);
    expect(map.delete(bench.key(prefix(40, 1, 0, 0, 0)))).toBe(-ERRNO.EINVAL);
    expect(bench.put(map, prefix(8, 3, 0, 0, 0), 3)).toBe(0);
  });

  it('is walked with more specific prefixes first', () => {
    const { bench, map } = newTrie();
    const keys = [
      prefix(16, 192, 168, 0, 0),
      prefix(24, 192, 168, 128, 0),
      prefix(24, 192, 168, 0, 0),
      prefix(24, 192, 168, 1, 0),
    ];
    for (const key of keys) bench.put(map, key, 1);
    expect([...map.entries()].map(([key]) => [...key.subarray(4), key[0]])).toEqual([
      [192, 168, 0, 0, 24],
      [192, 168, 1, 0, 24],
      [192, 168, 128, 0, 24],
      [192, 168, 0, 0, 16],
    ]);
    expect(map.userNextKey(prefix(8, 9, 9, 9, 9))).toEqual(map.userNextKey(null));
    expect(map.userNextKey(prefix(16, 192, 168, 0, 0))).toBe(-ERRNO.ENOENT);
  });

  it('gives what a search through a list of prefixes gives', () => {
    const small = fc.tuple(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 3 }), fc.constantFrom(0, 0x80, 0xff));
    const bits = (bytes: readonly number[], length: number): string =>
      bytes
        .map((byte) => byte.toString(2).padStart(8, '0'))
        .join('')
        .slice(0, length);
    fc.assert(
      fc.property(fc.array(fc.tuple(small, fc.boolean()), { maxLength: 40 }), small, (steps, [length, first, second]) => {
        const bench = new Bench(1, 1 << 20);
        const map = bench.create('lpm_trie', { keySize: 6, maxEntries: 100, flags: BPF_F_NO_PREALLOC });
        const model = new Map<string, number>();
        for (const [[size, a, b], isDelete] of steps) {
          const text = bits([a, b], size);
          if (isDelete) {
            expect(map.delete(bench.key(prefix(size, a, b)))).toBe(model.delete(text) ? 0 : -ERRNO.ENOENT);
          } else {
            model.set(text, model.size + 1);
            expect(bench.put(map, prefix(size, a, b), model.get(text)!)).toBe(0);
          }
        }
        const whole = bits([first, second], length);
        let expected: number | undefined;
        for (let cut = length; cut >= 0 && expected === undefined; cut--) expected = model.get(whole.slice(0, cut));
        expect(bench.get(map, prefix(length, first, second))?.[0]).toBe(expected);
        expect([...map.entries()].length).toBe(model.size);
      }),
      { numRuns: 200 },
    );
  });
});
