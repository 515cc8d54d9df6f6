import { stringify } from 'yaml';
import { PF_KTHREAD } from '../kernel/objects/task.ts';
import { bytesOfText, textOfBytes } from '../kernel/text.ts';
import { readArea } from './areas.ts';
import type { WorldText } from './schema.ts';
import {
  type Capture,
  captureProcess,
  type DescriptorText,
  isFailure,
  isZombie,
  type ProcessText,
  type ProcFiles,
  processNumbers,
  type ThreadText,
} from './snapshot_capture.ts';
import {
  epollItems,
  epollText,
  type FilesText,
  type FileText,
  fileText,
  isEpoll,
  isRing,
  ringText,
  type Surroundings,
  type TaskText,
} from './snapshot_files.ts';

/** A world as the tasks of a machine make it, and what of them it lacks. */
export interface Snapshot {
  readonly world: WorldText;
  /** what could not be read or cannot be said, a line each */
  readonly leftOut: readonly string[];
}

/** Clock ticks of /proc are 100 a second on every architecture (USER_HZ). */
const NANOSECONDS_PER_TICK = 10_000_000n;
const MAX_DESCRIPTORS = 1048576;
const DEFAULT_DESCRIPTORS = 1024;

/** Fields of /proc/PID/stat behind the name, by their number in proc(5). */
function statField(stat: string, number: number): string {
  const behind = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return behind[number - 3] ?? '0';
}

const statusField = (status: string, key: string): string => new RegExp(`^${key}:\\t(.*)$`, 'm').exec(status)?.[1] ?? '';

const PF_WQ_WORKER = 0x20;
const COMM_BYTES = 15;
const flagsOf = ({ stat }: ThreadText): number => Number(statField(stat, 9));

/**
 * The name in task_struct. /proc shows more of kernel threads: names that do not fit (get_kthread_comm), and what a worker works
 * for (wq_worker_comm: `kworker/0:1-events`).
 */
export function taskName(thread: ThreadText): string {
  const { comm } = thread;
  if (!isKernelThread(thread)) return comm;
  const isWorker = (flagsOf(thread) & PF_WQ_WORKER) !== 0 && !comm.startsWith('kworker/R-');
  return textOfBytes(bytesOfText(isWorker ? comm.replace(/[+-].*$/, '') : comm).subarray(0, COMM_BYTES));
}

const isKernelThread = (thread: ThreadText): boolean => (flagsOf(thread) & PF_KTHREAD) !== 0;
const startTicks = ({ threads }: ProcessText): bigint => BigInt(statField(threads[0]!.stat, 22));
const parentOf = ({ threads }: ProcessText): number => Number(statusField(threads[0]!.status, 'PPid'));

/** Processes in the order in which they began, but none before its parent. */
function inOrder(processes: readonly ProcessText[]): ProcessText[] {
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const ordered = new Set<ProcessText>();
  const add = (process: ProcessText): void => {
    const line: ProcessText[] = [];
    for (let at: ProcessText | undefined = process; at !== undefined && !ordered.has(at); at = byPid.get(parentOf(at))) {
      if (line.includes(at)) break;
      line.push(at);
    }
    for (const one of line.reverse()) ordered.add(one);
  };
  for (const process of [...processes].sort((a, b) => Number(startTicks(a) - startTicks(b)) || a.pid - b.pid)) add(process);
  return [...ordered];
}

/** Lines of /proc/PID/maps; memory without a name has no blanks behind it. */
export const mapLines = (maps: string): string[] =>
  maps
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^(\S+ \S+ \S+ \S+ \d+) +$/, '$1'));

/** Where the hierarchy of control groups is mounted; null where it is not. Source: /proc/self/mountinfo. */
function cgroupMount(files: ProcFiles): string | null {
  const mounts = files.read('/proc/self/mountinfo');
  if (isFailure(mounts)) return null;
  for (const line of mounts.split('\n')) {
    const [front, back = ''] = line.split(' - ');
    if (back.startsWith('cgroup2 ')) return front!.split(' ')[4]!;
  }
  return null;
}

const ancestors = (path: string): string[] => {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
};

