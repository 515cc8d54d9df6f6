import { isConstAt, negateComparison } from './compare.ts';
import { JEQ, JGE, JGT, JLE, JLT, JNE, JSET, JSET_CLEAR, JSGE, JSGT, JSLE, JSLT } from './opcodes.ts';
import { equals, isExactConst, type Scalar } from './scalar.ts';
import { sync, unbound32, unbound64 } from './sync.ts';
import { tnumIntersect } from './tnum.ts';
import { addWord, high, lts, ltu, ltu32, subWord } from './words.ts';

/** What a comparison tells about its operands once its outcome is known. */

/** Both hold the same number. */
const refineEqual = (a: Scalar, b: Scalar, is32: boolean): void => {
  if (is32) {
    if (ltu32(a.u32min, b.u32min)) a.u32min = b.u32min;
    if (ltu32(b.u32max, a.u32max)) a.u32max = b.u32max;
    if (a.s32min < b.s32min) a.s32min = b.s32min;
    if (a.s32max > b.s32max) a.s32max = b.s32max;
    b.u32min = a.u32min;
    b.u32max = a.u32max;
    b.s32min = a.s32min;
    b.s32max = a.s32max;
    const mask = a.maskLo & b.maskLo;
    a.valueLo = b.valueLo = (a.valueLo | b.valueLo) & ~mask;
    a.maskLo = b.maskLo = mask;
    return;
  }
  if (ltu(a.uminLo, a.uminHi, b.uminLo, b.uminHi)) copyUmin(a, b);
  else copyUmin(b, a);
  if (ltu(b.umaxLo, b.umaxHi, a.umaxLo, a.umaxHi)) copyUmax(a, b);
  else copyUmax(b, a);
  if (lts(a.sminLo, a.sminHi, b.sminLo, b.sminHi)) copySmin(a, b);
  else copySmin(b, a);
  if (lts(b.smaxLo, b.smaxHi, a.smaxLo, a.smaxHi)) copySmax(a, b);
  else copySmax(b, a);
  tnumIntersect(a, a, b);
  b.valueLo = a.valueLo;
  b.valueHi = a.valueHi;
  b.maskLo = a.maskLo;
  b.maskHi = a.maskHi;
};

const copyUmin = (to: Scalar, from: Scalar): void => {
  to.uminLo = from.uminLo;
  to.uminHi = from.uminHi;
};

const copyUmax = (to: Scalar, from: Scalar): void => {
  to.umaxLo = from.umaxLo;
  to.umaxHi = from.umaxHi;
};

const copySmin = (to: Scalar, from: Scalar): void => {
  to.sminLo = from.sminLo;
  to.sminHi = from.sminHi;
};

const copySmax = (to: Scalar, from: Scalar): void => {
  to.smaxLo = from.smaxLo;
  to.smaxHi = from.smaxHi;
};

/** A bound of `a` that is the constant moves inwards by one. */
const refineUnequal = (a: Scalar, lo: number, hi: number, is32: boolean): void => {
  if (is32) {
    if (a.u32min === lo) a.u32min = (lo + 1) | 0;
    if (a.u32max === lo) a.u32max = (lo - 1) | 0;
    if (a.s32min === lo) a.s32min = (lo + 1) | 0;
    if (a.s32max === lo) a.s32max = (lo - 1) | 0;
    return;
  }
  const aboveLo = addWord(lo, hi, 1, 0);
  const aboveHi = high;
  const belowLo = subWord(lo, hi, 1, 0);
  const belowHi = high;
  if (a.uminLo === lo && a.uminHi === hi) {
    a.uminLo = aboveLo;
    a.uminHi = aboveHi;
  }
  if (a.umaxLo === lo && a.umaxHi === hi) {
    a.umaxLo = belowLo;
    a.umaxHi = belowHi;
  }
  if (a.sminLo === lo && a.sminHi === hi) {
    a.sminLo = aboveLo;
    a.sminHi = aboveHi;
  }
  if (a.smaxLo === lo && a.smaxHi === hi) {
    a.smaxLo = belowLo;
    a.smaxHi = belowHi;
  }
};

const isPowerOf2 = (lo: number, hi: number): boolean =>
  hi === 0 ? lo !== 0 && (lo & (lo - 1)) === 0 : lo === 0 && (hi & (hi - 1)) === 0;

/** `a & mask` is not zero: of a mask of one bit, that bit is set. */
const refineSomeSet = (a: Scalar, lo: number, hi: number): void => {
  if (!isPowerOf2(lo, hi)) return;
  a.valueLo |= lo;
  a.valueHi |= hi;
  a.maskLo &= ~lo;
  a.maskHi &= ~hi;
};

/** `a & mask` is zero. The bounds are forgotten, so that a dead branch cannot contradict them. */
const refineAllClear = (a: Scalar, lo: number, hi: number): void => {
  unbound32(a);
  unbound64(a);
  a.valueLo &= ~lo;
  a.valueHi &= ~hi;
  a.maskLo &= ~lo;
  a.maskHi &= ~hi;
};

