/** Program types that work on sockets. Source: net/core/filter.c. */

import {
  atStart,
  contextTable,
  narrow,
  PACKET,
  PACKET_END,
  SOCK_COMMON_OR_NULL,
  SOCKET,
  SOCKET_OR_NULL,
  whole,
} from './context_table.ts';
import { attachTypes, progType, section, ZERO_OR_ONE } from './define.ts';

/** 4-byte values that are only read as a whole, one after the other from `off` on. */
function words(off: number, names: readonly string[]) {
  return names.map((name, index) => ({ name, off: off + 4 * index, size: 4, read: whole(4) }));
}

/** sock_ops_is_valid_access. `reply` is the first element of the union with `args` and `replylong`. */
const SOCK_OPS = contextTable(224, [
  { name: 'op', off: 0, size: 4, read: whole(4) },
  { name: 'args', off: 4, size: 16, read: whole(4) },
  { name: 'reply', off: 4, size: 4, write: atStart(whole(4)) },
  ...words(20, ['family', 'remote_ip4', 'local_ip4']),
  { name: 'remote_ip6', off: 32, size: 16, read: whole(4) },
  { name: 'local_ip6', off: 48, size: 16, read: whole(4) },
  ...words(64, [
    'remote_port',
    'local_port',
    'is_fullsock',
    'snd_cwnd',
    'srtt_us',
    'bpf_sock_ops_cb_flags',
    'state',
    'rtt_min',
    'snd_ssthresh',
    'rcv_nxt',
    'snd_nxt',
    'snd_una',
    'mss_cache',
    'ecn_flags',
    'rate_delivered',
    'rate_interval_us',
    'packets_out',
    'retrans_out',
    'total_retrans',
    'segs_in',
    'data_segs_in',
    'segs_out',
    'data_segs_out',
    'lost_out',
    'sacked_out',
  ]),
  { name: 'sk_txhash', off: 164, size: 4, read: whole(4), write: whole(4) },
  { name: 'bytes_received', off: 168, size: 8, read: whole(8) },
  { name: 'bytes_acked', off: 176, size: 8, read: whole(8) },
  { name: 'sk', off: 184, size: 8, read: whole(8), reg: SOCKET_OR_NULL },
  { name: 'skb_data', off: 192, size: 8, read: whole(8), reg: PACKET },
  { name: 'skb_data_end', off: 200, size: 8, read: whole(8), reg: PACKET_END },
  { name: 'skb_len', off: 208, size: 4, read: whole(4) },
  { name: 'skb_tcp_flags', off: 212, size: 4, read: atStart(narrow(4)) },
  { name: 'skb_hwtstamp', off: 216, size: 8, read: whole(8) },
]);

