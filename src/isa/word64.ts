/**
 * A 64-bit word is two int32 halves, low and high. A function whose result is a word returns the low half and leaves the
 * high half in `hi`, which the caller reads before it calls anything else here. Nothing is allocated.
 *
 * Division follows RFC 9669 section 4.1: a zero divisor gives quotient 0 and leaves the dividend as remainder; the
 * signed overflow `MIN / -1` gives `MIN`, remainder 0.
 */
export let hi = 0;

const TWO32 = 4294967296;
const TWO53_HI = 0x200000;

export const add = (alo: number, ahi: number, blo: number, bhi: number): number => {
  const lo = (alo + blo) | 0;
  hi = (ahi + bhi + (lo >>> 0 < alo >>> 0 ? 1 : 0)) | 0;
  return lo;
};

export const sub = (alo: number, ahi: number, blo: number, bhi: number): number => {
  hi = (ahi - bhi - (alo >>> 0 < blo >>> 0 ? 1 : 0)) | 0;
  return (alo - blo) | 0;
};

export const neg = (lo: number, high: number): number => {
  hi = (~high + (lo === 0 ? 1 : 0)) | 0;
  return -lo | 0;
};

/** The high 32 bits of the product of two unsigned 32-bit numbers. */
export const mulHigh32 = (a: number, b: number): number => {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const low = Math.imul(al, bl) >>> 0;
  const mid = al * bh + (low >>> 16);
  const mid2 = ah * bl + (mid % 65536);
  return (ah * bh + Math.floor(mid / 65536) + Math.floor(mid2 / 65536)) | 0;
};

export const mul = (alo: number, ahi: number, blo: number, bhi: number): number => {
  hi = (mulHigh32(alo, blo) + Math.imul(alo, bhi) + Math.imul(ahi, blo)) | 0;
  return Math.imul(alo, blo);
};

/** `n` is taken modulo 64, as the machine does for shifts by a register. */
export const shl = (lo: number, high: number, n: number): number => {
  const s = n & 63;
  if (s === 0) {
    hi = high | 0;
    return lo | 0;
  }
  if (s >= 32) {
    hi = lo << (s - 32);
    return 0;
  }
  hi = (high << s) | (lo >>> (32 - s));
  return lo << s;
};

export const shr = (lo: number, high: number, n: number): number => {
  const s = n & 63;
  if (s === 0) {
    hi = high | 0;
    return lo | 0;
  }
  if (s >= 32) {
    hi = 0;
    return (high >>> (s - 32)) | 0;
  }
  hi = (high >>> s) | 0;
  return (lo >>> s) | (high << (32 - s));
};

export const sar = (lo: number, high: number, n: number): number => {
  const s = n & 63;
  if (s === 0) {
    hi = high | 0;
    return lo | 0;
  }
  if (s >= 32) {
    hi = high >> 31;
    return high >> (s - 32);
  }
  hi = high >> s;
  return (lo >>> s) | (high << (32 - s));
};