class Builder {
  readonly #pids: ReadonlySet<number>;
  readonly #mount: string | null;
  readonly #groups = new Set<string>();
  readonly leftOut: string[] = [];

  constructor(processes: readonly ProcessText[], mount: string | null) {
    this.#pids = new Set(processes.flatMap(({ threads }) => threads.map(({ tid }) => tid)));
    this.#mount = mount;
  }

  get groups(): string[] {
    const all = new Set([...this.#groups].flatMap(ancestors));
    return [...all].sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1));
  }

  task(process: ProcessText): TaskText {
    const { pid, threads } = process;
    const [leader, ...others] = threads as [ThreadText, ...ThreadText[]];
    const parent = parentOf(process);
    const name = `/proc/${pid}`;
    if (parent !== 0 && !this.#pids.has(parent)) this.#leaveOut(`${name}: parent ${parent} is not in this snapshot`);
    const [uid, gid] = [this.#identity(name, leader, 'Uid'), this.#identity(name, leader, 'Gid')];
    const cgroup = this.#cgroup(process);
    const files = this.#files(process, leader, name);
    const descriptors = Object.keys(files).map(Number);
    const limit = this.#limit(process, Math.max(0, ...descriptors));
    return {
      pid,
      comm: taskName(leader),
      ...(uid === 0 ? {} : { uid }),
      ...(gid === 0 ? {} : { gid }),
      ...(parent !== 0 && this.#pids.has(parent) ? { parent } : {}),
      ...(isKernelThread(leader) ? { kthread: true } : {}),
      ...(isZombie(leader) ? { exited: true } : {}),
      start_time: `${startTicks(process) * NANOSECONDS_PER_TICK}`,
      ...(cgroup === '/' ? {} : { cgroup }),
      ...(process.maps ? { maps: mapLines(process.maps) } : {}),
      ...(descriptors.length === 0 ? {} : { files }),
      ...(limit === DEFAULT_DESCRIPTORS ? {} : { limit_nofile: limit }),
      ...(others.length === 0 ? {} : { threads: others.map((thread) => this.#thread(process, thread)) }),
    };
  }

  #leaveOut = (what: string): void => {
    this.leftOut.push(what);
  };

  #thread(process: ProcessText, thread: ThreadText): NonNullable<TaskText['threads']>[number] {
    const place = `/proc/${process.pid}/task/${thread.tid}`;
    const files = thread.descriptors === null ? {} : { files: this.#files(process, thread, place) };
    return { tid: thread.tid, comm: taskName(thread), ...files };
  }

  /** A world knows one number, the real one. */
  #identity(name: string, { status }: ThreadText, key: 'Uid' | 'Gid'): number {
    const [real, effective] = statusField(status, key).split('\t').map(Number);
    if (real !== effective) this.#leaveOut(`${name}: effective ${key} ${effective}, which is not the real one`);
    return real ?? 0;
  }

  #cgroup({ pid, cgroup }: ProcessText): string {
    const path = /^0::(\/.*)$/m.exec(cgroup ?? '')?.[1];
    if (path === undefined && cgroup !== null) this.#leaveOut(`/proc/${pid}/cgroup: not in the default hierarchy`);
    this.#groups.add(path ?? '/');
    return path ?? '/';
  }

  #limit({ limits }: ProcessText, last: number): number {
    const soft = Number(/^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1] ?? DEFAULT_DESCRIPTORS);
    return Math.min(Math.max(soft, last + 1), MAX_DESCRIPTORS);
  }

  #files(process: ProcessText, { descriptors }: ThreadText, name: string): FilesText {
    if (descriptors === null) return {};
    const watched = new Set(descriptors.filter(isEpoll).flatMap((text) => epollItems(text).map(({ fd }) => fd)));
    const around: Surroundings = {
      hasTask: (pid) => this.#pids.has(pid),
      cgroupOf: (path) => this.#cgroupOf(path),
      leaveOut: this.#leaveOut,
    };
    const files: Record<string, FileText> = {};
    const place = (text: DescriptorText): string => `${name}/fd/${text.fd}`;
    for (const text of descriptors) {
      if (text.fd >= MAX_DESCRIPTORS) this.#leaveOut(`${place(text)}: more descriptors than a world takes`);
      else if (!isEpoll(text) && !isRing(text)) files[text.fd] = fileText(text, place(text), watched.has(text.fd), around);
    }
    const plain = new Map(descriptors.filter((text) => !isRing(text) && text.fd in files).map(({ target, fd }) => [target, fd]));
    const areas = mapLines(process.maps ?? '').flatMap((line) => readArea(line) ?? []);
    const owner = {
      descriptorOf: (target: string) => plain.get(target) ?? null,
      hasMemory: (address: number) => areas.some(({ start, end }) => address >= start && address < end),
    };
    for (const text of descriptors.filter(isRing)) files[text.fd] = ringText(text, place(text), owner, around);
    const epolls = new Set(descriptors.filter(isEpoll).map(({ fd }) => fd));
    const canWatch = (fd: number): boolean => epolls.has(fd) || (files[fd] !== undefined && isPollable(files[fd]));
    for (const text of descriptors.filter(isEpoll)) files[text.fd] = epollText(text, place(text), canWatch, around);
    return files;
  }

