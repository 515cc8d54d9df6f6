import type { ReturnRange } from '../../contracts/prog_type.ts';
import { formatSigned } from '../../isa/word64.ts';
import type { Scalar } from '../scalar/scalar.ts';
import { INT_MAX, INT_MIN, lts } from '../scalar/words.ts';

/** Every number that the scalar may be lies in the range (retval_range_within). */
export const isInReturnRange = (range: ReturnRange, s: Scalar): boolean => {
  const { min, max } = range;
  if (range.is32) return min <= s.s32min && s.s32max <= max;
  return !lts(s.sminLo, s.sminHi, min | 0, min >> 31) && !lts(max | 0, max >> 31, s.smaxLo, s.smaxHi);
};

/** The refusal of a result that is out of range (verbose_invalid_scalar). */
export function invalidScalarText(s: Scalar, range: ReturnRange, context: string, regName: string): string {
  let known = '';
  if (s.sminLo !== 0 || s.sminHi !== INT_MIN) known += ` smin=${formatSigned(s.sminLo, s.sminHi)}`;
  if (s.smaxLo !== -1 || s.smaxHi !== INT_MAX) known += ` smax=${formatSigned(s.smaxLo, s.smaxHi)}`;
  if (known === '') known = ' unknown scalar value';
  return `${context} the register ${regName} has${known} should have been in [${range.min}, ${range.max}]`;
}