/** Reverses the 4 bytes of a half. */
export const bswap32 = (v: number): number =>
  ((v & 0xff) << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | ((v >>> 24) & 0xff);

export const bswap64 = (lo: number, high: number): number => {
  hi = bswap32(lo);
  return bswap32(high);
};

export const isEqual = (alo: number, ahi: number, blo: number, bhi: number): boolean => alo === blo && ahi === bhi;

/** Negative, zero or positive: unsigned order. */
export const compareUnsigned = (alo: number, ahi: number, blo: number, bhi: number): number =>
  ahi === bhi ? (alo >>> 0) - (blo >>> 0) : (ahi >>> 0) - (bhi >>> 0);

/** Negative, zero or positive: signed order. */
export const compareSigned = (alo: number, ahi: number, blo: number, bhi: number): number =>
  ahi === bhi ? (alo >>> 0) - (blo >>> 0) : ahi - bhi;

export const ltUnsigned = (alo: number, ahi: number, blo: number, bhi: number): boolean =>
  ahi === bhi ? alo >>> 0 < blo >>> 0 : ahi >>> 0 < bhi >>> 0;

export const ltSigned = (alo: number, ahi: number, blo: number, bhi: number): boolean =>
  ahi === bhi ? alo >>> 0 < blo >>> 0 : ahi < bhi;

let remLo = 0;
let remHi = 0;

/**
 * For operands below 2^53: the quotient of two exact doubles differs from an integer below it by at least 1/b, more than
 * half an ulp, so its floor is exact. `| 0` takes a double modulo 2^32.
 */
const divideExact = (a: number, b: number): number => {
  const q = Math.floor(a / b);
  const r = a - q * b;
  remLo = r | 0;
  remHi = Math.floor(r / TWO32) | 0;
  hi = Math.floor(q / TWO32) | 0;
  return q | 0;
};

/** Schoolbook division, one bit at a time from the first bit where the divisor can fit. `b` is not zero. */
const divideLong = (alo: number, ahi: number, blo: number, bhi: number): number => {
  const abits = ahi !== 0 ? 64 - Math.clz32(ahi) : 32 - Math.clz32(alo);
  const bbits = bhi !== 0 ? 64 - Math.clz32(bhi) : 32 - Math.clz32(blo);
  let rlo = alo;
  let rhi = ahi;
  let qlo = 0;
  let qhi = 0;
  for (let bit = abits - bbits; bit >= 0; bit--) {
    const dlo = shl(blo, bhi, bit);
    const dhi = hi;
    if (ltUnsigned(rlo, rhi, dlo, dhi)) continue;
    rlo = sub(rlo, rhi, dlo, dhi);
    rhi = hi;
    if (bit >= 32) qhi |= 1 << (bit - 32);
    else qlo |= 1 << bit;
  }
  remLo = rlo;
  remHi = rhi;
  hi = qhi;
  return qlo;
};

const divide = (alo: number, ahi: number, blo: number, bhi: number): number => {
  const ah = ahi >>> 0;
  const bh = bhi >>> 0;
  if (ah < TWO53_HI && bh < TWO53_HI) return divideExact(ah * TWO32 + (alo >>> 0), bh * TWO32 + (blo >>> 0));
  return divideLong(alo, ahi, blo, bhi);
};

export const divUnsigned = (alo: number, ahi: number, blo: number, bhi: number): number => {
  if (blo === 0 && bhi === 0) {
    hi = 0;
    return 0;
  }
  return divide(alo, ahi, blo, bhi);
};

export const modUnsigned = (alo: number, ahi: number, blo: number, bhi: number): number => {
  if (blo === 0 && bhi === 0) {
    hi = ahi;
    return alo;
  }
  divide(alo, ahi, blo, bhi);
  hi = remHi;
  return remLo;
};

const negateIf = (condition: boolean, lo: number, high: number): number => {
  if (condition) return neg(lo, high);
  hi = high;
  return lo;
};

export const divSigned = (alo: number, ahi: number, blo: number, bhi: number): number => {
  const xlo = negateIf(ahi < 0, alo, ahi);
  const xhi = hi;
  const ylo = negateIf(bhi < 0, blo, bhi);
  const yhi = hi;
  const q = divUnsigned(xlo, xhi, ylo, yhi);
  return negateIf(ahi < 0 !== bhi < 0, q, hi);
};

export const modSigned = (alo: number, ahi: number, blo: number, bhi: number): number => {
  const xlo = negateIf(ahi < 0, alo, ahi);
  const xhi = hi;
  const ylo = negateIf(bhi < 0, blo, bhi);
  const yhi = hi;
  const r = modUnsigned(xlo, xhi, ylo, yhi);
  return negateIf(ahi < 0, r, hi);
};

/** A double as a word, for integers with |n| < 2^53. */
export const fromNumber = (n: number): number => {
  hi = Math.floor(n / TWO32) | 0;
  return n | 0;
};

/** The nearest double of the unsigned word; exact below 2^53. */
export const toNumberUnsigned = (lo: number, high: number): number => (high >>> 0) * TWO32 + (lo >>> 0);

/** The nearest double of the signed word; exact when |value| < 2^53. */
export const toNumberSigned = (lo: number, high: number): number => (high | 0) * TWO32 + (lo >>> 0);

const CHUNK = 10_000_000;

/** Decimal digits by repeated division by 10^7 over 16-bit limbs, so that every step is an exact double. */
export const formatUnsigned = (lo: number, high: number): string => {
  if (high >>> 0 < TWO53_HI) return String((high >>> 0) * TWO32 + (lo >>> 0));
  const limbs = [high >>> 16, high & 0xffff, lo >>> 16, lo & 0xffff];
  let text = '';
  for (let round = 0; round < 2; round++) {
    let rem = 0;
    for (let i = 0; i < 4; i++) {
      const part = rem * 65536 + limbs[i]!;
      limbs[i] = Math.floor(part / CHUNK);
      rem = part % CHUNK;
    }
    text = String(rem).padStart(7, '0') + text;
  }
  return String(limbs[2]! * 65536 + limbs[3]!) + text;
};

export const formatSigned = (lo: number, high: number): string => {
  if (high >= 0) return formatUnsigned(lo, high);
  const low = neg(lo, high);
  return '-' + formatUnsigned(low, hi);
};

/** Lower-case hexadecimal without `0x` and without leading zeros. */
export const formatHex = (lo: number, high: number): string =>
  high === 0 ? (lo >>> 0).toString(16) : (high >>> 0).toString(16) + (lo >>> 0).toString(16).padStart(8, '0');

export interface Word64 {
  readonly lo: number;
  readonly hi: number;
}

export const fromBigInt = (value: bigint): Word64 => ({
  lo: Number(BigInt.asIntN(32, value)),
  hi: Number(BigInt.asIntN(32, value >> 32n)),
});

export const toBigIntUnsigned = (lo: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(lo >>> 0);

export const toBigIntSigned = (lo: number, high: number): bigint => (BigInt(high | 0) << 32n) | BigInt(lo >>> 0);

const NUMBER_TEXT = /^([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)$/;

/**
 * The word written in `text`: decimal or `0x` hexadecimal, with an optional sign, from -2^63 to 2^64 - 1.
 * Anything else gives null.
 */
export const parseWord64 = (text: string): Word64 | null => {
  const match = NUMBER_TEXT.exec(text);
  if (match === null || text.length > 70) return null;
  const magnitude = BigInt(match[2]!);
  if (match[1] === '-') return magnitude <= 0x8000000000000000n ? fromBigInt(-magnitude) : null;
  return magnitude <= 0xffffffffffffffffn ? fromBigInt(magnitude) : null;
};
