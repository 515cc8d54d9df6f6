import { describe, expect, test } from 'vitest';
import { constImm, constScalar, equals, type Scalar, tnumIn, UNKNOWN } from '../../../src/verifier/scalar/scalar.ts';
import {
  boundsViolation,
  clearHighHalf,
  setConst,
  setConst32,
  sync,
  unbound32,
  unbound64,
  violationText,
  withoutBounds,
} from '../../../src/verifier/scalar/sync.ts';
import { hi, law, lo, mustAdmit, show, u32, witnessed, word } from './witness.ts';

/** Fields of an unknown number with some replaced, synchronised. */
const known = (fields: Partial<Record<keyof Scalar, number>>): Scalar => sync(Object.assign(UNKNOWN.clone(), fields) as Scalar);

describe('sync', () => {
  test('keeps the witness, forgets no bit, contradicts nothing', () => {
    law(
      witnessed(false),
      ({ word: w, scalar }) => {
        const r = sync(scalar.clone());
        mustAdmit(r, w, scalar);
        expect(tnumIn(scalar, r)).toBe(true);
        expect(boundsViolation(r)).toBeUndefined();
      },
      4000,
    );
  });

  test('returns what it was given, and leaves constants and the unknown number as they are', () => {
    law(word(), (w) => {
      const s = constScalar(lo(w), hi(w)).clone();
      expect(sync(s)).toBe(s);
      expect(equals(s, constScalar(lo(w), hi(w)))).toBe(true);
    });
    expect(equals(sync(UNKNOWN.clone()), UNKNOWN)).toBe(true);
  });

  test('non-negative: the signed range is the unsigned one', () => {
    const s = known({ sminLo: 0, sminHi: 0, smaxLo: 9, smaxHi: 0 });
    expect(show(s)).toBe('(0x0; 0xf) u64=[0x0, 0x9] s64=[0, 9] u32=[0, 9] s32=[0, 9]');
  });

  test('a range over the sign with a small unsigned range: only one piece is left', () => {
    const s = known({ sminLo: -5, sminHi: -1, smaxLo: 100, smaxHi: 0, umaxLo: 1000, umaxHi: 0 });
    expect(show(s)).toBe('(0x0; 0x7f) u64=[0x0, 0x64] s64=[0, 100] u32=[0, 100] s32=[0, 100]');
  });

  test('a range over the sign with a large unsigned range: the other piece is left', () => {
    const s = known({ sminLo: -5, sminHi: -1, smaxLo: 100, smaxHi: 0, uminLo: 1000, uminHi: 0 });
    expect(show(s)).toContain('s64=[-5, -1]');
  });

  test('a tnum with one member in the range is that member', () => {
    // Multiples of 16 between 17 and 47: only 32.
    expect(equals(known({ maskLo: -16, uminLo: 17, umaxLo: 47, umaxHi: 0 }), constImm(32))).toBe(true);
    // Multiples of 16 between 16 and 31: only 16.
    expect(equals(known({ maskLo: -16, uminLo: 16, umaxLo: 31, umaxHi: 0 }), constImm(16))).toBe(true);
    // 0 or 64, above 1: only 64.
    expect(equals(known({ maskLo: 64, maskHi: 0, uminLo: 1, umaxLo: 200, umaxHi: 0 }), constImm(64))).toBe(true);
  });

  test('the rule for int32 replaces the 64-bit range, so that a bound may move outwards', () => {
    const s = known({ smaxLo: 0, smaxHi: 0, umaxLo: 1, umaxHi: 0 });
    expect(show(s)).toBe('(0x0; 0x1) u64=[0x0, 0x1] s64=[0, 1] u32=[0, 1] s32=[0, 1]');
  });

  test('an int32 with a non-negative low half is its low half', () => {
    const s = known({ sminLo: -0x80000000, sminHi: -1, smaxLo: 0x7fffffff, smaxHi: 0, s32min: 3, s32max: 10 });
    expect(show(s)).toBe('(0x0; 0xf) u64=[0x3, 0xa] s64=[3, 10] u32=[3, 10] s32=[3, 10]');
  });
});

describe('resets', () => {
  test('constants and bounds', () => {
    const s = UNKNOWN.clone();
    setConst(s, 7, -1);
    expect(equals(s, constScalar(7, -1))).toBe(true);
    unbound32(s);
    unbound64(s);
    expect(show(s)).toBe(show(withoutBounds(constScalar(7, -1))));
    expect(equals(sync(s), constScalar(7, -1))).toBe(true);
    setConst32(s, 9);
    expect(show(s)).toContain('(0xffffffff00000009; 0x0)');
    expect(show(s)).toContain('u32=[9, 9] s32=[9, 9]');
  });

  test('clearing the high half keeps the low one', () => {
    law(witnessed(), ({ word: w, scalar }) => {
      const r = scalar.clone();
      clearHighHalf(r);
      mustAdmit(sync(r), u32(w), scalar);
    });
  });
});

describe('contradictions', () => {
  test.each([
    ['range bounds violation', { uminLo: 5, umaxLo: 4, umaxHi: 0 }],
    ['range bounds violation', { sminLo: 5, sminHi: 0, smaxLo: 4, smaxHi: 0 }],
    ['range bounds violation', { u32min: -1, u32max: 4 }],
    ['range bounds violation', { s32min: 5, s32max: 4 }],
    ['const tnum out of sync with range bounds', { valueLo: 1, maskLo: 0, maskHi: 0 }],
    ['const subreg tnum out of sync with range bounds', { valueLo: 1, maskLo: 0 }],
    [undefined, { uminLo: 4, umaxLo: 4, umaxHi: 0 }],
  ])('%s', (violation, fields) => {
    expect(boundsViolation(Object.assign(UNKNOWN.clone(), fields))).toBe(violation);
  });

  test('are told in full', () => {
    const s = Object.assign(UNKNOWN.clone(), { uminLo: 10, umaxLo: 5, umaxHi: 0, u32max: 7 });
    expect(violationText('true_reg1', boundsViolation(s) ?? '', s)).toBe(
      'REG INVARIANTS VIOLATION (true_reg1): range bounds violation u64=[0xa, 0x5] ' +
        's64=[0x8000000000000000, 0x7fffffffffffffff] u32=[0x0, 0x7] s32=[0x80000000, 0x7fffffff] ' +
        'var_off=(0x0, 0xffffffffffffffff)',
    );
    expect(violationText('alu', 'x', constScalar(-1, 1))).toContain('u64=[0x1ffffffff, 0x1ffffffff]');
    expect(violationText('alu', 'x', constScalar(1, 1))).toContain('u64=[0x100000001, 0x100000001]');
  });
});