/** a < b (`strict`) or a <= b, unsigned. With b's maximum 0 a strict comparison wraps, as in the kernel. */
const refineBelow = (a: Scalar, b: Scalar, strict: number, is32: boolean): void => {
  if (is32) {
    const max = (b.u32max - strict) | 0;
    if (ltu32(max, a.u32max)) a.u32max = max;
    const min = (a.u32min + strict) | 0;
    if (ltu32(b.u32min, min)) b.u32min = min;
    return;
  }
  const maxLo = subWord(b.umaxLo, b.umaxHi, strict, 0);
  const maxHi = high;
  if (ltu(maxLo, maxHi, a.umaxLo, a.umaxHi)) {
    a.umaxLo = maxLo;
    a.umaxHi = maxHi;
  }
  const minLo = addWord(a.uminLo, a.uminHi, strict, 0);
  const minHi = high;
  if (ltu(b.uminLo, b.uminHi, minLo, minHi)) {
    b.uminLo = minLo;
    b.uminHi = minHi;
  }
};

/** As refineBelow, signed. */
const refineLess = (a: Scalar, b: Scalar, strict: number, is32: boolean): void => {
  if (is32) {
    const max = (b.s32max - strict) | 0;
    if (max < a.s32max) a.s32max = max;
    const min = (a.s32min + strict) | 0;
    if (b.s32min < min) b.s32min = min;
    return;
  }
  const maxLo = subWord(b.smaxLo, b.smaxHi, strict, 0);
  const maxHi = high;
  if (lts(maxLo, maxHi, a.smaxLo, a.smaxHi)) {
    a.smaxLo = maxLo;
    a.smaxHi = maxHi;
  }
  const minLo = addWord(a.sminLo, a.sminHi, strict, 0);
  const minHi = high;
  if (lts(b.sminLo, b.sminHi, minLo, minHi)) {
    b.sminLo = minLo;
    b.sminHi = minHi;
  }
};

/** Narrows unpublished `a` and `b`, possibly one object, to where `a op b` holds. Source: regs_refine_cond_op. */
const refineInPlace = (a: Scalar, b: Scalar, op: number, is32: boolean): void => {
  switch (op) {
    case JEQ:
      refineEqual(a, b, is32);
      return;
    case JNE:
    case JSET:
    case JSET_CLEAR: {
      const known = isConstAt(b, is32) ? b : a;
      if (!isConstAt(known, is32)) return;
      const other = known === b ? a : b;
      const hi = is32 ? 0 : known.valueHi;
      if (op === JNE) refineUnequal(other, known.valueLo, hi, is32);
      else if (op === JSET) refineSomeSet(other, known.valueLo, hi);
      else refineAllClear(other, known.valueLo, hi);
      return;
    }
    case JLE:
      refineBelow(a, b, 0, is32);
      return;
    case JLT:
      refineBelow(a, b, 1, is32);
      return;
    case JGE:
      refineBelow(b, a, 0, is32);
      return;
    case JGT:
      refineBelow(b, a, 1, is32);
      return;
    case JSLE:
      refineLess(a, b, 0, is32);
      return;
    case JSLT:
      refineLess(a, b, 1, is32);
      return;
    case JSGE:
      refineLess(b, a, 0, is32);
      return;
    case JSGT:
      refineLess(b, a, 1, is32);
      return;
  }
};

/** Operands of the last `refine` where the comparison holds. */
export let holdsA!: Scalar;
export let holdsB!: Scalar;
/** Operands of the last `refine` where it does not hold. */
export let failsA!: Scalar;
export let failsB!: Scalar;

/** Synchronises `r`, the narrowed copy of `was`; gives `was` itself if nothing became narrower. */
const settle = (r: Scalar, was: Scalar): Scalar => {
  if (isExactConst(r) && equals(r, was)) return was;
  sync(r);
  return equals(r, was) ? was : r;
};

/** Narrows copies of `a` and `b` into `holdsA` and `holdsB`. */
const narrow = (a: Scalar, b: Scalar, op: number, is32: boolean, isSameRegister: boolean): void => {
  const ra = a.clone();
  if (isSameRegister) {
    refineInPlace(ra, ra, op, is32);
    sync(ra);
    holdsA = holdsB = settle(ra, a);
    return;
  }
  const rb = b.clone();
  refineInPlace(ra, rb, op, is32);
  holdsA = settle(ra, a);
  holdsB = settle(rb, b);
};

/**
 * Puts into `holdsA` and `holdsB` what `a` and `b` are where `a op b` holds, into `failsA` and `failsB` what they are where it
 * does not; `is32` compares low halves only. `isSameRegister` says that both operands are one register, which the kernel then
 * narrows as both. The results may contradict themselves: see `boundsViolation`.
 * Source: reg_set_min_max and regs_refine_cond_op, kernel/bpf/verifier.c.
 */
export const refine = (a: Scalar, b: Scalar, op: number, is32: boolean, isSameRegister: boolean): void => {
  narrow(a, b, negateComparison(op), is32, isSameRegister);
  failsA = holdsA;
  failsB = holdsB;
  narrow(a, b, op, is32, isSameRegister);
};
