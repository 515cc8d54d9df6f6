import { type IterPosition, type IterSequence, type IterSession, type IterStep, iterRun } from '../../contracts/iteration.ts';
import type { AddressSpace, Area } from '../../kernel/objects/mm.ts';
import type { Task } from '../../kernel/objects/task.ts';
import { attachTasks, kernelOfHost, type TaskSelection, TaskWalk, taskFdinfo, taskLinkInfo } from './task_selection.ts';

/** No area begins here: the area that ends at `#previousEnd` was not shown. */
const NOT_SHOWN = -1;

/**
 * Target `task_vma`. mmap_lock is held for reading while areas of a task are shown, and let go between two of them when a writer
 * waits; then the walk goes on behind the range that was shown last. Source: task_vma_seq_get_next, kernel/bpf/task_iter.c.
 */
class TaskVmaSequence implements IterSequence {
  readonly #walk: TaskWalk;
  readonly #session: IterSession;
  #task: Task | null = null;
  #mm: AddressSpace | null = null;
  #area: Area | null = null;
  #previousStart = 0;
  #previousEnd = 0;

  constructor(walk: TaskWalk, session: IterSession) {
    this.#walk = walk;
    this.#session = session;
  }

  #find(): Area | null {
    const tid = this.#walk.tid;
    if (this.#task !== null) {
      const area = this.#goOn(this.#mm!, this.#area!);
      if (area !== null) return area;
      this.#leaveTask();
      if (this.#walk.selectsOne) return null;
      this.#walk.tid++;
    }
    return this.#enterTasks(tid);
  }

  /** The area behind the current one. */
  #goOn(mm: AddressSpace, area: Area): Area | null {
    const { start, end } = area;
    if (!mm.lock.isContended) return mm.find(end);
    this.#previousStart = start;
    this.#previousEnd = end;
    mm.lock.readUnlock();
    mm.lock.readLock();
    return this.#behindPrevious(mm);
  }

  /** The area at the range that was shown last is passed over if it is still the same range. */
  #behindPrevious(mm: AddressSpace): Area | null {
    const area = this.#previousEnd === 0 ? null : mm.find(this.#previousEnd - 1);
    const isSame = area?.start === this.#previousStart && area.end === this.#previousEnd;
    return isSame ? mm.find(area.end) : area;
  }

  /** `resumed`: the thread whose areas were shown when the last read ended. */
  #enterTasks(resumed: number): Area | null {
    for (;;) {
      this.#task = this.#walk.next();
      if (this.#task === null) {
        this.#walk.tid++;
        return null;
      }
      const { mm } = this.#task;
      if (mm !== null) {
        mm.get();
        mm.lock.readLock();
        this.#mm = mm;
        const area = resumed === this.#walk.tid ? this.#behindPrevious(mm) : mm.find(0);
        if (area !== null) return area;
      }
      this.#leaveTask();
      if (this.#walk.selectsOne) return null;
      this.#walk.tid++;
    }
  }

  #leaveTask(): void {
    if (this.#mm !== null) {
      this.#mm.lock.readUnlock();
      this.#mm.put();
    }
    this.#mm = null;
    this.#task?.put();
    this.#task = null;
    this.#area = null;
  }

  start(position: IterPosition): IterStep {
    this.#area = this.#find();
    if (this.#area !== null && position.index === 0) position.index++;
    return this.#area === null ? 'end' : 'object';
  }

  next(position: IterPosition): IterStep {
    position.index++;
    this.#area = this.#find();
    return this.#area === null ? 'end' : 'object';
  }

  show(inStop = false): number {
    this.#session.setPointer(1, this.#task?.offset ?? 0);
    this.#session.setPointer(2, this.#area === null ? 0 : this.#mm!.areaObject(this.#area));
    return this.#session.run(inStop);
  }

  stop(at: IterStep): void {
    if (at === 'end') this.show(true);
    else if (this.#area !== null) {
      this.#previousStart = NOT_SHOWN;
      this.#previousEnd = this.#area.end;
      this.#leaveTask();
    }
  }
}

export const taskVmaRun = iterRun<TaskSelection>({
  attach: attachTasks,
  open: (host, selection, session) => new TaskVmaSequence(new TaskWalk(kernelOfHost(host), selection, true), session),
  fdinfo: taskFdinfo,
  linkInfo: taskLinkInfo,
});
