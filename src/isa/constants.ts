/**
 * The numbers of the instruction encoding, with the kernel's names: one table per field of the code byte and of the
 * operands that select a variant. Every name is also exported on its own.
 *
 *     code byte of arithmetic and jumps        code byte of loads and stores
 *      7     4  3   2   0                       7    5 4   3 2   0
 *     +-------+---+-------+                    +------+-----+-------+
 *     |  op   |src| class |                    | mode |size | class |
 *     +-------+---+-------+                    +------+-----+-------+
 *
 * Source: include/uapi/linux/bpf_common.h, include/uapi/linux/bpf.h, include/linux/filter.h; RFC 9669 section 3.
 */

export const CLASS = {
  BPF_LD: 0x00,
  BPF_LDX: 0x01,
  BPF_ST: 0x02,
  BPF_STX: 0x03,
  BPF_ALU: 0x04,
  BPF_JMP: 0x05,
  BPF_JMP32: 0x06,
  BPF_ALU64: 0x07,
} as const;
export const { BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_ALU, BPF_JMP, BPF_JMP32, BPF_ALU64 } = CLASS;
export type ClassName = keyof typeof CLASS;

export const SOURCE = { BPF_K: 0x00, BPF_X: 0x08 } as const;
export const { BPF_K, BPF_X } = SOURCE;

/** The source bit of `BPF_END`. */
export const ENDIAN = { BPF_TO_LE: 0x00, BPF_TO_BE: 0x08 } as const;
export const { BPF_TO_LE, BPF_TO_BE } = ENDIAN;

export const SIZE = { BPF_W: 0x00, BPF_H: 0x08, BPF_B: 0x10, BPF_DW: 0x18 } as const;
export const { BPF_W, BPF_H, BPF_B, BPF_DW } = SIZE;
export type SizeName = keyof typeof SIZE;

export const MODE = {
  BPF_IMM: 0x00,
  BPF_ABS: 0x20,
  BPF_IND: 0x40,
  BPF_MEM: 0x60,
  BPF_MEMSX: 0x80,
  BPF_ATOMIC: 0xc0,
} as const;
export const { BPF_IMM, BPF_ABS, BPF_IND, BPF_MEM, BPF_MEMSX, BPF_ATOMIC } = MODE;
export type ModeName = keyof typeof MODE;

/** The mode bits of an `ST` that the kernel puts in itself as a speculation barrier; not part of the user interface. */
export const BPF_NOSPEC = 0xc0;

export const ALU_OP = {
  BPF_ADD: 0x00,
  BPF_SUB: 0x10,
  BPF_MUL: 0x20,
  BPF_DIV: 0x30,
  BPF_OR: 0x40,
  BPF_AND: 0x50,
  BPF_LSH: 0x60,
  BPF_RSH: 0x70,
  BPF_NEG: 0x80,
  BPF_MOD: 0x90,
  BPF_XOR: 0xa0,
  BPF_MOV: 0xb0,
  BPF_ARSH: 0xc0,
  BPF_END: 0xd0,
} as const;
export const {
  BPF_ADD,
  BPF_SUB,
  BPF_MUL,
  BPF_DIV,
  BPF_OR,
  BPF_AND,
  BPF_LSH,
  BPF_RSH,
  BPF_NEG,
  BPF_MOD,
  BPF_XOR,
  BPF_MOV,
  BPF_ARSH,
  BPF_END,
} = ALU_OP;
export type AluOpName = keyof typeof ALU_OP;

export const JMP_OP = {
  BPF_JA: 0x00,
  BPF_JEQ: 0x10,
  BPF_JGT: 0x20,
  BPF_JGE: 0x30,
  BPF_JSET: 0x40,
  BPF_JNE: 0x50,
  BPF_JSGT: 0x60,
  BPF_JSGE: 0x70,
  BPF_CALL: 0x80,
  BPF_EXIT: 0x90,
  BPF_JLT: 0xa0,
  BPF_JLE: 0xb0,
  BPF_JSLT: 0xc0,
  BPF_JSLE: 0xd0,
  BPF_JCOND: 0xe0,
} as const;
export const {
  BPF_JA,
  BPF_JEQ,
  BPF_JGT,
  BPF_JGE,
  BPF_JSET,
  BPF_JNE,
  BPF_JSGT,
  BPF_JSGE,
  BPF_CALL,
  BPF_EXIT,
  BPF_JLT,
  BPF_JLE,
  BPF_JSLT,
  BPF_JSLE,
  BPF_JCOND,
} = JMP_OP;
export type JmpOpName = keyof typeof JMP_OP;

/** The `imm` of an atomic operation. `BPF_ADD`, `BPF_OR`, `BPF_AND` and `BPF_XOR` are the arithmetic numbers. */
export const ATOMIC_OP = {
  BPF_FETCH: 0x01,
  BPF_XCHG: 0xe1,
  BPF_CMPXCHG: 0xf1,
  BPF_LOAD_ACQ: 0x100,
  BPF_STORE_REL: 0x110,
} as const;
export const { BPF_FETCH, BPF_XCHG, BPF_CMPXCHG, BPF_LOAD_ACQ, BPF_STORE_REL } = ATOMIC_OP;

/** The `src` of `ld_imm64`; 0 is a plain 64-bit constant. */
export const LD_IMM64_SRC = {
  BPF_PSEUDO_MAP_FD: 1,
  BPF_PSEUDO_MAP_VALUE: 2,
  BPF_PSEUDO_BTF_ID: 3,
  BPF_PSEUDO_FUNC: 4,
  BPF_PSEUDO_MAP_IDX: 5,
  BPF_PSEUDO_MAP_IDX_VALUE: 6,
} as const;
export const {
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
} = LD_IMM64_SRC;

/** The `src` of a call; 0 is a helper. */
export const CALL_SRC = { BPF_PSEUDO_CALL: 1, BPF_PSEUDO_KFUNC_CALL: 2 } as const;
export const { BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL } = CALL_SRC;

/** The `src` of `BPF_JCOND`: the only condition there is. */
export const BPF_MAY_GOTO = 0;

/** The `off` of a `BPF_MOV` that is more than a move. */
export const BPF_ADDR_SPACE_CAST = 1;
export const BPF_ADDR_PERCPU = -1;

/** r0 … r10 may be named by a program; r11 (`BPF_REG_AX`) belongs to the kernel. */
export const MAX_BPF_REG = 11;
export const BPF_REG_FP = 10;

export const classOf = (code: number): number => code & 0x07;
export const sourceOf = (code: number): number => code & 0x08;
export const opOf = (code: number): number => code & 0xf0;
export const sizeOf = (code: number): number => code & 0x18;
export const modeOf = (code: number): number => code & 0xe0;

/** Bytes moved by a load or store with the size bits `size`. */
export const sizeBytes = (size: number): 1 | 2 | 4 | 8 => {
  switch (size & 0x18) {
    case BPF_B:
      return 1;
    case BPF_H:
      return 2;
    case BPF_W:
      return 4;
    default:
      return 8;
  }
};
