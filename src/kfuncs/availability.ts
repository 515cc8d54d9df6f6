import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import type { Kfunc, KfuncAvailability } from '../contracts/kfunc.ts';
import type { Subject } from '../contracts/subject.ts';
import { PROG_TYPE_NAMES, PROG_TYPES, type ProgTypeName } from '../contracts/uapi_numbers.ts';

/**
 * Registrations of kfunc sets in Linux 6.18, as sets of program types. A set is registered for a program type, but found
 * through its hook, which several types share (bpf_prog_type_to_kfunc_hook, kernel/bpf/btf.c): a set for cgroup_skb serves
 * all types of the cgroup hook. Types without a hook see the common sets alone.
 */

/** BTF_KFUNC_HOOK_TRACING */
export const TRACING_HOOK = ['tracing', 'tracepoint', 'perf_event', 'lsm'] as const satisfies readonly ProgTypeName[];

/** BTF_KFUNC_HOOK_CGROUP */
const CGROUP_HOOK = [
  'cgroup_skb',
  'cgroup_sock',
  'cgroup_device',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'cgroup_sysctl',
  'sock_ops',
] as const satisfies readonly ProgTypeName[];

/** BTF_KFUNC_HOOK_LWT */
const LWT_HOOK = ['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'] as const satisfies readonly ProgTypeName[];

/** BTF_KFUNC_HOOK_COMMON: common_kfunc_set and kin */
export const EVERYONE: readonly KfuncAvailability[] = [{ types: ['*'] }];

/** generic_kfunc_set, kernel/bpf/helpers.c */
export const GENERIC: readonly KfuncAvailability[] = [
  { types: [...TRACING_HOOK, 'sched_cls', 'xdp', 'struct_ops', 'syscall', ...CGROUP_HOOK] },
];

/** cpumask_kfunc_set */
export const CPUMASK: readonly KfuncAvailability[] = [{ types: [...TRACING_HOOK, 'struct_ops', 'syscall'] }];

/** bpf_kfunc_set_skb, net/core/filter.c */
export const SKB: readonly KfuncAvailability[] = [
  {
    types: ['sched_cls', 'sched_act', 'sk_skb', 'socket_filter', 'netfilter', ...CGROUP_HOOK, ...LWT_HOOK, ...TRACING_HOOK],
  },
];

export const XDP_ONLY: readonly KfuncAvailability[] = [{ types: ['xdp'] }];
export const XDP_AND_TC: readonly KfuncAvailability[] = [{ types: ['xdp', 'sched_cls'] }];
export const STRUCT_OPS: readonly KfuncAvailability[] = [{ types: ['struct_ops'] }];

/** sets registered for one type of the cgroup hook */
export const CGROUP: readonly KfuncAvailability[] = [{ types: CGROUP_HOOK }];

/** bpf_prog_test_kfunc_set, net/bpf/test_run.c */
export const TEST: readonly KfuncAvailability[] = [{ types: ['sched_cls', 'syscall', ...TRACING_HOOK] }];

/** bpf_sk_iter_kfunc_set with tracing_iter_filter() */
export const ITERATORS: readonly KfuncAvailability[] = [
  { types: TRACING_HOOK, filter: (subject) => subject.attachType === ATTACH_TYPES.BPF_TRACE_ITER },
];

/** bpf_kprobe_multi_kfunc_set with bpf_kprobe_multi_filter() */
export const SESSION: readonly KfuncAvailability[] = [
  {
    types: ['kprobe'],
    filter: (subject) =>
      subject.type === PROG_TYPES.kprobe &&
      (subject.attachType === ATTACH_TYPES.BPF_TRACE_KPROBE_SESSION ||
        subject.attachType === ATTACH_TYPES.BPF_TRACE_UPROBE_SESSION),
  },
];

/** btf_kfunc_id_set_contains(): false means "calling kernel function %s is not allowed". */
export function kfuncAllowed(kfunc: Kfunc, subject: Subject): boolean {
  const type = PROG_TYPE_NAMES[subject.type];
  if (type === undefined) return false;
  return kfunc.available.some((row) => (row.types.includes('*') || row.types.includes(type)) && (row.filter?.(subject) ?? true));
}
