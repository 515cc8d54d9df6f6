import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addOffset, isContradictoryOffset, keepOffset, subOffset } from '../../../src/verifier/scalar/pointer_offset.ts';
import { constImm, equals, UNKNOWN, ZERO } from '../../../src/verifier/scalar/scalar.ts';
import { sync } from '../../../src/verifier/scalar/sync.ts';
import { law, mustAdmit, show, witnessed } from './witness.ts';

const pair = fc.tuple(witnessed(), witnessed());

describe('the variable offset of a pointer', () => {
  test('sum and difference admit every concrete one, before and after sync', () => {
    law(pair, ([p, n]) => {
      for (const [r, w] of [
        [addOffset(p.scalar, n.scalar), p.word + n.word],
        [subOffset(p.scalar, n.scalar), p.word - n.word],
      ] as const) {
        mustAdmit(r, w, p.scalar, n.scalar);
        mustAdmit(sync(r), w, p.scalar, n.scalar);
      }
    });
  });

  test('unlike for numbers, wrapping of both ends loses the unsigned range', () => {
    const high = sync(Object.assign(UNKNOWN.clone(), { uminLo: -16, uminHi: -1 }));
    expect(show(addOffset(high, constImm(32)))).toContain('u64=[0x0, 0xffffffffffffffff]');
    expect(show(subOffset(ZERO, constImm(1)))).toContain('u64=[0x0, 0xffffffffffffffff]');
  });

  test('a fixed offset leaves it as it is', () => {
    expect(keepOffset(ZERO)).toBe(ZERO);
    law(witnessed(), ({ word, scalar }) => mustAdmit(keepOffset(scalar), word, scalar));
  });

  test('an offset that contradicts itself is seen', () => {
    law(witnessed(), ({ scalar }) => expect(isContradictoryOffset(scalar)).toBe(false));
    expect(isContradictoryOffset(Object.assign(UNKNOWN.clone(), { uminLo: 2, umaxLo: 1, umaxHi: 0 }))).toBe(true);
    expect(isContradictoryOffset(Object.assign(UNKNOWN.clone(), { sminLo: 2, sminHi: 0, smaxLo: 1, smaxHi: 0 }))).toBe(true);
    expect(isContradictoryOffset(Object.assign(constImm(4).clone(), { umaxLo: 5 }))).toBe(true);
    expect(equals(constImm(4), constImm(4).clone())).toBe(true);
  });
});
