import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE } from './availability.ts';
import { taskWorkSchedule, wqInit, wqSetCallback, wqStart } from './run/deferred.ts';

/** Work queues, task work and streams. */
export const deferredKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_wq_init',
    summary: 'Prepares the work in a map value.',
    declaration: 'int bpf_wq_init(struct bpf_wq *wq, void *p__map, unsigned int flags)',
    flags: [],
    available: EVERYONE,
    run: wqInit,
  },
  {
    name: 'bpf_wq_set_callback_impl',
    summary: 'Sets the function that a work calls.',
    declaration:
      'int bpf_wq_set_callback_impl(struct bpf_wq *wq, int (*callback_fn)(void *, int *, void *), unsigned int flags, void *aux__prog)',
    flags: [],
    available: EVERYONE,
    roles: ['wq_set_callback'],
    callback: { arg: 1, kind: 'async', enter: 'timer', returns: [0, 0], sleepable: true },
    run: wqSetCallback,
  },
  {
    name: 'bpf_wq_start',
    summary: 'Queues a work.',
    declaration: 'int bpf_wq_start(struct bpf_wq *wq, unsigned int flags)',
    flags: [],
    available: EVERYONE,
    run: wqStart,
  },
  {
    name: 'bpf_task_work_schedule_signal_impl',
    summary: 'Calls a function in the context of a task, as a signal would interrupt it.',
    declaration:
      'int bpf_task_work_schedule_signal_impl(struct task_struct *task, struct bpf_task_work *tw, void *map__map, int (*callback)(struct bpf_map *, void *, void *), void *aux__prog)',
    flags: ['KF_TRUSTED_ARGS'],
    available: EVERYONE,
    roles: ['task_work_schedule'],
    callback: { arg: 3, kind: 'async', enter: 'task_work', returns: [-0x80000000, 0x7fffffff], sleepable: true },
    run: taskWorkSchedule,
  },
  {
    name: 'bpf_task_work_schedule_resume_impl',
    summary: 'Calls a function in the context of a task, when it returns to user mode.',
    declaration:
      'int bpf_task_work_schedule_resume_impl(struct task_struct *task, struct bpf_task_work *tw, void *map__map, int (*callback)(struct bpf_map *, void *, void *), void *aux__prog)',
    flags: ['KF_TRUSTED_ARGS'],
    available: EVERYONE,
    roles: ['task_work_schedule'],
    callback: { arg: 3, kind: 'async', enter: 'task_work', returns: [-0x80000000, 0x7fffffff], sleepable: true },
    run: taskWorkSchedule,
  },
  {
    name: 'bpf_stream_vprintk_impl',
    summary: 'Prints values into a stream of the program.',
    declaration:
      'int bpf_stream_vprintk_impl(int stream_id, const char *fmt__str, const void *args, u32 len__sz, void *aux__prog)',
    flags: ['KF_TRUSTED_ARGS'],
    available: EVERYONE,
  },
];
