import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, to, WITH_PERFMON } from './availability.ts';
import { findVma } from './run/find_vma.ts';
import {
  getCurrentComm,
  getCurrentPidTgid,
  getCurrentTask,
  getCurrentTaskBtf,
  getCurrentUidGid,
  sendSignal,
  sendSignalThread,
} from './run/task.ts';
import { anything, arg, INTEGER, object, output, proto, size } from './spec.ts';

/** The current task. */
export const taskHelpers: readonly Helper[] = [
  {
    id: 14,
    name: 'bpf_get_current_pid_tgid',
    summary: 'Thread group id in the upper, thread id in the lower 32 bits.',
    protos: [proto('bpf_get_current_pid_tgid_proto', [], INTEGER, { run: getCurrentPidTgid })],
    available: [to(BASE_TYPES, 'bpf_get_current_pid_tgid_proto')],
  },
  {
    id: 15,
    name: 'bpf_get_current_uid_gid',
    summary: 'Group id in the upper, user id in the lower 32 bits.',
    protos: [proto('bpf_get_current_uid_gid_proto', [], INTEGER, { run: getCurrentUidGid })],
    available: [to(BASE_TYPES, 'bpf_get_current_uid_gid_proto')],
  },
  {
    id: 16,
    name: 'bpf_get_current_comm',
    summary: 'Copies the name of the current task.',
    protos: [proto('bpf_get_current_comm_proto', [output('buf'), size('size_of_buf')], INTEGER, { run: getCurrentComm })],
    available: [to(BASE_TYPES, 'bpf_get_current_comm_proto', ...WITH_PERFMON)],
  },
  {
    id: 35,
    name: 'bpf_get_current_task',
    summary: 'Address of the current task_struct as a number.',
    protos: [proto('bpf_get_current_task_proto', [], INTEGER, { gplOnly: true, run: getCurrentTask })],
    available: [to(BASE_TYPES, 'bpf_get_current_task_proto', ...WITH_PERFMON)],
  },
  {
    id: 109,
    name: 'bpf_send_signal',
    summary: 'Sends a signal to the process of the current task.',
    protos: [proto('bpf_send_signal_proto', [anything('sig')], INTEGER, { run: sendSignal })],
    available: [to(BASE_TYPES, 'bpf_send_signal_proto', ...WITH_PERFMON)],
  },
  {
    id: 117,
    name: 'bpf_send_signal_thread',
    summary: 'Sends a signal to the current thread.',
    protos: [proto('bpf_send_signal_thread_proto', [anything('sig')], INTEGER, { run: sendSignalThread })],
    available: [to(BASE_TYPES, 'bpf_send_signal_thread_proto', ...WITH_PERFMON)],
  },
  {
    id: 120,
    name: 'bpf_get_ns_current_pid_tgid',
    summary: 'Process and thread id as a given pid namespace sees them.',
    protos: [
      proto('bpf_get_ns_current_pid_tgid_proto', [anything('dev'), anything('ino'), output('nsdata'), size('size')], INTEGER),
    ],
    available: [to(BASE_TYPES, 'bpf_get_ns_current_pid_tgid_proto')],
  },
  {
    id: 158,
    name: 'bpf_get_current_task_btf',
    summary: 'The current task_struct.',
    protos: [
      proto(
        'bpf_get_current_task_btf_proto',
        [],
        { base: 'RET_PTR_TO_BTF_ID', flags: ['PTR_TRUSTED'], btfType: 'task_struct' },
        { gplOnly: true, run: getCurrentTaskBtf },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_get_current_task_btf_proto', ...WITH_PERFMON)],
  },
  {
    id: 175,
    name: 'bpf_task_pt_regs',
    summary: 'Saved user registers of a task.',
    protos: [
      proto(
        'bpf_task_pt_regs_proto',
        [object('task', 'task_struct')],
        { base: 'RET_PTR_TO_BTF_ID', btfType: 'pt_regs' },
        { gplOnly: true },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_task_pt_regs_proto', ...WITH_PERFMON)],
  },
  {
    id: 180,
    name: 'bpf_find_vma',
    summary: 'Calls a function with the memory area of a task that contains an address.',
    protos: [
      proto(
        'bpf_find_vma_proto',
        [
          object('task', 'task_struct'),
          anything('addr'),
          arg('callback_fn', 'ARG_PTR_TO_FUNC'),
          arg('callback_ctx', 'ARG_PTR_TO_STACK', 'PTR_MAYBE_NULL'),
          anything('flags'),
        ],
        INTEGER,
        { run: findVma },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_find_vma_proto', ...WITH_PERFMON)],
    effects: { callback: { arg: 2, kind: 'sync', enter: 'find_vma', returns: [0, 1] } },
  },
];
