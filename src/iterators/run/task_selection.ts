import { ERRNO } from '../../contracts/errors.ts';
import type { IterHost, IterLinkInfo } from '../../contracts/iteration.ts';
import { KERNEL, type KernelModel } from '../../kernel/kernel_model.ts';
import type { Task } from '../../kernel/objects/task.ts';

/** Which tasks a link walks over. Source: bpf_iter_attach_task, kernel/bpf/task_iter.c. */
export interface TaskSelection {
  readonly kind: 'ALL' | 'TID' | 'PID';
  readonly pid: number;
}

export const kernelOfHost = (host: IterHost): KernelModel => host.part(KERNEL).model!;

export function attachTasks(host: IterHost, { task = {} }: IterLinkInfo): TaskSelection | number {
  const { tid = 0, pid = 0, pidFd = 0 } = task;
  if ([tid, pid, pidFd].filter((value) => value !== 0).length > 1) return -ERRNO.EINVAL;
  if (tid !== 0) return { kind: 'TID', pid: tid };
  if (pid !== 0) return { kind: 'PID', pid };
  if (pidFd === 0) return { kind: 'ALL', pid: 0 };
  const file = host.file(pidFd);
  const target = file?.operations === 'pidfs_file_operations' ? kernelOfHost(host).tasks.at(file.privateData) : null;
  return target === null ? -ERRNO.EBADF : { kind: 'PID', pid: target.tgid };
}

/** bpf_iter_task_show_fdinfo */
export function taskFdinfo({ kind, pid }: TaskSelection): string {
  const line = `task_type:\t${kind}\n`;
  return kind === 'ALL' ? line : `${line}${kind === 'TID' ? 'tid' : 'pid'}:\t${pid}\n`;
}

/** bpf_iter_fill_link_info */
export function taskLinkInfo({ kind, pid }: TaskSelection): Record<string, number> {
  return kind === 'ALL' ? {} : { [kind === 'TID' ? 'tid' : 'pid']: pid };
}

/**
 * Goes through the selected tasks by thread id. The place is `tid`, which the caller moves on by one behind a task that is done;
 * a task that is given holds a reference. Source: task_seq_get_next, task_group_seq_get_next.
 */
export class TaskWalk {
  readonly #kernel: KernelModel;
  readonly #selection: TaskSelection;
  /** leave out threads that share the descriptors of their leader */
  readonly #skipsShared: boolean;
  #visiting: number;
  tid = 0;

  constructor(kernel: KernelModel, selection: TaskSelection, skipsShared: boolean) {
    this.#kernel = kernel;
    this.#selection = selection;
    this.#skipsShared = skipsShared;
    this.#visiting = selection.pid;
  }

  get selectsOne(): boolean {
    return this.#selection.kind === 'TID';
  }

  next(): Task | null {
    const task = this.#find();
    task?.get();
    return task;
  }

  #find(): Task | null {
    switch (this.#selection.kind) {
      case 'TID':
        return this.#one();
      case 'PID':
        return this.#inGroup();
      case 'ALL':
        return this.#any();
      default:
        return this.#selection.kind satisfies never;
    }
  }

  #one(): Task | null {
    const { pid } = this.#selection;
    if (this.tid !== 0 && this.tid !== pid) return null;
    this.tid = pid;
    return this.#kernel.tasks.byPid(pid);
  }

  #inGroup(): Task | null {
    const { tasks } = this.#kernel;
    const { pid } = this.#selection;
    if (this.tid === 0) {
      const leader = tasks.byPid(pid);
      if (leader === null || !leader.isLeader) return null;
      this.tid = this.#visiting = pid;
      return leader;
    }
    const current = tasks.byPid(this.#visiting);
    if (this.tid === this.#visiting || current === null) return current;
    for (let thread = tasks.nextThread(current); thread !== null; thread = tasks.nextThread(thread)) {
      if (this.#isLeftOut(thread)) continue;
      this.tid = this.#visiting = thread.pid;
      return thread;
    }
    return null;
  }

  #any(): Task | null {
    const { tasks } = this.#kernel;
    for (let task = tasks.from(this.tid); task !== null; task = tasks.from(this.tid)) {
      this.tid = task.pid;
      if (!this.#isLeftOut(task)) return task;
      this.tid++;
    }
    return null;
  }

  #isLeftOut(task: Task): boolean {
    return this.#skipsShared && !task.isLeader && task.files === task.leader.files;
  }
}
