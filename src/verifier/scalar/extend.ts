import { constScalar, equals, isConst, isExactConst, type Scalar, UNKNOWN } from './scalar.ts';
import { clearHighHalf, setConst, sync, unbound32, unbound64 } from './sync.ts';
import { tnumRange, tnumSwapBytes, tnumTruncate } from './tnum.ts';
import { INT_MAX, INT_MIN, ltu } from './words.ts';

/** Narrowing and widening: truncation, zero and sign extension, byte order. `size` is in bytes, `bits` in bits. */

/** The low half, zero-extended, as `w1 = w2` gives it. Source: the BPF_MOV arm of check_alu_op, kernel/bpf/verifier.c. */
export const zeroExtend32 = (s: Scalar): Scalar => {
  if (isExactConst(s)) return s.valueHi === 0 ? s : constScalar(s.valueLo, 0);
  const r = s.clone();
  clearHighHalf(r);
  sync(r);
  return equals(r, s) ? s : r;
};

const truncateInto = (r: Scalar, size: 1 | 2 | 4): void => {
  const keep = size === 4 ? -1 : (1 << (size * 8)) - 1;
  tnumTruncate(r, size);
  if (r.uminHi === r.umaxHi && (r.uminLo & ~keep) === (r.umaxLo & ~keep)) {
    r.uminLo &= keep;
    r.umaxLo &= keep;
  } else {
    r.uminLo = 0;
    r.umaxLo = keep;
  }
  r.uminHi = r.umaxHi = 0;
  r.sminLo = r.uminLo;
  r.smaxLo = r.umaxLo;
  r.sminHi = r.smaxHi = 0;
  if (size < 4) unbound32(r);
};

/** The low `size` bytes, zero-extended. Source: coerce_reg_to_size, kernel/bpf/verifier.c. */
export const truncate = (s: Scalar, size: 1 | 2 | 4): Scalar => {
  const r = s.clone();
  truncateInto(r, size);
  return sync(r);
};

/** What a load of `size` bytes of unknown content gives. Source: check_mem_access, kernel/bpf/verifier.c. */
export const loaded = (size: 1 | 2 | 4 | 8): Scalar => {
  switch (size) {
    case 1:
      return LOADED_BYTE;
    case 2:
      return LOADED_HALF;
    case 4:
      return LOADED_WORD;
    case 8:
      return UNKNOWN;
  }
};

const LOADED_BYTE = truncate(UNKNOWN, 1);
const LOADED_HALF = truncate(UNKNOWN, 2);
const LOADED_WORD = truncate(UNKNOWN, 4);

/** Sign-extends the low `32 - spare` bits of an int32. */
const signed = (word: number, spare: number): number => (word << spare) >> spare;

/**
 * The low `size` bytes, sign-extended to 64 bits. Bounds survive if only those bytes vary between smin and smax and their signs
 * agree. The result is not synchronised, exactly as the kernel leaves it. Source: coerce_reg_to_size_sx and
 * set_sext64_default_val, kernel/bpf/verifier.c.
 */
export const signExtend64 = (s: Scalar, size: 1 | 2 | 4): Scalar => {
  const spare = 32 - size * 8;
  if (isConst(s)) {
    const lo = signed(s.valueLo, spare);
    return constScalar(lo, lo >> 31);
  }
  const r = s.clone();
  const keep = size === 4 ? -1 : (1 << (size * 8)) - 1;
  if (s.sminHi === s.smaxHi && ((s.sminLo ^ s.smaxLo) & ~keep) === 0) {
    const low = signed(s.sminLo, spare);
    const top = signed(s.smaxLo, spare);
    if ((low ^ top) >= 0) {
      const min = Math.min(low, top);
      const max = Math.max(low, top);
      r.s32min = r.u32min = r.sminLo = r.uminLo = min;
      r.s32max = r.u32max = r.smaxLo = r.umaxLo = max;
      r.sminHi = r.uminHi = min >> 31;
      r.smaxHi = r.umaxHi = max >> 31;
      tnumRange(r, min, min >> 31, max, max >> 31);
      return r;
    }
  }
  unbound32(r);
  unbound64(r);
  r.valueLo = r.valueHi = 0;
  r.maskLo = r.maskHi = -1;
  r.sminLo = r.s32min = INT_MIN >> spare;
  r.sminHi = -1;
  r.smaxLo = r.s32max = INT_MAX >> spare;
  r.smaxHi = 0;
  return r;
};

/**
 * The low `size` bytes, sign-extended to 32 bits and then zero-extended: `w1 = (s8)w2`. Source: coerce_subreg_to_size_sx and
 * set_sext32_default_val, then zext_32_to_64 and reg_bounds_sync, kernel/bpf/verifier.c.
 */
export const signExtend32 = (s: Scalar, size: 1 | 2): Scalar => {
  const spare = 32 - size * 8;
  const keep = (1 << (size * 8)) - 1;
  const r = s.clone();
  const low = signed(s.s32min, spare);
  const top = signed(s.s32max, spare);
  if (isConst(s)) {
    setConst(r, signed(s.valueLo, spare), 0);
  } else if (((s.s32min ^ s.s32max) & ~keep) === 0 && (low ^ top) >= 0) {
    const min = Math.min(low, top);
    const max = Math.max(low, top);
    r.s32min = r.u32min = min;
    r.s32max = r.u32max = max;
    tnumRange(r, min, min >> 31, max, max >> 31);
  } else {
    r.s32min = INT_MIN >> spare;
    r.s32max = INT_MAX >> spare;
    r.u32min = 0;
    r.u32max = -1;
    r.valueLo = 0;
    r.maskLo = -1;
  }
  clearHighHalf(r);
  return sync(r);
};

/**
 * The low `bits` with their bytes reversed if `swap`, zero-extended. `swap` is true for bswap and for to_be on a little-endian
 * machine; without it 16 and 32 bits are truncated. Source: scalar_byte_swap, kernel/bpf/verifier.c.
 */
export const byteSwap = (s: Scalar, bits: 16 | 32 | 64, swap: boolean): Scalar => {
  const r = s.clone();
  if (swap) {
    tnumSwapBytes(r, bits);
    unbound32(r);
    unbound64(r);
  }
  if (bits !== 64) {
    truncateInto(r, bits === 16 ? 2 : 4);
    sync(r);
  }
  return sync(r);
};

/** umax < 2^(8 size - 1): sign extension of `size` bytes changes nothing. Source: no_sext in check_alu_op. */
export const isUnchangedBySignExtension = (s: Scalar, size: 1 | 2 | 4): boolean =>
  ltu(s.umaxLo, s.umaxHi, (1 << (size * 8 - 1)) | 0, 0);
