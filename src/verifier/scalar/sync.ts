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
export const boundsFromBits64 = (r: Scalar): void => {
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

const meetSigned32 = (r: Scalar, min: number, max: number): void => {
  if (min > r.s32min) r.s32min = min;
  if (max < r.s32max) r.s32max = max;
};

const meetUnsigned32 = (r: Scalar, min: number, max: number): void => {
  if (min >>> 0 > r.u32min >>> 0) r.u32min = min;
  if (max >>> 0 < r.u32max >>> 0) r.u32max = max;
};

const meetSigned64 = (r: Scalar, minLo: number, minHi: number, maxLo: number, maxHi: number): void => {
  if (lts(r.sminLo, r.sminHi, minLo, minHi)) {
    r.sminLo = minLo;
    r.sminHi = minHi;
  }
  if (lts(maxLo, maxHi, r.smaxLo, r.smaxHi)) {
    r.smaxLo = maxLo;
    r.smaxHi = maxHi;
  }
};

const meetUnsigned64 = (r: Scalar, minLo: number, minHi: number, maxLo: number, maxHi: number): void => {
  if (ltu(r.uminLo, r.uminHi, minLo, minHi)) {
    r.uminLo = minLo;
    r.uminHi = minHi;
  }
  if (ltu(maxLo, maxHi, r.umaxLo, r.umaxHi)) {
    r.umaxLo = maxLo;
    r.umaxHi = maxHi;
  }
};

/**
 * Bounds of the low half, from the 64-bit bounds and from each other. A 64-bit range whose high half is constant is a range of
 * the low half; one that crosses a single 2^32 step from negative to non-negative low halves is a signed range of it.
 * Source: __reg32_deduce_bounds.
 */
const deduce32 = (r: Scalar): void => {
  const uminLo = r.uminLo;
  const umaxLo = r.umaxLo;
  if (r.uminHi === r.umaxHi) {
    meetUnsigned32(r, uminLo, umaxLo);
    if (uminLo <= umaxLo) meetSigned32(r, uminLo, umaxLo);
  }
  const sminLo = r.sminLo;
  const smaxLo = r.smaxLo;
  if (r.sminHi === r.smaxHi) {
    if (sminLo >>> 0 <= smaxLo >>> 0) meetUnsigned32(r, sminLo, smaxLo);
    if (sminLo <= smaxLo) meetSigned32(r, sminLo, smaxLo);
  }
  if (uminLo < 0 && umaxLo >= 0 && ((r.uminHi + 1) | 0) === r.umaxHi) meetSigned32(r, uminLo, umaxLo);
  if (sminLo < 0 && smaxLo >= 0 && ((r.sminHi + 1) | 0) === r.smaxHi) meetSigned32(r, sminLo, smaxLo);
  if (r.u32min <= r.u32max) meetSigned32(r, r.u32min, r.u32max);
  if (r.s32min >>> 0 <= r.s32max >>> 0) meetUnsigned32(r, r.s32min, r.s32max);
  else if (ltu32(r.u32max, r.s32min)) {
    r.s32min = r.u32min;
    if (ltu32(r.s32max, r.u32max)) r.u32max = r.s32max;
  } else if (ltu32(r.s32max, r.u32min)) {
    r.s32max = r.u32max;
    if (ltu32(r.u32min, r.s32min)) r.u32min = r.s32min;
  }
};

/**
 * Signed and unsigned 64-bit bounds inform each other where a range stays on one side of the sign; a signed range that crosses
 * it is two unsigned pieces, and if the unsigned range misses one of them, the other holds. Source: __reg64_deduce_bounds.
 */
const deduce64 = (r: Scalar): void => {
  if (!lts(r.umaxLo, r.umaxHi, r.uminLo, r.uminHi)) meetSigned64(r, r.uminLo, r.uminHi, r.umaxLo, r.umaxHi);
  if (!ltu(r.smaxLo, r.smaxHi, r.sminLo, r.sminHi)) meetUnsigned64(r, r.sminLo, r.sminHi, r.smaxLo, r.smaxHi);
  else if (ltu(r.umaxLo, r.umaxHi, r.sminLo, r.sminHi)) {
    r.sminLo = r.uminLo;
    r.sminHi = r.uminHi;
    if (ltu(r.smaxLo, r.smaxHi, r.umaxLo, r.umaxHi)) {
      r.umaxLo = r.smaxLo;
      r.umaxHi = r.smaxHi;
    }
  } else if (ltu(r.smaxLo, r.smaxHi, r.uminLo, r.uminHi)) {
    r.smaxLo = r.umaxLo;
    r.smaxHi = r.umaxHi;
    if (ltu(r.uminLo, r.uminHi, r.sminLo, r.sminHi)) {
      r.uminLo = r.sminLo;
      r.uminHi = r.sminHi;
    }
  }
};

/**
 * The low half of a 64-bit bound moves to the nearest number the 32-bit range allows. A number in -2^31..2^31-1 whose low half
 * is not negative is its low half. Source: __reg_deduce_mixed_bounds.
 */
const deduceMixed = (r: Scalar): void => {
  const u32min = r.u32min >>> 0;
  const u32max = r.u32max >>> 0;
  if (u32min > r.uminLo >>> 0) r.uminLo = u32min | 0;
  if (u32max < r.umaxLo >>> 0) r.umaxLo = u32max | 0;
  if (u32min > r.sminLo >>> 0) r.sminLo = u32min | 0;
  if (u32max < r.smaxLo >>> 0) r.smaxLo = u32max | 0;
  const s32min = r.s32min;
  if (s32min < 0) return;
  const { sminHi, smaxHi } = r;
  if ((sminHi >= 0 || (sminHi === -1 && r.sminLo < 0)) && (smaxHi < 0 || (smaxHi === 0 && r.smaxLo >= 0))) {
    const s32max = r.s32max;
    const s32maxHi = s32max >> 31;
    r.sminLo = r.uminLo = s32min;
    r.sminHi = r.uminHi = 0;
    r.smaxLo = r.umaxLo = s32max;
    r.smaxHi = r.umaxHi = s32maxHi;
    tnumMeetRange(r, s32min, 0, s32max, s32maxHi);
  }
};

const deduce = (r: Scalar): void => {
  deduce32(r);
  deduce64(r);
  deduceMixed(r);
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
  deduce(r);
  deduce(r);
  deduce(r);
  bitsFromBounds(r);
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
