import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alu, atDistance, forked, forkWidth, negate } from '../../../src/verifier/scalar/alu.ts';
import * as op from '../../../src/verifier/scalar/opcodes.ts';
import { constImm, constScalar, equals, type Scalar, UNKNOWN } from '../../../src/verifier/scalar/scalar.ts';
import { sync } from '../../../src/verifier/scalar/sync.ts';
import { hi, law, lo, mustAdmit, s32, s64, show, u32, u64, type Witnessed, witnessed, word } from './witness.ts';

type Concrete = (a: bigint, b: bigint) => bigint;

/** What the machine computes, RFC 9669 section 4.1. */
const OPERATIONS: readonly (readonly [name: string, code: number, wide: Concrete, low: Concrete])[] = [
  ['add', op.ADD, (a, b) => a + b, (a, b) => a + b],
  ['sub', op.SUB, (a, b) => a - b, (a, b) => a - b],
  ['mul', op.MUL, (a, b) => a * b, (a, b) => a * b],
  ['or', op.OR, (a, b) => a | b, (a, b) => a | b],
  ['and', op.AND, (a, b) => a & b, (a, b) => a & b],
  ['xor', op.XOR, (a, b) => a ^ b, (a, b) => a ^ b],
  ['lsh', op.LSH, (a, b) => a << (b & 63n), (a, b) => u32(a) << (b & 31n)],
  ['rsh', op.RSH, (a, b) => a >> (b & 63n), (a, b) => u32(a) >> (b & 31n)],
  ['arsh', op.ARSH, (a, b) => s64(a) >> (b & 63n), (a, b) => s32(a) >> (b & 31n)],
];

const isShift = (code: number): boolean => code === op.LSH || code === op.RSH || code === op.ARSH;

const amount = (width: number): fc.Arbitrary<Witnessed> =>
  fc.integer({ min: 0, max: width - 1 }).map((n) => ({ word: BigInt(n), scalar: constImm(n) }));

const operand = (code: number, width: number): fc.Arbitrary<Witnessed> =>
  isShift(code) ? fc.oneof({ arbitrary: amount(width), weight: 4 }, witnessed()) : witnessed();

describe.each(OPERATIONS)('%s', (_, code, wide, low) => {
  test('64 bits: the result admits every concrete result', () => {
    law(fc.tuple(witnessed(), operand(code, 64)), ([a, b]) => {
      const r = alu(code, true, a.scalar, b.scalar);
      mustAdmit(r, wide(a.word, b.word), a.scalar, b.scalar);
    });
  });

  test('32 bits: the result admits every concrete result', () => {
    law(fc.tuple(witnessed(), operand(code, 32)), ([a, b]) => {
      const r = alu(code, false, a.scalar, b.scalar);
      mustAdmit(r, u32(low(a.word, b.word)), a.scalar, b.scalar);
    });
  });

  test('of constants: exactly the concrete result', () => {
    law(fc.tuple(word(), word()), ([a, drawn]) => {
      for (const is64 of [true, false]) {
        const b = isShift(code) ? drawn & (is64 ? 63n : 31n) : drawn;
        const want = is64 ? u64(wide(a, b)) : u32(low(a, b));
        const r = alu(code, is64, constScalar(lo(a), hi(a)), constScalar(lo(b), hi(b)));
        if (!equals(r, constScalar(lo(want), hi(want)))) expect.fail(`${a} op ${b} = ${show(r)}`);
      }
    });
  });

  test('operands are left alone', () => {
    law(fc.tuple(witnessed(), operand(code, 32)), ([a, b]) => {
      const before = [a.scalar.clone(), b.scalar.clone()] as const;
      alu(code, true, a.scalar, b.scalar);
      alu(code, false, a.scalar, b.scalar);
      expect(equals(a.scalar, before[0]) && equals(b.scalar, before[1])).toBe(true);
    });
  });
});

describe('negation', () => {
  test('admits every concrete result', () => {
    law(witnessed(), ({ word: w, scalar }) => {
      mustAdmit(negate(true, scalar), -w, scalar);
      mustAdmit(negate(false, scalar), u32(-w), scalar);
    });
  });
});

describe('what the kernel gives up on', () => {
  test.each([
    ['division', op.DIV, constImm(2)],
    ['modulo', op.MOD, constImm(2)],
    ['a shift by an unknown amount', op.LSH, UNKNOWN],
    ['a shift by the width', op.RSH, constImm(64)],
    ['a shift by a negative amount', op.ARSH, constImm(-1)],
  ])('%s is unknown in all 64 bits, also for 32-bit operations', (_, code, src) => {
    expect(alu(code, true, constImm(5), src)).toBe(UNKNOWN);
    expect(alu(code, false, constImm(5), src)).toBe(UNKNOWN);
  });

  test('a 32-bit shift looks at all 64 bits of the amount', () => {
    expect(alu(op.LSH, false, constImm(1), constScalar(3, 1))).toBe(UNKNOWN);
    expect(alu(op.LSH, false, constImm(1), constImm(32))).toBe(UNKNOWN);
    expect(show(alu(op.LSH, true, constImm(1), constImm(32)))).toContain('(0x100000000; 0x0)');
  });
});

describe('a register linked by a distance', () => {
  test('admits the concrete sum, in 64 bits or in the zero-extended low half', () => {
    law(fc.tuple(witnessed(), fc.bigInt({ min: -(1n << 32n), max: 1n << 32n })), ([known, distance]) => {
      const near = [lo(distance), hi(distance)] as const;
      mustAdmit(atDistance(known.scalar, ...near, false), known.word + distance, known.scalar);
      mustAdmit(atDistance(known.scalar, ...near, true), u32(known.word + distance), known.scalar);
    });
  });

  test('the low half is cut before the reduction', () => {
    const nearTop = sync(Object.assign(UNKNOWN.clone(), { uminLo: -2, umaxLo: -1, umaxHi: 0 }));
    expect(show(atDistance(nearTop, 2, 0, false))).toContain('u64=[0x100000000, 0x100000001]');
    expect(show(atDistance(nearTop, 2, 0, true))).toContain('u64=[0x0, 0x1]');
  });
});

describe('0 or -1', () => {
  const narrowed = (fields: Partial<Scalar>): Scalar => sync(Object.assign(UNKNOWN.clone(), fields));

  test('is seen at its width', () => {
    expect(forkWidth(narrowed({ sminLo: -1, sminHi: -1, smaxLo: 0, smaxHi: 0 }))).toBe(64);
    expect(forkWidth(narrowed({ s32min: -1, s32max: 0 }))).toBe(32);
    expect(forkWidth(narrowed({ sminLo: -1, sminHi: -2, smaxLo: 0, smaxHi: 0 }))).toBe(0);
    expect(forkWidth(UNKNOWN)).toBe(0);
    expect(forkWidth(constImm(0))).toBe(0);
  });

  test('becomes the one or the other', () => {
    expect(forked(UNKNOWN, 64, 0)).toBe(constImm(0));
    expect(forked(UNKNOWN, 64, -1)).toBe(constImm(-1));
    expect(show(forked(UNKNOWN, 32, -1))).toContain('(0xffffffff; 0xffffffff00000000)');
    expect(show(forked(UNKNOWN, 32, 0))).toContain('u32=[0, 0] s32=[0, 0]');
  });
});
