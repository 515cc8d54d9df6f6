import { KERNEL_HIGH } from '../../kernel/memory.ts';
import type { Scalar } from '../../verifier/scalar/scalar.ts';
import { lts, ltu } from '../../verifier/scalar/words.ts';

/** Whether a 64-bit word is one that the verifier holds possible. Every bound has to admit it. */
export function admitsWord(scalar: Scalar, lo: number, hi: number): boolean {
  return (
    ((lo ^ scalar.valueLo) & ~scalar.maskLo) === 0 &&
    ((hi ^ scalar.valueHi) & ~scalar.maskHi) === 0 &&
    !ltu(lo, hi, scalar.uminLo, scalar.uminHi) &&
    !ltu(scalar.umaxLo, scalar.umaxHi, lo, hi) &&
    !lts(lo, hi, scalar.sminLo, scalar.sminHi) &&
    !lts(scalar.smaxLo, scalar.smaxHi, lo, hi) &&
    admitsLow(scalar, lo)
  );
}

/** The same for the bounds of the low half. */
export const admitsLow = (scalar: Scalar, lo: number): boolean =>
  lo >= scalar.s32min && lo <= scalar.s32max && lo >>> 0 >= scalar.u32min >>> 0 && lo >>> 0 <= scalar.u32max >>> 0;

/** The low `bytes` bytes of a number that was stored narrowly. */
export const admitsBytes = (scalar: Scalar, lo: number, bytes: number): boolean => {
  const mask = bytes >= 4 ? -1 : (1 << (8 * bytes)) - 1;
  return ((lo ^ scalar.valueLo) & ~scalar.maskLo & mask) === 0 && (bytes < 4 || admitsLow(scalar, lo));
};

/** Whether an address is `base` (an offset in guest memory) plus `off` plus a possible variable offset. */
export function admitsAddress(scalar: Scalar, base: number, off: number, lo: number, hi: number): boolean {
  const distance = (hi - KERNEL_HIGH) * 0x1_0000_0000 + (lo >>> 0) - base - off;
  return admitsWord(scalar, distance | 0, Math.floor(distance / 0x1_0000_0000) | 0);
}
