import type { ClassName, ModeName, SizeName } from './constants.ts';

/** What an instruction does, as far as its printing, its operands and its execution differ. */
export type OpcodeKind =
  | 'alu'
  | 'mov'
  | 'movsx'
  | 'neg'
  | 'end'
  | 'addr_space_cast'
  | 'mov_percpu'
  | 'ldx'
  | 'ldsx'
  | 'st'
  | 'stx'
  | 'atomic'
  | 'atomic_fetch'
  | 'xchg'
  | 'cmpxchg'
  | 'load_acquire'
  | 'store_release'
  | 'ld_abs'
  | 'ld_ind'
  | 'ld_imm64'
  | 'ja'
  | 'gotol'
  | 'may_goto'
  | 'jump'
  | 'call_helper'
  | 'call_subprog'
  | 'call_kfunc'
  | 'callx'
  | 'exit';

/** What a field holds. `unused` must be zero; `selector` told this variant from its neighbours. */
export type RegRole = 'unused' | 'selector' | 'read' | 'write' | 'update';
export type OffRole = 'unused' | 'selector' | 'jump' | 'displacement' | 'fd_index';
export type ImmRole = 'unused' | 'selector' | 'value' | 'jump' | 'helper' | 'subprog' | 'btf_id' | 'address_spaces' | 'low_word';

/** The kernel's word for the family whose unused fields it checks together. */
export type FieldFamily =
  | 'BPF_ALU'
  | 'BPF_MOV'
  | 'BPF_NEG'
  | 'BPF_END'
  | 'BPF_LDX'
  | 'BPF_ST'
  | 'BPF_STX'
  | 'BPF_ATOMIC'
  | 'BPF_LD_[ABS|IND]'
  | 'BPF_LD_IMM64'
  | 'BPF_JA'
  | 'BPF_JMP/JMP32'
  | 'BPF_JCOND'
  | 'BPF_CALL'
  | 'BPF_EXIT';

export interface Opcode {
  readonly kind: OpcodeKind;
  readonly code: number;
  readonly cls: ClassName;
  /** The kernel's name of the operation, e.g. `BPF_ADD`, `BPF_SDIV`, `BPF_CMPXCHG`. */
  readonly op: string;
  /** Second operand: `imm` (K) or `src` (X); the byte order for `BPF_END`; null where the bit means nothing. */
  readonly source: 'K' | 'X' | 'TO_LE' | 'TO_BE' | null;
  /** Bits that take part in the operation or that memory moves; 0 for jumps without a comparison. */
  readonly width: 0 | 8 | 16 | 32 | 64;
  readonly mode: ModeName | null;
  readonly size: SizeName | null;
  /** The operator or operation word of the log text, e.g. `+=`, `s>`, `be`, `add`. */
  readonly text: string;
  /** Of all variants of one code byte, the one whose field has this value. */
  readonly selector: { readonly field: 'off' | 'imm' | 'src'; readonly value: number } | null;
  readonly dst: RegRole;
  readonly src: RegRole;
  readonly off: OffRole;
  readonly imm: ImmRole;
  /** Registers used and defined beyond the fields, one bit each. */
  readonly alsoReads: number;
  readonly alsoWrites: number;
  readonly family: FieldFamily;
  /** Fields that must be zero by RFC 9669 and that the kernel does not look at. */
  readonly unchecked: 'off' | null;
  /** First instruction set version as compilers count them (`-mcpu`). */
  readonly cpu: 'v1' | 'v2' | 'v3' | 'v4';
  /**
   * `user`: programs may hold it. `kernel`: only the kernel itself makes it. `refused`: the kernel prints it and refuses
   * it (byte and halfword read-modify-write). `offline`: compilers emit it and other runtimes have it, no Linux does.
   */
  readonly origin: 'user' | 'kernel' | 'refused' | 'offline';
}
