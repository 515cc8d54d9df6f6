import { deduceBounds } from './deduce.ts';
import type { Scalar } from './scalar.ts';
import { stepHi, stepLo, tnumMeetRange, tnumStep } from './tnum.ts';
import { INT_MAX, INT_MIN, lts, ltu, ltu32 } from './words.ts';

/**
 * The one reduction: bits inform bounds, bounds inform each other, bounds inform bits. Everything here writes into a Scalar
 * that is not yet published. Source: reg_bounds_sync and what it calls, kernel/bpf/verifier.c.
 */

/** Bounds as wide as they get; the bits stay. Source: __mark_reg32_unbounded. */
export const unbound32 = (r: Scalar): void => {
  r.s32min = INT_MIN;
  r.s32max = INT_MAX;
  r.u32min = 0;
  r.u32max = -1;
};

/** Source: __mark_reg64_unbounded. */
export const unbound64 = (r: Scalar): void => {
  r.sminLo = 0;
  r.sminHi = INT_MIN;
  r.smaxLo = -1;
  r.smaxHi = INT_MAX;
  r.uminLo = 0;
  r.uminHi = 0;
  r.umaxLo = -1;
  r.umaxHi = -1;
};

/** Makes `r` the word `hi:lo`, bits and bounds. Source: ___mark_reg_known. */
export const setConst = (r: Scalar, lo: number, hi: number): void => {
  r.valueLo = r.sminLo = r.smaxLo = r.uminLo = r.umaxLo = lo;
  r.valueHi = r.sminHi = r.smaxHi = r.uminHi = r.umaxHi = hi;
  r.maskLo = r.maskHi = 0;
  r.s32min = r.s32max = r.u32min = r.u32max = lo;
};

/** Makes the low half of `r` the word `lo`; the 64-bit bounds stay as they are. Source: __mark_reg32_known. */
export const setConst32 = (r: Scalar, lo: number): void => {
  r.valueLo = r.s32min = r.s32max = r.u32min = r.u32max = lo;
  r.maskLo = 0;
};

/** Source: __update_reg32_bounds. */
export const boundsFromBits32 = (r: Scalar): void => {
  const value = r.valueLo;
  const mask = r.maskLo;
  const top = value | mask;
  const smallest = value | (mask & INT_MIN);
  const largest = value | (mask & INT_MAX);
  if (smallest > r.s32min) r.s32min = smallest;
  if (largest < r.s32max) r.s32max = largest;
  if (value >>> 0 > r.u32min >>> 0) r.u32min = value;
  if (top >>> 0 < r.u32max >>> 0) r.u32max = top;
};

/** Source: __update_reg64_bounds. */
const boundsFromBits64 = (r: Scalar): void => {
  const valueLo = r.valueLo;
  const valueHi = r.valueHi;
  const maskLo = r.maskLo;
  const maskHi = r.maskHi;
  const topLo = valueLo | maskLo;
  const topHi = valueHi | maskHi;
  const smallestHi = valueHi | (maskHi & INT_MIN);
  const largestHi = valueHi | (maskHi & INT_MAX);
  if (lts(r.sminLo, r.sminHi, valueLo, smallestHi)) {
    r.sminLo = valueLo;
    r.sminHi = smallestHi;
  }
  if (lts(topLo, largestHi, r.smaxLo, r.smaxHi)) {
    r.smaxLo = topLo;
    r.smaxHi = largestHi;
  }
  let uminLo = r.uminLo;
  let uminHi = r.uminHi;
  let umaxLo = r.umaxLo;
  let umaxHi = r.umaxHi;
  if (ltu(uminLo, uminHi, valueLo, valueHi)) {
    r.uminLo = uminLo = valueLo;
    r.uminHi = uminHi = valueHi;
  }
  if (ltu(topLo, topHi, umaxLo, umaxHi)) {
    r.umaxLo = umaxLo = topLo;
    r.umaxHi = umaxHi = topHi;
  }
  // The tnum's members are sparse: if just one of them lies in umin..umax, the number is that member.
  if ((uminLo & ~maskLo) === valueLo && (uminHi & ~maskHi) === valueHi) {
    if (ltu(uminLo, uminHi, topLo, topHi)) {
      const carryLo = uminLo | ~maskLo;
      const nextLo = ((carryLo + 1) & maskLo) | valueLo;
      const nextHi = (((uminHi | ~maskHi) + (carryLo === -1 ? 1 : 0)) & maskHi) | valueHi;
      if (ltu(umaxLo, umaxHi, nextLo, nextHi)) setConst(r, uminLo, uminHi);
    } else if (ltu(umaxLo, umaxHi, topLo, topHi)) setConst(r, uminLo, uminHi);
    return;
  }
  tnumStep(r, uminLo, uminHi);
  const nextLo = stepLo;
  const nextHi = stepHi;
  if (nextLo === topLo && nextHi === topHi) {
    setConst(r, topLo, topHi);
  } else if (!ltu(umaxLo, umaxHi, nextLo, nextHi)) {
    tnumStep(r, nextLo, nextHi);
    if (ltu(umaxLo, umaxHi, stepLo, stepHi)) setConst(r, nextLo, nextHi);
  }
};

