import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as op from '../../../src/verifier/scalar/opcodes.ts';
import { failsA, failsB, holdsA, holdsB, refine } from '../../../src/verifier/scalar/refine.ts';
import { constImm, constScalar, equals, UNKNOWN } from '../../../src/verifier/scalar/scalar.ts';
import { boundsViolation, sync } from '../../../src/verifier/scalar/sync.ts';
import { COMPARISONS } from './comparisons.ts';
import { law, mustAdmit, show, witnessed } from './witness.ts';

describe.each(COMPARISONS)('$name', ({ code, is32, holds }) => {
  test('the operands of the branch that is followed keep their words', () => {
    law(
      fc.tuple(witnessed(), witnessed(), fc.integer({ min: 0, max: 3 })),
      ([a, other, shape]) => {
        const b = shape === 0 ? { word: a.word, scalar: other.scalar === UNKNOWN ? UNKNOWN : a.scalar } : other;
        refine(a.scalar, b.scalar, code, is32, false);
        const [ra, rb] = holds(a.word, b.word) ? [holdsA, holdsB] : [failsA, failsB];
        mustAdmit(ra, a.word, a.scalar, b.scalar);
        mustAdmit(rb, b.word, a.scalar, b.scalar);
        expect(boundsViolation(ra) ?? boundsViolation(rb)).toBeUndefined();
      },
      1000,
    );
  });

  test('operands are left alone', () => {
    law(fc.tuple(witnessed(), witnessed()), ([a, b]) => {
      const before = [a.scalar.clone(), b.scalar.clone()] as const;
      refine(a.scalar, b.scalar, code, is32, false);
      expect(equals(a.scalar, before[0]) && equals(b.scalar, before[1])).toBe(true);
    });
  });

  test('a register compared with itself keeps its word', () => {
    law(witnessed(), ({ word, scalar }) => {
      refine(scalar, scalar, code, is32, true);
      if (holds(word, word)) {
        mustAdmit(holdsA, word, scalar);
        expect(holdsA === holdsB).toBe(true);
      } else {
        mustAdmit(failsA, word, scalar);
        expect(failsA === failsB).toBe(true);
      }
    });
  });
});

describe('what is learnt', () => {
  test('below a constant', () => {
    refine(UNKNOWN, constImm(10), op.JLT, false, false);
    expect(show(holdsA)).toBe('(0x0; 0xf) u64=[0x0, 0x9] s64=[0, 9] u32=[0, 9] s32=[0, 9]');
    expect(show(failsA)).toContain('u64=[0xa, 0xffffffffffffffff]');
    expect(holdsB).toBe(constImm(10));
    expect(failsB).toBe(constImm(10));
  });

  test('signed, both operands unknown but bounded', () => {
    const small = sync(Object.assign(UNKNOWN.clone(), { sminLo: -5, sminHi: -1, smaxLo: 5, smaxHi: 0 }));
    refine(UNKNOWN, small, op.JSGE, false, false);
    expect(show(holdsA)).toContain('s64=[-5, 9223372036854775807]');
    expect(show(failsA)).toContain('s64=[-9223372036854775808, 4]');
  });

  test('equality merges both', () => {
    const a = sync(Object.assign(UNKNOWN.clone(), { uminLo: 3, umaxLo: 20, umaxHi: 0 }));
    const b = sync(Object.assign(UNKNOWN.clone(), { uminLo: 10, umaxLo: 99, umaxHi: 0, maskLo: -2, maskHi: 0 }));
    refine(a, b, op.JEQ, false, false);
    expect(show(holdsA)).toBe('(0x0; 0x1e) u64=[0xa, 0x14] s64=[10, 20] u32=[10, 20] s32=[10, 20]');
    expect(equals(holdsA, holdsB)).toBe(true);
    expect(failsA).toBe(a);
    expect(failsB).toBe(b);
  });

  test('inequality with a bound moves the bound', () => {
    const a = sync(Object.assign(UNKNOWN.clone(), { umaxLo: 7, umaxHi: 0 }));
    refine(a, constImm(0), op.JEQ, false, false);
    expect(show(failsA)).toContain('u64=[0x1, 0x7]');
    refine(constImm(7), a, op.JNE, true, false);
    expect(show(holdsB)).toContain('u64=[0x0, 0x6]');
  });

  test('JSET with one bit sets it, and clears any mask where it fails', () => {
    refine(UNKNOWN, constImm(8), op.JSET, false, false);
    expect(show(holdsA)).toContain('(0x8; 0xfffffffffffffff7)');
    expect(show(failsA)).toContain('(0x0; 0xfffffffffffffff7)');
    refine(UNKNOWN, constImm(6), op.JSET, true, false);
    expect(equals(holdsA, UNKNOWN)).toBe(true);
    expect(show(failsA)).toContain('(0x0; 0xfffffffffffffff9)');
    refine(UNKNOWN, constScalar(0, -0x80000000), op.JSET, false, false);
    expect(show(holdsA)).toContain('s64=[-9223372036854775808, -1]');
  });

  test('nothing new gives the operands back', () => {
    refine(UNKNOWN, UNKNOWN, op.JNE, false, false);
    expect([holdsA, holdsB, failsA, failsB].every((s) => s === UNKNOWN)).toBe(true);
  });

  test('two unknown registers that share a Scalar are still two registers', () => {
    refine(UNKNOWN, UNKNOWN, op.JLT, false, false);
    expect(show(holdsA)).toContain('u64=[0x0, 0xfffffffffffffffe]');
    expect(show(holdsB)).toContain('u64=[0x1, 0xffffffffffffffff]');
    refine(UNKNOWN, UNKNOWN, op.JLT, false, true);
    expect(show(holdsA)).toContain('u64=[0x1, 0xfffffffffffffffe]');
  });
});
