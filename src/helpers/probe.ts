import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, TRACING_TYPES, to, WITH_PERFMON } from './availability.ts';
import {
  copyFromUserSleepable,
  copyFromUserTask,
  probeRead,
  probeReadKernel,
  probeReadKernelStr,
  probeReadStr,
  probeReadUser,
  probeReadUserStr,
  probeWriteUser,
} from './run/probe.ts';
import { anything, INTEGER, input, object, output, proto, size, sizeOrZero } from './spec.ts';

/** Reads and writes of memory at addresses that may be bad. */
export const probeHelpers: readonly Helper[] = [
  {
    id: 4,
    name: 'bpf_probe_read',
    summary: 'Reads memory at an address that is user or kernel.',
    protos: [
      proto('bpf_probe_read_compat_proto', [output('dst'), sizeOrZero('size'), anything('unsafe_ptr')], INTEGER, {
        gplOnly: true,
        run: probeRead,
      }),
    ],
    available: [to(TRACING_TYPES, 'bpf_probe_read_compat_proto')],
  },
  {
    id: 36,
    name: 'bpf_probe_write_user',
    summary: 'Writes into the memory of the current user process.',
    protos: [
      proto('bpf_probe_write_user_proto', [anything('dst'), input('src'), size('len')], INTEGER, {
        gplOnly: true,
        run: probeWriteUser,
      }),
    ],
    available: [to(TRACING_TYPES, 'bpf_probe_write_user_proto', { cap: 'sys_admin' }, { config: 'LOCKDOWN_BPF_WRITE_USER' })],
  },
  {
    id: 45,
    name: 'bpf_probe_read_str',
    summary: 'Reads a string at an address that is user or kernel.',
    protos: [
      proto('bpf_probe_read_compat_str_proto', [output('dst'), sizeOrZero('size'), anything('unsafe_ptr')], INTEGER, {
        gplOnly: true,
        run: probeReadStr,
      }),
    ],
    available: [to(TRACING_TYPES, 'bpf_probe_read_compat_str_proto')],
    effects: { refinesReturn: 'size-bound' },
  },
  {
    id: 112,
    name: 'bpf_probe_read_user',
    summary: 'Reads user memory without sleeping.',
    protos: [
      proto('bpf_probe_read_user_proto', [output('dst'), sizeOrZero('size'), anything('unsafe_ptr')], INTEGER, {
        gplOnly: true,
        run: probeReadUser,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_probe_read_user_proto', ...WITH_PERFMON)],
  },
  {
    id: 113,
    name: 'bpf_probe_read_kernel',
    summary: 'Reads kernel memory; a bad address is an error.',
    protos: [
      proto('bpf_probe_read_kernel_proto', [output('dst'), sizeOrZero('size'), anything('unsafe_ptr')], INTEGER, {
        gplOnly: true,
        run: probeReadKernel,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_probe_read_kernel_proto', ...WITH_PERFMON)],
  },
  {
    id: 114,
    name: 'bpf_probe_read_user_str',
    summary: 'Reads a string from user memory without sleeping.',
    protos: [
      proto('bpf_probe_read_user_str_proto', [output('dst'), sizeOrZero('size'), anything('unsafe_ptr')], INTEGER, {
        gplOnly: true,
        run: probeReadUserStr,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_probe_read_user_str_proto', ...WITH_PERFMON)],
    effects: { refinesReturn: 'size-bound' },
  },
  {
    id: 115,
    name: 'bpf_probe_read_kernel_str',
    summary: 'Reads a string from kernel memory.',
    protos: [
      proto('bpf_probe_read_kernel_str_proto', [output('dst'), sizeOrZero('size'), anything('unsafe_ptr')], INTEGER, {
        gplOnly: true,
        run: probeReadKernelStr,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_probe_read_kernel_str_proto', ...WITH_PERFMON)],
    effects: { refinesReturn: 'size-bound' },
  },
  {
    id: 148,
    name: 'bpf_copy_from_user',
    summary: 'Reads user memory; may sleep.',
    protos: [
      proto('bpf_copy_from_user_proto', [output('dst'), sizeOrZero('size'), anything('user_ptr')], INTEGER, {
        mightSleep: true,
        run: copyFromUserSleepable,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_copy_from_user_proto', ...WITH_PERFMON)],
  },
  {
    id: 191,
    name: 'bpf_copy_from_user_task',
    summary: 'Reads memory of another task; may sleep.',
    protos: [
      proto(
        'bpf_copy_from_user_task_proto',
        [output('dst'), sizeOrZero('size'), anything('user_ptr'), object('tsk', 'task_struct'), anything('flags')],
        INTEGER,
        { gplOnly: true, mightSleep: true, run: copyFromUserTask },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_copy_from_user_task_proto', ...WITH_PERFMON)],
  },
];
