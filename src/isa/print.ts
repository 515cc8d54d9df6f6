import {
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_CALL,
  BPF_END,
  BPF_IND,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_MEMSX,
  BPF_MOV,
  BPF_NEG,
  BPF_NOSPEC,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  BPF_ST,
  BPF_STX,
  BPF_X,
  classOf,
  modeOf,
  opOf,
  sizeOf,
  sourceOf,
} from './constants.ts';
import type { Insn } from './insn.ts';
import type { Opcode } from './opcode.ts';
import { OPCODES, opcodeOf } from './opcodes.ts';
import { formatHex } from './word64.ts';

/** Names that the text of an instruction needs from outside. */
export interface InsnNames {
  /** `bpf_…` name of a helper, or null when there is no such helper. */
  helper(id: number): string | null;
  /** Name of a kfunc, or null when the BTF is not known. */
  kfunc(btfId: number, fdIndex: number): string | null;
  /** Text of the constant of an `ld_imm64`, or null for the constant as it stands. */
  immediate?(insn: Insn, lo: number, hi: number): string | null;
}

export interface PrintOptions {
  /** Without it map pointers print as 0. Source: print_bpf_insn, `allow_ptr_leaks`. */
  readonly allowPtrLeaks: boolean;
}

const NO_NAMES: InsnNames = { helper: () => null, kfunc: () => null };

const signed = (n: number): string => (n < 0 ? String(n) : `+${n}`);
const hex = (n: number): string => (n >>> 0).toString(16);
const MISSING = '(null)';

const callName = (insn: Insn, names: InsnNames): string => {
  if (insn.src === 0) return names.helper(insn.imm) ?? 'unknown';
  if (insn.src === BPF_PSEUDO_KFUNC_CALL) return names.kfunc(insn.imm, insn.off) ?? 'kernel-function';
  return 'unknown';
};

const wideConstant = (insns: readonly Insn[], pc: number, names: InsnNames, options: PrintOptions): string => {
  const insn = insns[pc]!;
  const isPointer = insn.src === BPF_PSEUDO_MAP_FD || insn.src === BPF_PSEUDO_MAP_VALUE;
  const isHidden = isPointer && !options.allowPtrLeaks;
  const lo = isHidden ? 0 : insn.imm;
  const high = isHidden ? 0 : (insns[pc + 1]?.imm ?? 0);
  return names.immediate?.(insn, lo, high) ?? `0x${formatHex(lo, high)}`;
};

const printKnown = (insns: readonly Insn[], pc: number, opcode: Opcode, names: InsnNames, options: PrintOptions): string => {
  const insn = insns[pc]!;
  const { dst, src, off, imm } = insn;
  const { text } = opcode;
  const reg = opcode.width === 32 ? 'w' : 'r';
  const memory = (base: number): string => `*(${text} *)(r${base} ${signed(off)})`;
  const atomicMemory = (base: number): string => `(u${opcode.width} *)(r${base} ${signed(off)})`;
  const atomic = opcode.width === 64 ? 'atomic64' : 'atomic';
  switch (opcode.kind) {
    case 'alu':
    case 'mov':
      return `${reg}${dst} ${text} ${opcode.source === 'X' ? `${reg}${src}` : imm}`;
    case 'movsx':
      return `${reg}${dst} = ${text}${reg}${src}`;
    case 'neg':
      return `${reg}${dst} = -${reg}${dst}`;
    case 'end':
      return `r${dst} = ${text}${imm} r${dst}`;
    case 'addr_space_cast':
      return `r${dst} = addr_space_cast(r${src}, ${imm >>> 16}, ${imm & 0xffff})`;
    case 'mov_percpu':
      return `r${dst} = &(void __percpu *)(r${src})`;
    case 'ldx':
    case 'ldsx':
      return `r${dst} = ${memory(src)}`;
    case 'st':
      return `${memory(dst)} = ${imm}`;
    case 'stx':
      return `${memory(dst)} = r${src}`;
    case 'atomic':
      return `lock *${atomicMemory(dst)} ${text} r${src}`;
    case 'atomic_fetch':
      return `r${src} = ${atomic}_fetch_${text}(${atomicMemory(dst)}, r${src})`;
    case 'xchg':
      return `r${src} = ${atomic}_xchg(${atomicMemory(dst)}, r${src})`;
    case 'cmpxchg':
      return `r0 = ${atomic}_cmpxchg(${atomicMemory(dst)}, r0, r${src})`;
    case 'load_acquire':
      return `r${dst} = load_acquire(${atomicMemory(src)})`;
    case 'store_release':
      return `store_release(${atomicMemory(dst)}, r${src})`;
    case 'ld_abs':
      return `r0 = *(${text} *)skb[${imm}]`;
    case 'ld_ind':
      return `r0 = *(${text} *)skb[r${src} + ${imm}]`;
    case 'ld_imm64':
      return `r${dst} = ${wideConstant(insns, pc, names, options)}`;
    case 'ja':
    case 'may_goto':
      return `${text} pc${signed(off)}`;
    case 'gotol':
      return `gotol pc${signed(imm)}`;
    case 'jump':
      return `if ${reg}${dst} ${text} ${opcode.source === 'X' ? `${reg}${src}` : `0x${hex(imm)}`} goto pc${signed(off)}`;
    case 'call_subprog':
      return `call pc${signed(imm)}`;
    case 'call_helper':
    case 'call_kfunc':
    case 'callx':
      return `call ${callName(insn, names)}#${imm}`;
    case 'exit':
      return 'exit';
    default:
      return opcode.kind satisfies never;
  }
};

