/** BPF_F_* of BPF_MAP_CREATE, include/uapi/linux/bpf.h. */
export const MAP_FLAGS = {
  BPF_F_NO_PREALLOC: 1 << 0,
  BPF_F_NO_COMMON_LRU: 1 << 1,
  BPF_F_NUMA_NODE: 1 << 2,
  BPF_F_RDONLY: 1 << 3,
  BPF_F_WRONLY: 1 << 4,
  BPF_F_STACK_BUILD_ID: 1 << 5,
  BPF_F_ZERO_SEED: 1 << 6,
  BPF_F_RDONLY_PROG: 1 << 7,
  BPF_F_WRONLY_PROG: 1 << 8,
  BPF_F_CLONE: 1 << 9,
  BPF_F_MMAPABLE: 1 << 10,
  BPF_F_PRESERVE_ELEMS: 1 << 11,
  BPF_F_INNER_MAP: 1 << 12,
  BPF_F_LINK: 1 << 13,
  BPF_F_PATH_FD: 1 << 14,
  BPF_F_VTYPE_BTF_OBJ_FD: 1 << 15,
  BPF_F_TOKEN_FD: 1 << 16,
  BPF_F_SEGV_ON_FAULT: 1 << 17,
  BPF_F_NO_USER_CONV: 1 << 18,
} as const;
export type MapFlag = keyof typeof MAP_FLAGS;

export function flagMask(...names: readonly MapFlag[]): number {
  return names.reduce((mask, name) => mask | MAP_FLAGS[name], 0);
}

/** BPF_F_ACCESS_MASK, include/linux/bpf.h */
export const ACCESS_MASK = flagMask('BPF_F_RDONLY', 'BPF_F_RDONLY_PROG', 'BPF_F_WRONLY', 'BPF_F_WRONLY_PROG');

const PROG_ACCESS = flagMask('BPF_F_RDONLY_PROG', 'BPF_F_WRONLY_PROG');

/** bpf_map_flags_access_ok: a map is not both read-only and write-only for programs. */
export function accessOk(flags: number): boolean {
  return (flags & PROG_ACCESS) !== PROG_ACCESS;
}
