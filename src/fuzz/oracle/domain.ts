import { alu } from '../../verifier/scalar/alu.ts';
import { branchTaken } from '../../verifier/scalar/compare.ts';
import { signExtend32, signExtend64, truncate, zeroExtend32 } from '../../verifier/scalar/extend.ts';
import { failsA, failsB, holdsA, holdsB, refine } from '../../verifier/scalar/refine.ts';
import { Scalar, UNKNOWN } from '../../verifier/scalar/scalar.ts';
import { sync } from '../../verifier/scalar/sync.ts';
import type { Random } from '../random.ts';
import { admitsWord } from './admits.ts';

/** The laws of the scalar domain: what is computed from numbers that two abstract scalars admit is admitted by their result. */

interface Witness {
  readonly lo: number;
  readonly hi: number;
  readonly scalar: Scalar;
}

const u64 = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
const low = (word: bigint): number => Number(BigInt.asIntN(32, word));
const high = (word: bigint): number => Number(BigInt.asIntN(32, word >> 32n));
const minOf = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const maxOf = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const word = (random: Random): bigint => {
  switch (random.below(4)) {
    case 0:
      return BigInt.asUintN(64, BigInt(random.immediate()));
    case 1:
      return BigInt.asUintN(64, (1n << BigInt(random.below(64))) + BigInt(random.between(-2, 2)));
    case 2:
      return u64(random.immediate(), random.immediate());
    default:
      return u64(random.next() | 0, random.next() | 0);
  }
};

const MAX_U64 = (1n << 64n) - 1n;
const MIN_S64 = -(1n << 63n);
const MAX_S64 = (1n << 63n) - 1n;

/** A number, and an abstract scalar that admits it. */
export function witness(random: Random): Witness {
  const value = word(random);
  const lo = low(value);
  const hi = high(value);
  const r = UNKNOWN.clone();
  const facts = random.below(4);
  for (let i = 0; i < facts; i++) {
    const below = word(random) >> BigInt(random.below(64));
    const above = word(random) >> BigInt(random.below(64));
    switch (random.below(4)) {
      case 0: {
        const mask = word(random) & word(random);
        r.maskLo &= low(mask);
        r.maskHi &= high(mask);
        r.valueLo = lo & ~r.maskLo;
        r.valueHi = hi & ~r.maskHi;
        break;
      }
      case 1: {
        const min = maxOf(value - below, 0n);
        const max = minOf(value + above, MAX_U64);
        [r.uminLo, r.uminHi, r.umaxLo, r.umaxHi] = [low(min), high(min), low(max), high(max)];
        break;
      }
      case 2: {
        const signed = BigInt.asIntN(64, value);
        const min = maxOf(signed - below, MIN_S64);
        const max = minOf(signed + above, MAX_S64);
        [r.sminLo, r.sminHi, r.smaxLo, r.smaxHi] = [low(min), high(min), low(max), high(max)];
        break;
      }
      default: {
        const distance = random.below(1 << random.below(31));
        r.s32min = Math.max(lo - distance, -0x80000000);
        r.s32max = Math.min(lo + distance, 0x7fffffff);
        r.u32min = Math.max((lo >>> 0) - distance, 0) | 0;
        r.u32max = Math.min((lo >>> 0) + distance, 0xffffffff) | 0;
      }
    }
  }
  return { lo, hi, scalar: sync(r) };
}

const OPS: readonly {
  readonly op: number;
  readonly name: string;
  readonly run: (a: bigint, b: bigint, bits: bigint) => bigint;
}[] = [
  { op: 0x00, name: 'add', run: (a, b) => a + b },
  { op: 0x10, name: 'sub', run: (a, b) => a - b },
  { op: 0x20, name: 'mul', run: (a, b) => a * b },
  { op: 0x40, name: 'or', run: (a, b) => a | b },
  { op: 0x50, name: 'and', run: (a, b) => a & b },
  { op: 0xa0, name: 'xor', run: (a, b) => a ^ b },
  { op: 0x60, name: 'lsh', run: (a, b, bits) => a << (b & (bits - 1n)) },
  { op: 0x70, name: 'rsh', run: (a, b, bits) => a >> (b & (bits - 1n)) },
  { op: 0xc0, name: 'arsh', run: (a, b, bits) => BigInt.asIntN(Number(bits), a) >> (b & (bits - 1n)) },
];

