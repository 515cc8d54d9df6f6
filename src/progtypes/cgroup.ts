/** Program types that are attached to cgroups and do not see packets. Sources: net/core/filter.c, kernel/bpf/cgroup.c. */
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import type { ContextField } from '../contracts/prog_type.ts';
import type { Subject } from '../contracts/subject.ts';
import { BPF_SOCK_READS, BPF_SOCK_SIZE } from './bpf_sock.ts';
import { contextTable, narrow, PACKET, PACKET_END, SOCKET, whole } from './context_table.ts';
import { attachTypes, progType, section, ZERO_OR_ONE } from './define.ts';

const CREATE_OR_RELEASE = attachTypes('BPF_CGROUP_INET_SOCK_CREATE', 'BPF_CGROUP_INET_SOCK_RELEASE');

/** __sock_filter_check_attach_type: where a field is readable; absent: everywhere. */
const SOCK_FIELD_ATTACH_TYPES: Readonly<Record<string, readonly number[]>> = {
  bound_dev_if: CREATE_OR_RELEASE,
  mark: CREATE_OR_RELEASE,
  priority: CREATE_OR_RELEASE,
  src_ip4: attachTypes('BPF_CGROUP_INET4_POST_BIND'),
  src_ip6: attachTypes('BPF_CGROUP_INET6_POST_BIND'),
  src_port: attachTypes('BPF_CGROUP_INET4_POST_BIND', 'BPF_CGROUP_INET6_POST_BIND'),
};
const SOCK_WRITABLE = ['bound_dev_if', 'mark', 'priority'];

const CGROUP_SOCK = contextTable(
  BPF_SOCK_SIZE,
  BPF_SOCK_READS.map((field): ContextField => {
    const attachTypes = SOCK_FIELD_ATTACH_TYPES[field.name];
    return {
      ...field,
      ...(attachTypes === undefined ? {} : { attachTypes }),
      ...(SOCK_WRITABLE.includes(field.name) ? { write: whole(4) } : {}),
    };
  }),
);

const CGROUP_SOCK_TYPES = attachTypes(
  'BPF_CGROUP_INET_SOCK_CREATE',
  'BPF_CGROUP_INET_SOCK_RELEASE',
  'BPF_CGROUP_INET4_POST_BIND',
  'BPF_CGROUP_INET6_POST_BIND',
);

