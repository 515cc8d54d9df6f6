import { anyUnsigned64, difference, sum } from './arithmetic.ts';
import { isConst, isExactConst, type Scalar } from './scalar.ts';
import { sync, unbound32 } from './sync.ts';
import { lts, ltu } from './words.ts';

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

/** Unlike in a sum of numbers, unsigned bounds are lost as soon as either end overflows. */
export const addOffset = (pointer: Scalar, off: Scalar): Scalar => {
  const r = sum(pointer, off);
  unbound32(r);
  if (ltu(r.uminLo, r.uminHi, off.uminLo, off.uminHi)) anyUnsigned64(r);
  return r;
};

/** Unsigned bounds survive only if the smallest pointer offset covers the largest number. */
export const subOffset = (pointer: Scalar, off: Scalar): Scalar => {
  const r = difference(pointer, off);
  unbound32(r);
  if (ltu(pointer.uminLo, pointer.uminHi, off.umaxLo, off.umaxHi)) anyUnsigned64(r);
  return r;
};

/** The variable offset where only the fixed offset changes: its 32-bit bounds are forgotten and found again. */
export const keepOffset = (pointer: Scalar): Scalar => {
  if (isExactConst(pointer)) return pointer;
  const r = pointer.clone();
  unbound32(r);
  return sync(r);
};

/** The variable offset in the middle of such arithmetic: its 32-bit bounds are forgotten and not found again yet. */
export const forgetLowBounds = (pointer: Scalar): Scalar => {
  const r = pointer.clone();
  unbound32(r);
  return r;
};
