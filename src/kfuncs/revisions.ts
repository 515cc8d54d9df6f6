import type { HostCall } from '../contracts/host_call.ts';
import type { Kfunc } from '../contracts/kfunc.ts';
import type { RevisedEntry } from '../contracts/revision.ts';
import { kfuncs } from './index.ts';
import { taskVmaDestroyLocked, taskVmaNewLocked, taskVmaNextLocked } from './run/task_vma_locked.ts';

const running = (name: string, run: (call: HostCall) => void): Kfunc => ({ ...kfuncs.get(name)!, run });

const lockedNew = running('bpf_iter_task_vma_new', taskVmaNewLocked);
const lockedRest: readonly Kfunc[] = [
  running('bpf_iter_task_vma_next', taskVmaNextLocked),
  running('bpf_iter_task_vma_destroy', taskVmaDestroyLocked),
];

/** The open-coded iterator over memory areas: proposed in August 2023, merged in Linux 6.7, rewritten in 2026. */
const taskVma: RevisedEntry = {
  name: 'task_vma',
  base: '2026',
  revisions: [
    {
      name: 'v3',
      summary: 'holds mmap_lock from new to destroy; takes any task, NULL included',
      kfuncs: [{ ...lockedNew, flags: ['KF_ITER_NEW'] }, ...lockedRest],
      unsound: 'the task may be freed while a reference to it is taken',
    },
    {
      name: '6.7',
      summary: 'holds mmap_lock from new to destroy; wants a task that is trusted or protected by RCU',
      kfuncs: [lockedNew, ...lockedRest],
    },
    { name: '2026', summary: 'locks one area at a time and shows a snapshot of it; wants interrupts on' },
  ],
};

export const KFUNC_REVISIONS: readonly RevisedEntry[] = [taskVma];
