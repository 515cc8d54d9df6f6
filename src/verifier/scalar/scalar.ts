import { INT_MAX, INT_MIN, lts, ltu, ltu32 } from './words.ts';

/**
 * What is known about a 64-bit number: its bits (`value`/`mask`, a set mask bit is an unknown bit and then 0 in `value`) and
 * eight bounds, signed and unsigned, of the whole word and of its low half. Also the variable offset of a pointer.
 *
 *     tnum        value  mask                64 bits, halves Lo and Hi
 *     signed      smin   smax                64 bits, halves Lo and Hi
 *     unsigned    umin   umax                64 bits, halves Lo and Hi
 *     low half    s32min s32max u32min u32max
 *
 * Every field is an int32, also the unsigned ones (their bit pattern). A Scalar that is reachable from a verifier state is never
 * written again: operations work on a `clone()`, so states share Scalars and identity implies equality.
 *
 * The bounds may contradict each other (dead branches leave such numbers behind); every operation follows the kernel there too.
 * Source: var_off and *_value of struct bpf_reg_state, include/linux/bpf_verifier.h.
 */
export class Scalar {
  declare valueLo: number;
  declare valueHi: number;
  declare maskLo: number;
  declare maskHi: number;
  declare sminLo: number;
  declare sminHi: number;
  declare smaxLo: number;
  declare smaxHi: number;
  declare uminLo: number;
  declare uminHi: number;
  declare umaxLo: number;
  declare umaxHi: number;
  declare s32min: number;
  declare s32max: number;
  declare u32min: number;
  declare u32max: number;

  constructor(
    valueLo: number,
    valueHi: number,
    maskLo: number,
    maskHi: number,
    sminLo: number,
    sminHi: number,
    smaxLo: number,
    smaxHi: number,
    uminLo: number,
    uminHi: number,
    umaxLo: number,
    umaxHi: number,
    s32min: number,
    s32max: number,
    u32min: number,
    u32max: number,
  ) {
    this.valueLo = valueLo | 0;
    this.valueHi = valueHi | 0;
    this.maskLo = maskLo | 0;
    this.maskHi = maskHi | 0;
    this.sminLo = sminLo | 0;
    this.sminHi = sminHi | 0;
    this.smaxLo = smaxLo | 0;
    this.smaxHi = smaxHi | 0;
    this.uminLo = uminLo | 0;
    this.uminHi = uminHi | 0;
    this.umaxLo = umaxLo | 0;
    this.umaxHi = umaxHi | 0;
    this.s32min = s32min | 0;
    this.s32max = s32max | 0;
    this.u32min = u32min | 0;
    this.u32max = u32max | 0;
  }

  clone(): Scalar {
    return new Scalar(
      this.valueLo,
      this.valueHi,
      this.maskLo,
      this.maskHi,
      this.sminLo,
      this.sminHi,
      this.smaxLo,
      this.smaxHi,
      this.uminLo,
      this.uminHi,
      this.umaxLo,
      this.umaxHi,
      this.s32min,
      this.s32max,
      this.u32min,
      this.u32max,
    );
  }
}

const newConst = (lo: number, hi: number): Scalar => new Scalar(lo, hi, 0, 0, lo, hi, lo, hi, lo, hi, lo, hi, lo, lo, lo, lo);

/** Nothing is known. Source: __mark_reg_unknown, kernel/bpf/verifier.c. */
export const UNKNOWN = new Scalar(0, 0, -1, -1, 0, INT_MIN, -1, INT_MAX, 0, 0, -1, -1, INT_MIN, INT_MAX, 0, -1);

const SMALLEST_SHARED = -256;
const LARGEST_SHARED = 4096;
/** Made when they are asked for first. */
const sharedConsts = new Array<Scalar | null>(LARGEST_SHARED - SMALLEST_SHARED + 1).fill(null);

function sharedConst(lo: number, hi: number): Scalar {
  const at = lo - SMALLEST_SHARED;
  const known = sharedConsts[at];
  if (known) return known;
  const made = newConst(lo, hi);
  sharedConsts[at] = made;
  return made;
}

/** Exactly the 64-bit word `hi:lo`; one shared object per small constant. Source: ___mark_reg_known, kernel/bpf/verifier.c. */
export const constScalar = (lo: number, hi: number): Scalar =>
  hi === lo >> 31 && lo >= SMALLEST_SHARED && lo <= LARGEST_SHARED ? sharedConst(lo, hi) : newConst(lo, hi);

/** Exactly the sign-extended int32 `imm`. */
export const constImm = (imm: number): Scalar => constScalar(imm | 0, imm >> 31);

