import { REG_BASES, type RegTypeWords, TYPE_FLAGS } from '../../contracts/type_words.ts';

/** Register types as numbers: the base in the low 8 bits, flags above, as in enum bpf_reg_type (include/linux/bpf.h). */

export const NOT_INIT = 0;
export const SCALAR_VALUE = 1;
export const PTR_TO_CTX = 2;
export const CONST_PTR_TO_MAP = 3;
export const PTR_TO_MAP_VALUE = 4;
export const PTR_TO_MAP_KEY = 5;
export const PTR_TO_STACK = 6;
export const PTR_TO_PACKET_META = 7;
export const PTR_TO_PACKET = 8;
export const PTR_TO_PACKET_END = 9;
export const PTR_TO_FLOW_KEYS = 10;
export const PTR_TO_SOCKET = 11;
export const PTR_TO_SOCK_COMMON = 12;
export const PTR_TO_TCP_SOCK = 13;
export const PTR_TO_TP_BUFFER = 14;
export const PTR_TO_XDP_SOCK = 15;
export const PTR_TO_BTF_ID = 16;
export const PTR_TO_MEM = 17;
export const PTR_TO_ARENA = 18;
export const PTR_TO_BUF = 19;
export const PTR_TO_FUNC = 20;
export const CONST_PTR_TO_DYNPTR = 21;

export const {
  PTR_MAYBE_NULL,
  MEM_RDONLY,
  MEM_RINGBUF,
  MEM_USER,
  MEM_PERCPU,
  OBJ_RELEASE,
  PTR_UNTRUSTED,
  MEM_UNINIT,
  DYNPTR_TYPE_LOCAL,
  DYNPTR_TYPE_RINGBUF,
  MEM_FIXED_SIZE,
  MEM_ALLOC,
  PTR_TRUSTED,
  MEM_RCU,
  NON_OWN_REF,
  DYNPTR_TYPE_SKB,
  DYNPTR_TYPE_XDP,
  MEM_ALIGNED,
  MEM_WRITE,
  DYNPTR_TYPE_SKB_META,
} = TYPE_FLAGS;

export const BASE_MASK = 0xff;

/** BPF_REG_TRUSTED_MODIFIERS */
export const TRUSTED_MODIFIERS = MEM_ALLOC | PTR_TRUSTED | NON_OWN_REF;

export const baseOf = (type: number): number => type & BASE_MASK;
export const flagsOf = (type: number): number => type & ~BASE_MASK;
export const isMaybeNull = (type: number): boolean => (type & PTR_MAYBE_NULL) !== 0;

/** Number of a register type in words. */
export const regTypeOf = (words: RegTypeWords): number =>
  (words.flags ?? []).reduce((type, flag) => type | TYPE_FLAGS[flag], REG_BASES.indexOf(words.base));

/** is_pkt_pointer / type_is_pkt_pointer */
export const isPacketPointer = (type: number): boolean => type === PTR_TO_PACKET || type === PTR_TO_PACKET_META;
export const isPacketPointerAny = (type: number): boolean => isPacketPointer(type) || type === PTR_TO_PACKET_END;
/** type_is_sk_pointer */
export const isSocketPointer = (type: number): boolean =>
  type === PTR_TO_SOCKET || type === PTR_TO_SOCK_COMMON || type === PTR_TO_TCP_SOCK || type === PTR_TO_XDP_SOCK;
