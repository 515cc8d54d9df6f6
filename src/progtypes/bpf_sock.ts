/** `struct bpf_sock`: the context of cgroup socket programs and what socket pointers point to. */
import type { AccessRule, ContextField } from '../contracts/prog_type.ts';
import { atStart, narrow, whole } from './context_table.ts';

export const BPF_SOCK_SIZE = 80;

export interface BpfSockField {
  readonly name: string;
  readonly off: number;
  readonly size: number;
  readonly read: AccessRule;
}

/**
 * The reads of bpf_sock_is_valid_access(), net/core/filter.c. `dst_port` is 2 bytes with 2 bytes of padding behind it: a
 * 4-byte load of both stays permitted for old programs.
 */
export const BPF_SOCK_READS: readonly BpfSockField[] = [
  { name: 'bound_dev_if', off: 0, size: 4, read: whole(4) },
  { name: 'family', off: 4, size: 4, read: atStart(narrow(4)) },
  { name: 'type', off: 8, size: 4, read: atStart(narrow(4)) },
  { name: 'protocol', off: 12, size: 4, read: atStart(narrow(4)) },
  { name: 'mark', off: 16, size: 4, read: whole(4) },
  { name: 'priority', off: 20, size: 4, read: whole(4) },
  { name: 'src_ip4', off: 24, size: 4, read: narrow(4) },
  { name: 'src_ip6', off: 28, size: 16, read: narrow(4) },
  { name: 'src_port', off: 44, size: 4, read: atStart(narrow(4)) },
  { name: 'dst_port', off: 48, size: 4, read: { sizes: [4], atStart: true, fieldSize: 4 } },
  { name: 'dst_port', off: 48, size: 2, read: narrow(2) },
  { name: 'dst_ip4', off: 52, size: 4, read: narrow(4) },
  { name: 'dst_ip6', off: 56, size: 16, read: narrow(4) },
  { name: 'state', off: 72, size: 4, read: atStart(narrow(4)) },
  { name: 'rx_queue_mapping', off: 76, size: 4, read: atStart(narrow(4)) },
];

/** Fields that `struct sock_common` does not have (bpf_sock_common_is_valid_access). */
const FULL_SOCK_ONLY = ['type', 'protocol', 'mark', 'priority'];

export const BPF_SOCK_COMMON_READS: readonly ContextField[] = BPF_SOCK_READS.filter(
  (field) => !FULL_SOCK_ONLY.includes(field.name),
);
