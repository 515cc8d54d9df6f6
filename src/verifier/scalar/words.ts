/**
 * 64-bit words as two int32 halves. Every half is kept `| 0`; unsigned comparisons go through `>>> 0`, which V8 compiles to
 * a plain unsigned compare. Functions that yield a word return the low half and leave the high half in `high`.
 */

export const INT_MIN = -0x80000000;
export const INT_MAX = 0x7fffffff;

/** High half of the word the last word-valued function here returned. */
export let high = 0;

/** a < b, unsigned. */
export const ltu = (aLo: number, aHi: number, bLo: number, bHi: number): boolean =>
  aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi >>> 0 < bHi >>> 0;

/** a < b, signed. */
export const lts = (aLo: number, aHi: number, bLo: number, bHi: number): boolean =>
  aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi < bHi;

/** a < b for unsigned int32 bit patterns. */
export const ltu32 = (a: number, b: number): boolean => a >>> 0 < b >>> 0;

/** Carry out of `sum = a + b` in 32 bits, 0 or 1. */
export const carry = (a: number, b: number, sum: number): number => ((a & b) | ((a | b) & ~sum)) >>> 31;

/** Borrow out of `rest = a - b` in 32 bits, 0 or 1. */
export const borrow = (a: number, b: number, rest: number): number => ((~a & b) | ((~a | b) & rest)) >>> 31;

export const addWord = (aLo: number, aHi: number, bLo: number, bHi: number): number => {
  const lo = (aLo + bLo) | 0;
  high = (aHi + bHi + carry(aLo, bLo, lo)) | 0;
  return lo;
};

export const subWord = (aLo: number, aHi: number, bLo: number, bHi: number): number => {
  const lo = (aLo - bLo) | 0;
  high = (aHi - bHi - borrow(aLo, bLo, lo)) | 0;
  return lo;
};

/** Smallest 2^n - 1 that covers `word`; 0 for 0. */
export const smear32 = (word: number): number => (word === 0 ? 0 : (-1 >>> Math.clz32(word)) | 0);

/** Bit position of the highest set bit plus one; 0 for 0. Source: fls64, include/asm-generic/bitops/fls64.h. */
export const fls64 = (lo: number, hi: number): number => (hi !== 0 ? 64 - Math.clz32(hi) : 32 - Math.clz32(lo));

/** `a << n` for 0 <= n <= 63. */
export const shlWord = (aLo: number, aHi: number, n: number): number => {
  if (n === 0) {
    high = aHi;
    return aLo;
  }
  if (n >= 32) {
    high = aLo << (n - 32);
    return 0;
  }
  high = (aHi << n) | (aLo >>> (32 - n));
  return aLo << n;
};

/** `a >> n`, zeros shifted in, for 0 <= n <= 63. */
export const shrWord = (aLo: number, aHi: number, n: number): number => {
  if (n === 0) {
    high = aHi;
    return aLo;
  }
  if (n >= 32) {
    high = 0;
    return (aHi >>> (n - 32)) | 0;
  }
  high = (aHi >>> n) | 0;
  return (aLo >>> n) | (aHi << (32 - n));
};

/** `a >> n`, sign bit shifted in, for 0 <= n <= 63. */
export const sarWord = (aLo: number, aHi: number, n: number): number => {
  if (n === 0) {
    high = aHi;
    return aLo;
  }
  if (n >= 32) {
    high = aHi >> 31;
    return aHi >> (n - 32);
  }
  high = aHi >> n;
  return (aLo >>> n) | (aHi << (32 - n));
};

/** Upper 32 bits of the unsigned product of two 32-bit patterns. */
const mulHigh32 = (a: number, b: number): number => {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const first = Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16);
  const second = Math.imul(aLow, bHigh) + (first & 0xffff);
  return (Math.imul(aHigh, bHigh) + (first >>> 16) + (second >>> 16)) | 0;
};

/** Low 64 bits of a * b. */
export const mulWord = (aLo: number, aHi: number, bLo: number, bHi: number): number => {
  high = (mulHigh32(aLo, bLo) + Math.imul(aLo, bHi) + Math.imul(aHi, bLo)) | 0;
  return Math.imul(aLo, bLo);
};

/** Whether the unsigned product needs more than 64 bits. */
export const mulOverflowsUnsigned = (aLo: number, aHi: number, bLo: number, bHi: number): boolean => {
  if (aHi === 0 && bHi === 0) return false;
  if (aHi !== 0 && bHi !== 0) return true;
  const wide = aHi !== 0 ? aHi : bHi;
  const narrow = aHi !== 0 ? bLo : aLo;
  if (mulHigh32(wide, narrow) !== 0) return true;
  return (Math.imul(wide, narrow) >>> 0) + (mulHigh32(aLo, bLo) >>> 0) > 0xffffffff;
};

/** Whether the signed product is not a 64-bit signed number. */
export const mulOverflowsSigned = (aLo: number, aHi: number, bLo: number, bHi: number): boolean => {
  const negative = (aHi ^ bHi) < 0;
  if (aHi < 0) {
    aLo = subWord(0, 0, aLo, aHi);
    aHi = high;
  }
  if (bHi < 0) {
    bLo = subWord(0, 0, bLo, bHi);
    bHi = high;
  }
  if (mulOverflowsUnsigned(aLo, aHi, bLo, bHi)) return true;
  const lo = mulWord(aLo, aHi, bLo, bHi);
  if (high >= 0) return false;
  return !(negative && high === INT_MIN && lo === 0);
};

/** Bytes of a 32-bit pattern in reverse order. */
export const swapBytes32 = (word: number): number =>
  (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
