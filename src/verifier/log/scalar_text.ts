import { formatHex, formatSigned, formatUnsigned } from '../../isa/word64.ts';
import { isTnumUnknown, type Scalar } from '../scalar/scalar.ts';

/** Numbers in state lines: decimal while they are short, else hexadecimal. Source: kernel/bpf/log.c. */

const UNSIGNED_DECIMAL_MAX = 0xffff;

/** `0x…`, also for 0: the kernel's `%#llx` */
export const hexText = (lo: number, hi: number): string => `0x${formatHex(lo, hi)}`;

/** verbose_unum */
export const unsignedText = (lo: number, hi: number): string =>
  hi === 0 && lo >= 0 && lo <= UNSIGNED_DECIMAL_MAX ? formatUnsigned(lo, hi) : hexText(lo, hi);

/** verbose_snum */
export const signedText = (lo: number, hi: number): string =>
  hi === lo >> 31 && isShort(lo) ? formatSigned(lo, hi) : hexText(lo, hi);

const isShort = (value: number): boolean => value >= -0x8000 && value <= 0x7fff;

/** The number as the log shows an offset. */
export const offsetText = (off: number): string => signedText(off | 0, off < 0 ? -1 : 0);

/** The bits: the number when all are known, else `(value; mask)`. Source: tnum_strn. */
export const tnumText = (s: Scalar): string =>
  (s.maskLo | s.maskHi) === 0
    ? unsignedText(s.valueLo, s.valueHi)
    : `(${hexText(s.valueLo, s.valueHi)}; ${hexText(s.maskLo, s.maskHi)})`;

interface Bound {
  readonly name: string;
  readonly lo: number;
  readonly hi: number;
  readonly isSigned: boolean;
  omit: boolean;
}

/** A 32-bit signed bound is extended only where it prints as decimal: in hexadecimal it keeps its own width. */
const signed32 = (name: string, value: number, unset: number): Bound => ({
  name,
  lo: value,
  hi: isShort(value) && value < 0 ? -1 : 0,
  isSigned: true,
  omit: value === unset,
});

const boundsOf = (s: Scalar): Bound[] => [
  { name: 'smin', lo: s.sminLo, hi: s.sminHi, isSigned: true, omit: s.sminLo === 0 && s.sminHi === -0x80000000 },
  { name: 'smax', lo: s.smaxLo, hi: s.smaxHi, isSigned: true, omit: s.smaxLo === -1 && s.smaxHi === 0x7fffffff },
  { name: 'umin', lo: s.uminLo, hi: s.uminHi, isSigned: false, omit: (s.uminLo | s.uminHi) === 0 },
  { name: 'umax', lo: s.umaxLo, hi: s.umaxHi, isSigned: false, omit: (s.umaxLo & s.umaxHi) === -1 },
  signed32('smin32', s.s32min, -0x80000000),
  signed32('smax32', s.s32max, 0x7fffffff),
  { name: 'umin32', lo: s.u32min, hi: 0, isSigned: false, omit: s.u32min === 0 },
  { name: 'umax32', lo: s.u32max, hi: 0, isSigned: false, omit: s.u32max === -1 },
];

/**
 * The bounds that say something, `smin=umin=3,smax=7`: equal minima (and equal maxima) of like sign share a value, trivial ones
 * are left out. Source: print_scalar_ranges.
 */
function rangeTexts(s: Scalar): string[] {
  const bounds = boundsOf(s);
  const texts: string[] = [];
  for (let i = 0; i < bounds.length; i++) {
    const bound = bounds[i] as Bound;
    if (bound.omit) continue;
    const isNegative = bound.isSigned && bound.hi < 0;
    let names = `${bound.name}=`;
    for (let j = i + 2; j < bounds.length; j += 2) {
      const other = bounds[j] as Bound;
      if (other.omit || other.lo !== bound.lo || other.hi !== bound.hi) continue;
      if ((other.isSigned && other.hi < 0) !== isNegative) continue;
      other.omit = true;
      names += `${other.name}=`;
    }
    texts.push(names + (bound.isSigned ? signedText(bound.lo, bound.hi) : unsignedText(bound.lo, bound.hi)));
  }
  return texts;
}

/** Everything that is known about a number that is not constant, as parts to be joined by commas. */
export function scalarTexts(s: Scalar): string[] {
  const texts = rangeTexts(s);
  if (!isTnumUnknown(s)) texts.push(`var_off=${tnumText(s)}`);
  return texts;
}
