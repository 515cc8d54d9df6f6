import type { Cgroup } from './cgroups.ts';
import type { FileTable } from './file_table.ts';
import type { KernelObjects } from './kernel_objects.ts';
import { Lock } from './locks.ts';
import type { AddressSpace } from './mm.ts';

const TASK = 'task_struct';
const CRED = 'cred';
const PID = 'pid';
const SIGNAL = 'signal_struct';

/** Flags of `task_struct.flags`, include/linux/sched.h. */
export const PF_KTHREAD = 0x0020_0000;
export const PF_EXITING = 0x0000_0004;

export interface TaskSpec {
  readonly pid: number;
  /** thread group; by default the task leads its own */
  readonly tgid?: number;
  /** at most 15 characters */
  readonly comm?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** PF_* */
  readonly flags?: number;
  /** nanoseconds since boot */
  readonly startTime?: bigint;
  readonly parent?: Task | null;
  readonly leader?: Task | null;
  readonly mm?: AddressSpace | null;
  readonly files?: FileTable | null;
  readonly cgroup: Cgroup;
}

/** A thread. A process is the thread that leads its group. */
export class Task {
  readonly offset: number;
  readonly pid: number;
  readonly tgid: number;
  readonly comm: string;
  readonly uid: number;
  readonly gid: number;
  readonly flags: number;
  readonly parent: Task | null;
  /** itself for the leader */
  readonly leader: Task;
  readonly cgroup: Cgroup;
  /** threads of the group in order of creation; kept by the leader alone */
  readonly threads: Task[];
  /** task_lock() */
  readonly allocLock: Lock;
  readonly #objects: KernelObjects;
  #mm: AddressSpace | null;
  #files: FileTable | null;
  #references = 2;
  #isDead = false;

  constructor(objects: KernelObjects, spec: TaskSpec) {
    this.#objects = objects;
    this.pid = spec.pid;
    this.tgid = spec.tgid ?? spec.pid;
    this.comm = spec.comm ?? `task-${spec.pid}`;
    this.uid = spec.uid ?? 0;
    this.gid = spec.gid ?? 0;
    this.flags = spec.flags ?? 0;
    this.parent = spec.parent ?? null;
    this.leader = spec.leader ?? this;
    this.cgroup = spec.cgroup;
    this.#mm = spec.mm ?? null;
    this.#files = spec.files ?? null;
    this.allocLock = new Lock(`alloc_lock of task ${this.pid}`);
    this.offset = objects.create(TASK, { what: `task_struct of ${this.pid} (${this.comm})` });
    this.threads = this.leader === this ? [this] : [];
    if (this.leader !== this) this.leader.threads.push(this);
    this.cgroup.tasks.push(this);
    this.#write(spec.startTime ?? 0n);
  }

  get mm(): AddressSpace | null {
    return this.#mm;
  }

  get files(): FileTable | null {
    return this.#files;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get isLeader(): boolean {
    return this.leader === this;
  }

  get references(): number {
    return this.#references;
  }

  /** get_task_struct */
  get(): void {
    this.#references++;
    this.#set('usage.refs.counter', this.#references);
  }

  /** put_task_struct; the last one frees the object */
  put(): void {
    this.#references--;
    this.#set('usage.refs.counter', this.#references);
    if (this.#references === 0) this.#objects.free(this.offset);
  }

  /** What exit() leaves: no address space, no files, and one reference less. */
  exit(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#mm?.put();
    this.#mm = null;
    this.#files = null;
    this.#set('flags', this.flags | PF_EXITING);
    this.#pointer('mm', 0);
    this.#pointer('files', 0);
    const { tasks } = this.cgroup;
    if (tasks.includes(this)) tasks.splice(tasks.indexOf(this), 1);
    const { threads } = this.leader;
    if (threads.includes(this)) threads.splice(threads.indexOf(this), 1);
    this.put();
  }

  #set(path: string, value: number | bigint): void {
    this.#objects.field(TASK, path).set(this.offset, value);
  }

  #pointer(path: string, target: number): void {
    this.#objects.field(TASK, path).setPointer(this.offset, target);
  }

  #write(startTime: bigint): void {
    this.#set('pid', this.pid);
    this.#set('tgid', this.tgid);
    this.#objects.field(TASK, 'comm').setText(this.offset, this.comm);
    this.#set('flags', this.flags);
    this.#set('start_time', startTime);
    this.#set('start_boottime', startTime);
    this.#set('usage.refs.counter', this.#references);
    this.#pointer('mm', this.#mm?.offset ?? 0);
    this.#pointer('active_mm', this.#mm?.offset ?? 0);
    this.#pointer('files', this.#files?.offset ?? 0);
    this.#pointer('group_leader', this.leader.offset);
    this.#pointer('real_parent', this.parent?.offset ?? this.offset);
    this.#pointer('parent', this.parent?.offset ?? this.offset);
    this.#pointer('cgroups', this.cgroup.cssSet);
    this.#writeCpus();
    this.#writeCredentials();
    this.#writePid();
    this.#writeSignal();
  }

  /** A task may run on every CPU; `cpus_ptr` is its own mask. */
  #writeCpus(): void {
    const mask = this.#objects.field(TASK, 'cpus_mask');
    if (!mask.exists) return;
    const { cpuCount, memory } = this.#objects;
    const at = mask.at(this.offset);
    for (let cpu = 0; cpu < cpuCount; cpu++) memory.u8[at + (cpu >> 3)]! |= 1 << (cpu & 7);
    this.#pointer('cpus_ptr', at);
    this.#set('nr_cpus_allowed', cpuCount);
  }

  #writeCredentials(): void {
    const cred = this.#objects.create(CRED, { what: `cred of ${this.pid}` });
    for (const field of ['uid', 'suid', 'euid', 'fsuid']) this.#objects.field(CRED, `${field}.val`).set(cred, this.uid);
    for (const field of ['gid', 'sgid', 'egid', 'fsgid']) this.#objects.field(CRED, `${field}.val`).set(cred, this.gid);
    this.#pointer('cred', cred);
    this.#pointer('real_cred', cred);
  }

  /** `thread_pid`, with the number in the one pid namespace there is. */
  #writePid(): void {
    const entry = this.#objects.sizeOf('upid');
    const pid = this.#objects.create(PID, { what: `pid ${this.pid}`, size: this.#objects.sizeOf(PID) + entry });
    const numbers = this.#objects.field(PID, 'numbers');
    if (numbers.exists) this.#objects.field('upid', 'nr').set(numbers.at(pid), this.pid);
    this.#pointer('thread_pid', pid);
  }

  #writeSignal(): void {
    const field = this.#objects.field(TASK, 'signal');
    const signal = this.isLeader ? this.#objects.create(SIGNAL, { what: `signal_struct of ${this.tgid}` }) : 0;
    field.setPointer(this.offset, this.isLeader ? signal : field.pointer(this.leader.offset));
    this.#objects.field(SIGNAL, 'nr_threads').set(field.pointer(this.offset), this.leader.threads.length);
  }
}
