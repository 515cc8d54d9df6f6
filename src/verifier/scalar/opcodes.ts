/** Operation bits of an instruction code, `code & 0xf0`. Source: include/uapi/linux/bpf_common.h, include/uapi/linux/bpf.h. */

export const ADD = 0x00;
export const SUB = 0x10;
export const MUL = 0x20;
export const DIV = 0x30;
export const OR = 0x40;
export const AND = 0x50;
export const LSH = 0x60;
export const RSH = 0x70;
export const NEG = 0x80;
export const MOD = 0x90;
export const XOR = 0xa0;
export const ARSH = 0xc0;

export const JEQ = 0x10;
export const JGT = 0x20;
export const JGE = 0x30;
export const JSET = 0x40;
export const JNE = 0x50;
export const JSGT = 0x60;
export const JSGE = 0x70;
export const JLT = 0xa0;
export const JLE = 0xb0;
export const JSLT = 0xc0;
export const JSLE = 0xd0;

/** No bit of the mask is set: what JSET knows when it does not jump. Not an instruction. Source: rev_opcode, BPF_JSET | BPF_X. */
export const JSET_CLEAR = 0x48;
