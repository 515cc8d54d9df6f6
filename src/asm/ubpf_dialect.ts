import type * as ohm from 'ohm-js';
import { never } from '../contracts/errors.ts';
import { BPF_PSEUDO_KFUNC_CALL } from '../isa/constants.ts';
import type { Opcode } from '../isa/opcode.ts';
import { OPCODES } from '../isa/opcodes.ts';
import type { StatementReader } from './dialect.ts';
import { openGrammar } from './grammars/grammar.ts';
import recipe from './grammars/ubpf.json' with { type: 'json' };
import {
  type Draft,
  type Fields,
  insnOf,
  ofKind,
  plain,
  readImm,
  readOff,
  readWord,
  StatementError,
  wideOpcode,
} from './statement.ts';

type Operand =
  | { readonly kind: 'reg'; readonly reg: number; readonly column: number }
  | { readonly kind: 'memory'; readonly reg: number; readonly off: number; readonly column: number }
  | { readonly kind: 'number'; readonly text: string; readonly column: number }
  | { readonly kind: 'name'; readonly text: string; readonly column: number };

interface Parsed {
  readonly words: readonly string[];
  readonly operands: readonly Operand[];
}

/** How the operands of a mnemonic map to fields. */
type Shape =
  | { readonly kind: 'alu'; readonly k: Opcode | null; readonly x: Opcode | null }
  | { readonly kind: 'unary'; readonly opcode: Opcode }
  | { readonly kind: 'jump'; readonly k: Opcode; readonly x: Opcode }
  | { readonly kind: 'goto'; readonly opcode: Opcode; readonly field: 'off' | 'imm' }
  | { readonly kind: 'load' | 'store' | 'storeImm' | 'atomic'; readonly opcode: Opcode }
  | { readonly kind: 'packet' | 'packetIndirect'; readonly opcode: Opcode }
  | { readonly kind: 'wide' }
  | { readonly kind: 'exit' };

const MAX_REGISTER = 10;
const SIZE_LETTERS: Readonly<Record<number, string>> = { 8: 'b', 16: 'h', 32: 'w', 64: 'dw' };
const COMPARISON_COUNT = 3;

const lower = (opcode: Opcode): string => opcode.op.replace('BPF_', '').toLowerCase();

/** The spellings of an instruction; none where the dialect has no word for it. */
const mnemonicsOf = (opcode: Opcode): string[] => {
  const size = SIZE_LETTERS[opcode.width] ?? '';
  const suffixes = opcode.width === 32 ? ['32'] : ['', '64'];
  switch (opcode.kind) {
    case 'alu':
    case 'mov':
    case 'neg':
      return suffixes.map((suffix) => lower(opcode) + suffix);
    case 'movsx':
      return [`movsx${opcode.selector!.value}${opcode.width}`];
    case 'end':
      return opcode.text === 'bswap' ? [`swap${opcode.width}`, `bswap${opcode.width}`] : [`${opcode.text}${opcode.width}`];
    case 'ldx':
      return [`ldx${size}`];
    case 'ldsx':
      return [`ldxs${size}`];
    case 'st':
      return [`st${size}`];
    case 'stx':
      return [`stx${size}`];
    case 'ld_abs':
      return [`ldabs${size}`];
    case 'ld_ind':
      return [`ldind${size}`];
    case 'jump':
      return [lower(opcode) + (opcode.width === 32 ? '32' : '')];
    case 'ja':
      return ['ja'];
    case 'gotol':
      return ['ja32'];
    case 'exit':
      return ['exit'];
    case 'ld_imm64':
      return ['lddw'];
    case 'atomic':
    case 'xchg':
    case 'cmpxchg':
      return opcode.width < 32 ? [] : suffixes.map((suffix) => `lock ${lower(opcode)}${suffix}`);
    case 'atomic_fetch':
      return opcode.width < 32 ? [] : suffixes.map((suffix) => `lock fetch ${opcode.text}${suffix}`);
    case 'addr_space_cast':
    case 'mov_percpu':
    case 'load_acquire':
    case 'store_release':
    case 'may_goto':
    case 'call_helper':
    case 'call_subprog':
    case 'call_kfunc':
    case 'callx':
      return [];
    default:
      return never(opcode.kind, 'mnemonicsOf');
  }
};

