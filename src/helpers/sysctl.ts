import type { Helper } from '../contracts/helper.ts';
import { to } from './availability.ts';
import { anything, context, INTEGER, input, memory, output, proto, size } from './spec.ts';

/** Sysctl. */
export const sysctlHelpers: readonly Helper[] = [
  {
    id: 101,
    name: 'bpf_sysctl_get_name',
    summary: 'Name of the sysctl.',
    protos: [
      proto(
        'bpf_sysctl_get_name_proto',
        [context('ctx'), memory('buf', 'MEM_WRITE'), size('buf_len'), anything('flags')],
        INTEGER,
      ),
    ],
    available: [to(['cgroup_sysctl'], 'bpf_sysctl_get_name_proto')],
  },
  {
    id: 102,
    name: 'bpf_sysctl_get_current_value',
    summary: 'Value of the sysctl as it is.',
    protos: [proto('bpf_sysctl_get_current_value_proto', [context('ctx'), output('buf'), size('buf_len')], INTEGER)],
    available: [to(['cgroup_sysctl'], 'bpf_sysctl_get_current_value_proto')],
  },
  {
    id: 103,
    name: 'bpf_sysctl_get_new_value',
    summary: 'Value that is being written to the sysctl.',
    protos: [proto('bpf_sysctl_get_new_value_proto', [context('ctx'), output('buf'), size('buf_len')], INTEGER)],
    available: [to(['cgroup_sysctl'], 'bpf_sysctl_get_new_value_proto')],
  },
  {
    id: 104,
    name: 'bpf_sysctl_set_new_value',
    summary: 'Replaces the value that is being written to the sysctl.',
    protos: [proto('bpf_sysctl_set_new_value_proto', [context('ctx'), input('buf'), size('buf_len')], INTEGER)],
    available: [to(['cgroup_sysctl'], 'bpf_sysctl_set_new_value_proto')],
  },
];