/** Source: __update_reg_bounds. */
export const boundsFromBits = (r: Scalar): void => {
  boundsFromBits32(r);
  boundsFromBits64(r);
};

/** Source: __reg_bound_offset. */
const bitsFromBounds = (r: Scalar): void => {
  tnumMeetRange(r, r.uminLo, r.uminHi, r.umaxLo, r.umaxHi);
  const differ = r.u32min ^ r.u32max;
  const free = differ === 0 ? 0 : -1 >>> Math.clz32(differ);
  const maskLo = r.maskLo & free;
  r.valueLo = (r.valueLo | (r.u32min & ~free)) & ~maskLo;
  r.maskLo = maskLo;
};

/** Tightens every part of `r` by the others; returns `r`. Source: reg_bounds_sync. */
export const sync = (r: Scalar): Scalar => {
  boundsFromBits(r);
  const { maskLo, maskHi, valueLo, valueHi } = r;
  const moved = deduceBounds(r);
  bitsFromBounds(r);
  // Bounds that the same bits have just narrowed would not become narrower.
  if (moved || ((r.maskLo ^ maskLo) | (r.maskHi ^ maskHi) | (r.valueLo ^ valueLo) | (r.valueHi ^ valueHi)) !== 0)
    boundsFromBits(r);
  return r;
};

/** The low half, zero-extended, before `sync`. Source: zext_32_to_64 and __reg_assign_32_into_64. */
export const clearHighHalf = (r: Scalar): void => {
  r.valueHi = 0;
  r.maskHi = 0;
  r.uminLo = r.u32min;
  r.uminHi = 0;
  r.umaxLo = r.u32max;
  r.umaxHi = 0;
  const positive = r.s32min >= 0 && r.s32max >= 0;
  r.sminLo = positive ? r.s32min : 0;
  r.sminHi = 0;
  r.smaxLo = positive ? r.s32max : -1;
  r.smaxHi = 0;
};

/**
 * Says how the parts of `s` contradict each other, in the kernel's words; undefined if they do not.
 * Source: reg_bounds_sanity_check.
 */
export const boundsViolation = (s: Scalar): string | undefined => {
  if (
    ltu(s.umaxLo, s.umaxHi, s.uminLo, s.uminHi) ||
    lts(s.smaxLo, s.smaxHi, s.sminLo, s.sminHi) ||
    ltu32(s.u32max, s.u32min) ||
    s.s32min > s.s32max
  ) {
    return 'range bounds violation';
  }
  const { valueLo, valueHi } = s;
  if (s.maskLo !== 0) return undefined;
  if (s.maskHi === 0) {
    const off =
      (s.uminLo ^ valueLo) |
      (s.umaxLo ^ valueLo) |
      (s.sminLo ^ valueLo) |
      (s.smaxLo ^ valueLo) |
      (s.uminHi ^ valueHi) |
      (s.umaxHi ^ valueHi) |
      (s.sminHi ^ valueHi) |
      (s.smaxHi ^ valueHi);
    if (off !== 0) return 'const tnum out of sync with range bounds';
  }
  const off32 = (s.u32min ^ valueLo) | (s.u32max ^ valueLo) | (s.s32min ^ valueLo) | (s.s32max ^ valueLo);
  return off32 !== 0 ? 'const subreg tnum out of sync with range bounds' : undefined;
};

const hex64 = (lo: number, hi: number): string =>
  hi === 0 ? `0x${(lo >>> 0).toString(16)}` : `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, '0')}`;

const hex32 = (word: number): string => `0x${(word >>> 0).toString(16)}`;

/** The text of the kernel's report of a violation found at `where` ("alu", "true_reg1", …). Source: reg_bounds_sanity_check. */
export const violationText = (where: string, violation: string, s: Scalar): string =>
  `REG INVARIANTS VIOLATION (${where}): ${violation}` +
  ` u64=[${hex64(s.uminLo, s.uminHi)}, ${hex64(s.umaxLo, s.umaxHi)}]` +
  ` s64=[${hex64(s.sminLo, s.sminHi)}, ${hex64(s.smaxLo, s.smaxHi)}]` +
  ` u32=[${hex32(s.u32min)}, ${hex32(s.u32max)}] s32=[${hex32(s.s32min)}, ${hex32(s.s32max)}]` +
  ` var_off=(${hex64(s.valueLo, s.valueHi)}, ${hex64(s.maskLo, s.maskHi)})`;

/** The bits of `s` with no bounds, not synchronised: what a violation leaves. Source: reg_bounds_sanity_check. */
export const withoutBounds = (s: Scalar): Scalar => {
  const r = s.clone();
  unbound32(r);
  unbound64(r);
  return r;
};
