import { JEQ, JGE, JGT, JLE, JLT, JNE, JSET, JSET_CLEAR, JSGE, JSGT, JSLE, JSLT } from './opcodes.ts';
import type { Scalar } from './scalar.ts';
import { tnumOverlap, tnumOverlap32 } from './tnum.ts';
import { lts, ltu, ltu32 } from './words.ts';

/** 1: the jump is taken, 0: it is not, -1: either. */
export type Branch = 0 | 1 | -1;

/** The comparison that holds for `b op' a` exactly if `a op b`. Source: flip_opcode, kernel/bpf/verifier.c. */
export const flipComparison = (op: number): number => {
  switch (op) {
    case JGE:
      return JLE;
    case JGT:
      return JLT;
    case JLE:
      return JGE;
    case JLT:
      return JGT;
    case JSGE:
      return JSLE;
    case JSGT:
      return JSLT;
    case JSLE:
      return JSGE;
    case JSLT:
      return JSGT;
    default:
      return op;
  }
};

/** The comparison that holds exactly if `op` does not. Source: rev_opcode, kernel/bpf/verifier.c. */
export const negateComparison = (op: number): number => {
  switch (op) {
    case JEQ:
      return JNE;
    case JNE:
      return JEQ;
    case JSET:
      return JSET_CLEAR;
    case JSET_CLEAR:
      return JSET;
    case JGE:
      return JLT;
    case JGT:
      return JLE;
    case JLE:
      return JGT;
    case JLT:
      return JGE;
    case JSGE:
      return JSLT;
    case JSGT:
      return JSLE;
    case JSLE:
      return JSGT;
    default:
      return JSGE;
  }
};

/** The number is one known word, or its low half is. Source: is_reg_const, kernel/bpf/verifier.c. */
export const isConstAt = (s: Scalar, is32: boolean): boolean => (is32 ? s.maskLo : s.maskLo | s.maskHi) === 0;

/** No number is in both ranges of the low half. */
const disjoint32 = (a: Scalar, b: Scalar): boolean =>
  ltu32(b.u32max, a.u32min) || ltu32(a.u32max, b.u32min) || a.s32min > b.s32max || a.s32max < b.s32min;

const disjoint64 = (a: Scalar, b: Scalar): boolean =>
  ltu(b.umaxLo, b.umaxHi, a.uminLo, a.uminHi) ||
  ltu(a.umaxLo, a.umaxHi, b.uminLo, b.uminHi) ||
  lts(b.smaxLo, b.smaxHi, a.sminLo, a.sminHi) ||
  lts(a.smaxLo, a.smaxHi, b.sminLo, b.sminHi);

const isEqual = (a: Scalar, b: Scalar, is32: boolean): Branch => {
  if (isConstAt(a, is32) && isConstAt(b, is32)) {
    return a.valueLo === b.valueLo && (is32 || a.valueHi === b.valueHi) ? 1 : 0;
  }
  if (!(is32 ? tnumOverlap32(a, b) : tnumOverlap(a, b))) return 0;
  return (!is32 && disjoint64(a, b)) || disjoint32(a, b) ? 0 : -1;
};

const hasCommonBit = (a: Scalar, b: Scalar, is32: boolean): Branch => {
  if (!isConstAt(b, is32)) {
    if (!isConstAt(a, is32)) return -1;
    const known = a;
    a = b;
    b = known;
  }
  const highBits = is32 ? 0 : b.valueHi;
  if (((a.valueLo & b.valueLo) | (a.valueHi & highBits)) !== 0) return 1;
  return (((a.valueLo | a.maskLo) & b.valueLo) | ((a.valueHi | a.maskHi) & highBits)) === 0 ? 0 : -1;
};

/** a < b, unsigned. */
const isBelow = (a: Scalar, b: Scalar, is32: boolean): Branch => {
  if (is32) return ltu32(a.u32max, b.u32min) ? 1 : !ltu32(a.u32min, b.u32max) ? 0 : -1;
  return ltu(a.umaxLo, a.umaxHi, b.uminLo, b.uminHi) ? 1 : !ltu(a.uminLo, a.uminHi, b.umaxLo, b.umaxHi) ? 0 : -1;
};

/** a < b, signed. */
const isLess = (a: Scalar, b: Scalar, is32: boolean): Branch => {
  if (is32) return a.s32max < b.s32min ? 1 : a.s32min >= b.s32max ? 0 : -1;
  return lts(a.smaxLo, a.smaxHi, b.sminLo, b.sminHi) ? 1 : !lts(a.sminLo, a.sminHi, b.smaxLo, b.smaxHi) ? 0 : -1;
};

/** a <= b, unsigned. */
const isAtMost = (a: Scalar, b: Scalar, is32: boolean): Branch => {
  if (is32) return !ltu32(b.u32min, a.u32max) ? 1 : ltu32(b.u32max, a.u32min) ? 0 : -1;
  return !ltu(b.uminLo, b.uminHi, a.umaxLo, a.umaxHi) ? 1 : ltu(b.umaxLo, b.umaxHi, a.uminLo, a.uminHi) ? 0 : -1;
};

/** a <= b, signed. */
const isNotGreater = (a: Scalar, b: Scalar, is32: boolean): Branch => {
  if (is32) return a.s32max <= b.s32min ? 1 : a.s32min > b.s32max ? 0 : -1;
  return !lts(b.sminLo, b.sminHi, a.smaxLo, a.smaxHi) ? 1 : lts(b.smaxLo, b.smaxHi, a.sminLo, a.sminHi) ? 0 : -1;
};

/**
 * Whether `a op b` holds for all, none, or some of the numbers; `is32` compares low halves only.
 * Source: is_scalar_branch_taken, kernel/bpf/verifier.c.
 */
export const branchTaken = (a: Scalar, b: Scalar, op: number, is32: boolean): Branch => {
  switch (op) {
    case JEQ:
      return isEqual(a, b, is32);
    case JNE: {
      const equal = isEqual(a, b, is32);
      return equal === -1 ? -1 : equal === 0 ? 1 : 0;
    }
    case JSET:
      return hasCommonBit(a, b, is32);
    case JGT:
      return isBelow(b, a, is32);
    case JLT:
      return isBelow(a, b, is32);
    case JGE:
      return isAtMost(b, a, is32);
    case JLE:
      return isAtMost(a, b, is32);
    case JSGT:
      return isLess(b, a, is32);
    case JSLT:
      return isLess(a, b, is32);
    case JSGE:
      return isNotGreater(b, a, is32);
    case JSLE:
      return isNotGreater(a, b, is32);
    default:
      return -1;
  }
};
