/** Operation bits of an instruction code (`code & 0xf0`) that mean something to a number. */
export {
  BPF_ADD as ADD,
  BPF_AND as AND,
  BPF_ARSH as ARSH,
  BPF_DIV as DIV,
  BPF_JEQ as JEQ,
  BPF_JGE as JGE,
  BPF_JGT as JGT,
  BPF_JLE as JLE,
  BPF_JLT as JLT,
  BPF_JNE as JNE,
  BPF_JSET as JSET,
  BPF_JSGE as JSGE,
  BPF_JSGT as JSGT,
  BPF_JSLE as JSLE,
  BPF_JSLT as JSLT,
  BPF_LSH as LSH,
  BPF_MOD as MOD,
  BPF_MUL as MUL,
  BPF_OR as OR,
  BPF_RSH as RSH,
  BPF_SUB as SUB,
  BPF_XOR as XOR,
} from '../../isa/constants.ts';

/** No bit of the mask is set: what JSET knows when it does not jump. Not an instruction. Source: rev_opcode, BPF_JSET | BPF_X. */
export const JSET_CLEAR = 0x48;
