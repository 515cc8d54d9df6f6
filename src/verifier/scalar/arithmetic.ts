import type { Scalar } from './scalar.ts';
import {
  addWord,
  high,
  INT_MAX,
  INT_MIN,
  lts,
  ltu,
  mulOverflowsSigned,
  mulOverflowsUnsigned,
  mulWord,
  subWord,
} from './words.ts';

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
  const minLo = addWord(a.sminLo, a.sminHi, b.sminLo, b.sminHi);
  const minHi = high;
  const maxLo = addWord(a.smaxLo, a.smaxHi, b.smaxLo, b.smaxHi);
  const maxHi = high;
  if ((((a.sminHi ^ minHi) & (b.sminHi ^ minHi)) | ((a.smaxHi ^ maxHi) & (b.smaxHi ^ maxHi))) < 0) {
    anySigned64(r);
    return;
  }
  r.sminLo = minLo;
  r.sminHi = minHi;
  r.smaxLo = maxLo;
  r.smaxHi = maxHi;
};

/** smin/smax of the difference, unbounded if either end overflows. */
export const subSigned64 = (r: Scalar, a: Scalar, b: Scalar): void => {
  const minLo = subWord(a.sminLo, a.sminHi, b.smaxLo, b.smaxHi);
  const minHi = high;
  const maxLo = subWord(a.smaxLo, a.smaxHi, b.sminLo, b.sminHi);
  const maxHi = high;
  if ((((a.sminHi ^ b.smaxHi) & (a.sminHi ^ minHi)) | ((a.smaxHi ^ b.sminHi) & (a.smaxHi ^ maxHi))) < 0) {
    anySigned64(r);
    return;
  }
  r.sminLo = minLo;
  r.sminHi = minHi;
  r.smaxLo = maxLo;
  r.smaxHi = maxHi;
};

/** Source: scalar_min_max_add. */
export const add64 = (r: Scalar, b: Scalar): void => {
  addSigned64(r, r, b);
  const minLo = addWord(r.uminLo, r.uminHi, b.uminLo, b.uminHi);
  const minHi = high;
  const maxLo = addWord(r.umaxLo, r.umaxHi, b.umaxLo, b.umaxHi);
  const maxHi = high;
  if (ltu(maxLo, maxHi, r.umaxLo, r.umaxHi) && !ltu(minLo, minHi, r.uminLo, r.uminHi)) {
    anyUnsigned64(r);
    return;
  }
  r.uminLo = minLo;
  r.uminHi = minHi;
  r.umaxLo = maxLo;
  r.umaxHi = maxHi;
};

/** Source: scalar_min_max_sub. */
export const sub64 = (r: Scalar, b: Scalar): void => {
  subSigned64(r, r, b);
  if (ltu(r.uminLo, r.uminHi, b.umaxLo, b.umaxHi) && !ltu(r.umaxLo, r.umaxHi, b.uminLo, b.uminHi)) {
    anyUnsigned64(r);
    return;
  }
  const minLo = subWord(r.uminLo, r.uminHi, b.umaxLo, b.umaxHi);
  const minHi = high;
  const maxLo = subWord(r.umaxLo, r.umaxHi, b.uminLo, b.uminHi);
  r.uminLo = minLo;
  r.uminHi = minHi;
  r.umaxLo = maxLo;
  r.umaxHi = high;
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
