import type { KernelObjects } from './kernel_objects.ts';
import { Task, type TaskSpec } from './task.ts';

/** Every task. Process 0 (`init_task`) is there from the start and is not found by its number. */
export class Tasks {
  readonly init: Task;
  readonly #objects: KernelObjects;
  readonly #byPid = new Map<number, Task>();
  readonly #byOffset = new Map<number, Task>();
  /** leaders in the order of the kernel's list, `init_task` first */
  readonly #processes: Task[] = [];
  /** numbers in use, ascending; null when it has to be made anew */
  #order: number[] | null = null;

  constructor(objects: KernelObjects, init: Omit<TaskSpec, 'pid'>) {
    this.#objects = objects;
    this.init = new Task(objects, { ...init, pid: 0 });
    this.#processes.push(this.init);
    this.#byOffset.set(this.init.offset, this.init);
  }

  /** Adds a task; null when its number is taken. */
  add(spec: TaskSpec): Task | null {
    if (this.#byPid.has(spec.pid)) return null;
    const task = new Task(this.#objects, spec);
    this.#byPid.set(task.pid, task);
    this.#byOffset.set(task.offset, task);
    if (task.isLeader) this.#processes.push(task);
    this.#order = null;
    return task;
  }

  /** The task exits and is reaped. */
  remove(task: Task): void {
    const at = this.#processes.indexOf(task);
    if (at >= 0) this.#processes.splice(at, 1);
    this.#byPid.delete(task.pid);
    this.#order = null;
    task.exit();
    task.put();
    if (task.references <= 0) this.#byOffset.delete(task.offset);
  }

  get processes(): readonly Task[] {
    return this.#processes;
  }

  get all(): readonly Task[] {
    return [...this.#byPid.values()];
  }

  byPid(pid: number): Task | null {
    return this.#byPid.get(pid) ?? null;
  }

  /** The task whose `task_struct` this is. */
  at(offset: number): Task | null {
    return this.#byOffset.get(offset) ?? null;
  }

  /** The task with the lowest number that is not below `pid`: find_ge_pid(). */
  from(pid: number): Task | null {
    this.#order ??= [...this.#byPid.keys()].sort((a, b) => a - b);
    const order = this.#order;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order[middle]! >= pid) high = middle;
      else low = middle + 1;
    }
    return low < order.length ? this.#byPid.get(order[low]!)! : null;
  }

  /** next_task(): the process behind this one in the circular list. */
  nextProcess(task: Task): Task {
    const index = this.#processes.indexOf(task.leader);
    return this.#processes[(index + 1) % this.#processes.length]!;
  }

  /** __next_thread(): the thread behind this one in its group; null behind the last. */
  nextThread(task: Task): Task | null {
    const { threads } = task.leader;
    return threads[threads.indexOf(task) + 1] ?? null;
  }
}
