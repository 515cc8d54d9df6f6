import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { alu, negate } from '../../../src/verifier/scalar/alu.ts';
import { branchTaken } from '../../../src/verifier/scalar/compare.ts';
import { byteSwap, signExtend32, signExtend64, truncate, zeroExtend32 } from '../../../src/verifier/scalar/extend.ts';
import * as op from '../../../src/verifier/scalar/opcodes.ts';
import { addOffset, isContradictoryOffset, keepOffset, subOffset } from '../../../src/verifier/scalar/pointer_offset.ts';
import { failsA, failsB, holdsA, holdsB, refine } from '../../../src/verifier/scalar/refine.ts';
import { equals, Scalar, UNKNOWN } from '../../../src/verifier/scalar/scalar.ts';
import { sync } from '../../../src/verifier/scalar/sync.ts';
import { hi, lo, show } from './witness.ts';

/** Results of the kernel's own functions, recorded; `golden/*.json` says how a number and a row are written. */
interface Golden {
  readonly provenance: string;
  readonly scalars: readonly string[];
  readonly cases: Readonly<Record<string, readonly (readonly number[])[]>>;
}

const WIDE = ['value', 'mask', 'smin', 'smax', 'umin', 'umax'];
const LOW = ['s32min', 's32max', 'u32min', 'u32max'];

const parseScalar = (text: string): Scalar => {
  if (text.startsWith('=')) {
    const w = BigInt(`0x${text.slice(1)}`);
    const [l, h] = [lo(w), hi(w)];
    return new Scalar(l, h, 0, 0, l, h, l, h, l, h, l, h, l, l, l, l);
  }
  const s = UNKNOWN.clone();
  text.split(',').forEach((digits, at) => {
    if (digits === '') return;
    const w = BigInt(`0x${digits}`);
    if (at < WIDE.length) Object.assign(s, { [`${WIDE[at]}Lo`]: lo(w), [`${WIDE[at]}Hi`]: hi(w) });
    else Object.assign(s, { [LOW[at - WIDE.length]!]: lo(w) });
  });
  return s;
};

const load = (name: string) => {
  const golden: Golden = JSON.parse(readFileSync(new URL(`./golden/${name}.json`, import.meta.url), 'utf8'));
  const scalars = golden.scalars.map(parseScalar);
  const at = (row: readonly number[], column: number): Scalar => scalars[row[column]!]!;
  return { ...golden, at };
};

const expectSame = (got: Scalar, want: Scalar, from: string): void => {
  if (!equals(got, want)) expect.fail(`${from}\n got  ${show(got)}\n want ${show(want)}`);
};

const ALU: Readonly<Record<string, number>> = {
  add: op.ADD,
  sub: op.SUB,
  mul: op.MUL,
  div: op.DIV,
  or: op.OR,
  and: op.AND,
  lsh: op.LSH,
  rsh: op.RSH,
  mod: op.MOD,
  xor: op.XOR,
  arsh: op.ARSH,
};

const JUMPS: Readonly<Record<string, number>> = {
  jeq: op.JEQ,
  jgt: op.JGT,
  jge: op.JGE,
  jset: op.JSET,
  jne: op.JNE,
  jsgt: op.JSGT,
  jsge: op.JSGE,
  jlt: op.JLT,
  jle: op.JLE,
  jslt: op.JSLT,
  jsle: op.JSLE,
};

const UNARY: Readonly<Record<string, (s: Scalar) => Scalar>> = {
  neg64: (s) => negate(true, s),
  neg32: (s) => negate(false, s),
  zext32: zeroExtend32,
  trunc8: (s) => truncate(s, 1),
  trunc16: (s) => truncate(s, 2),
  trunc32: (s) => truncate(s, 4),
  sext64_8: (s) => signExtend64(s, 1),
  sext64_16: (s) => signExtend64(s, 2),
  sext64_32: (s) => signExtend64(s, 4),
  sext32_8: (s) => signExtend32(s, 1),
  sext32_16: (s) => signExtend32(s, 2),
  le16: (s) => byteSwap(s, 16, false),
  le32: (s) => byteSwap(s, 32, false),
  le64: (s) => byteSwap(s, 64, false),
  be16: (s) => byteSwap(s, 16, true),
  be32: (s) => byteSwap(s, 32, true),
  be64: (s) => byteSwap(s, 64, true),
  bswap16: (s) => byteSwap(s, 16, true),
  bswap32: (s) => byteSwap(s, 32, true),
  bswap64: (s) => byteSwap(s, 64, true),
  sync: (s) => sync(s.clone()),
};

/** `add64` → its code and whether it is 64 bits wide. */
const operation = (label: string, codes: Readonly<Record<string, number>>): [code: number, is64: boolean] => {
  const code = codes[label.slice(0, -2)];
  if (code === undefined) throw new Error(`no operation ${label}`);
  return [code, label.endsWith('64')];
};

const arithmetic = load('alu');
const unary = load('unary');
const jump = load('jump');
const pointer = load('pointer');

describe('results of Linux 6.18', () => {
  test('the recordings are complete', () => {
    for (const golden of [arithmetic, unary, jump, pointer]) expect(golden.provenance).toBe('Linux 6.18 scalar functions');
    expect(Object.keys(arithmetic.cases)).toHaveLength(2 * Object.keys(ALU).length);
    expect(Object.keys(jump.cases)).toHaveLength(2 * Object.keys(JUMPS).length);
    expect(Object.keys(unary.cases).sort()).toEqual(Object.keys(UNARY).sort());
  });

  test.each(Object.entries(arithmetic.cases))('%s', (label, rows) => {
    const [code, is64] = operation(label, ALU);
    for (const row of rows) {
      const [a, b] = [arithmetic.at(row, 0), arithmetic.at(row, 1)];
      expectSame(alu(code, is64, a, b), arithmetic.at(row, 2), `${label}: ${show(a)} with ${show(b)}`);
    }
  });

  test.each(Object.entries(unary.cases))('%s', (label, rows) => {
    for (const row of rows) {
      const a = unary.at(row, 0);
      expectSame(UNARY[label]!(a), unary.at(row, 1), `${label}: ${show(a)}`);
    }
  });

  test.each(Object.entries(jump.cases))('%s', (label, rows) => {
    const [code, is64] = operation(label, JUMPS);
    for (const row of rows) {
      const [a, b] = [jump.at(row, 0), jump.at(row, 1)];
      const text = `${label}: ${show(a)} with ${show(b)}`;
      expect(branchTaken(a, b, code, !is64), text).toBe(row[6]);
      refine(a, b, code, !is64, row[7] === 1);
      [holdsA, holdsB, failsA, failsB].forEach((r, which) => {
        expectSame(r, jump.at(row, 2 + which), `${text}, outcome ${which}`);
      });
    }
  });

  test.each(Object.entries(pointer.cases))('pointer %s', (label, rows) => {
    for (const row of rows) {
      const [p, n] = [pointer.at(row, 0), pointer.at(row, 1)];
      const text = `${label}: ${show(p)} with ${show(n)}`;
      const r = label === 'add' ? addOffset(p, n) : subOffset(p, n);
      expectSame(r, pointer.at(row, 2), text);
      expectSame(sync(r.clone()), pointer.at(row, 3), text);
      expectSame(keepOffset(p), pointer.at(row, 4), text);
      expect(isContradictoryOffset(n), text).toBe(row[5] === 1);
    }
  });
});