export const cgroupSock = progType({
  id: 9,
  name: 'cgroup_sock',
  sections: [
    section('cgroup/sock_create', 'BPF_CGROUP_INET_SOCK_CREATE', 'SEC_ATTACHABLE'),
    section('cgroup/sock_release', 'BPF_CGROUP_INET_SOCK_RELEASE', 'SEC_ATTACHABLE'),
    section('cgroup/sock', 'BPF_CGROUP_INET_SOCK_CREATE', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT'),
    section('cgroup/post_bind4', 'BPF_CGROUP_INET4_POST_BIND', 'SEC_ATTACHABLE'),
    section('cgroup/post_bind6', 'BPF_CGROUP_INET6_POST_BIND', 'SEC_ATTACHABLE'),
  ],
  contextStruct: 'bpf_sock',
  kernelContextStruct: 'sock',
  context: CGROUP_SOCK,
  returnRange: () => ZERO_OR_ONE,
  defaultAttachType: ATTACH_TYPES.BPF_CGROUP_INET_SOCK_CREATE,
  attachTypes: [0, ...CGROUP_SOCK_TYPES],
  needs: ['net_admin'],
  rewritesContext: true,
  ops: 'cg_sock_verifier_ops',
  summary: 'is asked when a socket of a cgroup is made, bound or released',
});

const INET4 = attachTypes(
  'BPF_CGROUP_INET4_BIND',
  'BPF_CGROUP_INET4_CONNECT',
  'BPF_CGROUP_INET4_GETPEERNAME',
  'BPF_CGROUP_INET4_GETSOCKNAME',
  'BPF_CGROUP_UDP4_SENDMSG',
  'BPF_CGROUP_UDP4_RECVMSG',
);
const INET6 = attachTypes(
  'BPF_CGROUP_INET6_BIND',
  'BPF_CGROUP_INET6_CONNECT',
  'BPF_CGROUP_INET6_GETPEERNAME',
  'BPF_CGROUP_INET6_GETSOCKNAME',
  'BPF_CGROUP_UDP6_SENDMSG',
  'BPF_CGROUP_UDP6_RECVMSG',
);
const UNIX = attachTypes(
  'BPF_CGROUP_UNIX_CONNECT',
  'BPF_CGROUP_UNIX_SENDMSG',
  'BPF_CGROUP_UNIX_RECVMSG',
  'BPF_CGROUP_UNIX_GETPEERNAME',
  'BPF_CGROUP_UNIX_GETSOCKNAME',
);

/** An IPv6 address: parts of its 4-byte words, or 8 bytes at once (bpf_ctx_wide_access_ok). */
const IP6 = { read: { sizes: [1, 2, 4, 8], fieldSize: 4 }, write: { sizes: [4, 8] } } as const;
const IP4 = { read: narrow(4), write: whole(4) } as const;

/** sock_addr_is_valid_access. */
const SOCK_ADDR = contextTable(72, [
  { name: 'user_family', off: 0, size: 4, read: whole(4) },
  { name: 'user_ip4', off: 4, size: 4, ...IP4, attachTypes: INET4 },
  { name: 'user_ip6', off: 8, size: 16, ...IP6, attachTypes: INET6 },
  { name: 'user_port', off: 24, size: 4, ...IP4 },
  { name: 'family', off: 28, size: 4, read: whole(4) },
  { name: 'type', off: 32, size: 4, read: whole(4) },
  { name: 'protocol', off: 36, size: 4, read: whole(4) },
  { name: 'msg_src_ip4', off: 40, size: 4, ...IP4, attachTypes: attachTypes('BPF_CGROUP_UDP4_SENDMSG') },
  { name: 'msg_src_ip6', off: 44, size: 16, ...IP6, attachTypes: attachTypes('BPF_CGROUP_UDP6_SENDMSG') },
  { name: 'sk', off: 64, size: 8, read: whole(8), reg: SOCKET },
]);

const MUST_BE_ONE = { min: 1, max: 1 } as const;
const ALWAYS_ONE = attachTypes(
  'BPF_CGROUP_UDP4_RECVMSG',
  'BPF_CGROUP_UDP6_RECVMSG',
  'BPF_CGROUP_UNIX_RECVMSG',
  'BPF_CGROUP_INET4_GETPEERNAME',
  'BPF_CGROUP_INET6_GETPEERNAME',
  'BPF_CGROUP_UNIX_GETPEERNAME',
  'BPF_CGROUP_INET4_GETSOCKNAME',
  'BPF_CGROUP_INET6_GETSOCKNAME',
  'BPF_CGROUP_UNIX_GETSOCKNAME',
);
const BINDS = attachTypes('BPF_CGROUP_INET4_BIND', 'BPF_CGROUP_INET6_BIND');

function sockAddrReturns(subject: Subject) {
  if (ALWAYS_ONE.includes(subject.attachType)) return MUST_BE_ONE;
  return BINDS.includes(subject.attachType) ? { min: 0, max: 3 } : ZERO_OR_ONE;
}

export const cgroupSockAddr = progType({
  id: 18,
  name: 'cgroup_sock_addr',
  sections: [
    section('cgroup/bind4', 'BPF_CGROUP_INET4_BIND', 'SEC_ATTACHABLE'),
    section('cgroup/bind6', 'BPF_CGROUP_INET6_BIND', 'SEC_ATTACHABLE'),
    section('cgroup/connect4', 'BPF_CGROUP_INET4_CONNECT', 'SEC_ATTACHABLE'),
    section('cgroup/connect6', 'BPF_CGROUP_INET6_CONNECT', 'SEC_ATTACHABLE'),
    section('cgroup/connect_unix', 'BPF_CGROUP_UNIX_CONNECT', 'SEC_ATTACHABLE'),
    section('cgroup/sendmsg4', 'BPF_CGROUP_UDP4_SENDMSG', 'SEC_ATTACHABLE'),
    section('cgroup/sendmsg6', 'BPF_CGROUP_UDP6_SENDMSG', 'SEC_ATTACHABLE'),
    section('cgroup/sendmsg_unix', 'BPF_CGROUP_UNIX_SENDMSG', 'SEC_ATTACHABLE'),
    section('cgroup/recvmsg4', 'BPF_CGROUP_UDP4_RECVMSG', 'SEC_ATTACHABLE'),
    section('cgroup/recvmsg6', 'BPF_CGROUP_UDP6_RECVMSG', 'SEC_ATTACHABLE'),
    section('cgroup/recvmsg_unix', 'BPF_CGROUP_UNIX_RECVMSG', 'SEC_ATTACHABLE'),
    section('cgroup/getpeername4', 'BPF_CGROUP_INET4_GETPEERNAME', 'SEC_ATTACHABLE'),
    section('cgroup/getpeername6', 'BPF_CGROUP_INET6_GETPEERNAME', 'SEC_ATTACHABLE'),
    section('cgroup/getpeername_unix', 'BPF_CGROUP_UNIX_GETPEERNAME', 'SEC_ATTACHABLE'),
    section('cgroup/getsockname4', 'BPF_CGROUP_INET4_GETSOCKNAME', 'SEC_ATTACHABLE'),
    section('cgroup/getsockname6', 'BPF_CGROUP_INET6_GETSOCKNAME', 'SEC_ATTACHABLE'),
    section('cgroup/getsockname_unix', 'BPF_CGROUP_UNIX_GETSOCKNAME', 'SEC_ATTACHABLE'),
  ],
  contextStruct: 'bpf_sock_addr',
  kernelContextStruct: 'bpf_sock_addr_kern',
  context: SOCK_ADDR,
  returnRange: sockAddrReturns,
  attachTypes: [...INET4, ...INET6, ...UNIX],
  needs: ['net_admin'],
  rewritesContext: true,
  ops: 'cg_sock_addr_verifier_ops',
  summary: 'sees and may rewrite the address of a bind, connect, send, receive or name call',
});

/** cgroup_dev_is_valid_access. */
const CGROUP_DEVICE = contextTable(12, [
  { name: 'access_type', off: 0, size: 4, read: narrow(4) },
  { name: 'major', off: 4, size: 4, read: whole(4) },
  { name: 'minor', off: 8, size: 4, read: whole(4) },
]);

export const cgroupDevice = progType({
  id: 15,
  name: 'cgroup_device',
  sections: [section('cgroup/dev', 'BPF_CGROUP_DEVICE', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT')],
  contextStruct: 'bpf_cgroup_dev_ctx',
  kernelContextStruct: 'bpf_cgroup_dev_ctx',
  context: CGROUP_DEVICE,
  returnRange: () => ZERO_OR_ONE,
  needs: ['net_admin'],
  ops: 'cg_dev_verifier_ops',
  summary: 'allows or denies access to a device file',
});

/** sysctl_is_valid_access. */
const CGROUP_SYSCTL = contextTable(8, [
  { name: 'write', off: 0, size: 4, read: narrow(4) },
  { name: 'file_pos', off: 4, size: 4, read: narrow(4), write: whole(4) },
]);

export const cgroupSysctl = progType({
  id: 23,
  name: 'cgroup_sysctl',
  sections: [section('cgroup/sysctl', 'BPF_CGROUP_SYSCTL', 'SEC_ATTACHABLE')],
  contextStruct: 'bpf_sysctl',
  kernelContextStruct: 'bpf_sysctl_kern',
  context: CGROUP_SYSCTL,
  returnRange: () => ZERO_OR_ONE,
  needs: ['net_admin'],
  rewritesContext: true,
  ops: 'cg_sysctl_verifier_ops',
  summary: 'allows, denies or rewrites reads and writes of sysctl files',
});

const GETSOCKOPT = attachTypes('BPF_CGROUP_GETSOCKOPT');
const SETSOCKOPT = attachTypes('BPF_CGROUP_SETSOCKOPT');

/** cg_sockopt_is_valid_access. */
const CGROUP_SOCKOPT = contextTable(40, [
  { name: 'sk', off: 0, size: 8, read: whole(8), reg: SOCKET },
  { name: 'optval', off: 8, size: 8, read: whole(8), reg: PACKET },
  { name: 'optval_end', off: 16, size: 8, read: whole(8), reg: PACKET_END },
  { name: 'level', off: 24, size: 4, read: whole(4) },
  { name: 'level', off: 24, size: 4, write: whole(4), attachTypes: SETSOCKOPT },
  { name: 'optname', off: 28, size: 4, read: whole(4) },
  { name: 'optname', off: 28, size: 4, write: whole(4), attachTypes: SETSOCKOPT },
  { name: 'optlen', off: 32, size: 4, read: whole(4), write: whole(4) },
  { name: 'retval', off: 36, size: 4, read: whole(4), write: whole(4), attachTypes: GETSOCKOPT },
]);

export const cgroupSockopt = progType({
  id: 25,
  name: 'cgroup_sockopt',
  sections: [
    section('cgroup/getsockopt', 'BPF_CGROUP_GETSOCKOPT', 'SEC_ATTACHABLE'),
    section('cgroup/setsockopt', 'BPF_CGROUP_SETSOCKOPT', 'SEC_ATTACHABLE'),
  ],
  contextStruct: 'bpf_sockopt',
  kernelContextStruct: 'bpf_sockopt_kern',
  context: CGROUP_SOCKOPT,
  packet: 'read-write',
  packetToAnyHelper: true,
  returnRange: () => ZERO_OR_ONE,
  attachTypes: [...GETSOCKOPT, ...SETSOCKOPT],
  needs: ['net_admin'],
  rewritesContext: true,
  ops: 'cg_sockopt_verifier_ops',
  summary: 'sees and may rewrite the arguments and results of getsockopt and setsockopt',
});
