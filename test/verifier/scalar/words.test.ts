import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as words from '../../../src/verifier/scalar/words.ts';
import { hi, join, law, lo, s64, u64, word } from './witness.ts';

const pair = fc.tuple(word(), word());
const shifted = fc.tuple(word(), fc.integer({ min: 0, max: 63 }));
const MAX = (1n << 64n) - 1n;

describe('64-bit words on int32 halves', () => {
  test('comparisons', () => {
    law(pair, ([a, b]) => {
      expect(words.ltu(lo(a), hi(a), lo(b), hi(b))).toBe(a < b);
      expect(words.lts(lo(a), hi(a), lo(b), hi(b))).toBe(s64(a) < s64(b));
      expect(words.ltu32(lo(a), lo(b))).toBe((a & 0xffffffffn) < (b & 0xffffffffn));
    });
  });

  test('sum, difference and product', () => {
    law(pair, ([a, b]) => {
      expect(join(words.addWord(lo(a), hi(a), lo(b), hi(b)), words.high)).toBe(u64(a + b));
      expect(join(words.subWord(lo(a), hi(a), lo(b), hi(b)), words.high)).toBe(u64(a - b));
      expect(join(words.mulWord(lo(a), hi(a), lo(b), hi(b)), words.high)).toBe(u64(a * b));
    });
  });

  test('carry and borrow, also with one coming in', () => {
    law(fc.tuple(word(), word(), fc.integer({ min: 0, max: 1 })), ([a, b, into]) => {
      const [x, y] = [lo(a), lo(b)];
      const wideSum = (x >>> 0) + (y >>> 0) + into;
      expect(words.carry(x, y, wideSum | 0)).toBe(wideSum > 0xffffffff ? 1 : 0);
      const wideRest = (x >>> 0) - (y >>> 0) - into;
      expect(words.borrow(x, y, wideRest | 0)).toBe(wideRest < 0 ? 1 : 0);
    });
  });

  test('overflow of products', () => {
    law(
      fc.tuple(word(), word(), shifted),
      ([a, b, [c, n]]) => {
        for (const [x, y] of [
          [a, b],
          [a, c >> BigInt(n)],
          [b, u64(s64(c) >> BigInt(n))],
        ] as const) {
          expect(words.mulOverflowsUnsigned(lo(x), hi(x), lo(y), hi(y))).toBe(x * y > MAX);
          const product = s64(x) * s64(y);
          expect(words.mulOverflowsSigned(lo(x), hi(x), lo(y), hi(y))).toBe(s64(product) !== product);
        }
      },
      5000,
    );
  });

  test.each([
    [1n << 63n, 1n, false],
    [1n << 63n, MAX, true],
    [1n << 62n, 2n, true],
    [u64(-(1n << 62n)), 2n, false],
    [u64(-(1n << 31n)), 1n << 32n, false],
  ])('%d * %d at the edge of the signed range', (a, b, overflows) => {
    expect(words.mulOverflowsSigned(lo(a), hi(a), lo(b), hi(b))).toBe(overflows);
  });

  test('shifts', () => {
    law(shifted, ([a, n]) => {
      expect(join(words.shlWord(lo(a), hi(a), n), words.high)).toBe(u64(a << BigInt(n)));
      expect(join(words.shrWord(lo(a), hi(a), n), words.high)).toBe(a >> BigInt(n));
      expect(join(words.sarWord(lo(a), hi(a), n), words.high)).toBe(u64(s64(a) >> BigInt(n)));
    });
  });

  test('highest bit, covering mask, byte order', () => {
    law(word(), (a) => {
      expect(words.fls64(lo(a), hi(a))).toBe(a === 0n ? 0 : a.toString(2).length);
      const low = a & 0xffffffffn;
      expect(words.smear32(lo(a)) >>> 0).toBe(low === 0n ? 0 : 2 ** low.toString(2).length - 1);
      const bytes = low.toString(16).padStart(8, '0').match(/../g) ?? [];
      expect((words.swapBytes32(lo(a)) >>> 0).toString(16).padStart(8, '0')).toBe(bytes.reverse().join(''));
    });
  });
});
