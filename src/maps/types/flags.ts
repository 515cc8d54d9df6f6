import { MAP_FLAGS } from '../../contracts/uapi_numbers.ts';

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
