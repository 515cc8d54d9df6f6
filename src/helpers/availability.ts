import { ATTACH_TYPES, type AttachTypeName } from '../contracts/attach_types.ts';
import { never } from '../contracts/errors.ts';
import type { AvailabilityCondition, AvailabilityRow, Helper, HelperProto, SelectProto } from '../contracts/helper.ts';
import type { Subject } from '../contracts/subject.ts';
import { PROG_TYPE_NAMES, type ProgTypeName } from '../contracts/uapi_numbers.ts';

/**
 * Sets of program types that share a `*_func_proto()` in Linux 6.18, and the evaluation of availability rows. The kernel's
 * functions are chained switches; a set here lists the types whose chain passes through one of them.
 */

export const TC_TYPES = ['sched_cls', 'sched_act'] as const satisfies readonly ProgTypeName[];

/** lwt_out_func_proto() and those that end in it */
export const LWT_TYPES = ['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'] as const satisfies readonly ProgTypeName[];

/** bpf_sk_base_func_proto() */
export const SK_BASE_TYPES = [
  'socket_filter',
  'cgroup_skb',
  ...TC_TYPES,
  'xdp',
  'cgroup_sock_addr',
  'sock_ops',
  'sk_msg',
  'sk_skb',
  'flow_dissector',
  ...LWT_TYPES,
  'sk_lookup',
] as const satisfies readonly ProgTypeName[];

/** tracing_prog_func_proto() of bpf_trace.c, which programs of type syscall use as well */
export const BTF_TRACING_TYPES = ['tracing', 'lsm', 'syscall'] as const satisfies readonly ProgTypeName[];

/** raw_tp_prog_func_proto() */
export const RAW_TRACING_TYPES = [
  'raw_tracepoint',
  'raw_tracepoint_writable',
  ...BTF_TRACING_TYPES,
] as const satisfies readonly ProgTypeName[];

/** bpf_tracing_func_proto() */
export const TRACING_TYPES = [
  'kprobe',
  'tracepoint',
  'perf_event',
  ...RAW_TRACING_TYPES,
] as const satisfies readonly ProgTypeName[];

/** cgroup_common_func_proto() without LSM */
export const CGROUP_TYPES = [
  'cgroup_skb',
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_device',
  'cgroup_sysctl',
  'cgroup_sockopt',
  'sock_ops',
] as const satisfies readonly ProgTypeName[];

/** types that pass a socket of their context to bpf_sk_storage_get_proto */
export const SK_STORAGE_TYPES = [
  'cgroup_skb',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'sock_ops',
  'sk_msg',
  'lsm',
  ...TC_TYPES,
] as const satisfies readonly ProgTypeName[];

/** bpf_base_func_proto(): every type but lirc_mode2 */
export const BASE_TYPES = [
  ...SK_BASE_TYPES,
  ...TRACING_TYPES,
  'cgroup_sock',
  'cgroup_device',
  'cgroup_sysctl',
  'cgroup_sockopt',
  'sk_reuseport',
  'struct_ops',
  'netfilter',
] as const satisfies readonly ProgTypeName[];

/** bpf_base_func_proto() and lirc_mode2_func_proto() */
export const EVERY_TYPE = [...BASE_TYPES, 'lirc_mode2'] as const satisfies readonly ProgTypeName[];

/** second part of bpf_base_func_proto() */
export const WITH_BPF: readonly AvailabilityCondition[] = [{ cap: 'bpf' }];

/** third part of bpf_base_func_proto() */
export const WITH_PERFMON: readonly AvailabilityCondition[] = [{ cap: 'bpf' }, { cap: 'perfmon' }];

/** bpf_prog_has_trampoline() */
export const ON_TRAMPOLINE: AvailabilityCondition = {
  attachIn: ['BPF_TRACE_FENTRY', 'BPF_TRACE_FEXIT', 'BPF_MODIFY_RETURN', 'BPF_LSM_MAC'],
};