const operatorsOf = (kinds: readonly string[], extra: Record<number, string>): ReadonlyMap<number, string> => {
  const plain = OPCODES.filter(({ kind, selector }) => kinds.includes(kind) && (selector?.value ?? 0) === 0);
  const map = new Map(plain.map(({ code, text }) => [opOf(code), text]));
  for (const [op, text] of Object.entries(extra)) map.set(Number(op), text);
  return map;
};

const ALU_OPERATORS = operatorsOf(['alu', 'mov'], {});
const JMP_OPERATORS = operatorsOf(['jump'], { 0: 'jmp', 128: 'call', 144: 'exit' });
const SIZE_TEXT = ['u32', 'u16', 'u8', 'u64'] as const;
const SIGNED_SIZE_TEXT = ['s32', 's16', 's8', MISSING] as const;

const printUnknownAlu = (insn: Insn): string => {
  const { code, dst, src, off, imm } = insn;
  const reg = classOf(code) === BPF_ALU ? 'w' : 'r';
  const op = opOf(code);
  if (op === BPF_END) {
    const word = classOf(code) === BPF_ALU64 ? 'bswap' : sourceOf(code) === BPF_X ? 'be' : 'le';
    return `r${dst} = ${word}${imm} r${dst}`;
  }
  if (op === BPF_NEG) return `${reg}${dst} = -${reg}${dst}`;
  const operator = ALU_OPERATORS.get(op) ?? MISSING;
  if (sourceOf(code) !== BPF_X) return `${reg}${dst} ${operator} ${imm}`;
  const isExtended = op === BPF_MOV && off === 32;
  return `${reg}${dst} ${operator} ${isExtended ? '(s32)' : ''}${reg}${src}`;
};

const printUnknownJump = (insn: Insn, names: InsnNames): string => {
  const { code, dst, src, off, imm } = insn;
  const op = opOf(code);
  if (op === BPF_CALL) {
    return src === BPF_PSEUDO_CALL ? `call pc${signed(imm)}` : `call ${callName(insn, names)}#${imm}`;
  }
  if (op === BPF_JA && sourceOf(code) !== BPF_X)
    return classOf(code) === BPF_JMP ? `goto pc${signed(off)}` : `gotol pc${signed(imm)}`;
  const reg = classOf(code) === BPF_JMP32 ? 'w' : 'r';
  const right = sourceOf(code) === BPF_X ? `${reg}${src}` : `0x${hex(imm)}`;
  return `if ${reg}${dst} ${JMP_OPERATORS.get(op) ?? MISSING} ${right} goto pc${signed(off)}`;
};

/** The text of what is no instruction; the kernel prints these too, and a few of them without the code in front. */
const printUnknown = (insn: Insn, names: InsnNames): { bug: boolean; text: string } => {
  const { code, dst, src, off, imm } = insn;
  const code2 = hex(code).padStart(2, '0');
  const size = SIZE_TEXT[sizeOf(code) >> 3]!;
  const mode = modeOf(code);
  const line = (text: string) => ({ bug: false, text });
  const bug = (text: string) => ({ bug: true, text });
  switch (classOf(code)) {
    case BPF_LD:
      if (mode === BPF_ABS) return line(`r0 = *(${size} *)skb[${imm}]`);
      if (mode === BPF_IND) return line(`r0 = *(${size} *)skb[r${src} + ${imm}]`);
      return bug(`BUG_ld_${code2}`);
    case BPF_LDX:
      if (mode === BPF_MEMSX) return line(`r${dst} = *(${SIGNED_SIZE_TEXT[sizeOf(code) >> 3]} *)(r${src} ${signed(off)})`);
      return bug(`BUG_ldx_${code2}`);
    case BPF_ST:
      return mode === BPF_NOSPEC ? line('nospec') : bug(`BUG_st_${code2}`);
    case BPF_STX:
      return bug(`BUG_${code2}`);
    case BPF_ALU:
    case BPF_ALU64:
      return line(printUnknownAlu(insn));
    default:
      return line(printUnknownJump(insn, names));
  }
};

const SHOW_POINTERS: PrintOptions = { allowPtrLeaks: true };

/**
 * The instruction as the kernel's log shows it, with its code in front: `(bf) r1 = r2`; `BUG_…` lines have no code.
 * `pc` is a slot index; at an `ld_imm64` the next slot is read too. Source: print_bpf_insn, kernel/bpf/disasm.c.
 */
export function printInsn(
  insns: readonly Insn[],
  pc: number,
  names: InsnNames = NO_NAMES,
  options: PrintOptions = SHOW_POINTERS,
): string {
  const insn = insns[pc]!;
  const opcode = opcodeOf(insn);
  const code = `(${hex(insn.code).padStart(2, '0')}) `;
  if (opcode !== null) return code + printKnown(insns, pc, opcode, names, options);
  if (insn.code === 0x18) return `${code}r${insn.dst} = ${wideConstant(insns, pc, names, options)}`;
  const { bug, text } = printUnknown(insn, names);
  return bug ? text : code + text;
}

/** `printInsn` without the code in front. */
export function insnText(
  insns: readonly Insn[],
  pc: number,
  names: InsnNames = NO_NAMES,
  options: PrintOptions = SHOW_POINTERS,
): string {
  const line = printInsn(insns, pc, names, options);
  return line.startsWith('(') ? line.slice(5) : line;
}
