import { never } from '../contracts/errors.ts';
import {
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
} from '../isa/constants.ts';
import type { Insn } from '../isa/insn.ts';
import type { Opcode } from '../isa/opcode.ts';
import { isLdImm64, opcodeOf } from '../isa/opcodes.ts';
import { insnText } from '../isa/print.ts';
import { formatHex } from '../isa/word64.ts';
import { mnemonicOf } from './ubpf_dialect.ts';

/** A name as the grammars read it. */
export const isName = (text: string): boolean => /^[A-Za-z_.][\w.$]*$/.test(text);

/** Names for what an instruction refers to; null where it can only be written as a number. */
export interface InsnContext {
  readonly insns: readonly Insn[];
  /** label of a slot */
  label(slot: number): string | null;
  /** function that begins at a slot */
  func(slot: number): string | null;
  map(index: number): string | null;
  helper(id: number): string | null;
  kfunc(id: number): string | null;
}

/** An `ld_imm64` with both halves. */
export const isWide = (insns: readonly Insn[], pc: number): boolean => {
  const second = insns[pc + 1];
  return (
    isLdImm64(insns[pc]!) && second !== undefined && second.code === 0 && second.dst === 0 && second.src === 0 && second.off === 0
  );
};

/** Whether the text of an entry shows every field of the instruction. */
const isShown = (insn: Insn, opcode: Opcode): boolean =>
  opcode.origin !== 'kernel' &&
  (opcode.dst !== 'unused' || insn.dst === 0) &&
  (opcode.src !== 'unused' || insn.src === 0) &&
  (opcode.off !== 'unused' || insn.off === 0) &&
  (opcode.imm !== 'unused' || insn.imm === 0);

const signed = (n: number): string => (n < 0 ? String(n) : `+${n}`);

/** A slot as the number that `.raw` takes. */
export const rawText = ({ code, dst, src, off, imm }: Insn): string => {
  const low = code | (dst << 8) | (src << 12) | (off << 16) | 0;
  return `0x${formatHex(low, imm | 0)}`;
};

const wideText = (context: InsnContext, pc: number): string => {
  const { dst, src, imm } = context.insns[pc]!;
  const high = context.insns[pc + 1]!.imm;
  const number = `0x${formatHex(imm, high)}`;
  const into = (text: string): string => `r${dst} = ${text} ll`;
  const map = context.map(imm);
  switch (src) {
    case 0:
      return into(number);
    case BPF_PSEUDO_MAP_FD:
      if (map !== null && high === 0) return into(map);
      break;
    case BPF_PSEUDO_MAP_VALUE:
      if (map !== null) return into(`${map}[0]${high === 0 ? '' : signed(high)}`);
      break;
    case BPF_PSEUDO_BTF_ID:
      return into(`btf_id(${number})`);
    case BPF_PSEUDO_FUNC: {
      if (high !== 0) break;
      const func = context.func(pc + 1 + imm);
      return into(func ?? `func(pc${signed(imm)})`);
    }
    case BPF_PSEUDO_MAP_IDX:
      if (high === 0) return into(`map_idx(${imm})`);
      break;
    case BPF_PSEUDO_MAP_IDX_VALUE:
      return into(`map_idx_value(${imm}, ${high})`);
    default:
      break;
  }
  return `ld_pseudo r${dst}, ${src}, ${number}`;
};

/** One instruction in the kernel's dialect; null where only `.raw` can tell it. */
export function kernelText(context: InsnContext, pc: number): string | null {
  const { insns } = context;
  const insn = insns[pc]!;
  if (isLdImm64(insn)) return isWide(insns, pc) && insn.off === 0 ? wideText(context, pc) : null;
  const opcode = opcodeOf(insn);
  if (opcode === null || !isShown(insn, opcode)) return null;
  const distance = opcode.imm === 'jump' ? insn.imm : insn.off;
  const target = (): string => context.label(pc + 1 + distance) ?? signed(distance);
  switch (opcode.kind) {
    case 'ja':
    case 'gotol':
    case 'may_goto':
      return `${opcode.text} ${target()}`;
    case 'jump':
      return insnText(insns, pc).replace(/pc[+-]\d+$/, target());
    case 'call_helper':
      return `call ${context.helper(insn.imm) ?? insn.imm}`;
    case 'call_subprog':
      return `call ${context.func(pc + 1 + insn.imm) ?? `pc${signed(insn.imm)}`}`;
    case 'call_kfunc':
      return insn.off === 0 ? `call ${context.kfunc(insn.imm) ?? `kernel-function#${insn.imm}`}` : null;
    case 'callx':
      return `callx r${insn.dst}`;
    case 'alu':
    case 'mov':
    case 'movsx':
    case 'neg':
    case 'end':
    case 'addr_space_cast':
    case 'mov_percpu':
    case 'ldx':
    case 'ldsx':
    case 'st':
    case 'stx':
    case 'atomic':
    case 'atomic_fetch':
    case 'xchg':
    case 'cmpxchg':
    case 'load_acquire':
    case 'store_release':
    case 'ld_abs':
    case 'ld_ind':
    case 'ld_imm64':
    case 'exit':
      return insnText(insns, pc);
    default:
      return never(opcode.kind, 'kernelText');
  }
}

