import * as op from '../../../src/verifier/scalar/opcodes.ts';
import { s32, s64, u32 } from './witness.ts';

type Holds = (a: bigint, b: bigint) => boolean;

/** Jump conditions on 64-bit words, RFC 9669 section 4.3; `signed` compares read their words as signed. */
const CONDITIONS: readonly (readonly [name: string, code: number, signed: boolean, holds: Holds])[] = [
  ['jeq', op.JEQ, false, (a, b) => a === b],
  ['jne', op.JNE, false, (a, b) => a !== b],
  ['jset', op.JSET, false, (a, b) => (a & b) !== 0n],
  ['jgt', op.JGT, false, (a, b) => a > b],
  ['jge', op.JGE, false, (a, b) => a >= b],
  ['jlt', op.JLT, false, (a, b) => a < b],
  ['jle', op.JLE, false, (a, b) => a <= b],
  ['jsgt', op.JSGT, true, (a, b) => a > b],
  ['jsge', op.JSGE, true, (a, b) => a >= b],
  ['jslt', op.JSLT, true, (a, b) => a < b],
  ['jsle', op.JSLE, true, (a, b) => a <= b],
];

export interface Comparison {
  readonly name: string;
  readonly code: number;
  readonly is32: boolean;
  readonly holds: Holds;
}

export const COMPARISONS: readonly Comparison[] = CONDITIONS.flatMap(([name, code, signed, holds]) => [
  { name: `${name} on 64 bits`, code, is32: false, holds: (a, b) => (signed ? holds(s64(a), s64(b)) : holds(a, b)) },
  { name: `${name} on 32 bits`, code, is32: true, holds: (a, b) => (signed ? holds(s32(a), s32(b)) : holds(u32(a), u32(b))) },
]);
