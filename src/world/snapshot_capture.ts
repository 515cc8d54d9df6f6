/** Reading of /proc: the text of processes as one moment had it. */

/** Why something could not be read: name of an error number. */
export interface Failure {
  readonly errno: string;
}

/** What stat(2) says of the file behind a descriptor. */
export interface FileStatus {
  /** type and permissions, st_mode */
  readonly mode: number;
  /** st_dev as `08:01` */
  readonly device: string;
  readonly inode: number;
  /** st_rdev as `04:40`, of devices */
  readonly special: string;
}

/** Files of a machine. Names and text are bytes in the form of src/kernel/text.ts. */
export interface ProcFiles {
  read(path: string): string | Failure;
  list(path: string): readonly string[] | Failure;
  link(path: string): string | Failure;
  /** follows links */
  status(path: string): FileStatus | Failure;
}

export interface DescriptorText {
  readonly fd: number;
  /** target of the link in /proc/PID/fd */
  readonly target: string;
  readonly fdinfo: string | null;
  readonly status: FileStatus | null;
  /** the name that the target seems to be a removed file of is the name of this very file: it ends in ` (deleted)` */
  readonly endsInDeleted: boolean;
}

export interface ThreadText {
  readonly tid: number;
  readonly stat: string;
  readonly status: string;
  readonly comm: string;
  /** null for a thread whose descriptors are those of the process */
  readonly descriptors: readonly DescriptorText[] | null;
}

/** One process; its first thread is the one that leads it. */
export interface ProcessText {
  readonly pid: number;
  readonly maps: string | null;
  readonly cgroup: string | null;
  readonly limits: string | null;
  readonly threads: readonly ThreadText[];
}

/** A process, what of it could not be read, and whether it changed while it was read. */
export interface Capture {
  readonly process: ProcessText;
  readonly unread: readonly string[];
  readonly isStable: boolean;
}

export const isFailure = (value: unknown): value is Failure => typeof value === 'object' && value !== null && 'errno' in value;

const DELETED = ' (deleted)';
const isNumber = (name: string): boolean => /^\d+$/.test(name);
const ascending = (names: readonly string[]): number[] =>
  names
    .filter(isNumber)
    .map(Number)
    .sort((a, b) => a - b);

/** Numbers of the processes that there are. */
export function processNumbers(files: ProcFiles): number[] | Failure {
  const names = files.list('/proc');
  return isFailure(names) ? names : ascending(names);
}

/** Stands for the descriptors of a task whose list cannot be read. */
const ALL = -1;

export const isZombie = ({ stat }: Pick<ThreadText, 'stat'>): boolean => /^\d+ \([\s\S]*\) [ZX]/.test(stat);

/** Reads one process; a failure when it is not there. */
class Reader {
  readonly unread: string[] = [];
  readonly #files: ProcFiles;

  constructor(files: ProcFiles) {
    this.#files = files;
  }

