import { BPF_LDX, BPF_MEM, BPF_MEMSX, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, classOf, modeOf } from './constants.ts';
import type { Insn } from './insn.ts';
import type { FieldFamily, Opcode } from './opcode.ts';
import { isKnownCode, isLdImm64, opcodeOf, variantsOf } from './opcodes.ts';

export type FieldRule =
  | 'reserved fields'
  | 'unknown opcode'
  | 'incomplete ld_imm64'
  | 'unrecognized ld_imm64'
  | 'address spaces'
  | 'may_goto'
  | 'atomic opcode'
  | 'atomic size'
  | 'division by zero'
  | 'shift'
  | 'unused field';

/** A rule that an instruction breaks; `message` is the kernel's log line without its newline. */
export interface FieldBreach {
  readonly rule: FieldRule;
  readonly message: string;
}

const breach = (rule: FieldRule, message: string): FieldBreach => ({ rule, message });

const hex = (value: number): string => (value >>> 0).toString(16);
const hex2 = (value: number): string => hex(value).padStart(2, '0');

const reserved = (family: FieldFamily): FieldBreach => breach('reserved fields', `${family} uses reserved fields`);

/**
 * What the kernel checks on every slot before it explores, in its order: loads, both halves of `ld_imm64`, the code byte.
 * `pc` is never the second half of an `ld_imm64`. Source: resolve_pseudo_ldimm64, kernel/bpf/verifier.c.
 */
export function checkOpcode(insns: readonly Insn[], pc: number): FieldBreach | null {
  const insn = insns[pc]!;
  if (classOf(insn.code) === BPF_LDX) {
    const mode = modeOf(insn.code);
    if ((mode !== BPF_MEM && mode !== BPF_MEMSX) || insn.imm !== 0) return reserved('BPF_LDX');
  }
  if (isLdImm64(insn)) {
    const second = insns[pc + 1];
    if (second === undefined || second.code !== 0 || second.dst !== 0 || second.src !== 0 || second.off !== 0) {
      return breach('incomplete ld_imm64', 'invalid bpf_ld_imm64 insn');
    }
    const isWholeMap = insn.src === BPF_PSEUDO_MAP_FD || insn.src === BPF_PSEUDO_MAP_IDX;
    if (opcodeOf(insn) === null || (isWholeMap && second.imm !== 0)) {
      return breach('unrecognized ld_imm64', 'unrecognized bpf_ld_imm64 insn');
    }
    return null;
  }
  return isKnownCode(insn.code) ? null : breach('unknown opcode', `unknown opcode ${hex2(insn.code)}`);
}

const hasUsedUnusedField = (insn: Insn, opcode: Opcode): boolean =>
  (opcode.dst === 'unused' && insn.dst !== 0) ||
  (opcode.src === 'unused' && insn.src !== 0) ||
  (opcode.off === 'unused' && insn.off !== 0 && opcode.unchecked !== 'off') ||
  (opcode.imm === 'unused' && insn.imm !== 0);

const familyBreach = (family: FieldFamily, insn: Insn): FieldBreach => {
  if (family === 'BPF_JCOND') return breach('may_goto', `invalid may_goto imm ${insn.imm}`);
  if (family === 'BPF_ATOMIC') return breach('atomic opcode', `BPF_ATOMIC uses invalid atomic opcode ${hex2(insn.imm)}`);
  return reserved(family);
};

/**
 * What the kernel checks of the fields when it steps on an instruction, before it looks at any register. Loads are checked
 * by `checkOpcode` alone. An instruction that `checkOpcode` refuses has no answer here.
 * Source: do_check_insn, check_alu_op, check_cond_jmp_op, check_ld_imm, check_ld_abs, check_atomic, kernel/bpf/verifier.c.
 */
export function checkReservedFields(insn: Insn): FieldBreach | null {
  const opcode = opcodeOf(insn);
  if (opcode === null) {
    const first = variantsOf(insn.code)[0];
    return first === undefined ? null : familyBreach(first.family, insn);
  }
  if (opcode.origin === 'kernel') return reserved(opcode.family);
  if (opcode.origin === 'refused') return breach('atomic size', 'invalid atomic operand size');
  if (hasUsedUnusedField(insn, opcode)) return familyBreach(opcode.family, insn);
  if (opcode.kind === 'addr_space_cast' && insn.imm !== 1 && insn.imm !== 0x10000) {
    return breach('address spaces', 'addr_space_cast insn can only convert between address space 1 and 0');
  }
  return null;
}

/**
 * Immediate divisors and shift counts, which the kernel judges after it has seen that the registers can be read.
 * Source: check_alu_op, kernel/bpf/verifier.c.
 */
export function checkImmediate(insn: Insn): FieldBreach | null {
  const opcode = opcodeOf(insn);
  if (opcode === null || opcode.kind !== 'alu' || opcode.source !== 'K') return null;
  switch (opcode.op) {
    case 'BPF_DIV':
    case 'BPF_SDIV':
    case 'BPF_MOD':
    case 'BPF_SMOD':
      return insn.imm === 0 ? breach('division by zero', 'div by zero') : null;
    case 'BPF_LSH':
    case 'BPF_RSH':
    case 'BPF_ARSH':
      return insn.imm < 0 || insn.imm >= opcode.width ? breach('shift', `invalid shift ${insn.imm}`) : null;
    default:
      return null;
  }
}

/**
 * Fields that RFC 9669 section 3 wants to be zero and that the kernel does not look at. For runtimes stricter than Linux.
 */
export function checkUnusedFields(insn: Insn): FieldBreach | null {
  const opcode = opcodeOf(insn);
  if (opcode === null || opcode.unchecked === null || insn[opcode.unchecked] === 0) return null;
  return breach('unused field', `${opcode.family} uses unused field ${opcode.unchecked}`);
}

export interface SlotBreach extends FieldBreach {
  readonly insn: number;
}

/**
 * The first instruction that no conforming runtime takes, judged by its fields alone: `callx` is allowed, unused fields
 * must be zero, whether the kernel looks at them or not.
 */
export function checkEncoding(insns: readonly Insn[]): SlotBreach | null {
  for (let pc = 0; pc < insns.length; pc++) {
    const insn = insns[pc]!;
    const isOffline = opcodeOf(insn)?.origin === 'offline';
    const found = (isOffline ? null : checkOpcode(insns, pc)) ?? checkReservedFields(insn) ?? checkUnusedFields(insn);
    if (found !== null) return { ...found, insn: pc };
    if (isLdImm64(insn)) pc++;
  }
  return null;
}