export const sockOps = progType({
  id: 13,
  name: 'sock_ops',
  sections: [section('sockops', 'BPF_CGROUP_SOCK_OPS', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT')],
  contextStruct: 'bpf_sock_ops',
  kernelContextStruct: 'bpf_sock_ops_kern',
  context: SOCK_OPS,
  returnRange: () => ZERO_OR_ONE,
  needs: ['net_admin'],
  rewritesContext: true,
  ops: 'sock_ops_verifier_ops',
  summary: 'is told of events in the life of TCP sockets of a cgroup, and sets their parameters',
});

/** sk_msg_is_valid_access. */
const SK_MSG_MD = contextTable(80, [
  { name: 'data', off: 0, size: 8, read: whole(8), reg: PACKET },
  { name: 'data_end', off: 8, size: 8, read: whole(8), reg: PACKET_END },
  ...words(16, ['family', 'remote_ip4', 'local_ip4']),
  { name: 'remote_ip6', off: 28, size: 16, read: whole(4) },
  { name: 'local_ip6', off: 44, size: 16, read: whole(4) },
  ...words(60, ['remote_port', 'local_port', 'size']),
  { name: 'sk', off: 72, size: 8, read: whole(8), reg: SOCKET },
]);

export const skMsg = progType({
  id: 16,
  name: 'sk_msg',
  sections: [section('sk_msg', 'BPF_SK_MSG_VERDICT', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT')],
  contextStruct: 'sk_msg_md',
  kernelContextStruct: 'sk_msg',
  context: SK_MSG_MD,
  packet: 'read-write',
  needs: ['net_admin'],
  rewritesContext: true,
  ops: 'sk_msg_verifier_ops',
  summary: 'decides where data goes that is sent on a socket in a sockmap',
});

/** sk_reuseport_is_valid_access. `eth_protocol` is 2 bytes wide in the kernel, so no single bytes of it. */
const SK_REUSEPORT_MD = contextTable(56, [
  { name: 'data', off: 0, size: 8, read: whole(8), reg: PACKET },
  { name: 'data_end', off: 8, size: 8, read: whole(8), reg: PACKET_END },
  { name: 'len', off: 16, size: 4, read: narrow(4) },
  { name: 'eth_protocol', off: 20, size: 4, read: { sizes: [2, 4], fieldSize: 4 } },
  { name: 'ip_protocol', off: 24, size: 4, read: narrow(4) },
  { name: 'bind_inany', off: 28, size: 4, read: narrow(4) },
  { name: 'hash', off: 32, size: 4, read: whole(4) },
  { name: 'sk', off: 40, size: 8, read: atStart(whole(8)), reg: SOCKET },
  { name: 'migrating_sk', off: 48, size: 8, read: atStart(whole(8)), reg: SOCK_COMMON_OR_NULL },
]);

const REUSEPORT_TYPES = attachTypes('BPF_SK_REUSEPORT_SELECT', 'BPF_SK_REUSEPORT_SELECT_OR_MIGRATE');

export const skReuseport = progType({
  id: 21,
  name: 'sk_reuseport',
  sections: [
    section('sk_reuseport/migrate', 'BPF_SK_REUSEPORT_SELECT_OR_MIGRATE', 'SEC_ATTACHABLE'),
    section('sk_reuseport', 'BPF_SK_REUSEPORT_SELECT', 'SEC_ATTACHABLE'),
  ],
  contextStruct: 'sk_reuseport_md',
  kernelContextStruct: 'sk_reuseport_kern',
  context: SK_REUSEPORT_MD,
  packet: 'read',
  defaultAttachType: REUSEPORT_TYPES[0]!,
  attachTypes: [0, ...REUSEPORT_TYPES],
  rewritesContext: true,
  ops: 'sk_reuseport_verifier_ops',
  summary: 'chooses the socket of a SO_REUSEPORT group',
});

/**
 * sk_lookup_is_valid_access. `remote_port` is 2 bytes with 2 bytes of padding behind it; a 4-byte load of both and narrow
 * loads of the padding stay permitted for old programs.
 */
const SK_LOOKUP = contextTable(72, [
  { name: 'sk', off: 0, size: 8, read: whole(8), reg: SOCKET_OR_NULL },
  { name: 'family', off: 8, size: 4, read: narrow(4) },
  { name: 'protocol', off: 12, size: 4, read: narrow(4) },
  { name: 'remote_ip4', off: 16, size: 4, read: narrow(4) },
  { name: 'remote_ip6', off: 20, size: 16, read: narrow(4) },
  { name: 'remote_port', off: 36, size: 4, read: atStart(whole(4)) },
  { name: 'remote_port', off: 36, size: 2, read: narrow(2) },
  { name: 'padding', off: 38, size: 2, read: narrow(2) },
  { name: 'local_ip4', off: 40, size: 4, read: narrow(4) },
  { name: 'local_ip6', off: 44, size: 16, read: narrow(4) },
  { name: 'local_port', off: 60, size: 4, read: narrow(4) },
  { name: 'ingress_ifindex', off: 64, size: 4, read: narrow(4) },
]);

export const skLookup = progType({
  id: 30,
  name: 'sk_lookup',
  sections: [section('sk_lookup', 'BPF_SK_LOOKUP', 'SEC_ATTACHABLE')],
  contextStruct: 'bpf_sk_lookup',
  kernelContextStruct: 'bpf_sk_lookup_kern',
  context: SK_LOOKUP,
  returnRange: () => ZERO_OR_ONE,
  attachTypes: attachTypes('BPF_SK_LOOKUP'),
  rewritesContext: true,
  ops: 'sk_lookup_verifier_ops',
  summary: 'chooses the listening socket for a connection or datagram',
});
