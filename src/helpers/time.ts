import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, EVERY_TYPE, SK_BASE_TYPES, to, WITH_BPF } from './availability.ts';
import { jiffies64, ktimeGetBootNs, ktimeGetCoarseNs, ktimeGetNs, ktimeGetTaiNs } from './run/machine.ts';
import { INTEGER, proto } from './spec.ts';

/** Clocks. */
export const timeHelpers: readonly Helper[] = [
  {
    id: 5,
    name: 'bpf_ktime_get_ns',
    summary: 'Monotonic time since boot without suspend, in nanoseconds.',
    protos: [proto('bpf_ktime_get_ns_proto', [], INTEGER, { run: ktimeGetNs })],
    available: [to(EVERY_TYPE, 'bpf_ktime_get_ns_proto')],
  },
  {
    id: 118,
    name: 'bpf_jiffies64',
    summary: 'The 64-bit tick counter.',
    protos: [proto('bpf_jiffies64_proto', [], INTEGER, { run: jiffies64 })],
    available: [to(BASE_TYPES, 'bpf_jiffies64_proto', ...WITH_BPF)],
  },
  {
    id: 125,
    name: 'bpf_ktime_get_boot_ns',
    summary: 'Time since boot with suspend, in nanoseconds.',
    protos: [proto('bpf_ktime_get_boot_ns_proto', [], INTEGER, { run: ktimeGetBootNs })],
    available: [to(EVERY_TYPE, 'bpf_ktime_get_boot_ns_proto')],
  },
  {
    id: 160,
    name: 'bpf_ktime_get_coarse_ns',
    summary: 'Monotonic time of the last tick, in nanoseconds.',
    protos: [proto('bpf_ktime_get_coarse_ns_proto', [], INTEGER, { run: ktimeGetCoarseNs })],
    available: [
      to([...SK_BASE_TYPES, 'cgroup_sock', 'cgroup_sysctl', 'sk_reuseport'], 'bpf_ktime_get_coarse_ns_proto'),
      to(['struct_ops'], 'bpf_ktime_get_coarse_ns_proto', { structOps: 'tcp_congestion_ops', memberNotIn: [] }),
    ],
  },
  {
    id: 208,
    name: 'bpf_ktime_get_tai_ns',
    summary: 'International atomic time, in nanoseconds.',
    protos: [proto('bpf_ktime_get_tai_ns_proto', [], INTEGER, { run: ktimeGetTaiNs })],
    available: [to(BASE_TYPES, 'bpf_ktime_get_tai_ns_proto')],
  },
];
