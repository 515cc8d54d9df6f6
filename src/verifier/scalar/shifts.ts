import type { Scalar } from './scalar.ts';
import { boundsFromBits, boundsFromBits32, unbound32, unbound64 } from './sync.ts';
import { tnumSar, tnumShl, tnumShr } from './tnum.ts';
import { high, INT_MAX, INT_MIN, ltu, sarWord, shlWord, shrWord } from './words.ts';

/**
 * Shifts of an unpublished `r` by one known amount `n` below the width. The 32-bit ones leave the high half and the 64-bit
 * bounds without meaning; `clearHighHalf` gives them one.
 */

/** Bounds of the low half; the unsigned ones shift if no set bit can leave. Source: __scalar32_min_max_lsh. */
const shlBounds32 = (r: Scalar, n: number): void => {
  r.s32min = INT_MIN;
  r.s32max = INT_MAX;
  if (n > 31 || r.u32max >>> 0 > 2 ** (31 - n)) {
    r.u32min = 0;
    r.u32max = -1;
  } else {
    r.u32min <<= n;
    r.u32max <<= n;
  }
};

/** Drops what the bits of `r` say beyond the low half. */
const keepLowBits = (r: Scalar): void => {
  r.valueHi = 0;
  r.maskHi = 0;
};

/** Source: scalar32_min_max_lsh. */
export const shl32 = (r: Scalar, n: number): void => {
  shlBounds32(r, n);
  r.valueLo <<= n;
  r.maskLo <<= n;
  keepLowBits(r);
  unbound64(r);
  boundsFromBits32(r);
};

/**
 * A shift by 32 puts the low half on top, so its signed bounds become those of the word; any other shift may move an arbitrary
 * bit into the sign. Source: scalar_min_max_lsh and __scalar64_min_max_lsh.
 */
export const shl64 = (r: Scalar, n: number): void => {
  r.sminLo = 0;
  r.smaxLo = n === 32 ? 0 : -1;
  r.sminHi = n === 32 ? r.s32min : INT_MIN;
  r.smaxHi = n === 32 ? r.s32max : INT_MAX;
  const roomLo = shlWord(1, 0, 63 - n);
  if (ltu(roomLo, high, r.umaxLo, r.umaxHi)) {
    r.uminLo = 0;
    r.uminHi = 0;
    r.umaxLo = -1;
    r.umaxHi = -1;
  } else {
    r.uminLo = shlWord(r.uminLo, r.uminHi, n);
    r.uminHi = high;
    r.umaxLo = shlWord(r.umaxLo, r.umaxHi, n);
    r.umaxHi = high;
  }
  shlBounds32(r, n);
  tnumShl(r, r, n);
  boundsFromBits(r);
};

/** Signed bounds come back from the unsigned ones in `sync`. Source: scalar32_min_max_rsh. */
export const shr32 = (r: Scalar, n: number): void => {
  r.s32min = INT_MIN;
  r.s32max = INT_MAX;
  r.valueLo = (r.valueLo >>> n) | 0;
  r.maskLo = (r.maskLo >>> n) | 0;
  keepLowBits(r);
  r.u32min = (r.u32min >>> n) | 0;
  r.u32max = (r.u32max >>> n) | 0;
  unbound64(r);
  boundsFromBits32(r);
};

/** Source: scalar_min_max_rsh. */
export const shr64 = (r: Scalar, n: number): void => {
  r.sminLo = 0;
  r.sminHi = INT_MIN;
  r.smaxLo = -1;
  r.smaxHi = INT_MAX;
  tnumShr(r, r, n);
  r.uminLo = shrWord(r.uminLo, r.uminHi, n);
  r.uminHi = high;
  r.umaxLo = shrWord(r.umaxLo, r.umaxHi, n);
  r.umaxHi = high;
  unbound32(r);
  boundsFromBits(r);
};

/** Unsigned bounds come back from the bits. Source: scalar32_min_max_arsh. */
export const sar32 = (r: Scalar, n: number): void => {
  r.s32min >>= n;
  r.s32max >>= n;
  r.valueLo >>= n;
  r.maskLo >>= n;
  keepLowBits(r);
  r.u32min = 0;
  r.u32max = -1;
  unbound64(r);
  boundsFromBits32(r);
};

/** Source: scalar_min_max_arsh. */
export const sar64 = (r: Scalar, n: number): void => {
  r.sminLo = sarWord(r.sminLo, r.sminHi, n);
  r.sminHi = high;
  r.smaxLo = sarWord(r.smaxLo, r.smaxHi, n);
  r.smaxHi = high;
  tnumSar(r, r, n);
  r.uminLo = 0;
  r.uminHi = 0;
  r.umaxLo = -1;
  r.umaxHi = -1;
  unbound32(r);
  boundsFromBits(r);
};
