import type { Scalar } from './scalar.ts';
import { borrow, carry, high, INT_MAX, INT_MIN, lts, mulOverflowsSigned, mulOverflowsUnsigned, mulWord } from './words.ts';

/** Bounds of sums, differences and products, written into an unpublished `r` that holds the first operand. */

export const anySigned64 = (r: Scalar): void => {
  r.sminLo = 0;
  r.sminHi = INT_MIN;
  r.smaxLo = -1;
  r.smaxHi = INT_MAX;
};

export const anyUnsigned64 = (r: Scalar): void => {
  r.uminLo = 0;
  r.uminHi = 0;
  r.umaxLo = -1;
  r.umaxHi = -1;
};

/** Source: scalar32_min_max_add. Unsigned bounds survive if both overflow, or neither. */
export const add32 = (r: Scalar, b: Scalar): void => {
  const smin = r.s32min + b.s32min;
  const smax = r.s32max + b.s32max;
  const fits = (smin | 0) === smin && (smax | 0) === smax;
  r.s32min = fits ? smin | 0 : INT_MIN;
  r.s32max = fits ? smax | 0 : INT_MAX;
  const umin = (r.u32min >>> 0) + (b.u32min >>> 0);
  const umax = (r.u32max >>> 0) + (b.u32max >>> 0);
  const torn = umin <= 0xffffffff && umax > 0xffffffff;
  r.u32min = torn ? 0 : umin | 0;
  r.u32max = torn ? -1 : umax | 0;
};

/** Source: scalar32_min_max_sub. */
export const sub32 = (r: Scalar, b: Scalar): void => {
  const smin = r.s32min - b.s32max;
  const smax = r.s32max - b.s32min;
  const fits = (smin | 0) === smin && (smax | 0) === smax;
  r.s32min = fits ? smin | 0 : INT_MIN;
  r.s32max = fits ? smax | 0 : INT_MAX;
  const umin = (r.u32min >>> 0) - (b.u32max >>> 0);
  const umax = (r.u32max >>> 0) - (b.u32min >>> 0);
  const torn = umin < 0 && umax >= 0;
  r.u32min = torn ? 0 : umin | 0;
  r.u32max = torn ? -1 : umax | 0;
};

/** smin/smax of the sum, unbounded if either end overflows. */
export const addSigned64 = (r: Scalar, a: Scalar, b: Scalar): void => {
  const minLo = (a.sminLo + b.sminLo) | 0;
  const minHi = (a.sminHi + b.sminHi + carry(a.sminLo, b.sminLo, minLo)) | 0;
  const maxLo = (a.smaxLo + b.smaxLo) | 0;
  const maxHi = (a.smaxHi + b.smaxHi + carry(a.smaxLo, b.smaxLo, maxLo)) | 0;
  const overflow = ((a.sminHi ^ minHi) & (b.sminHi ^ minHi)) | ((a.smaxHi ^ maxHi) & (b.smaxHi ^ maxHi));
  r.sminLo = overflow < 0 ? 0 : minLo;
  r.sminHi = overflow < 0 ? INT_MIN : minHi;
  r.smaxLo = overflow < 0 ? -1 : maxLo;
  r.smaxHi = overflow < 0 ? INT_MAX : maxHi;
};

/** smin/smax of the difference, unbounded if either end overflows. */
export const subSigned64 = (r: Scalar, a: Scalar, b: Scalar): void => {
  const minLo = (a.sminLo - b.smaxLo) | 0;
  const minHi = (a.sminHi - b.smaxHi - borrow(a.sminLo, b.smaxLo, minLo)) | 0;
  const maxLo = (a.smaxLo - b.sminLo) | 0;
  const maxHi = (a.smaxHi - b.sminHi - borrow(a.smaxLo, b.sminLo, maxLo)) | 0;
  const overflow = ((a.sminHi ^ b.smaxHi) & (a.sminHi ^ minHi)) | ((a.smaxHi ^ b.sminHi) & (a.smaxHi ^ maxHi));
  r.sminLo = overflow < 0 ? 0 : minLo;
  r.sminHi = overflow < 0 ? INT_MIN : minHi;
  r.smaxLo = overflow < 0 ? -1 : maxLo;
  r.smaxHi = overflow < 0 ? INT_MAX : maxHi;
};