const COMPARISONS: readonly {
  readonly op: number;
  readonly name: string;
  readonly holds: (a: bigint, b: bigint, bits: number) => boolean;
}[] = [
  { op: 0x10, name: '==', holds: (a, b) => a === b },
  { op: 0x50, name: '!=', holds: (a, b) => a !== b },
  { op: 0x20, name: '>', holds: (a, b) => a > b },
  { op: 0x30, name: '>=', holds: (a, b) => a >= b },
  { op: 0xa0, name: '<', holds: (a, b) => a < b },
  { op: 0xb0, name: '<=', holds: (a, b) => a <= b },
  { op: 0x40, name: '&', holds: (a, b) => (a & b) !== 0n },
  { op: 0x60, name: 's>', holds: (a, b, bits) => BigInt.asIntN(bits, a) > BigInt.asIntN(bits, b) },
  { op: 0x70, name: 's>=', holds: (a, b, bits) => BigInt.asIntN(bits, a) >= BigInt.asIntN(bits, b) },
  { op: 0xc0, name: 's<', holds: (a, b, bits) => BigInt.asIntN(bits, a) < BigInt.asIntN(bits, b) },
  { op: 0xd0, name: 's<=', holds: (a, b, bits) => BigInt.asIntN(bits, a) <= BigInt.asIntN(bits, b) },
];

const isAdmitted = (scalar: Scalar, value: bigint): boolean => admitsWord(scalar, low(value), high(value));
const hex = (value: bigint): string => `0x${value.toString(16)}`;

const arithmeticBreach = (random: Random): string | null => {
  const { op, name, run } = random.pick(OPS);
  const is64 = random.chance(0.5);
  const bits = is64 ? 64 : 32;
  const a = witness(random);
  const isShift = op === 0x60 || op === 0x70 || op === 0xc0;
  const shift = random.below(bits);
  const b = isShift
    ? { lo: shift, hi: 0, scalar: new Scalar(shift, 0, 0, 0, shift, 0, shift, 0, shift, 0, shift, 0, shift, shift, shift, shift) }
    : witness(random);
  const left = BigInt.asUintN(bits, u64(a.lo, a.hi));
  const right = BigInt.asUintN(bits, u64(b.lo, b.hi));
  const result = BigInt.asUintN(bits, run(left, right, BigInt(bits)));
  if (isAdmitted(alu(op, is64, a.scalar, b.scalar), result)) return null;
  return `${name}${bits} of ${hex(left)} and ${hex(right)}: ${hex(result)} is not admitted`;
};

const comparisonBreach = (random: Random): string | null => {
  const { op, name, holds } = random.pick(COMPARISONS);
  const is32 = random.chance(0.5);
  const bits = is32 ? 32 : 64;
  const a = witness(random);
  const b = witness(random);
  const left = u64(a.lo, a.hi);
  const right = u64(b.lo, b.hi);
  const isTaken = holds(BigInt.asUintN(bits, left), BigInt.asUintN(bits, right), bits);
  const decided = branchTaken(a.scalar, b.scalar, op, is32);
  const text = `${hex(left)} ${name}${bits} ${hex(right)}`;
  if (decided !== -1 && (decided === 1) !== isTaken) return `${text} is decided wrongly`;
  if (decided !== -1) return null;
  refine(a.scalar, b.scalar, op, is32, false);
  const [first, second] = isTaken ? [holdsA, holdsB] : [failsA, failsB];
  if (!isAdmitted(first, left)) return `${text}: the left side is not admitted where it is ${isTaken}`;
  return isAdmitted(second, right) ? null : `${text}: the right side is not admitted where it is ${isTaken}`;
};

const extensionBreach = (random: Random): string | null => {
  const { lo, hi, scalar } = witness(random);
  const value = u64(lo, hi);
  const size = random.pick([1, 2, 4] as const);
  const checks: readonly [string, Scalar, bigint][] = [
    ['zero extension', zeroExtend32(scalar), BigInt.asUintN(32, value)],
    [`truncation to ${size}`, truncate(scalar, size), BigInt.asUintN(8 * size, value)],
    [`sign extension from ${size}`, signExtend64(scalar, size), BigInt.asUintN(64, BigInt.asIntN(8 * size, value))],
  ];
  if (size !== 4) {
    const narrow = BigInt.asUintN(32, BigInt.asIntN(8 * size, value));
    const extended = zeroExtend32(signExtend32(scalar, size));
    if (!isAdmitted(extended, narrow))
      return `32-bit sign extension from ${size} of ${hex(value)}: ${hex(narrow)} is not admitted`;
  }
  const broken = checks.find(([, result, expected]) => !isAdmitted(result, expected));
  return broken === undefined ? null : `${broken[0]} of ${hex(value)}: ${hex(broken[2])} is not admitted`;
};

/** Tries one law on one drawn case; null where it holds. */
export function domainBreach(random: Random): string | null {
  switch (random.below(3)) {
    case 0:
      return arithmeticBreach(random);
    case 1:
      return comparisonBreach(random);
    default:
      return extensionBreach(random);
  }
}