  #cgroupOf(path: string): string | null {
    if (this.#mount !== '/sys/fs/cgroup' || (path !== this.#mount && !path.startsWith(`${this.#mount}/`))) return null;
    const inside = path.slice(this.#mount.length) || '/';
    this.#groups.add(inside);
    return inside;
  }
}

const isPollable = (file: FileText): boolean => !('device' in file && !('path' in file) && file.device === '/dev/null');

/** Control groups with the inode numbers of their directories; without any if one of them is unknown. */
function cgroupsOf(paths: readonly string[], mount: string | null, files: ProcFiles): NonNullable<WorldText['cgroups']> {
  const found = paths.map((path) => ({ path, status: mount === null ? { errno: 'ENOENT' } : files.status(mount + path) }));
  const isComplete = found.every(({ status }) => !isFailure(status));
  return found.map(({ path, status }) => ({ path, ...(isComplete && !isFailure(status) ? { id: status.inode } : {}) }));
}

/** Processes of a machine as a world. */
export function snapshotOf(captures: readonly Capture[], files: ProcFiles): Snapshot {
  const processes = inOrder(captures.map(({ process }) => process));
  const mount = cgroupMount(files);
  const builder = new Builder(processes, mount);
  const tasks = processes.map((process) => builder.task(process));
  const { groups } = builder;
  const cgroups = cgroupsOf(groups, mount, files);
  const changed = captures.filter(({ isStable }) => !isStable);
  const leftOut = [
    ...captures.flatMap(({ unread }) => unread),
    ...changed.map(({ process: { pid } }) => `/proc/${pid}: went on changing while it was read`),
    ...builder.leftOut,
  ];
  return { world: { ...(cgroups.length === 0 ? {} : { cgroups }), tasks }, leftOut };
}

/** What a reading of /proc gave: `gone` are processes that there were no more when their turn came. */
export interface Reading {
  readonly captures: readonly Capture[];
  readonly gone: readonly number[];
}

/** Reads processes, by default all that there are. */
export function readProcesses(files: ProcFiles, pids: readonly number[] | null = null): Reading | { readonly errno: string } {
  const numbers = pids ?? processNumbers(files);
  if (isFailure(numbers)) return numbers;
  const captures: Capture[] = [];
  const gone: number[] = [];
  for (const pid of numbers as readonly number[]) {
    const capture = captureProcess(files, pid);
    if (isFailure(capture)) gone.push(pid);
    else captures.push(capture);
  }
  return { captures, gone };
}

const HEADER = `# Tasks of a machine, as its /proc showed them.
# /proc does not say which descriptors share one open file, nor what has been registered with a ring to tell of its completions:
# every descriptor is a file of its own here, and rings have no eventfd.
`;

/** The text of a world file. Names that are no UTF-8 have their odd bytes as \\uDC80 to \\uDCFF. */
export function snapshotText({ world, leftOut }: Snapshot): string {
  const lacks = leftOut.map((line) => `#   ${line.replace(/[\n\r\u2028\u2029]/g, ' ')}\n`);
  return `${HEADER}${lacks.length === 0 ? '' : `# Left out:\n${lacks.join('')}`}${stringify(world, { lineWidth: 0 })}`;
}
