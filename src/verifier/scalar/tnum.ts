import type { Scalar } from './scalar.ts';
import { addWord, carry, fls64, high, ltu, sarWord, shlWord, shrWord, smear32, swapBytes32 } from './words.ts';

/**
 * Numbers whose bits are partly known. A tnum is the `value`/`mask` part of a Scalar; a function writes its result there in
 * `out` and touches nothing else. `out` may be one of the operands. Source: kernel/bpf/tnum.c.
 */

const set = (out: Scalar, valueLo: number, valueHi: number, maskLo: number, maskHi: number): void => {
  out.valueLo = valueLo;
  out.valueHi = valueHi;
  out.maskLo = maskLo;
  out.maskHi = maskHi;
};

/** The narrowest tnum that has all of min..max. Source: tnum_range. */
export const tnumRange = (out: Scalar, minLo: number, minHi: number, maxLo: number, maxHi: number): void => {
  const differHi = minHi ^ maxHi;
  const maskHi = smear32(differHi);
  const maskLo = differHi !== 0 ? -1 : smear32(minLo ^ maxLo);
  set(out, minLo & ~maskLo, minHi & ~maskHi, maskLo, maskHi);
};

/** Bits that `out` and the range min..max agree on. Source: tnum_intersect of tnum_range. */
export const tnumMeetRange = (out: Scalar, minLo: number, minHi: number, maxLo: number, maxHi: number): void => {
  const differHi = minHi ^ maxHi;
  const freeHi = smear32(differHi);
  const freeLo = differHi !== 0 ? -1 : smear32(minLo ^ maxLo);
  const maskLo = out.maskLo & freeLo;
  const maskHi = out.maskHi & freeHi;
  out.valueLo = (out.valueLo | (minLo & ~freeLo)) & ~maskLo;
  out.valueHi = (out.valueHi | (minHi & ~freeHi)) & ~maskHi;
  out.maskLo = maskLo;
  out.maskHi = maskHi;
};

/** Source: tnum_and. */
export const tnumAnd = (out: Scalar, a: Scalar, b: Scalar): void => {
  const valueLo = a.valueLo & b.valueLo;
  const valueHi = a.valueHi & b.valueHi;
  const maskLo = (a.valueLo | a.maskLo) & (b.valueLo | b.maskLo) & ~valueLo;
  const maskHi = (a.valueHi | a.maskHi) & (b.valueHi | b.maskHi) & ~valueHi;
  set(out, valueLo, valueHi, maskLo, maskHi);
};

/** Source: tnum_or. */
export const tnumOr = (out: Scalar, a: Scalar, b: Scalar): void => {
  const valueLo = a.valueLo | b.valueLo;
  const valueHi = a.valueHi | b.valueHi;
  set(out, valueLo, valueHi, (a.maskLo | b.maskLo) & ~valueLo, (a.maskHi | b.maskHi) & ~valueHi);
};

/** Source: tnum_xor. */
export const tnumXor = (out: Scalar, a: Scalar, b: Scalar): void => {
  const maskLo = a.maskLo | b.maskLo;
  const maskHi = a.maskHi | b.maskHi;
  set(out, (a.valueLo ^ b.valueLo) & ~maskLo, (a.valueHi ^ b.valueHi) & ~maskHi, maskLo, maskHi);
};

/**
 * Long multiplication over the bits of `a`: a known 1 adds the shifted `b`, an unknown bit joins the sums with and without it,
 * a known 0 adds nothing. Not commutative in precision. Source: tnum_mul.
 */
export const tnumMul = (out: Scalar, a: Scalar, b: Scalar): void => {
  let oneLo = a.valueLo;
  let oneHi = a.valueHi;
  let anyLo = a.maskLo;
  let anyHi = a.maskHi;
  let bValueLo = b.valueLo;
  let bValueHi = b.valueHi;
  let bMaskLo = b.maskLo;
  let bMaskHi = b.maskHi;
  let valueLo = 0;
  let valueHi = 0;
  let maskLo = 0;
  let maskHi = 0;
  while ((oneLo | oneHi | anyLo | anyHi) !== 0) {
    if (((oneLo | anyLo) & 1) !== 0) {
      const sumLo = (valueLo + bValueLo) | 0;
      const sumHi = (valueHi + bValueHi + carry(valueLo, bValueLo, sumLo)) | 0;
      const freeLo = (maskLo + bMaskLo) | 0;
      const freeHi = (maskHi + bMaskHi + carry(maskLo, bMaskLo, freeLo)) | 0;
      const topLo = (sumLo + freeLo) | 0;
      const topHi = (sumHi + freeHi + carry(sumLo, freeLo, topLo)) | 0;
      const nextMaskLo = (topLo ^ sumLo) | maskLo | bMaskLo;
      const nextMaskHi = (topHi ^ sumHi) | maskHi | bMaskHi;
      const nextLo = sumLo & ~nextMaskLo;
      const nextHi = sumHi & ~nextMaskHi;
      if ((oneLo & 1) !== 0) {
        valueLo = nextLo;
        valueHi = nextHi;
        maskLo = nextMaskLo;
        maskHi = nextMaskHi;
      } else {
        maskLo |= (valueLo ^ nextLo) | nextMaskLo;
        maskHi |= (valueHi ^ nextHi) | nextMaskHi;
        valueLo &= nextLo & ~maskLo;
        valueHi &= nextHi & ~maskHi;
      }
    }
    oneLo = (oneLo >>> 1) | (oneHi << 31);
    oneHi >>>= 1;
    anyLo = (anyLo >>> 1) | (anyHi << 31);
    anyHi >>>= 1;
    bValueHi = (bValueHi << 1) | (bValueLo >>> 31);
    bValueLo <<= 1;
    bMaskHi = (bMaskHi << 1) | (bMaskLo >>> 31);
    bMaskLo <<= 1;
  }
  set(out, valueLo, valueHi, maskLo, maskHi);
};