export const ZERO = constScalar(0, 0);

export const equals = (a: Scalar, b: Scalar): boolean =>
  a === b ||
  (a.valueLo === b.valueLo &&
    a.valueHi === b.valueHi &&
    a.maskLo === b.maskLo &&
    a.maskHi === b.maskHi &&
    a.sminLo === b.sminLo &&
    a.sminHi === b.sminHi &&
    a.smaxLo === b.smaxLo &&
    a.smaxHi === b.smaxHi &&
    a.uminLo === b.uminLo &&
    a.uminHi === b.uminHi &&
    a.umaxLo === b.umaxLo &&
    a.umaxHi === b.umaxHi &&
    a.s32min === b.s32min &&
    a.s32max === b.s32max &&
    a.u32min === b.u32min &&
    a.u32max === b.u32max);

/** All bits are known; the bounds may still disagree. Source: tnum_is_const, include/linux/tnum.h. */
export const isConst = (s: Scalar): boolean => (s.maskLo | s.maskHi) === 0;

/** All bits of the low half are known. Source: tnum_subreg_is_const, include/linux/tnum.h. */
export const isConst32 = (s: Scalar): boolean => s.maskLo === 0;

/** The bits are exactly the word `hi:lo`. Source: tnum_equals_const, include/linux/tnum.h. */
export const isConstWord = (s: Scalar, lo: number, hi: number): boolean =>
  (s.maskLo | s.maskHi) === 0 && s.valueLo === lo && s.valueHi === hi;

export const isZero = (s: Scalar): boolean => (s.maskLo | s.maskHi | s.valueLo | s.valueHi) === 0;

/** Bits and all eight bounds name one and the same word. */
export const isExactConst = (s: Scalar): boolean => {
  if ((s.maskLo | s.maskHi) !== 0) return false;
  const lo = s.valueLo;
  const hi = s.valueHi;
  return (
    ((s.sminLo ^ lo) |
      (s.smaxLo ^ lo) |
      (s.uminLo ^ lo) |
      (s.umaxLo ^ lo) |
      (s.s32min ^ lo) |
      (s.s32max ^ lo) |
      (s.u32min ^ lo) |
      (s.u32max ^ lo) |
      (s.sminHi ^ hi) |
      (s.smaxHi ^ hi) |
      (s.uminHi ^ hi) |
      (s.umaxHi ^ hi)) ===
    0
  );
};

/** Neither a bit nor a bound is known. */
export const isUnknown = (s: Scalar): boolean => s === UNKNOWN || equals(s, UNKNOWN);

/** No bit is known; bounds may be. Source: tnum_is_unknown, include/linux/tnum.h. */
export const isTnumUnknown = (s: Scalar): boolean => (s.maskLo & s.maskHi) === -1;

/** Every bound of `cur` lies inside the bounds of `old`. Source: range_within, kernel/bpf/verifier.c. */
export const rangeWithin = (old: Scalar, cur: Scalar): boolean =>
  !ltu(cur.uminLo, cur.uminHi, old.uminLo, old.uminHi) &&
  !ltu(old.umaxLo, old.umaxHi, cur.umaxLo, cur.umaxHi) &&
  !lts(cur.sminLo, cur.sminHi, old.sminLo, old.sminHi) &&
  !lts(old.smaxLo, old.smaxHi, cur.smaxLo, cur.smaxHi) &&
  !ltu32(cur.u32min, old.u32min) &&
  !ltu32(old.u32max, cur.u32max) &&
  old.s32min <= cur.s32min &&
  old.s32max >= cur.s32max;

/** Every number with the bits of `b` has the bits of `a`. Source: tnum_in, kernel/bpf/tnum.c. */
export const tnumIn = (a: Scalar, b: Scalar): boolean =>
  ((b.maskLo & ~a.maskLo) | (b.maskHi & ~a.maskHi)) === 0 &&
  a.valueLo === (b.valueLo & ~a.maskLo) &&
  a.valueHi === (b.valueHi & ~a.maskHi);

/** Known to be a multiple of `size`, a power of two up to 2^31. Source: tnum_is_aligned, kernel/bpf/tnum.c. */
export const isAligned = (s: Scalar, size: number): boolean => size === 0 || ((s.valueLo | s.maskLo) & (size - 1)) === 0;

/** umax < 2^bits for 1 <= bits <= 63. */
export const fitsUnsigned = (s: Scalar, bits: number): boolean =>
  bits >= 32 ? s.umaxHi >>> 0 < 2 ** (bits - 32) : s.umaxHi === 0 && s.umaxLo >>> 0 < 2 ** bits;
