import { describe, expect, test } from 'vitest';
import {
  byteSwap,
  isUnchangedBySignExtension,
  loaded,
  signExtend32,
  signExtend64,
  truncate,
  zeroExtend32,
} from '../../../src/verifier/scalar/extend.ts';
import { constImm, constScalar, equals, UNKNOWN } from '../../../src/verifier/scalar/scalar.ts';
import { admits, hi, law, lo, mustAdmit, show, u32, u64, witnessed } from './witness.ts';

const swapped = (w: bigint, bits: number): bigint => {
  const bytes =
    BigInt.asUintN(bits, w)
      .toString(16)
      .padStart(bits / 4, '0')
      .match(/../g) ?? [];
  return BigInt(`0x${bytes.reverse().join('')}`);
};

describe('narrowing and widening', () => {
  test.each([1, 2, 4] as const)('%d bytes, zero-extended', (size) => {
    law(witnessed(), ({ word, scalar }) => {
      const r = truncate(scalar, size);
      mustAdmit(r, BigInt.asUintN(size * 8, word), scalar);
      expect(admits(r, 1n << BigInt(size * 8))).toBe(false);
    });
  });

  test('the low half, zero-extended', () => {
    law(witnessed(), ({ word, scalar }) => {
      const r = zeroExtend32(scalar);
      mustAdmit(r, u32(word), scalar);
      expect(zeroExtend32(r)).toBe(r);
    });
    expect(show(zeroExtend32(constImm(-1)))).toContain('(0xffffffff; 0x0)');
  });

  test.each([1, 2, 4] as const)('%d bytes, sign-extended to 64 bits', (size) => {
    law(witnessed(), ({ word, scalar }) => {
      mustAdmit(signExtend64(scalar, size), u64(BigInt.asIntN(size * 8, word)), scalar);
    });
  });

  test.each([1, 2] as const)('%d bytes, sign-extended to 32 bits', (size) => {
    law(witnessed(), ({ word, scalar }) => {
      mustAdmit(signExtend32(scalar, size), u32(BigInt.asIntN(size * 8, word)), scalar);
    });
  });

  test.each([16, 32, 64] as const)('bytes of the low %d bits reversed or kept', (bits) => {
    law(witnessed(), ({ word, scalar }) => {
      mustAdmit(byteSwap(scalar, bits, true), swapped(word, bits), scalar);
      mustAdmit(byteSwap(scalar, bits, false), BigInt.asUintN(bits, word), scalar);
    });
  });

  test('where sign extension changes nothing, it changes nothing', () => {
    law(witnessed(), ({ word, scalar }) => {
      for (const size of [1, 2, 4] as const) {
        if (isUnchangedBySignExtension(scalar, size)) expect(u64(BigInt.asIntN(size * 8, word))).toBe(word);
      }
    });
    expect(isUnchangedBySignExtension(constImm(0x7f), 1)).toBe(true);
    expect(isUnchangedBySignExtension(constImm(0x80), 1)).toBe(false);
    expect(isUnchangedBySignExtension(constImm(0x7fffffff), 4)).toBe(true);
    expect(isUnchangedBySignExtension(constScalar(-0x80000000, 0), 4)).toBe(false);
  });

  test.each([
    [1, '(0x0; 0xff) u64=[0x0, 0xff] s64=[0, 255] u32=[0, 255] s32=[0, 255]'],
    [2, '(0x0; 0xffff) u64=[0x0, 0xffff] s64=[0, 65535] u32=[0, 65535] s32=[0, 65535]'],
    [4, '(0x0; 0xffffffff) u64=[0x0, 0xffffffff] s64=[0, 4294967295] u32=[0, 4294967295] s32=[-2147483648, 2147483647]'],
    [8, show(UNKNOWN)],
  ] as const)('a load of %d bytes', (size, text) => {
    expect(show(loaded(size))).toBe(text);
  });

  test.each([
    [1, 's64=[-128, 127] u32=[0, 4294967295] s32=[-128, 127]'],
    [2, 's64=[-32768, 32767] u32=[0, 4294967295] s32=[-32768, 32767]'],
    [4, 's64=[-2147483648, 2147483647] u32=[0, 4294967295] s32=[-2147483648, 2147483647]'],
  ] as const)('a sign-extending load of %d bytes', (size, text) => {
    expect(show(signExtend64(UNKNOWN, size))).toBe(`(0x0; 0xffffffffffffffff) u64=[0x0, 0xffffffffffffffff] ${text}`);
  });

  test('constants stay constants', () => {
    expect(signExtend64(constImm(0x80), 1)).toBe(constImm(-128));
    expect(equals(signExtend32(constImm(0x80), 1), constScalar(-128, 0))).toBe(true);
    expect(equals(truncate(constImm(-1), 2), constImm(0xffff))).toBe(true);
    expect(lo(swapped(0x1234n, 16)) | hi(0n)).toBe(0x3412);
    expect(equals(byteSwap(constImm(0x1234), 16, true), constImm(0x3412))).toBe(true);
  });
});
