import type { Helper } from '../contracts/helper.ts';
import { BTF_TRACING_TYPES, TC_TYPES, to } from './availability.ts';
import {
  getContextCookie,
  getListenerSock,
  getNetnsCookie,
  getSocketCookie,
  getSocketPtrCookie,
  getSocketUid,
  skFullsock,
  skLookupTcp,
  skLookupUdp,
  skRelease,
  tcpSock,
} from './run/socket.ts';
import {
  anything,
  arg,
  constMap,
  context,
  INTEGER,
  input,
  mapKey,
  object,
  proto,
  protos,
  SOCK_COMMON_OR_NULL,
  SOCKET_OR_NULL,
  size,
  sizeOrZero,
  TCP_SOCK_OR_NULL,
} from './spec.ts';

/** Sockets. */
export const socketHelpers: readonly Helper[] = [
  {
    id: 46,
    name: 'bpf_get_socket_cookie',
    summary: 'A number that identifies a socket.',
    protos: [
      ...protos(
        ['bpf_get_socket_cookie_sock_proto', 'bpf_get_socket_cookie_sock_addr_proto', 'bpf_get_socket_cookie_sock_ops_proto'],
        [context('sk')],
        INTEGER,
        { run: getContextCookie },
      ),
      proto('bpf_get_socket_cookie_proto', [context('skb')], INTEGER, { run: getSocketCookie }),
      proto('bpf_get_socket_ptr_cookie_proto', [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON', 'PTR_MAYBE_NULL')], INTEGER, {
        run: getSocketPtrCookie,
      }),
    ],
    available: [
      to(['cgroup_sock'], 'bpf_get_socket_cookie_sock_proto'),
      to(['cgroup_sock_addr'], 'bpf_get_socket_cookie_sock_addr_proto'),
      to(['sock_ops'], 'bpf_get_socket_cookie_sock_ops_proto'),
      to(['socket_filter', 'cgroup_skb', 'sk_skb', ...TC_TYPES], 'bpf_get_socket_cookie_proto'),
      to(['sk_reuseport', ...BTF_TRACING_TYPES], 'bpf_get_socket_ptr_cookie_proto'),
    ],
  },
  {
    id: 47,
    name: 'bpf_get_socket_uid',
    summary: 'User id of the owner of the socket.',
    protos: [proto('bpf_get_socket_uid_proto', [context('skb')], INTEGER, { run: getSocketUid })],
    available: [to(['socket_filter', 'cgroup_skb', 'sk_skb', ...TC_TYPES], 'bpf_get_socket_uid_proto')],
  },
  {
    id: 64,
    name: 'bpf_bind',
    summary: 'Binds the socket to an address.',
    protos: [proto('bpf_bind_proto', [context('ctx'), input('addr'), size('addr_len')], INTEGER)],
    available: [
      to(['cgroup_sock_addr'], 'bpf_bind_proto', { attachIn: ['BPF_CGROUP_INET4_CONNECT', 'BPF_CGROUP_INET6_CONNECT'] }),
    ],
  },
  {
    id: 82,
    name: 'bpf_sk_select_reuseport',
    summary: 'Chooses a socket of a reuseport group.',
    protos: [proto('sk_select_reuseport_proto', [context('reuse'), constMap('map'), mapKey('key'), anything('flags')], INTEGER)],
    available: [to(['sk_reuseport'], 'sk_select_reuseport_proto')],
    maps: ['reuseport_sockarray', 'sockmap', 'sockhash'],
  },
  {
    id: 84,
    name: 'bpf_sk_lookup_tcp',
    summary: 'Finds a TCP socket by addresses; must be released.',
    protos: [
      ...protos(
        ['bpf_sk_lookup_tcp_proto', 'bpf_tc_sk_lookup_tcp_proto', 'bpf_xdp_sk_lookup_tcp_proto'],
        [context('ctx'), input('tuple'), sizeOrZero('tuple_size'), anything('netns'), anything('flags')],
        SOCKET_OR_NULL,
        { packetAccess: true, run: skLookupTcp },
      ),
      proto(
        'bpf_sock_addr_sk_lookup_tcp_proto',
        [context('ctx'), input('tuple'), sizeOrZero('tuple_size'), anything('netns'), anything('flags')],
        SOCKET_OR_NULL,
        { run: skLookupTcp },
      ),
    ],
    available: [
      to(['cgroup_skb', 'sk_skb'], 'bpf_sk_lookup_tcp_proto'),
      to(TC_TYPES, 'bpf_tc_sk_lookup_tcp_proto'),
      to(['xdp'], 'bpf_xdp_sk_lookup_tcp_proto'),
      to(['cgroup_sock_addr'], 'bpf_sock_addr_sk_lookup_tcp_proto'),
    ],
    effects: { acquires: 'always' },
  },
  {
    id: 85,
    name: 'bpf_sk_lookup_udp',
    summary: 'Finds a UDP socket by addresses; must be released.',
    protos: [
      ...protos(
        ['bpf_sk_lookup_udp_proto', 'bpf_tc_sk_lookup_udp_proto', 'bpf_xdp_sk_lookup_udp_proto'],
        [context('ctx'), input('tuple'), sizeOrZero('tuple_size'), anything('netns'), anything('flags')],
        SOCKET_OR_NULL,
        { packetAccess: true, run: skLookupUdp },
      ),
      proto(
        'bpf_sock_addr_sk_lookup_udp_proto',
        [context('ctx'), input('tuple'), sizeOrZero('tuple_size'), anything('netns'), anything('flags')],
        SOCKET_OR_NULL,
        { run: skLookupUdp },
      ),
    ],
    available: [
      to(['cgroup_skb', 'sk_skb'], 'bpf_sk_lookup_udp_proto'),
      to(TC_TYPES, 'bpf_tc_sk_lookup_udp_proto'),
      to(['xdp'], 'bpf_xdp_sk_lookup_udp_proto'),
      to(['cgroup_sock_addr'], 'bpf_sock_addr_sk_lookup_udp_proto'),
    ],
    effects: { acquires: 'always' },
  },
  {
    id: 86,
    name: 'bpf_sk_release',
    summary: 'Releases a socket.',
    protos: [
      proto('bpf_sk_release_proto', [arg('sock', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON', 'OBJ_RELEASE')], INTEGER, { run: skRelease }),
    ],
    available: [to(['cgroup_skb', 'sk_skb', 'xdp', 'cgroup_sock_addr', 'sk_lookup', ...TC_TYPES], 'bpf_sk_release_proto')],
    effects: { looseRelease: true },
  },
  {
    id: 95,
    name: 'bpf_sk_fullsock',
    summary: 'The full socket of a socket pointer, or NULL.',
    protos: [proto('bpf_sk_fullsock_proto', [arg('sk', 'ARG_PTR_TO_SOCK_COMMON')], SOCKET_OR_NULL, { run: skFullsock })],
    available: [to(['cgroup_skb', ...TC_TYPES], 'bpf_sk_fullsock_proto')],
    effects: { pointerCast: true },
  },
  {
    id: 96,
    name: 'bpf_tcp_sock',
    summary: 'The TCP socket of a socket pointer, or NULL.',
    protos: [proto('bpf_tcp_sock_proto', [arg('sk', 'ARG_PTR_TO_SOCK_COMMON')], TCP_SOCK_OR_NULL, { run: tcpSock })],
    available: [to(['cgroup_skb', 'sock_ops', 'cgroup_sockopt', ...TC_TYPES], 'bpf_tcp_sock_proto')],
    effects: { pointerCast: true },
  },
  {
    id: 98,
    name: 'bpf_get_listener_sock',
    summary: 'The listening socket of a socket, or NULL.',
    protos: [
      proto('bpf_get_listener_sock_proto', [arg('sk', 'ARG_PTR_TO_SOCK_COMMON')], SOCKET_OR_NULL, { run: getListenerSock }),
    ],
    available: [to(['cgroup_skb', ...TC_TYPES], 'bpf_get_listener_sock_proto')],
  },
  {
    id: 99,
    name: 'bpf_skc_lookup_tcp',
    summary: 'Finds a TCP socket in any state by addresses; must be released.',
    protos: [
      ...protos(
        ['bpf_skc_lookup_tcp_proto', 'bpf_tc_skc_lookup_tcp_proto', 'bpf_xdp_skc_lookup_tcp_proto'],
        [context('ctx'), input('tuple'), sizeOrZero('tuple_size'), anything('netns'), anything('flags')],
        SOCK_COMMON_OR_NULL,
        { packetAccess: true, run: skLookupTcp },
      ),
      proto(
        'bpf_sock_addr_skc_lookup_tcp_proto',
        [context('ctx'), input('tuple'), sizeOrZero('tuple_size'), anything('netns'), anything('flags')],
        SOCK_COMMON_OR_NULL,
        { run: skLookupTcp },
      ),
    ],
    available: [
      to(['cgroup_skb', 'sk_skb'], 'bpf_skc_lookup_tcp_proto'),
      to(TC_TYPES, 'bpf_tc_skc_lookup_tcp_proto'),
      to(['xdp'], 'bpf_xdp_skc_lookup_tcp_proto'),
      to(['cgroup_sock_addr'], 'bpf_sock_addr_skc_lookup_tcp_proto'),
    ],
    effects: { acquires: 'always' },
  },
  {
    id: 122,
    name: 'bpf_get_netns_cookie',
    summary: 'A number that identifies a network namespace.',
    protos: [
      ...protos(
        [
          'bpf_get_netns_cookie_proto',
          'bpf_get_netns_cookie_sock_proto',
          'bpf_get_netns_cookie_sock_addr_proto',
          'bpf_get_netns_cookie_sock_ops_proto',
          'bpf_get_netns_cookie_sk_msg_proto',
          'bpf_get_netns_cookie_sockopt_proto',
        ],
        [context('ctx', 'PTR_MAYBE_NULL')],
        INTEGER,
        { run: getNetnsCookie },
      ),
    ],
    available: [
      to(['socket_filter', 'cgroup_skb', ...TC_TYPES], 'bpf_get_netns_cookie_proto'),
      to(['cgroup_sock'], 'bpf_get_netns_cookie_sock_proto'),
      to(['cgroup_sock_addr'], 'bpf_get_netns_cookie_sock_addr_proto'),
      to(['sock_ops'], 'bpf_get_netns_cookie_sock_ops_proto'),
      to(['sk_msg'], 'bpf_get_netns_cookie_sk_msg_proto'),
      to(['cgroup_sockopt'], 'bpf_get_netns_cookie_sockopt_proto'),
    ],
  },
  {
    id: 124,
    name: 'bpf_sk_assign',
    summary: 'Chooses the socket that receives the packet.',
    protos: [
      proto('bpf_sk_assign_proto', [context('ctx'), arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON'), anything('flags')], INTEGER),
      proto(
        'bpf_sk_lookup_assign_proto',
        [context('ctx'), arg('sk', 'ARG_PTR_TO_SOCKET', 'PTR_MAYBE_NULL'), anything('flags')],
        INTEGER,
      ),
    ],
    available: [to(TC_TYPES, 'bpf_sk_assign_proto'), to(['sk_lookup'], 'bpf_sk_lookup_assign_proto')],
  },
  {
    id: 162,
    name: 'bpf_sock_from_file',
    summary: 'The socket of a file, or NULL.',
    protos: [
      proto('bpf_sock_from_file_proto', [object('file', 'file')], {
        base: 'RET_PTR_TO_BTF_ID',
        flags: ['PTR_MAYBE_NULL'],
        btfType: 'socket',
      }),
    ],
    available: [to(BTF_TRACING_TYPES, 'bpf_sock_from_file_proto')],
  },
];
