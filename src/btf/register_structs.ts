import type { Btf } from './btf.ts';

/**
 * Kernel structs that pointers of other register types stand for. Source: reg2btf_ids, kernel/bpf/verifier.c; btf_sock_ids,
 * net/core/filter.c.
 */
export const REGISTER_STRUCTS = {
  PTR_TO_SOCKET: 'sock',
  PTR_TO_SOCK_COMMON: 'sock_common',
  PTR_TO_TCP_SOCK: 'tcp_sock',
  CONST_PTR_TO_MAP: 'bpf_map',
} as const;

/** Struct with one pair of members per program type: the context as programs see it, and the kernel's own. */
const CONTEXT_TABLE = 'bpf_ctx_convert';

/** Type id of the kernel's own context of a program type (`BPF_PROG_TYPE_XDP`); undefined where BTF has no such row. */
export const kernelContextId = (btf: Btf, progType: string): number | undefined =>
  btf.findByName(CONTEXT_TABLE, 'STRUCT')?.members.find(({ name }) => name === `${progType}_kern`)?.type;
