import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  constImm,
  constScalar,
  equals,
  fitsUnsigned,
  isAligned,
  isConst,
  isConst32,
  isConstWord,
  isExactConst,
  isTnumUnknown,
  isUnknown,
  isZero,
  rangeWithin,
  type Scalar,
  tnumIn,
  UNKNOWN,
  ZERO,
} from '../../../src/verifier/scalar/scalar.ts';
import { admits, bitsOf, hi, join, law, lo, maskOf, umaxOf, witnessed, word } from './witness.ts';

describe('a Scalar', () => {
  test('a constant admits itself and nothing else', () => {
    law(fc.tuple(word(), word()), ([a, b]) => {
      const s = constScalar(lo(a), hi(a));
      expect(admits(s, a)).toBe(true);
      expect(admits(s, b)).toBe(a === b);
      expect(isConst(s) && isConst32(s) && isExactConst(s) && isConstWord(s, lo(a), hi(a))).toBe(true);
      expect(isZero(s)).toBe(a === 0n);
    });
  });

  test.each([0, 1, -1, 4096, -256, 4097, -257, 0x7fffffff, -0x80000000])('immediate %d is sign-extended', (imm) => {
    expect(bitsOf(constImm(imm))).toBe(BigInt.asUintN(64, BigInt(imm)));
  });

  test('small constants are one object, and large ones with a small low half are not', () => {
    expect(constScalar(7, 0)).toBe(constScalar(7, 0));
    expect(constImm(-3)).toBe(constScalar(-3, -1));
    expect(constImm(0)).toBe(ZERO);
    expect(bitsOf(constScalar(7, 1))).toBe(0x1_0000_0007n);
    expect(bitsOf(constScalar(-3, 0))).toBe(0xffff_fffdn);
  });

  test('an unknown number admits everything', () => {
    law(word(), (a) => expect(admits(UNKNOWN, a)).toBe(true));
    expect(isUnknown(UNKNOWN) && isUnknown(UNKNOWN.clone()) && isTnumUnknown(UNKNOWN)).toBe(true);
    expect(isUnknown(ZERO) || isTnumUnknown(ZERO)).toBe(false);
  });

  test.each(Object.keys(UNKNOWN) as (keyof Scalar & keyof typeof UNKNOWN)[])('equality and exactness look at %s', (field) => {
    for (const base of [UNKNOWN, constScalar(5, 6)]) {
      const other = base.clone();
      expect(equals(base, other)).toBe(true);
      Object.assign(other, { [field]: (base[field] as number) ^ 1 });
      expect(equals(base, other)).toBe(false);
      expect(isExactConst(other)).toBe(false);
    }
  });

  test('what lies within an accepted range is admitted by the wider number', () => {
    law(fc.tuple(witnessed(), witnessed()), ([old, cur]) => {
      if (rangeWithin(old.scalar, cur.scalar) && tnumIn(old.scalar, cur.scalar)) {
        expect(admits(old.scalar, cur.word)).toBe(true);
      }
      expect(rangeWithin(old.scalar, old.scalar) && tnumIn(old.scalar, old.scalar)).toBe(true);
      expect(rangeWithin(UNKNOWN, cur.scalar) && tnumIn(UNKNOWN, cur.scalar)).toBe(true);
    });
  });

  test.each(['umin', 'umax', 'smin', 'smax', 's32min', 's32max', 'u32min', 'u32max'])('range inclusion looks at %s', (bound) => {
    const inner = constScalar(1000, 1000);
    const step = bound.endsWith('min') ? 1 : -1;
    const fields = bound.includes('32') ? [bound] : [`${bound}Lo`, `${bound}Hi`];
    for (const field of fields) {
      const outer = inner.clone();
      Object.assign(outer, { [field]: 1000 + step });
      expect(rangeWithin(outer, inner)).toBe(false);
      Object.assign(outer, { [field]: 1000 - step });
      expect(rangeWithin(outer, inner)).toBe(true);
    }
  });

  test('alignment and width', () => {
    law(fc.tuple(witnessed(), fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 1, max: 63 })), ([{ scalar }, size, bits]) => {
      expect(isAligned(scalar, size)).toBe(((bitsOf(scalar) | maskOf(scalar)) & BigInt(size - 1)) === 0n);
      expect(fitsUnsigned(scalar, bits)).toBe(umaxOf(scalar) < 1n << BigInt(bits));
    });
    expect(isAligned(constImm(3), 0)).toBe(true);
    expect(join(1, 0)).toBe(1n);
  });
});
