import type * as ohm from 'ohm-js';
import {
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
} from '../isa/constants.ts';
import type { Opcode } from '../isa/opcode.ts';
import { fromBigInt } from '../isa/word64.ts';
import type { StatementReader, StatementScope } from './dialect.ts';
import { openGrammar } from './grammars/grammar.ts';
import recipe from './grammars/kernel.json' with { type: 'json' };
import {
  type Draft,
  type Fields,
  findOpcode,
  insnOf,
  ofKind,
  plain,
  type Reference,
  readImm,
  readOff,
  readWord,
  StatementError,
  wideOpcode,
} from './statement.ts';

interface Reg {
  readonly number: number;
  readonly width: 32 | 64;
  readonly node: ohm.Node;
}

interface Place {
  readonly type: string;
  readonly width: number;
  readonly base: number;
  readonly off: number;
}

type Operand = { readonly reg: Reg } | { readonly imm: number };

const MAX_REGISTER = 15;

const fail = (node: ohm.Node, message: string): never => {
  throw new StatementError(message, node.source.startIdx);
};

const withReference = (opcode: Opcode, fields: Fields, reference: Reference, node: ohm.Node): Draft => ({
  insn: insnOf(opcode, fields),
  second: null,
  reference,
  column: node.source.startIdx,
});

const wide = (src: number, dst: number, lo: number, hi: number, reference: Reference | null, node: ohm.Node): Draft => ({
  insn: insnOf(wideOpcode(src), { dst, imm: lo }),
  second: hi,
  reference,
  column: node.source.startIdx,
});

/** The same draft into another register. */
const withDst = (draft: Draft, dst: number): Draft => ({ ...draft, insn: { ...draft.insn, dst } });

const operandFields = (operand: Operand, dst: Reg): Fields => {
  if ('imm' in operand) return { dst: dst.number, imm: operand.imm };
  if (operand.reg.width !== dst.width) fail(operand.reg.node, 'both registers must be r or both must be w');
  return { dst: dst.number, src: operand.reg.number };
};

const sourceOfOperand = (operand: Operand): 'K' | 'X' => ('imm' in operand ? 'K' : 'X');

const found = (opcode: Opcode | null, node: ohm.Node): Opcode => opcode ?? fail(node, 'there is no such instruction');

/** A register that holds an address or a full word. */
const whole = (reg: Reg): number => (reg.width === 64 ? reg.number : fail(reg.node, 'an address needs an r register'));

/** A data register of a memory operation: `w` only for at most 32 bits. */
const data = (reg: Reg, width: number): number =>
  reg.width === 64 || width <= 32 ? reg.number : fail(reg.node, 'a w register holds 32 bits only');

const move = (dst: Reg, operand: Operand): Draft =>
  plain(findOpcode('mov', '=', dst.width, sourceOfOperand(operand))!, operandFields(operand, dst));

/** Packet loads have their result in r0 and nowhere else. */
const packetLoad = (kind: 'ld_abs' | 'ld_ind', into: ohm.Node, type: ohm.Node, fields: Fields): Draft => {
  if (whole(into['reg']()) !== 0) fail(into, 'packet loads go into r0');
  const name = type.sourceString.replace(/[()*\s]/g, '');
  return plain(found(findOpcode(kind, name, Number(name.slice(1))), type), fields);
};

const jumpTo = (kind: 'ja' | 'gotol' | 'may_goto', target: ohm.Node): Draft => {
  const opcode = ofKind(kind);
  return place(opcode, {}, kind === 'gotol' ? 'imm' : 'off', target);
};

/** A jump whose target is a distance or a label. */
const place = (opcode: Opcode, fields: Fields, field: 'off' | 'imm', target: ohm.Node): Draft => {
  const { distance, label } = target['target']() as { distance: string | null; label: string | null };
  if (label !== null) return withReference(opcode, fields, { kind: 'jump', field, target: label }, target);
  const column = target.source.startIdx;
  const value = field === 'off' ? readOff(distance!, column) : readImm(distance!, column);
  return plain(opcode, { ...fields, [field]: value });
};