/** Source: tnum_lshift, for 0 <= n <= 63. */
export const tnumShl = (out: Scalar, a: Scalar, n: number): void => {
  const valueLo = shlWord(a.valueLo, a.valueHi, n);
  const valueHi = high;
  const maskLo = shlWord(a.maskLo, a.maskHi, n);
  set(out, valueLo, valueHi, maskLo, high);
};

/** Source: tnum_rshift, for 0 <= n <= 63. */
export const tnumShr = (out: Scalar, a: Scalar, n: number): void => {
  const valueLo = shrWord(a.valueLo, a.valueHi, n);
  const valueHi = high;
  const maskLo = shrWord(a.maskLo, a.maskHi, n);
  set(out, valueLo, valueHi, maskLo, high);
};

/** An unknown sign bit is shifted in as unknown bits. Source: tnum_arshift with 64 bits, for 0 <= n <= 63. */
export const tnumSar = (out: Scalar, a: Scalar, n: number): void => {
  const valueLo = sarWord(a.valueLo, a.valueHi, n);
  const valueHi = high;
  const maskLo = sarWord(a.maskLo, a.maskHi, n);
  set(out, valueLo, valueHi, maskLo, high);
};

/** Bits that both know; where they contradict each other, a known 1. Source: tnum_intersect. */
export const tnumIntersect = (out: Scalar, a: Scalar, b: Scalar): void => {
  const maskLo = a.maskLo & b.maskLo;
  const maskHi = a.maskHi & b.maskHi;
  set(out, (a.valueLo | b.valueLo) & ~maskLo, (a.valueHi | b.valueHi) & ~maskHi, maskLo, maskHi);
};

/** Whether some number has the bits of both. Source: tnum_overlap. */
export const tnumOverlap = (a: Scalar, b: Scalar): boolean =>
  (((a.valueLo ^ b.valueLo) & ~(a.maskLo | b.maskLo)) | ((a.valueHi ^ b.valueHi) & ~(a.maskHi | b.maskHi))) === 0;

/** tnumOverlap for the low halves. */
export const tnumOverlap32 = (a: Scalar, b: Scalar): boolean => ((a.valueLo ^ b.valueLo) & ~(a.maskLo | b.maskLo)) === 0;

/** Keeps the low `size` bytes, 1, 2 or 4. Source: tnum_cast. */
export const tnumTruncate = (out: Scalar, size: number): void => {
  const keep = size === 4 ? -1 : (1 << (size * 8)) - 1;
  set(out, out.valueLo & keep, 0, out.maskLo & keep, 0);
};

/** Reverses the low `bits` (16, 32 or 64) bytewise and clears the rest. Source: tnum_bswap16, tnum_bswap32, tnum_bswap64. */
export const tnumSwapBytes = (out: Scalar, bits: 16 | 32 | 64): void => {
  const valueLo = swapBytes32(out.valueLo);
  const maskLo = swapBytes32(out.maskLo);
  if (bits === 64) set(out, swapBytes32(out.valueHi), valueLo, swapBytes32(out.maskHi), maskLo);
  else if (bits === 32) set(out, valueLo, 0, maskLo, 0);
  else set(out, valueLo >>> 16, 0, maskLo >>> 16, 0);
};

/** Result of the last `tnumStep`. */
export let stepLo = 0;
export let stepHi = 0;

/**
 * The smallest member of the tnum above `z`, into `stepLo`/`stepHi`; the largest member if there is none above, the smallest
 * if `z` lies below all. Source: tnum_step.
 *
 * Let k be the highest known bit where z is wrong. If z has a 0 there, it grows to the member with the same higher bits and
 * the lowest lower bits. If z has a 1 there, the unknown bits above k have to count up by one.
 */
export const tnumStep = (t: Scalar, zLo: number, zHi: number): void => {
  const valueLo = t.valueLo;
  const valueHi = t.valueHi;
  const maskLo = t.maskLo;
  const maskHi = t.maskHi;
  const topLo = valueLo | maskLo;
  const topHi = valueHi | maskHi;
  if (!ltu(zLo, zHi, topLo, topHi)) {
    stepLo = topLo;
    stepHi = topHi;
    return;
  }
  if (ltu(zLo, zHi, valueLo, valueHi)) {
    stepLo = valueLo;
    stepHi = valueHi;
    return;
  }
  const wrongLo = (zLo ^ valueLo) & ~maskLo;
  const wrongHi = (zHi ^ valueHi) & ~maskHi;
  const k = fls64(wrongLo, wrongHi);
  const aboveLo = k >= 32 ? 0 : -1 << k;
  const aboveHi = k >= 64 ? 0 : k > 32 ? -1 << (k - 32) : -1;
  const zIsLow = k > 32 ? (valueHi >>> (k - 33)) & 1 : k > 0 ? (valueLo >>> (k - 1)) & 1 : 0;
  if (zIsLow !== 0) {
    stepLo = (aboveLo & zLo) | (~aboveLo & valueLo);
    stepHi = (aboveHi & zHi) | (~aboveHi & valueHi);
    return;
  }
  const countLo = aboveLo & (zLo | ~maskLo);
  const countHi = aboveHi & (zHi | ~maskHi);
  const unitLo = k >= 32 ? 0 : 1 << k;
  const unitHi = k >= 32 ? 1 << (k - 32) : 0;
  const nextLo = addWord(countLo, countHi, unitLo, unitHi);
  stepLo = (nextLo & maskLo) | valueLo;
  stepHi = (high & maskHi) | valueHi;
};
