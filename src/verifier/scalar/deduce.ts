import type { Scalar } from './scalar.ts';
import { tnumMeetRange } from './tnum.ts';

/** Rounds of deduction after which the kernel stops, whether or not another one would find more. */
const ROUNDS = 3;

/**
 * Bounds inform each other, three rounds long or until a round finds nothing. All bounds live in locals here, because this is
 * where the verifier spends its time. One round is:
 *
 * 1. Low half from 64 bits. A 64-bit range whose high half is constant is a range of the low half; one that crosses a single
 *    2^32 step from negative to non-negative low halves is a signed range of it. Source: __reg32_deduce_bounds.
 * 2. Signed from unsigned and back, first in the low half, then in 64 bits. A range that stays on one side of the sign is the
 *    same in both. A signed range that crosses it is two unsigned pieces; if the unsigned range misses one, the other holds.
 *    Source: __reg32_deduce_bounds, __reg64_deduce_bounds.
 * 3. 64 bits from the low half. The low half of a 64-bit bound moves to the nearest number the 32-bit range allows. A number in
 *    -2^31..2^31-1 whose low half is not negative is its low half: its 64-bit bounds are replaced, even by wider ones.
 *    Source: __reg_deduce_mixed_bounds.
 *
 * Returns whether a bound moved. All sources: kernel/bpf/verifier.c.
 */