const exchangeWidth = (word: ohm.Node): 32 | 64 => (word.sourceString.endsWith('_64') ? 64 : 32);

const optional = (node: ohm.Node): number => (node.numChildren === 0 ? 0 : (node.child(0)['off']() as number));

/** Atomics with a result: the register in front is the one that is exchanged. */
const fetching = (opcode: Opcode, result: ohm.Node, base: number, off: number, operand: Reg, width: number): Draft => {
  const into = data(result['reg'](), width);
  const src = data(operand, width);
  const expected = opcode.kind === 'cmpxchg' ? 0 : src;
  if (into !== expected) fail(result, `the result of this operation is in r${expected}`);
  return plain(opcode, { dst: base, src, off });
};

const atomicWidth = (word: ohm.Node, operand: Place): number => {
  // LLVM writes atomic_ for both widths, the kernel atomic64_ for 64 bits only
  if (word.sourceString.startsWith('atomic64') && operand.width !== 64) fail(word, 'atomic64 needs a 64-bit operand');
  return operand.width;
};

/** Makes the reader of the dialect; the grammar is built when first needed. */
function build(): (text: string, scope: StatementScope) => Draft {
  const grammar = openGrammar(recipe);
  const semantics = grammar.createSemantics();
  let scope: StatementScope = { constant: () => null, codeByte: null };
  let missingField: string | null = null;

  const constant = (node: ohm.Node): number => {
    const value = scope.constant(node.sourceString);
    if (value === null) return fail(node, `'${node.sourceString}' is not a register, a number or a constant`);
    return readImm(value < 0n ? String(value) : `0x${value.toString(16)}`, node.source.startIdx);
  };

  semantics.addOperation<Reg>('reg', {
    reg(letter, digits) {
      const number = Number(digits.sourceString);
      if (number > MAX_REGISTER) fail(letter, `no register ${letter.sourceString}${digits.sourceString}`);
      return { number, width: letter.sourceString === 'w' ? 32 : 64, node: letter };
    },
  });
  semantics.addOperation<number>('imm', {
    Immediate_field: (node) => node['off'](),
    Immediate_number: (node) => node['imm'](),
    Immediate_constant: (node) => constant(node),
    number(_sign, _digits) {
      return readImm(this.sourceString, this.source.startIdx);
    },
  });
  semantics.addOperation<Operand>('operand', {
    Operand_reg: (node) => ({ reg: node['reg']() }),
    Operand_imm: (node) => ({ imm: node['imm']() }),
  });
  semantics.addOperation<number>('off', {
    Offset_field: (_plus, node) => node['off'](),
    Offset_number: (node) => node['off'](),
    fieldOffset(_word, _s1, _open, _s2, struct, _s3, _comma, _s4, path, _s5, _close) {
      const offset = scope.fieldOffset?.(struct.sourceString, path.sourceString) ?? null;
      if (offset === null) missingField = `${struct.sourceString}.${path.sourceString}`;
      return offset ?? 0;
    },
    SignedNumber(sign, minus, digits) {
      const negative = (sign.sourceString === '-') !== (minus.sourceString === '-');
      return readOff(`${negative ? '-' : ''}${digits.sourceString}`, this.source.startIdx);
    },
  });
  semantics.addOperation<number>('offset32', {
    SignedNumber(sign, minus, digits) {
      const negative = (sign.sourceString === '-') !== (minus.sourceString === '-');
      return readImm(`${negative ? '-' : ''}${digits.sourceString}`, this.source.startIdx);
    },
  });
  semantics.addOperation<Place>('place', {
    Memory: (_star, node) => node['place'](),
    Place(type, _open, reg, off, _close) {
      const name = type.sourceString.replace(/[()*\s]/g, '');
      return { type: name, width: Number(name.slice(1)), base: whole(reg['reg']()), off: optional(off) };
    },
  });
  semantics.addOperation<{ distance: string | null; label: string | null }>('target', {
    Target_distance: (_pc, sign, digits, _annotation) => ({ distance: sign.sourceString + digits.sourceString, label: null }),
    Target_label: (node) => ({ distance: null, label: node.sourceString }),
    Target_nearby: (node) => ({ distance: null, label: node.sourceString }),
  });
  semantics.addOperation<Draft>('callee', {
    Callee_distance(_pc, sign, digits) {
      const imm = readImm(sign.sourceString + digits.sourceString, sign.source.startIdx);
      return plain(ofKind('call_subprog'), { imm, src: BPF_PSEUDO_CALL });
    },
    Callee_logged(name, _hash, number) {
      const imm = readImm(number.sourceString, number.source.startIdx);
      const isHelper = name.sourceString === 'unknown' || scope.helperId?.(name.sourceString) === imm;
      const src = isHelper ? 0 : BPF_PSEUDO_KFUNC_CALL;
      return plain(ofKind(isHelper ? 'call_helper' : 'call_kfunc'), { imm, src });
    },
    Callee_id: (number) => plain(ofKind('call_helper'), { imm: readImm(number.sourceString, number.source.startIdx) }),
    Callee_name: (name) =>
      withReference(ofKind('call_helper'), {}, { kind: 'call', target: name.sourceString, only: null }, name),
  });
  semantics.addOperation<Draft>('wide', {
    Wide_btfId(_word, _open, number, _close) {
      const { lo, hi } = readWord(number.sourceString, number.source.startIdx);
      return wide(BPF_PSEUDO_BTF_ID, 0, lo, hi, null, number);
    },
    Wide_func(_word, _open, _pc, sign, digits, _close) {
      const imm = readImm(sign.sourceString + digits.sourceString, sign.source.startIdx);
      return wide(BPF_PSEUDO_FUNC, 0, imm, 0, null, sign);
    },
    Wide_mapIdx(_word, _open, number, _close) {
      return wide(BPF_PSEUDO_MAP_IDX, 0, number['imm'](), 0, null, number);
    },
    Wide_mapIdxValue(_word, _open, index, _comma, offset, _close) {
      return wide(BPF_PSEUDO_MAP_IDX_VALUE, 0, index['imm'](), offset['imm'](), null, index);
    },
    Wide_value(name, _open, _zero, _close, offset) {
      const at = offset.numChildren === 0 ? 0 : (offset.child(0)['offset32']() as number);
      return wide(0, 0, 0, 0, { kind: 'value', target: name.sourceString, offset: at }, name);
    },
    Wide_address(name, offset) {
      const addend = offset.numChildren === 0 ? 0 : (offset.child(0)['offset32']() as number);
      const constant = scope.constant(name.sourceString);
      if (constant === null) return wide(0, 0, 0, 0, { kind: 'address', target: name.sourceString, addend }, name);
      const { lo, hi } = fromBigInt(constant + BigInt(addend));
      return wide(0, 0, lo, hi, null, name);
    },
  });
  semantics.addOperation<(into: ohm.Node) => Draft>('assigned', {
    Source_wideNumber: (number, _ll) => (into) => {
      const { lo, hi } = readWord(number.sourceString, number.source.startIdx);
      return wide(0, whole(into['reg']()), lo, hi, null, number);
    },
    Source_number: (number) => (into) => {
      const dst: Reg = into['reg']();
      if (scope.codeByte !== wideOpcode(0).code) return move(dst, { imm: number['imm']() });
      const { lo, hi } = readWord(number.sourceString, number.source.startIdx);
      return wide(0, whole(dst), lo, hi, null, number);
    },
    Source_constant: (name) => (into) => move(into['reg'](), { imm: constant(name) }),
    Source_reg: (from) => (into) => move(into['reg'](), { reg: from['reg']() }),
    Source_wide: (value, _ll) => (into) => withDst(value['wide'](), whole(into['reg']())),
    Source_neg: (_minus, from) => (into) => {
      const dst: Reg = into['reg']();
      const src: Reg = from['reg']();
      if (dst.number !== src.number || dst.width !== src.width) fail(from, 'negation is in place: both registers are the same');
      return plain(findOpcode('neg', '-', dst.width)!, { dst: dst.number });
    },
    Source_movsx: (cast, from) => (into) => {
      const dst: Reg = into['reg']();
      const opcode = found(findOpcode('movsx', cast.sourceString, dst.width, 'X'), cast);
      return plain(opcode, operandFields({ reg: from['reg']() }, dst));
    },
    Source_end: (order, from) => (into) => {
      const dst: Reg = into['reg']();
      const src: Reg = from['reg']();
      if (dst.number !== src.number) fail(from, 'a byte swap is in place: both registers are the same');
      const [, word, width] = /([a-z]+)(\d+)/.exec(order.sourceString)!;
      return plain(found(findOpcode('end', word!, Number(width)), order), { dst: dst.number });
    },
    Source_ldInd: (_star, type, _skb, _open, reg, off, _close) => (into) => {
      const imm = off.numChildren === 0 ? 0 : (off.child(0)['offset32']() as number);
      return packetLoad('ld_ind', into, type, { src: whole(reg['reg']()), imm });
    },
    Source_ldAbs: (_star, type, _skb, _open, number, _close) => (into) =>
      packetLoad('ld_abs', into, type, { imm: number['imm']() }),
    Source_ldx: (memory) => (into) => {
      const { type, width, base, off }: Place = memory['place']();
      const kind = type.startsWith('s') ? 'ldsx' : 'ldx';
      return plain(found(findOpcode(kind, type, width), memory), { dst: data(into['reg'](), width), src: base, off });
    },
    Source_fetch: (word, _open, operand, _comma, reg, _close) => (into) => {
      const at: Place = operand['place']();
      const width = atomicWidth(word, at);
      const text = /[a-z]+$/.exec(word.sourceString)![0];
      return fetching(found(findOpcode('atomic_fetch', text, width), word), into, at.base, at.off, reg['reg'](), width);
    },
    Source_xchg: (word, _open, operand, _comma, reg, _close) => (into) => {
      const at: Place = operand['place']();
      const width = atomicWidth(word, at);
      return fetching(found(findOpcode('xchg', 'xchg', width), word), into, at.base, at.off, reg['reg'](), width);
    },
    Source_cmpxchg: (word, _open, operand, _comma, expected, _comma2, reg, _close) => (into) => {
      const at: Place = operand['place']();
      const width = atomicWidth(word, at);
      if (data(expected['reg'](), width) !== 0) fail(expected, 'the expected value is in r0');
      return fetching(found(findOpcode('cmpxchg', 'cmpxchg', width), word), into, at.base, at.off, reg['reg'](), width);
    },
    Source_shortXchg: (word, _open, base, off, _comma, reg, _close) => (into) => {
      const width = exchangeWidth(word);
      const opcode = findOpcode('xchg', 'xchg', width)!;
      return fetching(opcode, into, whole(base['reg']()), optional(off), reg['reg'](), width);
    },
    Source_shortCmpxchg: (word, _open, base, off, _comma, expected, _comma2, reg, _close) => (into) => {
      const width = exchangeWidth(word);
      if (data(expected['reg'](), width) !== 0) fail(expected, 'the expected value is in r0');
      const opcode = findOpcode('cmpxchg', 'cmpxchg', width)!;
      return fetching(opcode, into, whole(base['reg']()), optional(off), reg['reg'](), width);
    },
    Source_loadAcquire: (_word, _open, operand, _close) => (into) => {
      const { width, base, off }: Place = operand['place']();
      const opcode = findOpcode('load_acquire', 'load_acquire', width)!;
      return plain(opcode, { dst: data(into['reg'](), width), src: base, off });
    },
    Source_addrSpaceCast: (_word, _open, from, _comma, to, _comma2, source, _close) => (into) => {
      const spaces = [to, source].map((node) => {
        const { lo, hi } = readWord(node.sourceString, node.source.startIdx);
        return hi === 0 && lo >= 0 && lo <= 0xffff ? lo : fail(node, 'an address space is from 0 to 65535');
      });
      const imm = (spaces[0]! << 16) | spaces[1]!;
      return plain(ofKind('addr_space_cast'), { dst: whole(into['reg']()), src: whole(from['reg']()), imm });
    },
  });
  semantics.addOperation<Draft>('draft', {
    Statement(node) {
      return node['draft']();
    },
    Statement_assign: (into, _eq, source) => (source['assigned']() as (into: ohm.Node) => Draft)(into),
    Statement_alu(into, operator, operand) {
      const dst: Reg = into['reg']();
      const right: Operand = operand['operand']();
      const opcode = found(findOpcode('alu', operator.sourceString, dst.width, sourceOfOperand(right)), operator);
      return plain(opcode, operandFields(right, dst));
    },
    Statement_stx(memory, _eq, reg) {
      const { type, width, base, off }: Place = memory['place']();
      const opcode = found(findOpcode('stx', type, width), memory);
      return plain(opcode, { dst: base, src: data(reg['reg'](), width), off });
    },
    Statement_st(memory, _eq, imm) {
      const { type, width, base, off }: Place = memory['place']();
      return plain(found(findOpcode('st', type, width), memory), { dst: base, off, imm: imm['imm']() });
    },
    Statement_jumpIf(_if, reg, compare, operand, _goto, target) {
      const dst: Reg = reg['reg']();
      const right: Operand = operand['operand']();
      const opcode = found(findOpcode('jump', compare.sourceString, dst.width, sourceOfOperand(right)), compare);
      return place(opcode, operandFields(right, dst), 'off', target);
    },
    Statement_exit: (_word) => plain(ofKind('exit'), {}),
    Statement_call: (_word, callee) => callee['callee'](),
    Statement_goto: (_word, target) => jumpTo('ja', target),
    Statement_gotol: (_word, target) => jumpTo('gotol', target),
    Statement_mayGoto: (_word, target) => jumpTo('may_goto', target),
    Statement_atomic(_lock, memory, operator, reg) {
      const { width, base, off }: Place = memory['place']();
      const opcode = found(findOpcode('atomic', operator.sourceString, width), operator);
      return plain(opcode, { dst: base, src: data(reg['reg'](), width), off });
    },
    Statement_storeRelease(_word, _open, operand, _comma, reg, _close) {
      const { width, base, off }: Place = operand['place']();
      return plain(findOpcode('store_release', 'store_release', width)!, { dst: base, src: data(reg['reg'](), width), off });
    },
    Statement_callx: (_word, reg) => plain(ofKind('callx'), { dst: whole(reg['reg']()) }),
    Statement_pseudo(_word, reg, _comma, src, _comma2, value) {
      const number = readImm(src.sourceString, src.source.startIdx);
      if (number < 0 || number > MAX_REGISTER) fail(src, `the source of ld_pseudo is from 0 to ${MAX_REGISTER}`);
      const { lo, hi } = readWord(value.sourceString, value.source.startIdx);
      const draft = wide(0, whole(reg['reg']()), lo, hi, null, value);
      return { ...draft, insn: { ...draft.insn, src: number } };
    },
  });

  return (text, given) => {
    const match = grammar.match(text, 'Statement');
    if (match.failed()) {
      const failed = match as ohm.FailedMatchResult;
      throw new StatementError(`expected ${failed.getExpectedText()}`, failed.getRightmostFailurePosition());
    }
    scope = given;
    missingField = null;
    const draft = semantics(match)['draft']() as Draft;
    return missingField === null ? draft : { ...draft, missingField };
  };
}

let reader: ReturnType<typeof build> | null = null;

export const readKernelStatement: StatementReader = (text, scope) => {
  reader ??= build();
  return reader(text, scope);
};