const MAX_UBPF_REGISTER = 10;

/** One instruction in uBPF's dialect; null where only `.raw` can tell it. */
export function ubpfText(context: InsnContext, pc: number): string | null {
  const { insns } = context;
  const insn = insns[pc]!;
  const { dst, src, off, imm } = insn;
  if (dst > MAX_UBPF_REGISTER || (src > MAX_UBPF_REGISTER && !isLdImm64(insn))) return null;
  if (isLdImm64(insn)) {
    if (!isWide(insns, pc) || off !== 0) return null;
    const number = `lddw %r${dst}, 0x${formatHex(imm, insns[pc + 1]!.imm)}`;
    if (src === 0) return number;
    const map = context.map(imm);
    return src === BPF_PSEUDO_MAP_FD && map !== null && insns[pc + 1]!.imm === 0 ? `lddw %r${dst}, ${map}` : null;
  }
  const opcode = opcodeOf(insn);
  if (opcode === null || !isShown(insn, opcode)) return null;
  const word = mnemonicOf(opcode);
  const memory = (base: number): string => `[%r${base}${off === 0 ? '' : signed(off)}]`;
  const right = opcode.source === 'X' ? `%r${src}` : imm;
  const distance = opcode.imm === 'jump' ? imm : off;
  const target = (): string => context.label(pc + 1 + distance) ?? signed(distance);
  switch (opcode.kind) {
    case 'alu':
    case 'mov':
    case 'movsx':
      return `${word} %r${dst}, ${right}`;
    case 'neg':
    case 'end':
      return `${word} %r${dst}`;
    case 'ldx':
    case 'ldsx':
      return `${word} %r${dst}, ${memory(src)}`;
    case 'st':
      return `${word} ${memory(dst)}, ${imm}`;
    case 'stx':
      return `${word} ${memory(dst)}, %r${src}`;
    case 'atomic':
    case 'atomic_fetch':
    case 'xchg':
    case 'cmpxchg':
      return word === null ? null : `${word} ${memory(dst)}, %r${src}`;
    case 'ld_abs':
      return `${word} ${imm}`;
    case 'ld_ind':
      return `${word} %r${src}, ${imm}`;
    case 'ja':
    case 'gotol':
      return `${word} ${target()}`;
    case 'jump':
      return `${word} %r${dst}, ${right}, ${target()}`;
    case 'call_helper':
      return `call ${imm}`;
    case 'call_subprog': {
      const func = context.func(pc + 1 + imm);
      return `call local ${func ?? imm}`;
    }
    case 'call_kfunc':
      return off === 0 ? `call runtime ${imm}` : null;
    case 'callx':
      return `call %r${dst}`;
    case 'exit':
      return 'exit';
    case 'addr_space_cast':
    case 'mov_percpu':
    case 'load_acquire':
    case 'store_release':
    case 'may_goto':
    case 'ld_imm64':
      return null;
    default:
      return never(opcode.kind, 'ubpfText');
  }
}

/** Slots that jumps and calls of a program lead to, second halves of `ld_imm64` and places outside left out. */
export function targetsOf(insns: readonly Insn[]): { readonly labels: Set<number>; readonly functions: Set<number> } {
  const labels = new Set<number>();
  const functions = new Set<number>();
  const hidden = new Set<number>();
  for (let pc = 0; pc < insns.length; pc++) {
    const insn = insns[pc]!;
    if (isWide(insns, pc)) {
      hidden.add(pc + 1);
      if (insn.src === BPF_PSEUDO_FUNC) functions.add(pc + 1 + insn.imm);
      pc++;
      continue;
    }
    const opcode = opcodeOf(insn);
    if (opcode?.off === 'jump') labels.add(pc + 1 + insn.off);
    else if (opcode?.imm === 'jump') labels.add(pc + 1 + insn.imm);
    else if (opcode?.kind === 'call_subprog' && insn.src === BPF_PSEUDO_CALL) functions.add(pc + 1 + insn.imm);
  }
  const isInside = (slot: number): boolean => slot >= 0 && slot < insns.length && !hidden.has(slot);
  return {
    labels: new Set([...labels].filter((slot) => isInside(slot) || slot === insns.length)),
    functions: new Set([...functions].filter(isInside)),
  };
}
