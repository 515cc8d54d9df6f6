import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE, GENERIC } from './availability.ts';
import { throwException } from './run/casts.ts';
import {
  destroyTask,
  sendSignalTask,
  taskAcquire,
  taskFromPid,
  taskGetCgroup1,
  taskRelease,
  taskUnderCgroup,
} from './run/task.ts';

/** Tasks. */
export const taskKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_task_acquire',
    summary: 'Takes a reference to a task.',
    declaration: 'struct task_struct *bpf_task_acquire(struct task_struct *p)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_RCU'],
    available: GENERIC,
    run: taskAcquire,
  },
  {
    name: 'bpf_task_release',
    summary: 'Drops a reference to a task.',
    declaration: 'void bpf_task_release(struct task_struct *p)',
    flags: ['KF_RELEASE'],
    available: GENERIC,
    run: taskRelease,
    destroy: destroyTask,
  },
  {
    name: 'bpf_task_from_pid',
    summary: 'The task with a thread id of the initial namespace.',
    declaration: 'struct task_struct *bpf_task_from_pid(s32 pid)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: GENERIC,
    run: taskFromPid,
  },
  {
    name: 'bpf_task_from_vpid',
    summary: 'The task with a thread id of the current namespace.',
    declaration: 'struct task_struct *bpf_task_from_vpid(s32 vpid)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
    available: GENERIC,
    run: taskFromPid,
  },
  {
    name: 'bpf_task_under_cgroup',
    summary: 'Whether a task is in a cgroup or below it.',
    declaration: 'long bpf_task_under_cgroup(struct task_struct *task, struct cgroup *ancestor)',
    flags: ['KF_RCU'],
    available: GENERIC,
    run: taskUnderCgroup,
  },
  {
    name: 'bpf_task_get_cgroup1',
    summary: 'The cgroup of a task in a version 1 hierarchy.',
    declaration: 'struct cgroup *bpf_task_get_cgroup1(struct task_struct *task, int hierarchy_id)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_RCU'],
    available: GENERIC,
    run: taskGetCgroup1,
  },
  {
    name: 'bpf_send_signal_task',
    summary: 'Sends a signal with a value to a task.',
    declaration: 'int bpf_send_signal_task(struct task_struct *task, int sig, enum pid_type type, u64 value)',
    flags: ['KF_TRUSTED_ARGS'],
    available: GENERIC,
    run: sendSignalTask,
  },
  {
    name: 'bpf_throw',
    summary: 'Ends the program with an exception.',
    declaration: 'void bpf_throw(u64 cookie)',
    flags: [],
    available: GENERIC,
    roles: ['throw'],
    run: throwException,
  },
  {
    name: '__bpf_trap',
    summary: 'Stands where the compiler saw undefined behaviour; a path that reaches it is refused.',
    declaration: 'void __bpf_trap(void)',
    flags: [],
    available: EVERYONE,
    roles: ['trap'],
  },
];
