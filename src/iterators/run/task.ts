import { type IterPosition, type IterSequence, type IterSession, type IterStep, iterRun } from '../../contracts/iteration.ts';
import type { Task } from '../../kernel/objects/task.ts';
import { attachTasks, kernelOfHost, type TaskSelection, TaskWalk, taskFdinfo, taskLinkInfo } from './task_selection.ts';

/** Target `task`. Source: kernel/bpf/task_iter.c. */
class TaskSequence implements IterSequence {
  readonly #walk: TaskWalk;
  readonly #session: IterSession;
  #task: Task | null = null;

  constructor(walk: TaskWalk, session: IterSession) {
    this.#walk = walk;
    this.#session = session;
  }

  start(position: IterPosition): IterStep {
    this.#task = this.#walk.next();
    if (this.#task !== null && position.index === 0) position.index++;
    return this.#task === null ? 'end' : 'object';
  }

  next(position: IterPosition): IterStep {
    position.index++;
    this.#walk.tid++;
    this.#task?.put();
    this.#task = this.#walk.next();
    return this.#task === null ? 'end' : 'object';
  }

  show(inStop = false): number {
    this.#session.setPointer(1, this.#task?.offset ?? 0);
    return this.#session.run(inStop);
  }

  stop(at: IterStep): void {
    if (at === 'end') this.show(true);
    this.#task?.put();
    this.#task = null;
  }
}

export const taskRun = iterRun<TaskSelection>({
  attach: attachTasks,
  open: (host, selection, session) => new TaskSequence(new TaskWalk(kernelOfHost(host), selection, false), session),
  fdinfo: taskFdinfo,
  linkInfo: taskLinkInfo,
});
