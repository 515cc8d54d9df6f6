import type { Helper } from '../contracts/helper.ts';
import { TC_TYPES, to } from './availability.ts';
import { anything, arg, fixed, INTEGER, input, object, proto, size, sizeOrZero } from './spec.ts';

/** SYN cookies and acknowledgements. */
export const syncookieHelpers: readonly Helper[] = [
  {
    id: 100,
    name: 'bpf_tcp_check_syncookie',
    summary: 'Whether a TCP header carries a valid SYN cookie of a listener.',
    protos: [
      proto(
        'bpf_tcp_check_syncookie_proto',
        [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON'), input('iph'), size('iph_len'), input('th'), size('th_len')],
        INTEGER,
        { gplOnly: true, packetAccess: true },
      ),
    ],
    available: [to(['xdp', ...TC_TYPES], 'bpf_tcp_check_syncookie_proto')],
  },
  {
    id: 110,
    name: 'bpf_tcp_gen_syncookie',
    summary: 'Makes a SYN cookie for a listener.',
    protos: [
      proto(
        'bpf_tcp_gen_syncookie_proto',
        [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON'), input('iph'), size('iph_len'), input('th'), size('th_len')],
        INTEGER,
        { gplOnly: true, packetAccess: true },
      ),
    ],
    available: [to(['xdp', ...TC_TYPES], 'bpf_tcp_gen_syncookie_proto')],
  },
  {
    id: 116,
    name: 'bpf_tcp_send_ack',
    summary: 'Sends a TCP acknowledgement.',
    protos: [proto('bpf_tcp_send_ack_proto', [object('tp', 'tcp_sock'), anything('rcv_nxt')], INTEGER)],
    available: [to(['struct_ops'], 'bpf_tcp_send_ack_proto', { structOps: 'tcp_congestion_ops', memberNotIn: [] })],
  },
  {
    id: 204,
    name: 'bpf_tcp_raw_gen_syncookie_ipv4',
    summary: 'Makes a SYN cookie from IPv4 and TCP headers.',
    protos: [
      proto(
        'bpf_tcp_raw_gen_syncookie_ipv4_proto',
        [fixed('iph', 20, 'MEM_RDONLY'), input('th'), sizeOrZero('th_len')],
        INTEGER,
        { gplOnly: true, packetAccess: true },
      ),
    ],
    available: [to(['xdp', ...TC_TYPES], 'bpf_tcp_raw_gen_syncookie_ipv4_proto')],
  },
  {
    id: 205,
    name: 'bpf_tcp_raw_gen_syncookie_ipv6',
    summary: 'Makes a SYN cookie from IPv6 and TCP headers.',
    protos: [
      proto(
        'bpf_tcp_raw_gen_syncookie_ipv6_proto',
        [fixed('iph', 40, 'MEM_RDONLY'), input('th'), sizeOrZero('th_len')],
        INTEGER,
        { gplOnly: true, packetAccess: true },
      ),
    ],
    available: [to(['xdp', ...TC_TYPES], 'bpf_tcp_raw_gen_syncookie_ipv6_proto')],
  },
  {
    id: 206,
    name: 'bpf_tcp_raw_check_syncookie_ipv4',
    summary: 'Checks the SYN cookie in IPv4 and TCP headers.',
    protos: [
      proto('bpf_tcp_raw_check_syncookie_ipv4_proto', [fixed('iph', 20, 'MEM_RDONLY'), fixed('th', 20, 'MEM_RDONLY')], INTEGER, {
        gplOnly: true,
        packetAccess: true,
      }),
    ],
    available: [to(['xdp', ...TC_TYPES], 'bpf_tcp_raw_check_syncookie_ipv4_proto')],
  },
  {
    id: 207,
    name: 'bpf_tcp_raw_check_syncookie_ipv6',
    summary: 'Checks the SYN cookie in IPv6 and TCP headers.',
    protos: [
      proto('bpf_tcp_raw_check_syncookie_ipv6_proto', [fixed('iph', 40, 'MEM_RDONLY'), fixed('th', 20, 'MEM_RDONLY')], INTEGER, {
        gplOnly: true,
        packetAccess: true,
      }),
    ],
    available: [to(['xdp', ...TC_TYPES], 'bpf_tcp_raw_check_syncookie_ipv6_proto')],
  },
];
