import { type IterPosition, type IterSequence, type IterSession, type IterStep, iterRun } from '../../contracts/iteration.ts';
import type { KernelFile } from '../../kernel/objects/files.ts';
import type { Task } from '../../kernel/objects/task.ts';
import { attachTasks, kernelOfHost, type TaskSelection, TaskWalk, taskFdinfo, taskLinkInfo } from './task_selection.ts';

/** Target `task_file`: descriptors of each task, ascending. Source: kernel/bpf/task_iter.c. */
class TaskFileSequence implements IterSequence {
  readonly #walk: TaskWalk;
  readonly #session: IterSession;
  #task: Task | null = null;
  #fd = 0;
  #file: KernelFile | null = null;

  constructor(walk: TaskWalk, session: IterSession) {
    this.#walk = walk;
    this.#session = session;
  }

  /** task_file_seq_get_next: the file at or behind `#fd`, of this task or of those behind it. */
  #find(): KernelFile | null {
    let saved = this.#walk.tid;
    for (;;) {
      if (this.#task === null) {
        this.#task = this.#walk.next();
        if (this.#task === null) return null;
        if (saved !== this.#walk.tid) this.#fd = 0;
      }
      const found = this.#task.files?.next(this.#fd) ?? null;
      if (found?.file.get()) {
        this.#fd = found.fd;
        return found.file;
      }
      this.#task.put();
      this.#task = null;
      if (this.#walk.selectsOne) return null;
      this.#fd = 0;
      saved = ++this.#walk.tid;
    }
  }

  start(position: IterPosition): IterStep {
    this.#task = null;
    this.#file = this.#find();
    if (this.#file !== null && position.index === 0) position.index++;
    return this.#file === null ? 'end' : 'object';
  }

  next(position: IterPosition): IterStep {
    position.index++;
    this.#fd++;
    this.#file?.put();
    this.#file = this.#find();
    return this.#file === null ? 'end' : 'object';
  }

  show(inStop = false): number {
    this.#session.setPointer(1, this.#task?.offset ?? 0);
    this.#session.setNumber(2, this.#fd);
    this.#session.setPointer(3, this.#file?.offset ?? 0);
    return this.#session.run(inStop);
  }

  stop(at: IterStep): void {
    if (at === 'end') this.show(true);
    this.#file?.put();
    this.#file = null;
    this.#task?.put();
    this.#task = null;
  }
}

export const taskFileRun = iterRun<TaskSelection>({
  attach: attachTasks,
  open: (host, selection, session) => new TaskFileSequence(new TaskWalk(kernelOfHost(host), selection, true), session),
  fdinfo: taskFdinfo,
  linkInfo: taskLinkInfo,
});