export const deduceBounds = (r: Scalar): boolean => {
  let { sminLo, sminHi, smaxLo, smaxHi, uminLo, uminHi, umaxLo, umaxHi, s32min, s32max, u32min, u32max } = r;
  for (let round = 0; round < ROUNDS; round++) {
    const oldUmin = uminLo;
    const oldUminHi = uminHi;
    const oldUmax = umaxLo;
    const oldUmaxHi = umaxHi;
    const oldSmin = sminLo;
    const oldSminHi = sminHi;
    const oldSmax = smaxLo;
    const oldSmaxHi = smaxHi;
    const oldS32min = s32min;
    const oldS32max = s32max;
    const oldU32min = u32min;
    const oldU32max = u32max;

    if (uminHi === umaxHi) {
      if (uminLo >>> 0 > u32min >>> 0) u32min = uminLo;
      if (umaxLo >>> 0 < u32max >>> 0) u32max = umaxLo;
      if (uminLo <= umaxLo) {
        if (uminLo > s32min) s32min = uminLo;
        if (umaxLo < s32max) s32max = umaxLo;
      }
    } else if (uminLo < 0 && umaxLo >= 0 && ((uminHi + 1) | 0) === umaxHi) {
      if (uminLo > s32min) s32min = uminLo;
      if (umaxLo < s32max) s32max = umaxLo;
    }
    if (sminHi === smaxHi) {
      if (sminLo >>> 0 <= smaxLo >>> 0) {
        if (sminLo >>> 0 > u32min >>> 0) u32min = sminLo;
        if (smaxLo >>> 0 < u32max >>> 0) u32max = smaxLo;
      }
      if (sminLo <= smaxLo) {
        if (sminLo > s32min) s32min = sminLo;
        if (smaxLo < s32max) s32max = smaxLo;
      }
    } else if (sminLo < 0 && smaxLo >= 0 && ((sminHi + 1) | 0) === smaxHi) {
      if (sminLo > s32min) s32min = sminLo;
      if (smaxLo < s32max) s32max = smaxLo;
    }

    if (u32min <= u32max) {
      if (u32min > s32min) s32min = u32min;
      if (u32max < s32max) s32max = u32max;
    }
    if (s32min >>> 0 <= s32max >>> 0) {
      if (s32min >>> 0 > u32min >>> 0) u32min = s32min;
      if (s32max >>> 0 < u32max >>> 0) u32max = s32max;
    } else if (u32max >>> 0 < s32min >>> 0) {
      s32min = u32min;
      if (s32max >>> 0 < u32max >>> 0) u32max = s32max;
    } else if (s32max >>> 0 < u32min >>> 0) {
      s32max = u32max;
      if (s32min >>> 0 > u32min >>> 0) u32min = s32min;
    }

    if (uminHi < umaxHi || (uminHi === umaxHi && uminLo >>> 0 <= umaxLo >>> 0)) {
      if (uminHi > sminHi || (uminHi === sminHi && uminLo >>> 0 > sminLo >>> 0)) {
        sminLo = uminLo;
        sminHi = uminHi;
      }
      if (umaxHi < smaxHi || (umaxHi === smaxHi && umaxLo >>> 0 < smaxLo >>> 0)) {
        smaxLo = umaxLo;
        smaxHi = umaxHi;
      }
    }
    if (sminHi >>> 0 < smaxHi >>> 0 || (sminHi === smaxHi && sminLo >>> 0 <= smaxLo >>> 0)) {
      if (sminHi >>> 0 > uminHi >>> 0 || (sminHi === uminHi && sminLo >>> 0 > uminLo >>> 0)) {
        uminLo = sminLo;
        uminHi = sminHi;
      }
      if (smaxHi >>> 0 < umaxHi >>> 0 || (smaxHi === umaxHi && smaxLo >>> 0 < umaxLo >>> 0)) {
        umaxLo = smaxLo;
        umaxHi = smaxHi;
      }
    } else if (umaxHi >>> 0 < sminHi >>> 0 || (umaxHi === sminHi && umaxLo >>> 0 < sminLo >>> 0)) {
      sminLo = uminLo;
      sminHi = uminHi;
      if (smaxHi >>> 0 < umaxHi >>> 0 || (smaxHi === umaxHi && smaxLo >>> 0 < umaxLo >>> 0)) {
        umaxLo = smaxLo;
        umaxHi = smaxHi;
      }
    } else if (smaxHi >>> 0 < uminHi >>> 0 || (smaxHi === uminHi && smaxLo >>> 0 < uminLo >>> 0)) {
      smaxLo = umaxLo;
      smaxHi = umaxHi;
      if (uminHi >>> 0 < sminHi >>> 0 || (uminHi === sminHi && uminLo >>> 0 < sminLo >>> 0)) {
        uminLo = sminLo;
        uminHi = sminHi;
      }
    }

    if (u32min >>> 0 > uminLo >>> 0) uminLo = u32min;
    if (u32max >>> 0 < umaxLo >>> 0) umaxLo = u32max;
    if (u32min >>> 0 > sminLo >>> 0) sminLo = u32min;
    if (u32max >>> 0 < smaxLo >>> 0) smaxLo = u32max;
    const fitsInt32 = (sminHi >= 0 || (sminHi === -1 && sminLo < 0)) && (smaxHi < 0 || (smaxHi === 0 && smaxLo >= 0));
    if (fitsInt32 && s32min >= 0) {
      sminLo = uminLo = s32min;
      sminHi = uminHi = 0;
      smaxLo = umaxLo = s32max;
      smaxHi = umaxHi = s32max >> 31;
      tnumMeetRange(r, s32min, 0, s32max, smaxHi);
    }

    const moved =
      (uminLo ^ oldUmin) |
      (uminHi ^ oldUminHi) |
      (umaxLo ^ oldUmax) |
      (umaxHi ^ oldUmaxHi) |
      (sminLo ^ oldSmin) |
      (sminHi ^ oldSminHi) |
      (smaxLo ^ oldSmax) |
      (smaxHi ^ oldSmaxHi) |
      (s32min ^ oldS32min) |
      (s32max ^ oldS32max) |
      (u32min ^ oldU32min) |
      (u32max ^ oldU32max);
    if (moved === 0) {
      if (round === 0) return false;
      break;
    }
  }
  r.sminLo = sminLo;
  r.sminHi = sminHi;
  r.smaxLo = smaxLo;
  r.smaxHi = smaxHi;
  r.uminLo = uminLo;
  r.uminHi = uminHi;
  r.umaxLo = umaxLo;
  r.umaxHi = umaxHi;
  r.s32min = s32min;
  r.s32max = s32max;
  r.u32min = u32min;
  r.u32max = u32max;
  return true;
};
