import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Scalar, UNKNOWN } from '../../../src/verifier/scalar/scalar.ts';
import * as tnum from '../../../src/verifier/scalar/tnum.ts';
import { bitsOf, hi, join, law, lo, maskOf, s64, u64, word } from './witness.ts';

const ofBits = (value: bigint, mask: bigint): Scalar => {
  const r = UNKNOWN.clone();
  [r.valueLo, r.valueHi, r.maskLo, r.maskHi] = [lo(value), hi(value), lo(mask), hi(mask)];
  return r;
};

/** A word and a tnum that has it. */
const member = fc.tuple(word(), word()).map(([w, mask]) => ({ word: w, bits: ofBits(w & ~mask, mask) }));
const pair = fc.tuple(member, member);
const shift = fc.tuple(member, fc.integer({ min: 0, max: 63 }));

const has = (t: Scalar, w: bigint): boolean => (u64(w) & ~maskOf(t)) === bitsOf(t);
const result = (write: (out: Scalar) => void): Scalar => {
  const out = UNKNOWN.clone();
  write(out);
  return out;
};

/** All members of a tnum with few unknown bits. */
const members = (t: Scalar): bigint[] => {
  let all = [bitsOf(t)];
  for (let bit = 0n; bit < 64n; bit++) if (((maskOf(t) >> bit) & 1n) === 1n) all = all.concat(all.map((w) => w | (1n << bit)));
  return all;
};

describe('a tnum', () => {
  test.each([
    ['and', tnum.tnumAnd, (a: bigint, b: bigint) => a & b],
    ['or', tnum.tnumOr, (a: bigint, b: bigint) => a | b],
    ['xor', tnum.tnumXor, (a: bigint, b: bigint) => a ^ b],
    ['mul', tnum.tnumMul, (a: bigint, b: bigint) => a * b],
  ])('%s has the result for each member', (_, write, concrete) => {
    law(pair, ([a, b]) =>
      expect(
        has(
          result((out) => write(out, a.bits, b.bits)),
          concrete(a.word, b.word),
        ),
      ).toBe(true),
    );
  });

  test('a result may be written over an operand', () => {
    law(pair, ([a, b]) => {
      for (const write of [tnum.tnumAnd, tnum.tnumOr, tnum.tnumXor, tnum.tnumMul, tnum.tnumIntersect]) {
        const fresh = result((out) => write(out, a.bits, b.bits));
        const over = a.bits.clone();
        write(over, over, b.bits);
        expect(join(over.valueLo, over.maskLo)).toBe(join(fresh.valueLo, fresh.maskLo));
        expect(join(over.valueHi, over.maskHi)).toBe(join(fresh.valueHi, fresh.maskHi));
      }
    });
  });

  test('shifts have the result for each member', () => {
    law(shift, ([a, n]) => {
      expect(
        has(
          result((out) => tnum.tnumShl(out, a.bits, n)),
          a.word << BigInt(n),
        ),
      ).toBe(true);
      expect(
        has(
          result((out) => tnum.tnumShr(out, a.bits, n)),
          a.word >> BigInt(n),
        ),
      ).toBe(true);
      expect(
        has(
          result((out) => tnum.tnumSar(out, a.bits, n)),
          s64(a.word) >> BigInt(n),
        ),
      ).toBe(true);
    });
  });

  test('a range has all its numbers and is as narrow as a common prefix allows', () => {
    law(fc.tuple(word(), word(), word()), (words) => {
      const [min, mid, max] = [...words].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0)) as [bigint, bigint, bigint];
      const range = result((out) => tnum.tnumRange(out, lo(min), hi(min), lo(max), hi(max)));
      for (const w of [min, mid, max]) expect(has(range, w)).toBe(true);
      expect(maskOf(range)).toBe(min === max ? 0n : (1n << BigInt((min ^ max).toString(2).length)) - 1n);
      const met = ofBits(mid & 0xff00ff00n, u64(~0xff00ff00n));
      met.valueLo &= ~met.maskLo;
      tnum.tnumMeetRange(met, lo(min), hi(min), lo(max), hi(max));
      expect(maskOf(met)).toBe(maskOf(range) & u64(~0xff00ff00n));
    });
  });

  test('intersection keeps common members, overlap finds one', () => {
    law(pair, ([a, b]) => {
      const shared = ofBits(a.word & ~maskOf(b.bits), maskOf(b.bits));
      expect(
        has(
          result((out) => tnum.tnumIntersect(out, a.bits, shared)),
          a.word,
        ),
      ).toBe(true);
      expect(tnum.tnumOverlap(a.bits, shared)).toBe(true);
      expect(tnum.tnumOverlap32(a.bits, shared)).toBe(true);
      const clash = (bitsOf(a.bits) ^ bitsOf(b.bits)) & ~maskOf(a.bits) & ~maskOf(b.bits);
      expect(tnum.tnumOverlap(a.bits, b.bits)).toBe(u64(clash) === 0n);
      expect(tnum.tnumOverlap32(a.bits, b.bits)).toBe((clash & 0xffffffffn) === 0n);
    });
  });

  test('the next member above a number', () => {
    const sparse = fc.tuple(word(), fc.array(fc.bigInt({ min: 0n, max: 63n }), { maxLength: 6 })).map(([w, bits]) => {
      const mask = bits.reduce((all, bit) => all | (1n << bit), 0n);
      return ofBits(w & ~mask, mask);
    });
    law(fc.tuple(sparse, word(), fc.boolean()), ([t, free, near]) => {
      const z = near ? u64(bitsOf(t) + (free & 0xffn)) : free;
      const all = members(t).sort((x, y) => (x < y ? -1 : 1));
      tnum.tnumStep(t, lo(z), hi(z));
      expect(join(tnum.stepLo, tnum.stepHi)).toBe(all.find((w) => w > z) ?? all[all.length - 1]);
    });
  });

  test.each([
    [16, 0x1122_3344_5566_7788n, 0x8877n],
    [32, 0x1122_3344_5566_7788n, 0x8877_6655n],
    [64, 0x1122_3344_5566_7788n, 0x8877_6655_4433_2211n],
  ] as const)('byte order of the low %d bits', (bits, w, swapped) => {
    const t = ofBits(w, 0n);
    tnum.tnumSwapBytes(t, bits);
    expect(bitsOf(t)).toBe(swapped);
    const unknown = ofBits(0n, w);
    tnum.tnumSwapBytes(unknown, bits);
    expect(maskOf(unknown)).toBe(swapped);
  });

  test.each([1, 2, 4])('truncation to %d bytes', (size) => {
    law(member, ({ word: w, bits }) => {
      const keep = (1n << BigInt(size * 8)) - 1n;
      const t = bits.clone();
      tnum.tnumTruncate(t, size);
      expect(has(t, w & keep)).toBe(true);
      expect((bitsOf(t) | maskOf(t)) & ~keep).toBe(0n);
    });
  });
});
