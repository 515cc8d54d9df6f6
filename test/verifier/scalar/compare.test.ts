import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { branchTaken, flipComparison, isConstAt, negateComparison } from '../../../src/verifier/scalar/compare.ts';
import { JEQ, JLT, JNE, JSET, JSET_CLEAR } from '../../../src/verifier/scalar/opcodes.ts';
import { constImm, constScalar, UNKNOWN } from '../../../src/verifier/scalar/scalar.ts';
import { sync } from '../../../src/verifier/scalar/sync.ts';
import { COMPARISONS } from './comparisons.ts';
import { hi, law, lo, show, witnessed, word } from './witness.ts';

describe.each(COMPARISONS)('$name', ({ code, is32, holds }) => {
  test('a decided branch is what the machine does', () => {
    let decided = 0;
    law(fc.tuple(witnessed(), witnessed()), ([a, b]) => {
      const taken = branchTaken(a.scalar, b.scalar, code, is32);
      if (taken === -1) return;
      decided++;
      if ((taken === 1) !== holds(a.word, b.word)) expect.fail(`${taken}: ${show(a.scalar)} vs ${show(b.scalar)}`);
    });
    expect(decided).toBeGreaterThan(60);
  });

  test('constants always decide', () => {
    law(fc.tuple(word(), word(), fc.boolean()), ([a, other, same]) => {
      const b = same ? a : other;
      expect(branchTaken(constScalar(lo(a), hi(a)), constScalar(lo(b), hi(b)), code, is32)).toBe(holds(a, b) ? 1 : 0);
    });
  });

  test('nothing known, nothing decided', () => {
    expect(branchTaken(UNKNOWN, UNKNOWN, code, is32)).toBe(-1);
  });

  test('flipped and negated comparisons agree with it', () => {
    const flip = COMPARISONS.find((c) => c.code === flipComparison(code) && c.is32 === is32);
    const negation = COMPARISONS.find((c) => c.code === negateComparison(code) && c.is32 === is32);
    law(fc.tuple(word(), word()), ([a, b]) => {
      expect(flip?.holds(b, a)).toBe(holds(a, b));
      if (code !== JSET) expect(negation?.holds(a, b)).toBe(!holds(a, b));
    });
    expect(negateComparison(negateComparison(code))).toBe(code);
  });
});

describe('what decides', () => {
  test('the negation of JSET is its own condition', () => {
    expect(negateComparison(JSET)).toBe(JSET_CLEAR);
  });

  test('bits that differ decide equality although the ranges overlap', () => {
    const even = sync(Object.assign(UNKNOWN.clone(), { maskLo: -2 }));
    const odd = sync(Object.assign(UNKNOWN.clone(), { maskLo: -2, valueLo: 1 }));
    expect(branchTaken(even, odd, JEQ, false)).toBe(0);
    expect(branchTaken(even, odd, JNE, true)).toBe(1);
  });

  test('low halves that differ decide equality of 64 bits', () => {
    const small = sync(Object.assign(UNKNOWN.clone(), { u32max: 9 }));
    const large = sync(Object.assign(UNKNOWN.clone(), { u32min: 10 }));
    expect(branchTaken(small, large, JEQ, false)).toBe(0);
    expect(branchTaken(small, large, JLT, false)).toBe(-1);
    expect(branchTaken(small, large, JLT, true)).toBe(1);
  });

  test('JSET needs one constant side, either one', () => {
    const even = sync(Object.assign(UNKNOWN.clone(), { maskLo: -2 }));
    expect(branchTaken(even, constImm(1), JSET, false)).toBe(0);
    expect(branchTaken(constImm(1), even, JSET, false)).toBe(0);
    expect(branchTaken(even, even, JSET, false)).toBe(-1);
  });

  test('a constant low half is constant at 32 bits only', () => {
    const half = sync(Object.assign(UNKNOWN.clone(), { maskLo: 0, valueLo: 3 }));
    expect(isConstAt(half, true)).toBe(true);
    expect(isConstAt(half, false)).toBe(false);
  });
});
