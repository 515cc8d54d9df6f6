/**
 * The kernel's words for argument, return and register types, as data. Numbers are those of Linux 6.18
 * (include/linux/bpf.h: enum bpf_type_flag, bpf_arg_type, bpf_return_type, bpf_reg_type).
 */

export const BASE_TYPE_BITS = 8;

export const TYPE_FLAGS = {
  PTR_MAYBE_NULL: 1 << 8,
  MEM_RDONLY: 1 << 9,
  MEM_RINGBUF: 1 << 10,
  MEM_USER: 1 << 11,
  MEM_PERCPU: 1 << 12,
  OBJ_RELEASE: 1 << 13,
  PTR_UNTRUSTED: 1 << 14,
  MEM_UNINIT: 1 << 15,
  DYNPTR_TYPE_LOCAL: 1 << 16,
  DYNPTR_TYPE_RINGBUF: 1 << 17,
  MEM_FIXED_SIZE: 1 << 18,
  MEM_ALLOC: 1 << 19,
  PTR_TRUSTED: 1 << 20,
  MEM_RCU: 1 << 21,
  NON_OWN_REF: 1 << 22,
  DYNPTR_TYPE_SKB: 1 << 23,
  DYNPTR_TYPE_XDP: 1 << 24,
  MEM_ALIGNED: 1 << 25,
  MEM_WRITE: 1 << 26,
  DYNPTR_TYPE_SKB_META: 1 << 27,
} as const;
export type TypeFlag = keyof typeof TYPE_FLAGS;

export const ARG_BASES = [
  'ARG_DONTCARE',
  'ARG_CONST_MAP_PTR',
  'ARG_PTR_TO_MAP_KEY',
  'ARG_PTR_TO_MAP_VALUE',
  'ARG_PTR_TO_MEM',
  'ARG_PTR_TO_ARENA',
  'ARG_CONST_SIZE',
  'ARG_CONST_SIZE_OR_ZERO',
  'ARG_PTR_TO_CTX',
  'ARG_ANYTHING',
  'ARG_PTR_TO_SPIN_LOCK',
  'ARG_PTR_TO_SOCK_COMMON',
  'ARG_PTR_TO_SOCKET',
  'ARG_PTR_TO_BTF_ID',
  'ARG_PTR_TO_RINGBUF_MEM',
  'ARG_CONST_ALLOC_SIZE_OR_ZERO',
  'ARG_PTR_TO_BTF_ID_SOCK_COMMON',
  'ARG_PTR_TO_PERCPU_BTF_ID',
  'ARG_PTR_TO_FUNC',
  'ARG_PTR_TO_STACK',
  'ARG_PTR_TO_CONST_STR',
  'ARG_PTR_TO_TIMER',
  'ARG_KPTR_XCHG_DEST',
  'ARG_PTR_TO_DYNPTR',
] as const;
export type ArgBase = (typeof ARG_BASES)[number];

export const RET_BASES = [
  'RET_INTEGER',
  'RET_VOID',
  'RET_PTR_TO_MAP_VALUE',
  'RET_PTR_TO_SOCKET',
  'RET_PTR_TO_TCP_SOCK',
  'RET_PTR_TO_SOCK_COMMON',
  'RET_PTR_TO_MEM',
  'RET_PTR_TO_MEM_OR_BTF_ID',
  'RET_PTR_TO_BTF_ID',
] as const;
export type RetBase = (typeof RET_BASES)[number];

export const REG_BASES = [
  'NOT_INIT',
  'SCALAR_VALUE',
  'PTR_TO_CTX',
  'CONST_PTR_TO_MAP',
  'PTR_TO_MAP_VALUE',
  'PTR_TO_MAP_KEY',
  'PTR_TO_STACK',
  'PTR_TO_PACKET_META',
  'PTR_TO_PACKET',
  'PTR_TO_PACKET_END',
  'PTR_TO_FLOW_KEYS',
  'PTR_TO_SOCKET',
  'PTR_TO_SOCK_COMMON',
  'PTR_TO_TCP_SOCK',
  'PTR_TO_TP_BUFFER',
  'PTR_TO_XDP_SOCK',
  'PTR_TO_BTF_ID',
  'PTR_TO_MEM',
  'PTR_TO_ARENA',
  'PTR_TO_BUF',
  'PTR_TO_FUNC',
  'CONST_PTR_TO_DYNPTR',
] as const;
export type RegBase = (typeof REG_BASES)[number];

/** A register type in words: base and flags, as entries of program types and iterator targets name it. */
export interface RegTypeWords {
  readonly base: RegBase;
  readonly flags?: readonly TypeFlag[];
}
