/**
 * The operations of the interpreter. An instruction with an immediate is one with a source register that nobody writes: the
 * predecoder puts each constant into a register of its own, so there is one operation for both forms.
 *
 * The interpreter's `switch` spells these numbers as literals, because only literals become a jump table.
 */
export const OP = {
  BAD: 0,
  ADD64: 1,
  SUB64: 2,
  MUL64: 3,
  DIV64: 4,
  SDIV64: 5,
  MOD64: 6,
  SMOD64: 7,
  OR64: 8,
  AND64: 9,
  XOR64: 10,
  LSH64: 11,
  RSH64: 12,
  ARSH64: 13,
  NEG64: 14,
  MOV64: 15,
  MOV64_SX8: 16,
  MOV64_SX16: 17,
  MOV64_SX32: 18,
  ADD32: 19,
  SUB32: 20,
  MUL32: 21,
  DIV32: 22,
  SDIV32: 23,
  MOD32: 24,
  SMOD32: 25,
  OR32: 26,
  AND32: 27,
  XOR32: 28,
  LSH32: 29,
  RSH32: 30,
  ARSH32: 31,
  NEG32: 32,
  MOV32: 33,
  MOV32_SX8: 34,
  MOV32_SX16: 35,
  LE16: 36,
  LE32: 37,
  NOP: 38,
  SWAP16: 39,
  SWAP32: 40,
  SWAP64: 41,
  LDB: 42,
  LDH: 43,
  LDW: 44,
  LDDW: 45,
  LDSB: 46,
  LDSH: 47,
  LDSW: 48,
  STB: 49,
  STH: 50,
  STW: 51,
  STDW: 52,
  ATOMIC32: 53,
  ATOMIC64: 54,
  JA: 55,
  JEQ: 56,
  JNE: 57,
  JGT: 58,
  JGE: 59,
  JLT: 60,
  JLE: 61,
  JSGT: 62,
  JSGE: 63,
  JSLT: 64,
  JSLE: 65,
  JSET: 66,
  JEQ32: 67,
  JNE32: 68,
  JGT32: 69,
  JGE32: 70,
  JLT32: 71,
  JLE32: 72,
  JSGT32: 73,
  JSGE32: 74,
  JSLT32: 75,
  JSLE32: 76,
  JSET32: 77,
  LD_IMM64: 78,
  CALL_LOCAL: 79,
  CALL_HELPER: 80,
  CALL_KFUNC: 81,
  CALL_REG: 82,
  TAIL_CALL: 83,
  EXIT: 84,
  MAY_GOTO: 85,
  LD_ABS: 86,
  LD_IND: 87,
  CAST_USER: 88,
  CAST_KERN: 89,
  PROBE_LOAD: 90,
} as const;
export type OpName = keyof typeof OP;

/**
 * A predecoded instruction is four int32 words:
 *
 *     word 0   op (bits 0-6) | destination register (7-11) | source register (12-31)
 *     word 1   displacement, jump target as a word index, or further detail (BAD: 1 for a call)
 *     word 2   immediate or further detail
 *     word 3   slot of the original instruction
 *
 * Registers are indices of the low half in the register file: r0 is 0, r1 is 2, and constants stand behind r10.
 */
export const WORDS = 4;
export const DST_SHIFT = 7;
export const SRC_SHIFT = 12;
export const OP_MASK = 0x7f;
export const DST_MASK = 0x1f;

/** First register of the constants. */
export const FIRST_CONSTANT = 22;
export const LARGEST_REGISTER = (1 << 20) - 2;
