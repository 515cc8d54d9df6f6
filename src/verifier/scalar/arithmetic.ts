import { Scalar } from './scalar.ts';
import { borrow, carry, high, INT_MAX, INT_MIN, lts, mulOverflowsSigned, mulOverflowsUnsigned, mulWord } from './words.ts';

/** Sums, differences and products, not yet synchronised. */

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

/**
 * What a + b may be, in 64 bits and in the low half. Signed bounds are lost if either end overflows, unsigned bounds only if
 * one end overflows and the other does not. The carries that may differ lie where the smallest and the largest sum differ;
 * those bits and the operands' unknown bits are unknown.
 * Source: scalar32_min_max_add, scalar_min_max_add, tnum_add.
 */
export const sum = (a: Scalar, b: Scalar): Scalar => {
  const lowLo = (a.valueLo + b.valueLo) | 0;
  const lowHi = (a.valueHi + b.valueHi + carry(a.valueLo, b.valueLo, lowLo)) | 0;
  const freeLo = (a.maskLo + b.maskLo) | 0;
  const freeHi = (a.maskHi + b.maskHi + carry(a.maskLo, b.maskLo, freeLo)) | 0;
  const topLo = (lowLo + freeLo) | 0;
  const topHi = (lowHi + freeHi + carry(lowLo, freeLo, topLo)) | 0;
  const maskLo = (topLo ^ lowLo) | a.maskLo | b.maskLo;
  const maskHi = (topHi ^ lowHi) | a.maskHi | b.maskHi;

  const sminLo = (a.sminLo + b.sminLo) | 0;
  const sminHi = (a.sminHi + b.sminHi + carry(a.sminLo, b.sminLo, sminLo)) | 0;
  const smaxLo = (a.smaxLo + b.smaxLo) | 0;
  const smaxHi = (a.smaxHi + b.smaxHi + carry(a.smaxLo, b.smaxLo, smaxLo)) | 0;
  const sfits = (((a.sminHi ^ sminHi) & (b.sminHi ^ sminHi)) | ((a.smaxHi ^ smaxHi) & (b.smaxHi ^ smaxHi))) >= 0;

  const uminLo = (a.uminLo + b.uminLo) | 0;
  const uminHi = (a.uminHi + b.uminHi + carry(a.uminLo, b.uminLo, uminLo)) | 0;
  const umaxLo = (a.umaxLo + b.umaxLo) | 0;
  const umaxHi = (a.umaxHi + b.umaxHi + carry(a.umaxLo, b.umaxLo, umaxLo)) | 0;
  const uwhole = carry(a.umaxHi, b.umaxHi, umaxHi) <= carry(a.uminHi, b.uminHi, uminHi);

  const s32min = (a.s32min + b.s32min) | 0;
  const s32max = (a.s32max + b.s32max) | 0;
  const s32fits = (((a.s32min ^ s32min) & (b.s32min ^ s32min)) | ((a.s32max ^ s32max) & (b.s32max ^ s32max))) >= 0;
  const u32min = (a.u32min + b.u32min) | 0;
  const u32max = (a.u32max + b.u32max) | 0;
  const u32whole = carry(a.u32max, b.u32max, u32max) <= carry(a.u32min, b.u32min, u32min);

  return new Scalar(
    lowLo & ~maskLo,
    lowHi & ~maskHi,
    maskLo,
    maskHi,
    sfits ? sminLo : 0,
    sfits ? sminHi : INT_MIN,
    sfits ? smaxLo : -1,
    sfits ? smaxHi : INT_MAX,
    uwhole ? uminLo : 0,
    uwhole ? uminHi : 0,
    uwhole ? umaxLo : -1,
    uwhole ? umaxHi : -1,
    s32fits ? s32min : INT_MIN,
    s32fits ? s32max : INT_MAX,
    u32whole ? u32min : 0,
    u32whole ? u32max : -1,
  );
};

/**
 * What a - b may be, as `sum`; a smallest difference takes the largest subtrahend.
 * Source: scalar32_min_max_sub, scalar_min_max_sub, tnum_sub.
 */
export const difference = (a: Scalar, b: Scalar): Scalar => {
  const restLo = (a.valueLo - b.valueLo) | 0;
  const restHi = (a.valueHi - b.valueHi - borrow(a.valueLo, b.valueLo, restLo)) | 0;
  const topLo = (restLo + a.maskLo) | 0;
  const topHi = (restHi + a.maskHi + carry(restLo, a.maskLo, topLo)) | 0;
  const lowLo = (restLo - b.maskLo) | 0;
  const lowHi = (restHi - b.maskHi - borrow(restLo, b.maskLo, lowLo)) | 0;
  const maskLo = (topLo ^ lowLo) | a.maskLo | b.maskLo;
  const maskHi = (topHi ^ lowHi) | a.maskHi | b.maskHi;

  const sminLo = (a.sminLo - b.smaxLo) | 0;
  const sminHi = (a.sminHi - b.smaxHi - borrow(a.sminLo, b.smaxLo, sminLo)) | 0;
  const smaxLo = (a.smaxLo - b.sminLo) | 0;
  const smaxHi = (a.smaxHi - b.sminHi - borrow(a.smaxLo, b.sminLo, smaxLo)) | 0;
  const sfits = (((a.sminHi ^ b.smaxHi) & (a.sminHi ^ sminHi)) | ((a.smaxHi ^ b.sminHi) & (a.smaxHi ^ smaxHi))) >= 0;

  const uminLo = (a.uminLo - b.umaxLo) | 0;
  const uminHi = (a.uminHi - b.umaxHi - borrow(a.uminLo, b.umaxLo, uminLo)) | 0;
  const umaxLo = (a.umaxLo - b.uminLo) | 0;
  const umaxHi = (a.umaxHi - b.uminHi - borrow(a.umaxLo, b.uminLo, umaxLo)) | 0;
  const uwhole = borrow(a.uminHi, b.umaxHi, uminHi) <= borrow(a.umaxHi, b.uminHi, umaxHi);

  const s32min = (a.s32min - b.s32max) | 0;
  const s32max = (a.s32max - b.s32min) | 0;
  const s32fits = (((a.s32min ^ b.s32max) & (a.s32min ^ s32min)) | ((a.s32max ^ b.s32min) & (a.s32max ^ s32max))) >= 0;
  const u32min = (a.u32min - b.u32max) | 0;
  const u32max = (a.u32max - b.u32min) | 0;
  const u32whole = borrow(a.u32min, b.u32max, u32min) <= borrow(a.u32max, b.u32min, u32max);

  return new Scalar(
    restLo & ~maskLo,
    restHi & ~maskHi,
    maskLo,
    maskHi,
    sfits ? sminLo : 0,
    sfits ? sminHi : INT_MIN,
    sfits ? smaxLo : -1,
    sfits ? smaxHi : INT_MAX,
    uwhole ? uminLo : 0,
    uwhole ? uminHi : 0,
    uwhole ? umaxLo : -1,
    uwhole ? umaxHi : -1,
    s32fits ? s32min : INT_MIN,
    s32fits ? s32max : INT_MAX,
    u32whole ? u32min : 0,
    u32whole ? u32max : -1,
  );
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
