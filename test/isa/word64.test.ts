import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as w from '../../src/isa/word64.ts';

const MASK = (1n << 64n) - 1n;
const MIN = -(1n << 63n);

/** Words that sit on and around powers of two, and any others. */
const word = fc.oneof(
  fc.bigInt({ min: 0n, max: MASK }),
  fc.tuple(fc.nat(64), fc.integer({ min: -2, max: 2 })).map(([bit, by]) => ((1n << BigInt(bit)) + BigInt(by)) & MASK),
  fc.bigInt({ min: 0n, max: 1000n }),
  fc.bigInt({ min: -1000n, max: -1n }).map((n) => n & MASK),
);

const halves = (n: bigint): [number, number] => {
  const { lo, hi } = w.fromBigInt(n);
  return [lo, hi];
};
const signed = (n: bigint) => BigInt.asIntN(64, n);
const abs = (n: bigint) => (n < 0n ? -n : n);

type Binary = (alo: number, ahi: number, blo: number, bhi: number) => number;

const BINARY: [string, Binary, (a: bigint, b: bigint) => bigint][] = [
  ['add', w.add, (a, b) => a + b],
  ['sub', w.sub, (a, b) => a - b],
  ['mul', w.mul, (a, b) => a * b],
  ['divUnsigned', w.divUnsigned, (a, b) => (b === 0n ? 0n : a / b)],
  ['modUnsigned', w.modUnsigned, (a, b) => (b === 0n ? a : a % b)],
  ['divSigned', w.divSigned, (a, b) => (b === 0n ? 0n : signed(a) / signed(b))],
  ['modSigned', w.modSigned, (a, b) => (b === 0n ? a : signed(a) % signed(b))],
];

describe('word64 arithmetic', () => {
  it.each(BINARY)('%s', (_, ours, oracle) => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const lo = ours(...halves(a), ...halves(b));
        const { hi } = w;
        expect(lo | 0).toBe(lo);
        expect(hi | 0).toBe(hi);
        expect(w.toBigIntUnsigned(lo, hi)).toBe(oracle(a, b) & MASK);
      }),
      { numRuns: 2000 },
    );
  });

  it('the signed overflow of a division is its dividend', () => {
    const lo = w.divSigned(...halves(MIN), ...halves(-1n));
    expect(w.toBigIntSigned(lo, w.hi)).toBe(MIN);
    const rem = w.modSigned(...halves(MIN), ...halves(-1n));
    expect(w.toBigIntSigned(rem, w.hi)).toBe(0n);
  });

  it('shifts by the count modulo 64', () => {
    fc.assert(
      fc.property(word, fc.nat(127), (a, n) => {
        const by = BigInt(n % 64);
        const result = (lo: number) => w.toBigIntUnsigned(lo, w.hi);
        expect(result(w.shl(...halves(a), n))).toBe((a << by) & MASK);
        expect(result(w.shr(...halves(a), n))).toBe(a >> by);
        expect(result(w.sar(...halves(a), n))).toBe((signed(a) >> by) & MASK);
      }),
      { numRuns: 2000 },
    );
  });

  it('negates and swaps', () => {
    fc.assert(
      fc.property(word, (a) => {
        expect(w.toBigIntUnsigned(w.neg(...halves(a)), w.hi)).toBe(-a & MASK);
        const bytes = a.toString(16).padStart(16, '0').match(/../g)!.reverse().join('');
        expect(w.toBigIntUnsigned(w.bswap64(...halves(a)), w.hi)).toBe(BigInt(`0x${bytes}`));
      }),
    );
  });

  it('orders', () => {
    const sign = (n: number) => Math.sign(n);
    const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
    fc.assert(
      fc.property(word, fc.oneof(word, fc.constant(null)), (a, other) => {
        const b = other ?? a;
        const pair = [...halves(a), ...halves(b)] as const;
        expect(sign(w.compareUnsigned(...pair))).toBe(order(a, b));
        expect(sign(w.compareSigned(...pair))).toBe(order(signed(a), signed(b)));
        expect(w.ltUnsigned(...pair)).toBe(a < b);
        expect(w.ltSigned(...pair)).toBe(signed(a) < signed(b));
        expect(w.isEqual(...pair)).toBe(a === b);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('word64 text and numbers', () => {
  it('prints decimal and hexadecimal', () => {
    fc.assert(
      fc.property(word, (a) => {
        expect(w.formatUnsigned(...halves(a))).toBe(a.toString());
        expect(w.formatSigned(...halves(a))).toBe(signed(a).toString());
        expect(w.formatHex(...halves(a))).toBe(a.toString(16));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads what it prints', () => {
    fc.assert(
      fc.property(word, (a) => {
        const expected = w.fromBigInt(a);
        expect(w.parseWord64(a.toString())).toEqual(expected);
        expect(w.parseWord64(signed(a).toString())).toEqual(expected);
        expect(w.parseWord64(`0x${a.toString(16)}`)).toEqual(expected);
        expect(w.parseWord64(`-0x${abs(signed(a)).toString(16)}`)).toEqual(w.fromBigInt(-abs(signed(a))));
      }),
    );
  });

  it.each(['', '-', '0x', '12a', '1.5', '18446744073709551616', '-9223372036854775809', '0x10000000000000000', '1'.repeat(1000)])(
    'refuses %j',
    (text) => {
      expect(w.parseWord64(text)).toBeNull();
    },
  );

  it('goes through doubles below 2^53', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        const lo = w.fromNumber(n);
        expect(w.toBigIntSigned(lo, w.hi)).toBe(BigInt(n));
        expect(w.toNumberSigned(lo, w.hi)).toBe(n);
        if (n >= 0) expect(w.toNumberUnsigned(lo, w.hi)).toBe(n);
      }),
    );
  });
});