const shapeOf = (opcode: Opcode, known: Shape | undefined): Shape => {
  switch (opcode.kind) {
    case 'alu':
    case 'mov':
    case 'movsx': {
      const other = known?.kind === 'alu' ? known : { k: null, x: null };
      return { kind: 'alu', k: opcode.source === 'K' ? opcode : other.k, x: opcode.source === 'X' ? opcode : other.x };
    }
    case 'jump': {
      const other = known?.kind === 'jump' ? known : { k: opcode, x: opcode };
      return { kind: 'jump', k: opcode.source === 'K' ? opcode : other.k, x: opcode.source === 'X' ? opcode : other.x };
    }
    case 'neg':
    case 'end':
      return { kind: 'unary', opcode };
    case 'ja':
      return { kind: 'goto', opcode, field: 'off' };
    case 'gotol':
      return { kind: 'goto', opcode, field: 'imm' };
    case 'ldx':
    case 'ldsx':
      return { kind: 'load', opcode };
    case 'stx':
      return { kind: 'store', opcode };
    case 'st':
      return { kind: 'storeImm', opcode };
    case 'ld_abs':
      return { kind: 'packet', opcode };
    case 'ld_ind':
      return { kind: 'packetIndirect', opcode };
    case 'ld_imm64':
      return { kind: 'wide' };
    case 'exit':
      return { kind: 'exit' };
    default:
      return { kind: 'atomic', opcode };
  }
};

const SHAPES: ReadonlyMap<string, Shape> = (() => {
  const shapes = new Map<string, Shape>();
  for (const opcode of OPCODES) for (const word of mnemonicsOf(opcode)) shapes.set(word, shapeOf(opcode, shapes.get(word)));
  return shapes;
})();

/** The spelling this dialect prints an instruction with; null where it has none. */
export const mnemonicOf = (opcode: Opcode): string | null => mnemonicsOf(opcode)[0] ?? null;

/** The operands of one statement, taken one after the other. */
class Operands {
  readonly #list: readonly Operand[];
  readonly #word: string;

  constructor(word: string, list: readonly Operand[], count: number) {
    this.#word = word;
    this.#list = list;
    if (list.length !== count) throw new StatementError(`Invalid number of operands for ${word}`, 0);
  }

  at(index: number): Operand {
    return this.#list[index]!;
  }

  fail(index: number, expected: string): never {
    throw new StatementError(`operand ${index + 1} of ${this.#word} must be ${expected}`, this.at(index).column);
  }

  reg(index: number): number {
    const operand = this.at(index);
    return operand.kind === 'reg' ? operand.reg : this.fail(index, 'a register');
  }

  imm(index: number): number {
    const operand = this.at(index);
    return operand.kind === 'number' ? readImm(operand.text, operand.column) : this.fail(index, 'a number');
  }

  memory(index: number): { reg: number; off: number } {
    const operand = this.at(index);
    return operand.kind === 'memory' ? operand : this.fail(index, 'a memory operand such as [%r1+8]');
  }

  jump(index: number, opcode: Opcode, fields: Fields, field: 'off' | 'imm'): Draft {
    const operand = this.at(index);
    if (operand.kind === 'name') {
      const reference = { kind: 'jump', field, target: operand.text } as const;
      return { insn: insnOf(opcode, fields), second: null, reference, column: operand.column };
    }
    if (operand.kind !== 'number') return this.fail(index, 'a label or a distance such as +2');
    const distance = field === 'off' ? readOff(operand.text, operand.column) : readImm(operand.text, operand.column);
    return plain(opcode, { ...fields, [field]: distance });
  }
}

/** Fields of `dst, src-or-immediate`. */
const twoOperands = (operands: Operands, k: Opcode | null, x: Opcode | null): { opcode: Opcode; fields: Fields } => {
  const dst = operands.reg(0);
  if (operands.at(1).kind === 'reg' && x !== null) return { opcode: x, fields: { dst, src: operands.reg(1) } };
  if (k === null) return operands.fail(1, 'a register');
  return { opcode: k, fields: { dst, imm: operands.imm(1) } };
};

const wideConstant = (operands: Operands): Draft => {
  const dst = operands.reg(0);
  const operand = operands.at(1);
  const insn = insnOf(wideOpcode(0), { dst });
  if (operand.kind === 'name') {
    return { insn, second: 0, reference: { kind: 'address', target: operand.text, addend: 0 }, column: operand.column };
  }
  if (operand.kind !== 'number') return operands.fail(1, 'a number');
  const { lo, hi } = readWord(operand.text, operand.column);
  return { insn: { ...insn, imm: lo }, second: hi, reference: null, column: operand.column };
};

