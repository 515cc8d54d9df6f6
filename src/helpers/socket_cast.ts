import type { Helper } from '../contracts/helper.ts';
import { BTF_TRACING_TYPES, SK_BASE_TYPES, to } from './availability.ts';
import { skcToOther, skcToTcp6Sock, skcToTcpSock, skcToUdp6Sock } from './run/socket.ts';
import { arg, proto } from './spec.ts';

/** Casts of sockets. */
export const socketCastHelpers: readonly Helper[] = [
  {
    id: 136,
    name: 'bpf_skc_to_tcp6_sock',
    summary: "Casts a socket to the kernel's IPv6 TCP socket, or NULL.",
    protos: [
      proto(
        'bpf_skc_to_tcp6_sock_proto',
        [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON')],
        {
          base: 'RET_PTR_TO_BTF_ID',
          flags: ['PTR_MAYBE_NULL'],
          btfType: 'tcp6_sock',
        },
        { run: skcToTcp6Sock },
      ),
    ],
    available: [
      to(BTF_TRACING_TYPES, 'bpf_skc_to_tcp6_sock_proto'),
      to(SK_BASE_TYPES, 'bpf_skc_to_tcp6_sock_proto', { cap: 'perfmon' }),
    ],
    effects: { pointerCast: true },
  },
  {
    id: 137,
    name: 'bpf_skc_to_tcp_sock',
    summary: "Casts a socket to the kernel's TCP socket, or NULL.",
    protos: [
      proto(
        'bpf_skc_to_tcp_sock_proto',
        [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON')],
        {
          base: 'RET_PTR_TO_BTF_ID',
          flags: ['PTR_MAYBE_NULL'],
          btfType: 'tcp_sock',
        },
        { run: skcToTcpSock },
      ),
    ],
    available: [
      to(BTF_TRACING_TYPES, 'bpf_skc_to_tcp_sock_proto'),
      to(SK_BASE_TYPES, 'bpf_skc_to_tcp_sock_proto', { cap: 'perfmon' }),
    ],
    effects: { pointerCast: true },
  },
  {
    id: 138,
    name: 'bpf_skc_to_tcp_timewait_sock',
    summary: "Casts a socket to the kernel's TCP socket in TIME_WAIT, or NULL.",
    protos: [
      proto(
        'bpf_skc_to_tcp_timewait_sock_proto',
        [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON')],
        {
          base: 'RET_PTR_TO_BTF_ID',
          flags: ['PTR_MAYBE_NULL'],
          btfType: 'tcp_timewait_sock',
        },
        { run: skcToOther },
      ),
    ],
    available: [
      to(BTF_TRACING_TYPES, 'bpf_skc_to_tcp_timewait_sock_proto'),
      to(SK_BASE_TYPES, 'bpf_skc_to_tcp_timewait_sock_proto', { cap: 'perfmon' }),
    ],
    effects: { pointerCast: true },
  },
  {
    id: 139,
    name: 'bpf_skc_to_tcp_request_sock',
    summary: "Casts a socket to the kernel's TCP request socket, or NULL.",
    protos: [
      proto(
        'bpf_skc_to_tcp_request_sock_proto',
        [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON')],
        {
          base: 'RET_PTR_TO_BTF_ID',
          flags: ['PTR_MAYBE_NULL'],
          btfType: 'tcp_request_sock',
        },
        { run: skcToOther },
      ),
    ],
    available: [
      to(BTF_TRACING_TYPES, 'bpf_skc_to_tcp_request_sock_proto'),
      to(SK_BASE_TYPES, 'bpf_skc_to_tcp_request_sock_proto', { cap: 'perfmon' }),
    ],
    effects: { pointerCast: true },
  },
  {
    id: 140,
    name: 'bpf_skc_to_udp6_sock',
    summary: "Casts a socket to the kernel's IPv6 UDP socket, or NULL.",
    protos: [
      proto(
        'bpf_skc_to_udp6_sock_proto',
        [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON')],
        {
          base: 'RET_PTR_TO_BTF_ID',
          flags: ['PTR_MAYBE_NULL'],
          btfType: 'udp6_sock',
        },
        { run: skcToUdp6Sock },
      ),
    ],
    available: [
      to(BTF_TRACING_TYPES, 'bpf_skc_to_udp6_sock_proto'),
      to(SK_BASE_TYPES, 'bpf_skc_to_udp6_sock_proto', { cap: 'perfmon' }),
    ],
    effects: { pointerCast: true },
  },
  {
    id: 178,
    name: 'bpf_skc_to_unix_sock',
    summary: "Casts a socket to the kernel's Unix socket, or NULL.",
    protos: [
      proto(
        'bpf_skc_to_unix_sock_proto',
        [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON')],
        {
          base: 'RET_PTR_TO_BTF_ID',
          flags: ['PTR_MAYBE_NULL'],
          btfType: 'unix_sock',
        },
        { run: skcToOther },
      ),
    ],
    available: [
      to(BTF_TRACING_TYPES, 'bpf_skc_to_unix_sock_proto'),
      to(SK_BASE_TYPES, 'bpf_skc_to_unix_sock_proto', { cap: 'perfmon' }),
    ],
  },
  {
    id: 196,
    name: 'bpf_skc_to_mptcp_sock',
    summary: "Casts a socket to the kernel's MPTCP socket, or NULL.",
    protos: [
      proto(
        'bpf_skc_to_mptcp_sock_proto',
        [arg('sk', 'ARG_PTR_TO_SOCK_COMMON')],
        {
          base: 'RET_PTR_TO_BTF_ID',
          flags: ['PTR_MAYBE_NULL'],
          btfType: 'mptcp_sock',
        },
        { run: skcToOther },
      ),
    ],
    available: [
      to(BTF_TRACING_TYPES, 'bpf_skc_to_mptcp_sock_proto'),
      to(SK_BASE_TYPES, 'bpf_skc_to_mptcp_sock_proto', { cap: 'perfmon' }),
    ],
    effects: { pointerCast: true },
  },
];