/** Source: scalar_min_max_add. */
export const add64 = (r: Scalar, b: Scalar): void => {
  addSigned64(r, r, b);
  const minLo = (r.uminLo + b.uminLo) | 0;
  const minHi = (r.uminHi + b.uminHi + carry(r.uminLo, b.uminLo, minLo)) | 0;
  const maxLo = (r.umaxLo + b.umaxLo) | 0;
  const maxHi = (r.umaxHi + b.umaxHi + carry(r.umaxLo, b.umaxLo, maxLo)) | 0;
  const torn = carry(r.umaxHi, b.umaxHi, maxHi) > carry(r.uminHi, b.uminHi, minHi);
  r.uminLo = torn ? 0 : minLo;
  r.uminHi = torn ? 0 : minHi;
  r.umaxLo = torn ? -1 : maxLo;
  r.umaxHi = torn ? -1 : maxHi;
};

/** Source: scalar_min_max_sub. */
export const sub64 = (r: Scalar, b: Scalar): void => {
  subSigned64(r, r, b);
  const minLo = (r.uminLo - b.umaxLo) | 0;
  const minHi = (r.uminHi - b.umaxHi - borrow(r.uminLo, b.umaxLo, minLo)) | 0;
  const maxLo = (r.umaxLo - b.uminLo) | 0;
  const maxHi = (r.umaxHi - b.uminHi - borrow(r.umaxLo, b.uminLo, maxLo)) | 0;
  const torn = borrow(r.uminHi, b.umaxHi, minHi) > borrow(r.umaxHi, b.uminHi, maxHi);
  r.uminLo = torn ? 0 : minLo;
  r.uminHi = torn ? 0 : minHi;
  r.umaxLo = torn ? -1 : maxLo;
  r.umaxHi = torn ? -1 : maxHi;
};

/** Source: scalar32_min_max_mul. */
export const mul32 = (r: Scalar, b: Scalar): void => {
  // A product of two 32-bit numbers above 2^53 is rounded, never to below 2^32.
  const umin = (r.u32min >>> 0) * (b.u32min >>> 0);
  const umax = (r.u32max >>> 0) * (b.u32max >>> 0);
  const ufits = umin <= 0xffffffff && umax <= 0xffffffff;
  r.u32min = ufits ? umin | 0 : 0;
  r.u32max = ufits ? umax | 0 : -1;
  const p = r.s32min * b.s32min;
  const q = r.s32min * b.s32max;
  const s = r.s32max * b.s32min;
  const t = r.s32max * b.s32max;
  const smin = Math.min(p, q, s, t);
  const smax = Math.max(p, q, s, t);
  const sfits = smin >= INT_MIN && smax <= INT_MAX;
  r.s32min = sfits ? smin | 0 : INT_MIN;
  r.s32max = sfits ? smax | 0 : INT_MAX;
};

/** Takes the product of two signed bounds into smin/smax of `r`. */
const joinSignedProduct = (r: Scalar, aLo: number, aHi: number, bLo: number, bHi: number): void => {
  const lo = mulWord(aLo, aHi, bLo, bHi);
  const hi = high;
  if (lts(lo, hi, r.sminLo, r.sminHi)) {
    r.sminLo = lo;
    r.sminHi = hi;
  }
  if (lts(r.smaxLo, r.smaxHi, lo, hi)) {
    r.smaxLo = lo;
    r.smaxHi = hi;
  }
};

/** Source: scalar_min_max_mul. */
export const mul64 = (r: Scalar, b: Scalar): void => {
  if (
    mulOverflowsUnsigned(r.umaxLo, r.umaxHi, b.umaxLo, b.umaxHi) ||
    mulOverflowsUnsigned(r.uminLo, r.uminHi, b.uminLo, b.uminHi)
  ) {
    anyUnsigned64(r);
  } else {
    r.uminLo = mulWord(r.uminLo, r.uminHi, b.uminLo, b.uminHi);
    r.uminHi = high;
    r.umaxLo = mulWord(r.umaxLo, r.umaxHi, b.umaxLo, b.umaxHi);
    r.umaxHi = high;
  }
  const { sminLo, sminHi, smaxLo, smaxHi } = r;
  if (
    mulOverflowsSigned(sminLo, sminHi, b.sminLo, b.sminHi) ||
    mulOverflowsSigned(sminLo, sminHi, b.smaxLo, b.smaxHi) ||
    mulOverflowsSigned(smaxLo, smaxHi, b.sminLo, b.sminHi) ||
    mulOverflowsSigned(smaxLo, smaxHi, b.smaxLo, b.smaxHi)
  ) {
    anySigned64(r);
    return;
  }
  r.sminLo = r.smaxLo = mulWord(sminLo, sminHi, b.sminLo, b.sminHi);
  r.sminHi = r.smaxHi = high;
  joinSignedProduct(r, sminLo, sminHi, b.smaxLo, b.smaxHi);
  joinSignedProduct(r, smaxLo, smaxHi, b.sminLo, b.sminHi);
  joinSignedProduct(r, smaxLo, smaxHi, b.smaxLo, b.smaxHi);
};
