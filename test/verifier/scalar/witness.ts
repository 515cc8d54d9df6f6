import fc from 'fast-check';
import { type Scalar, UNKNOWN } from '../../../src/verifier/scalar/scalar.ts';
import { sync } from '../../../src/verifier/scalar/sync.ts';

/** Words as bigints, for oracles: the domain itself never uses them. */
export const u64 = (n: bigint): bigint => BigInt.asUintN(64, n);
export const s64 = (n: bigint): bigint => BigInt.asIntN(64, n);
export const u32 = (n: bigint): bigint => BigInt.asUintN(32, n);
export const s32 = (n: bigint): bigint => BigInt.asIntN(32, n);
export const lo = (n: bigint): number => Number(s32(n));
export const hi = (n: bigint): number => Number(s32(n >> 32n));
export const join = (low: number, high: number): bigint => (u32(BigInt(high)) << 32n) | u32(BigInt(low));

export const uminOf = (s: Scalar): bigint => join(s.uminLo, s.uminHi);
export const umaxOf = (s: Scalar): bigint => join(s.umaxLo, s.umaxHi);
export const sminOf = (s: Scalar): bigint => s64(join(s.sminLo, s.sminHi));
export const smaxOf = (s: Scalar): bigint => s64(join(s.smaxLo, s.smaxHi));
export const bitsOf = (s: Scalar): bigint => join(s.valueLo, s.valueHi);
export const maskOf = (s: Scalar): bigint => join(s.maskLo, s.maskHi);

/** Whether `s` allows the word: its bits and all eight bounds. */
export const admits = (s: Scalar, word: bigint): boolean => {
  const w = u64(word);
  return (
    (w & ~maskOf(s)) === bitsOf(s) &&
    uminOf(s) <= w &&
    w <= umaxOf(s) &&
    sminOf(s) <= s64(w) &&
    s64(w) <= smaxOf(s) &&
    BigInt(s.u32min >>> 0) <= u32(w) &&
    u32(w) <= BigInt(s.u32max >>> 0) &&
    BigInt(s.s32min) <= s32(w) &&
    s32(w) <= BigInt(s.s32max)
  );
};

/** Every field is an int32, never -0 and never the unsigned reading of one. */
const isWellFormed = (s: Scalar): boolean => Object.values(s).every((field) => Object.is(field, field | 0));

/** Words around which verifiers go wrong, and arbitrary ones. */
export const word = (): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt({ min: -4n, max: 300n }).map(u64),
    fc
      .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -2, max: 2 }))
      .map(([bit, off]) => u64((1n << BigInt(bit)) + BigInt(off))),
    fc
      .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -2, max: 2 }))
      .map(([bit, off]) => u64(-(1n << BigInt(bit)) + BigInt(off))),
    fc
      .tuple(fc.bigInt({ min: 0n, max: 0xffffffffn }), fc.bigInt({ min: -4n, max: 4n }))
      .map(([high, low]) => u64((high << 32n) + low)),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  );

export interface Witnessed {
  readonly word: bigint;
  readonly scalar: Scalar;
}

const clamp = (n: bigint, min: bigint, max: bigint): bigint => (n < min ? min : n > max ? max : n);

type Widening = readonly [kind: 'bits' | 'u64' | 's64' | 'u32' | 's32', below: bigint, above: bigint];

const widening = (): fc.Arbitrary<Widening> => fc.tuple(fc.constantFrom('bits', 'u64', 's64', 'u32', 's32'), word(), word());

/** Starts from no knowledge and adds true facts about `w`. */
const scalarAround = (w: bigint, facts: readonly Widening[], synchronise: boolean): Scalar => {
  const r = UNKNOWN.clone();
  for (const [kind, below, above] of facts) {
    if (kind === 'bits') {
      r.maskLo &= lo(below);
      r.maskHi &= hi(below);
      r.valueLo = lo(w) & ~r.maskLo;
      r.valueHi = hi(w) & ~r.maskHi;
    } else if (kind === 'u64') {
      const min = clamp(w - below, uminOf(r), w);
      const max = clamp(w + above, w, umaxOf(r));
      [r.uminLo, r.uminHi, r.umaxLo, r.umaxHi] = [lo(min), hi(min), lo(max), hi(max)];
    } else if (kind === 's64') {
      const min = clamp(s64(w) - below, sminOf(r), s64(w));
      const max = clamp(s64(w) + above, s64(w), smaxOf(r));
      [r.sminLo, r.sminHi, r.smaxLo, r.smaxHi] = [lo(min), hi(min), lo(max), hi(max)];
    } else if (kind === 'u32') {
      r.u32min = lo(clamp(u32(w) - u32(below), BigInt(r.u32min >>> 0), u32(w)));
      r.u32max = lo(clamp(u32(w) + u32(above), u32(w), BigInt(r.u32max >>> 0)));
    } else {
      r.s32min = lo(clamp(s32(w) - u32(below), BigInt(r.s32min), s32(w)));
      r.s32max = lo(clamp(s32(w) + u32(above), s32(w), BigInt(r.s32max)));
    }
  }
  return synchronise ? sync(r) : r;
};

/** A word first, then an abstract number that allows it: constant, unknown, or in between. */
export const witnessed = (synchronised = true): fc.Arbitrary<Witnessed> =>
  fc.tuple(word(), fc.array(widening(), { maxLength: 4 }), fc.integer({ min: 0, max: 9 })).map(([w, facts, shape]) => ({
    word: w,
    scalar: shape === 0 ? scalarAround(w, [['bits', 0n, 0n]], true) : scalarAround(w, facts, synchronised),
  }));

/** Prints a counterexample. */
export const show = (s: Scalar): string => {
  const hex = (n: bigint): string => `0x${u64(n).toString(16)}`;
  return (
    `(${hex(bitsOf(s))}; ${hex(maskOf(s))}) u64=[${hex(uminOf(s))}, ${hex(umaxOf(s))}] s64=[${sminOf(s)}, ${smaxOf(s)}]` +
    ` u32=[${s.u32min >>> 0}, ${s.u32max >>> 0}] s32=[${s.s32min}, ${s.s32max}]`
  );
};

/** Fails, and says from what `s` came, unless `s` admits the word. Cheaper than `expect` in the many runs of a law. */
export const mustAdmit = (s: Scalar, word: bigint, ...from: readonly Scalar[]): void => {
  if (!admits(s, word))
    throw new Error(`0x${u64(word).toString(16)} is not in ${show(s)}, which came from ${from.map(show).join(' and ')}`);
  if (!isWellFormed(s)) throw new Error(`not int32 in ${show(s)}, which came from ${from.map(show).join(' and ')}`);
};

/** Runs a law often enough to meet the rare shapes; the seed is fixed so that a failure repeats. */
export const law = <T>(drawn: fc.Arbitrary<T>, holds: (drawn: T) => void, numRuns = 600): void => {
  fc.assert(
    fc.property(drawn, (value) => {
      holds(value);
    }),
    { numRuns, seed: 618 },
  );
};