/** attach types whose system call has no result that a program may read or change (cgroup_common_func_proto) */
export const NO_RETVAL_ATTACH: readonly AttachTypeName[] = [
  'BPF_CGROUP_INET_INGRESS',
  'BPF_CGROUP_INET_EGRESS',
  'BPF_CGROUP_SOCK_OPS',
  'BPF_CGROUP_UDP4_RECVMSG',
  'BPF_CGROUP_UDP6_RECVMSG',
  'BPF_CGROUP_UNIX_RECVMSG',
  'BPF_CGROUP_INET4_GETPEERNAME',
  'BPF_CGROUP_INET6_GETPEERNAME',
  'BPF_CGROUP_UNIX_GETPEERNAME',
  'BPF_CGROUP_INET4_GETSOCKNAME',
  'BPF_CGROUP_INET6_GETSOCKNAME',
  'BPF_CGROUP_UNIX_GETSOCKNAME',
];

/** bpf_lsm_locked_sockopt_hooks */
export const LOCKED_SOCKOPT_HOOKS: readonly string[] = ['sock_graft', 'inet_csk_clone', 'inet_conn_established'];

/** bpf_lsm_unlocked_sockopt_hooks */
export const UNLOCKED_SOCKOPT_HOOKS: readonly string[] = ['socket_post_create', 'socket_socketpair'];

export const to = (types: readonly ProgTypeName[], proto: string, ...when: readonly AvailabilityCondition[]): AvailabilityRow =>
  when.length > 0 ? { types, when, proto } : { types, proto };

/** struct_ops types whose bpf_verifier_ops have no get_func_proto(): their programs may call no helper at all */
const STRUCT_OPS_WITHOUT_HELPERS: ReadonlySet<string> = new Set(['bpf_dummy_ops']);

const structOpsMatches = (subject: Subject, type: string, excluded: readonly string[]): boolean =>
  subject.attachName === type && !(subject.structOpsMember !== null && excluded.includes(subject.structOpsMember));

const attachedTo = (subject: Subject, names: readonly AttachTypeName[]): boolean =>
  names.some((name) => ATTACH_TYPES[name] === subject.attachType);

function hasCapability(subject: Subject, cap: 'bpf' | 'perfmon' | 'net_admin' | 'sys_admin'): boolean {
  switch (cap) {
    case 'bpf':
      return subject.caps.bpf;
    case 'perfmon':
      return subject.caps.perfmon;
    case 'net_admin':
      return subject.caps.netAdmin;
    case 'sys_admin':
      return subject.caps.sysAdmin;
    default:
      return never(cap, 'capability');
  }
}

function holds(condition: AvailabilityCondition, subject: Subject, config: ReadonlySet<string>): boolean {
  if ('attachIn' in condition) return attachedTo(subject, condition.attachIn);
  if ('attachNotIn' in condition) return !attachedTo(subject, condition.attachNotIn);
  if ('cap' in condition) return hasCapability(subject, condition.cap);
  if ('sleepable' in condition) return subject.sleepable === condition.sleepable;
  if ('targetIn' in condition) {
    return subject.attachName !== null && condition.targetIn.includes(subject.attachName.replace(/^bpf_(lsm|iter)_/, ''));
  }
  if ('structOps' in condition) return structOpsMatches(subject, condition.structOps, condition.memberNotIn);
  if ('config' in condition) return config.has(condition.config);
  return never(condition, 'availability condition');
}

/**
 * get_func_proto() for a kernel with these options of the conditions' `config` kind; null: "program of this type cannot
 * use helper".
 */
export const selectProtoWith =
  (config: ReadonlySet<string>): SelectProto =>
  (helper: Helper, subject: Subject): HelperProto | null => {
    const type = PROG_TYPE_NAMES[subject.type];
    if (type === undefined) return null;
    if (type === 'struct_ops' && STRUCT_OPS_WITHOUT_HELPERS.has(subject.attachName ?? '')) return null;
    for (const row of helper.available) {
      if (!row.types.includes(type)) continue;
      if (row.when?.some((condition) => !holds(condition, subject, config))) continue;
      return helper.protos.find((proto) => proto.name === row.proto) ?? null;
    }
    return null;
  };

/** As the base profile's kernel answers: without function error injection, locked down against writes to user memory. */
export const selectProto: SelectProto = selectProtoWith(new Set());
