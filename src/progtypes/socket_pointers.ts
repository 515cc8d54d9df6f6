/**
 * Loads through pointers to sockets and flow keys: the tables behind check_sock_access() and check_flow_keys_access() of
 * kernel/bpf/verifier.c. Sources of the tables: bpf_sock_common_is_valid_access(), bpf_tcp_sock_is_valid_access() and
 * bpf_xdp_sock_is_valid_access(), net/core/filter.c.
 */
import type { ContextAnswer, ContextField, PointerStructAccess } from '../contracts/prog_type.ts';
import type { RegBase } from '../contracts/type_words.ts';
import { BPF_SOCK_COMMON_READS, BPF_SOCK_READS, BPF_SOCK_SIZE } from './bpf_sock.ts';
import { type ContextTable, contextTable, SCALAR, whole } from './context_table.ts';

function words(off: number, names: readonly string[]): ContextField[] {
  return names.map((name, index) => ({ name, off: off + 4 * index, size: 4, read: whole(4) }));
}

/**
 * Differs from the kernel: 4-byte loads of the upper halves of the two 8-byte fields pass bpf_tcp_sock_is_valid_access()
 * and then fail in bpf_tcp_sock_convert_ctx_access(), so the kernel refuses them too, in other words.
 */
const BPF_TCP_SOCK = contextTable(112, [
  ...words(0, ['snd_cwnd', 'srtt_us', 'rtt_min', 'snd_ssthresh', 'rcv_nxt', 'snd_nxt', 'snd_una', 'mss_cache', 'ecn_flags']),
  ...words(36, ['rate_delivered', 'rate_interval_us', 'packets_out', 'retrans_out', 'total_retrans', 'segs_in']),
  ...words(60, ['data_segs_in', 'segs_out', 'data_segs_out', 'lost_out', 'sacked_out']),
  { name: 'bytes_received', off: 80, size: 8, read: whole(8) },
  { name: 'bytes_acked', off: 88, size: 8, read: whole(8) },
  ...words(96, ['dsack_dups', 'delivered', 'delivered_ce', 'icsk_retransmits']),
]);

const TABLES: ReadonlyMap<RegBase, ContextTable> = new Map([
  ['PTR_TO_SOCK_COMMON', contextTable(BPF_SOCK_SIZE, BPF_SOCK_COMMON_READS)],
  ['PTR_TO_SOCKET', contextTable(BPF_SOCK_SIZE, BPF_SOCK_READS)],
  ['PTR_TO_TCP_SOCK', BPF_TCP_SOCK],
  ['PTR_TO_XDP_SOCK', contextTable(4, words(0, ['queue_id']))],
]);

/** sizeof(struct bpf_flow_keys) */
const FLOW_KEYS_SIZE = 56;
const SCALAR_ANSWER: ContextAnswer = { reg: SCALAR, fieldSize: 0 };

export const pointerStructAccess: PointerStructAccess = (base, query) => {
  if (base !== 'PTR_TO_FLOW_KEYS') return TABLES.get(base)?.access(query, null) ?? null;
  return query.off >= 0 && query.size >= 0 && query.off + query.size <= FLOW_KEYS_SIZE ? SCALAR_ANSWER : null;
};
