import { addSigned64, anyUnsigned64, subSigned64 } from './arithmetic.ts';
import { isConst, isExactConst, type Scalar } from './scalar.ts';
import { sync, unbound32 } from './sync.ts';
import { tnumAdd, tnumSub } from './tnum.ts';
import { addWord, high, lts, ltu, subWord } from './words.ts';

/**
 * The variable offset of a pointer after arithmetic with a number that is not folded into the fixed offset. Results of
 * `addOffset` and `subOffset` are not yet synchronised, because the kernel checks them for sanity before it does that.
 * Source: adjust_ptr_min_max_vals, kernel/bpf/verifier.c.
 */

/** A number whose bounds contradict each other, as dead branches have; adding it to a pointer gives an unknown number. */
export const isContradictoryOffset = (off: Scalar): boolean =>
  lts(off.smaxLo, off.smaxHi, off.sminLo, off.sminHi) ||
  ltu(off.umaxLo, off.umaxHi, off.uminLo, off.uminHi) ||
  (isConst(off) &&
    ((off.sminLo ^ off.smaxLo) | (off.sminHi ^ off.smaxHi) | (off.uminLo ^ off.umaxLo) | (off.uminHi ^ off.umaxHi)) !== 0);

/** Unlike a sum of numbers, unsigned bounds are lost as soon as either end overflows. */
export const addOffset = (pointer: Scalar, off: Scalar): Scalar => {
  const r = pointer.clone();
  unbound32(r);
  addSigned64(r, pointer, off);
  const minLo = addWord(pointer.uminLo, pointer.uminHi, off.uminLo, off.uminHi);
  const minHi = high;
  const maxLo = addWord(pointer.umaxLo, pointer.umaxHi, off.umaxLo, off.umaxHi);
  const maxHi = high;
  if (ltu(minLo, minHi, off.uminLo, off.uminHi) || ltu(maxLo, maxHi, off.umaxLo, off.umaxHi)) anyUnsigned64(r);
  else {
    r.uminLo = minLo;
    r.uminHi = minHi;
    r.umaxLo = maxLo;
    r.umaxHi = maxHi;
  }
  tnumAdd(r, pointer, off);
  return r;
};

/** Unsigned bounds survive only if the smallest pointer offset covers the largest number. */
export const subOffset = (pointer: Scalar, off: Scalar): Scalar => {
  const r = pointer.clone();
  unbound32(r);
  subSigned64(r, pointer, off);
  if (ltu(pointer.uminLo, pointer.uminHi, off.umaxLo, off.umaxHi)) anyUnsigned64(r);
  else {
    r.uminLo = subWord(pointer.uminLo, pointer.uminHi, off.umaxLo, off.umaxHi);
    r.uminHi = high;
    r.umaxLo = subWord(pointer.umaxLo, pointer.umaxHi, off.uminLo, off.uminHi);
    r.umaxHi = high;
  }
  tnumSub(r, pointer, off);
  return r;
};

/** The variable offset where only the fixed offset changes: its 32-bit bounds are forgotten and found again. */
export const keepOffset = (pointer: Scalar): Scalar => {
  if (isExactConst(pointer)) return pointer;
  const r = pointer.clone();
  unbound32(r);
  return sync(r);
};
