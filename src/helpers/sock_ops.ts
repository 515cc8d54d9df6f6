import type { Helper } from '../contracts/helper.ts';
import { LOCKED_SOCKOPT_HOOKS, to, UNLOCKED_SOCKOPT_HOOKS } from './availability.ts';
import { anything, arg, constMap, context, INTEGER, input, mapKey, memory, output, proto, protos, size } from './spec.ts';

/** TCP events and socket options. */
export const sockOpsHelpers: readonly Helper[] = [
  {
    id: 49,
    name: 'bpf_setsockopt',
    summary: 'Sets an option of a socket.',
    protos: [
      ...protos(
        ['bpf_sock_addr_setsockopt_proto', 'bpf_sock_ops_setsockopt_proto'],
        [context('bpf_socket'), anything('level'), anything('optname'), input('optval'), size('optlen')],
        INTEGER,
      ),
      ...protos(
        ['bpf_sk_setsockopt_proto', 'bpf_unlocked_sk_setsockopt_proto'],
        [
          arg('bpf_socket', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON'),
          anything('level'),
          anything('optname'),
          input('optval'),
          size('optlen'),
        ],
        INTEGER,
      ),
    ],
    available: [
      to(['cgroup_sock_addr'], 'bpf_sock_addr_setsockopt_proto'),
      to(['sock_ops'], 'bpf_sock_ops_setsockopt_proto'),
      to(['cgroup_sockopt'], 'bpf_sk_setsockopt_proto', { attachIn: ['BPF_CGROUP_SETSOCKOPT'] }),
      to(['struct_ops'], 'bpf_sk_setsockopt_proto', { structOps: 'tcp_congestion_ops', memberNotIn: ['release'] }),
      to(['tracing'], 'bpf_sk_setsockopt_proto', { attachIn: ['BPF_TRACE_ITER'] }, { targetIn: ['tcp', 'unix'] }),
      to(['lsm'], 'bpf_sk_setsockopt_proto', { attachIn: ['BPF_LSM_CGROUP'] }, { targetIn: LOCKED_SOCKOPT_HOOKS }),
      to(['lsm'], 'bpf_unlocked_sk_setsockopt_proto', { attachIn: ['BPF_LSM_CGROUP'] }, { targetIn: UNLOCKED_SOCKOPT_HOOKS }),
    ],
  },
  {
    id: 53,
    name: 'bpf_sock_map_update',
    summary: 'Puts the socket into a map.',
    protos: [
      proto('bpf_sock_map_update_proto', [context('skops'), constMap('map'), mapKey('key'), anything('flags')], INTEGER, {
        packetAccess: true,
      }),
    ],
    available: [to(['sock_ops'], 'bpf_sock_map_update_proto')],
    maps: ['sockmap'],
  },
  {
    id: 57,
    name: 'bpf_getsockopt',
    summary: 'Reads an option of a socket.',
    protos: [
      ...protos(
        ['bpf_sock_addr_getsockopt_proto', 'bpf_sock_ops_getsockopt_proto'],
        [context('bpf_socket'), anything('level'), anything('optname'), output('optval'), size('optlen')],
        INTEGER,
      ),
      ...protos(
        ['bpf_sk_getsockopt_proto', 'bpf_unlocked_sk_getsockopt_proto'],
        [
          arg('bpf_socket', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON'),
          anything('level'),
          anything('optname'),
          output('optval'),
          size('optlen'),
        ],
        INTEGER,
      ),
    ],
    available: [
      to(['cgroup_sock_addr'], 'bpf_sock_addr_getsockopt_proto'),
      to(['sock_ops'], 'bpf_sock_ops_getsockopt_proto'),
      to(['cgroup_sockopt'], 'bpf_sk_getsockopt_proto', { attachIn: ['BPF_CGROUP_SETSOCKOPT'] }),
      to(['struct_ops'], 'bpf_sk_getsockopt_proto', { structOps: 'tcp_congestion_ops', memberNotIn: ['release'] }),
      to(['tracing'], 'bpf_sk_getsockopt_proto', { attachIn: ['BPF_TRACE_ITER'] }, { targetIn: ['tcp', 'unix'] }),
      to(['lsm'], 'bpf_sk_getsockopt_proto', { attachIn: ['BPF_LSM_CGROUP'] }, { targetIn: LOCKED_SOCKOPT_HOOKS }),
      to(['lsm'], 'bpf_unlocked_sk_getsockopt_proto', { attachIn: ['BPF_LSM_CGROUP'] }, { targetIn: UNLOCKED_SOCKOPT_HOOKS }),
    ],
  },
  {
    id: 59,
    name: 'bpf_sock_ops_cb_flags_set',
    summary: 'Chooses the TCP events that call the program.',
    protos: [proto('bpf_sock_ops_cb_flags_set_proto', [context('bpf_sock'), anything('argval')], INTEGER)],
    available: [to(['sock_ops'], 'bpf_sock_ops_cb_flags_set_proto')],
  },
  {
    id: 70,
    name: 'bpf_sock_hash_update',
    summary: 'Puts the socket into a hash.',
    protos: [
      proto('bpf_sock_hash_update_proto', [context('skops'), constMap('map'), mapKey('key'), anything('flags')], INTEGER, {
        packetAccess: true,
      }),
    ],
    available: [to(['sock_ops'], 'bpf_sock_hash_update_proto')],
    maps: ['sockhash'],
  },
  {
    id: 142,
    name: 'bpf_load_hdr_opt',
    summary: 'Copies an option of a TCP header.',
    protos: [
      proto(
        'bpf_sock_ops_load_hdr_opt_proto',
        [context('skops'), memory('searchby_res', 'MEM_WRITE'), size('len'), anything('flags')],
        INTEGER,
      ),
    ],
    available: [to(['sock_ops'], 'bpf_sock_ops_load_hdr_opt_proto')],
  },
  {
    id: 143,
    name: 'bpf_store_hdr_opt',
    summary: 'Writes an option into a TCP header.',
    protos: [
      proto('bpf_sock_ops_store_hdr_opt_proto', [context('skops'), input('from'), size('len'), anything('flags')], INTEGER),
    ],
    available: [to(['sock_ops'], 'bpf_sock_ops_store_hdr_opt_proto')],
    effects: { changesPacketData: true },
  },
  {
    id: 144,
    name: 'bpf_reserve_hdr_opt',
    summary: 'Reserves room for an option in a TCP header.',
    protos: [proto('bpf_sock_ops_reserve_hdr_opt_proto', [context('skops'), anything('len'), anything('flags')], INTEGER)],
    available: [to(['sock_ops'], 'bpf_sock_ops_reserve_hdr_opt_proto')],
  },
];
