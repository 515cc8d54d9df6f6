import { anySigned64 } from './arithmetic.ts';
import { AND, OR } from './opcodes.ts';
import type { Scalar } from './scalar.ts';
import { boundsFromBits, setConst, setConst32 } from './sync.ts';
import { INT_MAX, INT_MIN, lts, ltu, ltu32 } from './words.ts';

/** Signed bounds are the unsigned ones if those stay on one side of the sign, else unbounded. */
const signedFromUnsigned32 = (r: Scalar): void => {
  const ordered = r.u32min <= r.u32max;
  r.s32min = ordered ? r.u32min : INT_MIN;
  r.s32max = ordered ? r.u32max : INT_MAX;
};

const signedFromUnsigned64 = (r: Scalar): void => {
  if (lts(r.umaxLo, r.umaxHi, r.uminLo, r.uminHi)) {
    anySigned64(r);
    return;
  }
  r.sminLo = r.uminLo;
  r.sminHi = r.uminHi;
  r.smaxLo = r.umaxLo;
  r.smaxHi = r.umaxHi;
};

/**
 * The bits of `r` already hold the result of the bitwise `op` with `b`. AND takes its smallest number from the bits and its
 * largest from the operands, OR the other way round, XOR both from the bits.
 * Source: scalar32_min_max_and, scalar_min_max_and and their OR and XOR kin.
 */
export const boundBitwise = (r: Scalar, b: Scalar, op: number): void => {
  if ((r.maskLo | b.maskLo) === 0) setConst32(r, r.valueLo);
  else {
    const top = r.valueLo | r.maskLo;
    if (op === AND) {
      r.u32min = r.valueLo;
      if (ltu32(b.u32max, r.u32max)) r.u32max = b.u32max;
    } else if (op === OR) {
      if (ltu32(r.u32min, b.u32min)) r.u32min = b.u32min;
      r.u32max = top;
    } else {
      r.u32min = r.valueLo;
      r.u32max = top;
    }
    signedFromUnsigned32(r);
  }
  if ((r.maskLo | r.maskHi | b.maskLo | b.maskHi) === 0) {
    setConst(r, r.valueLo, r.valueHi);
    return;
  }
  if (op !== OR) {
    r.uminLo = r.valueLo;
    r.uminHi = r.valueHi;
  } else if (ltu(r.uminLo, r.uminHi, b.uminLo, b.uminHi)) {
    r.uminLo = b.uminLo;
    r.uminHi = b.uminHi;
  }
  if (op !== AND) {
    r.umaxLo = r.valueLo | r.maskLo;
    r.umaxHi = r.valueHi | r.maskHi;
  } else if (ltu(b.umaxLo, b.umaxHi, r.umaxLo, r.umaxHi)) {
    r.umaxLo = b.umaxLo;
    r.umaxHi = b.umaxHi;
  }
  signedFromUnsigned64(r);
  boundsFromBits(r);
};