  /** Null, and a complaint, for what cannot be read. What is gone by now has changed, and is found by reading again. */
  #take<T>(what: string, found: T | Failure): T | null {
    if (!isFailure(found)) return found as T;
    this.unread.push(`${what}: ${found.errno}`);
    return null;
  }

  process(pid: number): ProcessText | Failure {
    const folder = `/proc/${pid}`;
    const leader = this.#thread(folder, pid);
    if (isFailure(leader)) return leader;
    const links = this.#links(folder);
    const tids = this.#take(`${folder}/task`, this.#files.list(`${folder}/task`)) ?? [];
    const others: ThreadText[] = [];
    for (const tid of ascending(tids)) {
      if (tid === pid) continue;
      const place = `${folder}/task/${tid}`;
      const thread = this.#thread(place, tid);
      const own = this.#links(place);
      const isShared = !isZombie(leader) && JSON.stringify([...own]) === JSON.stringify([...links]);
      if (isFailure(thread)) this.unread.push(`${place}: ${thread.errno}`);
      else others.push({ ...thread, descriptors: isShared ? null : this.#descriptors(place, own) });
    }
    const text = (name: string): string | null => this.#take(`${folder}/${name}`, this.#files.read(`${folder}/${name}`));
    const maps = text('maps');
    const alive = isZombie(leader) ? others.find((thread) => !isZombie(thread)) : undefined;
    const ofThread = alive !== undefined ? text(`task/${alive.tid}/maps`) : maps;
    const first = { ...leader, descriptors: this.#descriptors(folder, links) };
    return { pid, maps: ofThread, cgroup: text('cgroup'), limits: text('limits'), threads: [first, ...others] };
  }

  #thread(folder: string, tid: number): Omit<ThreadText, 'descriptors'> | Failure {
    const stat = this.#files.read(`${folder}/stat`);
    const status = this.#files.read(`${folder}/status`);
    const comm = this.#files.read(`${folder}/comm`);
    for (const text of [stat, status, comm]) if (isFailure(text)) return text;
    return { tid, stat: stat as string, status: status as string, comm: (comm as string).replace(/\n$/, '') };
  }

  /** What each descriptor refers to. */
  #links(folder: string): Map<number, string | Failure> {
    const names = this.#files.list(`${folder}/fd`);
    if (!isFailure(names)) return new Map(ascending(names).map((fd) => [fd, this.#files.link(`${folder}/fd/${fd}`)]));
    return new Map([[ALL, names]]);
  }

  #descriptors(folder: string, links: ReadonlyMap<number, string | Failure>): readonly DescriptorText[] {
    const found: DescriptorText[] = [];
    const missing = new Map<string, number>();
    for (const [fd, target] of links) {
      if (isFailure(target)) missing.set(target.errno, (missing.get(target.errno) ?? 0) + 1);
      else {
        const fdinfo = this.#take(`${folder}/fdinfo/${fd}`, this.#files.read(`${folder}/fdinfo/${fd}`));
        const status = this.#take(`${folder}/fd/${fd}`, this.#files.status(`${folder}/fd/${fd}`));
        found.push({ fd, target, fdinfo, status, endsInDeleted: this.#endsInDeleted(target, status) });
      }
    }
    for (const [errno, count] of missing) {
      const some = links.has(ALL) ? '' : `${count} of ${links.size}: `;
      this.unread.push(`${folder}/fd: ${some}${errno}`);
    }
    return found;
  }

  #endsInDeleted(target: string, status: FileStatus | null): boolean {
    if (!target.startsWith('/') || !target.endsWith(DELETED) || status === null) return false;
    const named = this.#files.status(target);
    return !isFailure(named) && named.inode === status.inode && named.device === status.device;
  }
}

/** Times that go on by themselves: they do not make a process another one. */
const steady = (process: ProcessText): string =>
  JSON.stringify({
    ...process,
    threads: process.threads.map(({ tid, comm, status, stat, descriptors }) => ({
      tid,
      comm,
      identity: status.match(/^(?:Tgid|PPid|Uid|Gid):.*$/gm),
      isZombie: isZombie({ stat }),
      descriptors: descriptors?.map(({ fdinfo, ...rest }) => ({ ...rest, fdinfo: fdinfo?.replace(/^pos:.*$/m, '') })),
    })),
  });

/**
 * The text of a process. It is read twice, and again as long as two readings in a row differ and `attempts` last; then it is not
 * stable. A failure when the process is not there.
 */
export function captureProcess(files: ProcFiles, pid: number, attempts = 4): Capture | Failure {
  let before: string | null = null;
  let last: Capture | Failure = { errno: 'ESRCH' };
  for (let attempt = 0; attempt <= attempts; attempt++) {
    const reader = new Reader(files);
    const process = reader.process(pid);
    if (isFailure(process)) return process;
    const now = steady(process);
    last = { process, unread: reader.unread, isStable: now === before };
    if (last.isStable) return last;
    before = now;
  }
  return last;
}