const draftOf = (word: string, shape: Shape, list: readonly Operand[]): Draft => {
  const take = (count: number): Operands => new Operands(word, list, count);
  switch (shape.kind) {
    case 'alu': {
      const { opcode, fields } = twoOperands(take(2), shape.k, shape.x);
      return plain(opcode, fields);
    }
    case 'unary':
      return plain(shape.opcode, { dst: take(1).reg(0) });
    case 'jump': {
      const operands = take(COMPARISON_COUNT);
      const { opcode, fields } = twoOperands(operands, shape.k, shape.x);
      return operands.jump(2, opcode, fields, 'off');
    }
    case 'goto':
      return take(1).jump(0, shape.opcode, {}, shape.field);
    case 'load': {
      const operands = take(2);
      const { reg, off } = operands.memory(1);
      return plain(shape.opcode, { dst: operands.reg(0), src: reg, off });
    }
    case 'store':
    case 'atomic': {
      const operands = take(2);
      const { reg, off } = operands.memory(0);
      return plain(shape.opcode, { dst: reg, src: operands.reg(1), off });
    }
    case 'storeImm': {
      const operands = take(2);
      const { reg, off } = operands.memory(0);
      return plain(shape.opcode, { dst: reg, off, imm: operands.imm(1) });
    }
    case 'packet':
      return plain(shape.opcode, { imm: take(1).imm(0) });
    case 'packetIndirect': {
      const operands = take(2);
      return plain(shape.opcode, { src: operands.reg(0), imm: operands.imm(1) });
    }
    case 'wide':
      return wideConstant(take(2));
    case 'exit':
      take(0);
      return plain(ofKind('exit'), {});
    default:
      return never(shape, 'draftOf');
  }
};

const callOf = (words: readonly string[], list: readonly Operand[]): Draft => {
  const operands = new Operands('call', list, 1);
  const operand = operands.at(0);
  if (operand.kind === 'reg') return plain(ofKind('callx'), { dst: operand.reg });
  if (operand.kind === 'name') {
    const only = words.includes('local') ? 'local' : null;
    const reference = { kind: 'call', target: operand.text, only } as const;
    return { insn: insnOf(ofKind('call_helper'), {}), second: null, reference, column: operand.column };
  }
  const imm = operands.imm(0);
  if (words.includes('runtime')) return plain(ofKind('call_kfunc'), { imm, src: BPF_PSEUDO_KFUNC_CALL });
  return plain(ofKind(words.includes('local') ? 'call_subprog' : 'call_helper'), { imm });
};

function build(): (text: string) => Draft {
  const grammar = openGrammar(recipe);
  const semantics = grammar.createSemantics();
  semantics.addOperation<number>('register', {
    reg(_percent, _r, digits) {
      const number = Number(digits.sourceString);
      if (number > MAX_REGISTER) throw new StatementError('Invalid register', this.source.startIdx);
      return number;
    },
  });
  semantics.addOperation<Operand>('operand', {
    Operand_memory(_open, reg, displacement, _close) {
      const text = displacement.sourceString.replace(/\s/g, '');
      const off = text === '' ? 0 : readOff(text, displacement.source.startIdx);
      return { kind: 'memory', reg: reg['register'](), off, column: this.source.startIdx };
    },
    Operand_reg(reg) {
      return { kind: 'reg', reg: reg['register'](), column: this.source.startIdx };
    },
    Operand_number(number) {
      return { kind: 'number', text: number.sourceString, column: this.source.startIdx };
    },
    Operand_name(name) {
      return { kind: 'name', text: name.sourceString, column: this.source.startIdx };
    },
  });
  const operandsOf = (list: ohm.Node): Operand[] =>
    list
      .child(0)
      .asIteration()
      .children.map((node) => node['operand']() as Operand);
  semantics.addOperation<Parsed>('parsed', {
    Statement: (node) => node['parsed'](),
    Statement_lock: (lock, words, operands) => ({
      words: [lock.sourceString, ...words.children.map((word) => word.sourceString)],
      operands: operandsOf(operands),
    }),
    Statement_call: (call, how, operands) => ({ words: [call.sourceString, how.sourceString], operands: operandsOf(operands) }),
    Statement_callLocal: (call, local, operands) => ({
      words: [call.sourceString, local.sourceString],
      operands: operandsOf(operands),
    }),
    Statement_other: (word, operands) => ({ words: [word.sourceString], operands: operandsOf(operands) }),
  });

  return (text) => {
    const match = grammar.match(text, 'Statement');
    if (match.failed()) {
      const failed = match as ohm.FailedMatchResult;
      throw new StatementError(`expected ${failed.getExpectedText()}`, failed.getRightmostFailurePosition());
    }
    const { words, operands } = semantics(match)['parsed']() as Parsed;
    if (words[0] === 'call') return callOf(words, operands);
    const word = words.join(' ');
    const shape = SHAPES.get(word);
    if (shape !== undefined) return draftOf(words.includes('lock') ? 'lock' : word, shape, operands);
    if (word === 'lock') throw new StatementError('Invalid number of operands for lock', 0);
    throw new StatementError(`no instruction '${word}'`, 0);
  };
}

let reader: ReturnType<typeof build> | null = null;

export const readUbpfStatement: StatementReader = (text) => {
  reader ??= build();
  return reader(text);
};
