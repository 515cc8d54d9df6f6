import { difference, mul32, mul64, sum } from './arithmetic.ts';
import { boundBitwise } from './bitwise.ts';
import { ADD, AND, ARSH, DIV, LSH, MOD, MUL, OR, RSH, SUB, XOR } from './opcodes.ts';
import { constScalar, isExactConst, type Scalar, UNKNOWN, ZERO } from './scalar.ts';
import { sar32, sar64, shl32, shl64, shr32, shr64 } from './shifts.ts';
import { clearHighHalf, setConst32, sync } from './sync.ts';
import { tnumAnd, tnumMul, tnumOr, tnumXor } from './tnum.ts';
import { addWord, high, mulWord, sarWord, shlWord, shrWord, subWord } from './words.ts';

/** Whether a shift by `src` has a range: by one known amount below the width. Source: is_safe_to_compute_dst_reg_range. */
const shiftIsKnown = (src: Scalar, is64: boolean): boolean => {
  if (src.umaxHi !== 0 || src.umaxLo >>> 0 >= (is64 ? 64 : 32)) return false;
  if (!is64) return src.maskLo === 0 && src.s32min === src.s32max && src.u32min === src.u32max;
  return (
    (src.maskLo | src.maskHi | (src.sminLo ^ src.smaxLo) | (src.sminHi ^ src.smaxHi) | (src.uminLo ^ src.umaxLo) | src.uminHi) ===
    0
  );
};

/** The concrete operation on two words, both exact constants. */
const foldConst = (op: number, is64: boolean, a: Scalar, b: Scalar): Scalar => {
  const aLo = a.valueLo;
  const bLo = b.valueLo;
  const aHi = is64 ? a.valueHi : op === ARSH ? aLo >> 31 : 0;
  const bHi = b.valueHi;
  let lo: number;
  let hi: number;
  switch (op) {
    case ADD:
      lo = addWord(aLo, aHi, bLo, bHi);
      hi = high;
      break;
    case SUB:
      lo = subWord(aLo, aHi, bLo, bHi);
      hi = high;
      break;
    case MUL:
      lo = mulWord(aLo, aHi, bLo, bHi);
      hi = high;
      break;
    case AND:
      lo = aLo & bLo;
      hi = aHi & bHi;
      break;
    case OR:
      lo = aLo | bLo;
      hi = aHi | bHi;
      break;
    case XOR:
      lo = aLo ^ bLo;
      hi = aHi ^ bHi;
      break;
    case LSH:
      lo = shlWord(aLo, aHi, bLo);
      hi = high;
      break;
    case RSH:
      lo = shrWord(aLo, aHi, bLo);
      hi = high;
      break;
    default:
      lo = sarWord(aLo, aHi, bLo);
      hi = high;
  }
  return constScalar(lo, is64 ? hi : 0);
};

/**
 * What `dst op src` may be. `op` is one of the operation bits above but NEG; division and modulo give an unknown number, as
 * does a shift by an unknown or too large amount (all 64 bits of it, also for a 32-bit operation).
 * Source: adjust_scalar_min_max_vals, kernel/bpf/verifier.c.
 */
export const alu = (op: number, is64: boolean, dst: Scalar, src: Scalar): Scalar => {
  if (op === LSH || op === RSH || op === ARSH) {
    if (!shiftIsKnown(src, is64)) return UNKNOWN;
  } else if (op === DIV || op === MOD) return UNKNOWN;
  if (isExactConst(src) && isExactConst(dst)) return foldConst(op, is64, dst, src);
  const r = op === ADD ? sum(dst, src) : op === SUB ? difference(dst, src) : dst.clone();
  switch (op) {
    case ADD:
    case SUB:
      break;
    case MUL:
      tnumMul(r, dst, src);
      mul32(r, src);
      mul64(r, src);
      break;
    case AND:
      tnumAnd(r, dst, src);
      boundBitwise(r, src, AND);
      break;
    case OR:
      tnumOr(r, dst, src);
      boundBitwise(r, src, OR);
      break;
    case XOR:
      tnumXor(r, dst, src);
      boundBitwise(r, src, XOR);
      break;
    case LSH:
      if (is64) shl64(r, src.uminLo);
      else shl32(r, src.u32min);
      break;
    case RSH:
      if (is64) shr64(r, src.uminLo);
      else shr32(r, src.u32min);
      break;
    default:
      if (is64) sar64(r, src.uminLo);
      else sar32(r, src.u32min);
  }
  if (!is64) clearHighHalf(r);
  return sync(r);
};

/** What `-dst` may be: zero minus it. Source: the BPF_NEG arm of adjust_scalar_min_max_vals, kernel/bpf/verifier.c. */
export const negate = (is64: boolean, dst: Scalar): Scalar => alu(SUB, is64, ZERO, dst);

/**
 * `known` plus the word `hi:lo`, as a register linked to it by that distance learns it: in the low half, zero-extended, if
 * `is32`. Source: sync_linked_regs, kernel/bpf/verifier.c.
 */
export const atDistance = (known: Scalar, lo: number, hi: number, is32: boolean): Scalar => {
  const r = sum(known, constScalar(lo, hi));
  if (is32) clearHighHalf(r);
  return sync(r);
};

/**
 * Width at which `dst` is 0 or -1, 0 if at none: before AND or OR with a constant the kernel follows both numbers separately.
 * Source: maybe_fork_scalars, kernel/bpf/verifier.c.
 */
export const forkWidth = (dst: Scalar): 0 | 32 | 64 => {
  if ((dst.sminLo & dst.sminHi) === -1 && (dst.smaxLo | dst.smaxHi) === 0) return 64;
  return dst.s32min === -1 && dst.s32max === 0 ? 32 : 0;
};

/** `dst` where it is known to be `word`, 0 or -1, at `width`; at 32 bits the rest stays as it was. */
export const forked = (dst: Scalar, width: 32 | 64, word: 0 | -1): Scalar => {
  if (width === 64) return constScalar(word, word);
  const r = dst.clone();
  setConst32(r, word);
  return r;
};
