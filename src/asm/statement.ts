import type { Insn } from '../isa/insn.ts';
import type { Opcode } from '../isa/opcode.ts';
import { OPCODES } from '../isa/opcodes.ts';
import { parseWord64, type Word64 } from '../isa/word64.ts';

/** What an instruction leaves open until the places and names of the whole file are known. */
export type Reference =
  /** a label; the distance goes into `field` */
  | { readonly kind: 'jump'; readonly field: 'off' | 'imm'; readonly target: string }
  /** a label, function, helper or kfunc */
  | { readonly kind: 'call'; readonly target: string; readonly only: 'local' | null }
  /** `NAME+ADDEND ll`: a map, a variable, a function or a kernel symbol */
  | { readonly kind: 'address'; readonly target: string; readonly addend: number }
  /** `NAME[0]+OFFSET ll`: inside the value of a map */
  | { readonly kind: 'value'; readonly target: string; readonly offset: number };

/** One instruction as read; `second` is the high word of an `ld_imm64`, null for all others. */
export interface Draft {
  readonly insn: Insn;
  readonly second: number | null;
  readonly reference: Reference | null;
  /** 0-based column, in the statement, of what the reference names */
  readonly column: number;
  /** a field that the kernel does not have, as `offsetof` names it: a program with it cannot be loaded */
  readonly missingField?: string;
}

/** Bad text; `column` is 0-based and counts from where the statement begins. */
export class StatementError extends Error {
  readonly column: number;
  constructor(message: string, column: number) {
    super(message);
    this.name = 'StatementError';
    this.column = column;
  }
}

export type Fields = Partial<Omit<Insn, 'code'>>;

/** The instruction of an entry: its code, its selecting field, and the operands given. */
export const insnOf = (opcode: Opcode, fields: Fields): Insn => {
  const { selector } = opcode;
  const selected = selector === null ? {} : { [selector.field]: selector.value };
  return { code: opcode.code, dst: 0, src: 0, off: 0, imm: 0, ...fields, ...selected };
};

export const plain = (opcode: Opcode, fields: Fields): Draft => ({
  insn: insnOf(opcode, fields),
  second: null,
  reference: null,
  column: 0,
});

const keyOf = (kind: string, text: string, width: number, source: string | null): string => `${kind} ${text} ${width} ${source}`;

const hasOperandBit = (opcode: Opcode): boolean => opcode.source === 'K' || opcode.source === 'X';

const BY_TEXT: ReadonlyMap<string, Opcode> = new Map(
  OPCODES.map((opcode) => [keyOf(opcode.kind, opcode.text, opcode.width, hasOperandBit(opcode) ? opcode.source : null), opcode]),
);

/** The entry with this operator text, e.g. `('alu', '+=', 32, 'K')`; `source` is null where the entry has no such choice. */
export const findOpcode = (kind: Opcode['kind'], text: string, width: number, source: 'K' | 'X' | null = null): Opcode | null =>
  BY_TEXT.get(keyOf(kind, text, width, source)) ?? null;

const WIDE_BY_SRC: readonly Opcode[] = OPCODES.filter(({ kind }) => kind === 'ld_imm64');

/** The `ld_imm64` entry with this source number; a number without meaning gives the plain entry. */
export const wideOpcode = (src: number): Opcode => WIDE_BY_SRC.find(({ selector }) => selector?.value === src) ?? WIDE_BY_SRC[0]!;

export const ofKind = (kind: Opcode['kind']): Opcode => OPCODES.find((opcode) => opcode.kind === kind)!;

/** A number as written, from -2^63 to 2^64 - 1. */
export const readWord = (text: string, column: number): Word64 => {
  const word = parseWord64(text.replace(/\s+/g, ''));
  if (word === null) throw new StatementError(`'${text}' does not fit 64 bits`, column);
  return word;
};

/**
 * A 32-bit immediate: decimal from -2^31 to 2^31 - 1; hexadecimal also up to 0xffffffff, which is the bit pattern, as the
 * kernel's log prints comparisons.
 */
export const readImm = (text: string, column: number): number => {
  const { lo, hi } = readWord(text, column);
  const fits = hi === lo >> 31 || (hi === 0 && /0x/i.test(text));
  if (!fits) throw new StatementError(`immediate ${text} does not fit 32 bits`, column);
  return lo;
};

/** A 16-bit signed offset. */
export const readOff = (text: string, column: number): number => {
  const { lo, hi } = readWord(text, column);
  if (hi !== lo >> 31 || lo < -0x8000 || lo > 0x7fff) throw new StatementError(`offset ${text} does not fit 16 bits`, column);
  return lo;
};
