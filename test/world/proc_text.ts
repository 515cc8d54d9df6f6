import type { Failure, FileStatus, ProcFiles } from '../../src/world/snapshot_capture.ts';

/** Files by path: text, the target of a link, or what stat says; `dir/` in front of names is a list of them. */
export interface Machine {
  readonly text?: Readonly<Record<string, string | Failure>>;
  readonly links?: Readonly<Record<string, string | Failure>>;
  readonly status?: Readonly<Record<string, Partial<FileStatus>>>;
}

const GONE: Failure = { errno: 'ENOENT' };

/** A /proc that says what a test says. */
export function machineFiles({ text = {}, links = {}, status = {} }: Machine): ProcFiles {
  const all = [...Object.keys(text), ...Object.keys(links)];
  return {
    read: (path) => text[path] ?? GONE,
    link: (path) => links[path] ?? GONE,
    list: (path) => {
      const names = all.filter((name) => name.startsWith(`${path}/`)).map((name) => name.slice(path.length + 1).split('/')[0]!);
      return names.length === 0 && path === '/proc' ? GONE : [...new Set(names)];
    },
    status: (path) =>
      status[path] === undefined ? GONE : { mode: 0o100644, device: '08:01', inode: 1, special: '00:00', ...status[path] },
  };
}

export interface Process {
  readonly pid: number;
  readonly comm: string;
  readonly parent?: number;
  readonly state?: string;
  readonly flags?: number;
  readonly start?: number;
  readonly uid?: string;
  readonly maps?: string | Failure;
  readonly cgroup?: string;
  readonly threads?: Readonly<Record<number, string>>;
}

/** The text files of a process. */
export function processFiles({ pid, comm, parent = 0, state = 'S', flags = 0x400000, start = 100, ...rest }: Process) {
  const { uid = '0\t0\t0\t0', maps = '', cgroup = '0::/\n', threads = {} } = rest;
  const task = (place: string, tid: number, name: string): Record<string, string> => ({
    [`${place}/stat`]: `${tid} (${name}) ${state} ${parent} 1 1 0 -1 ${flags} 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0`,
    [`${place}/status`]: `Name:\t${name}\nTgid:\t${pid}\nPid:\t${tid}\nPPid:\t${parent}\nUid:\t${uid}\nGid:\t0\t0\t0\t0\n`,
    [`${place}/comm`]: `${name}\n`,
  });
  const folder = `/proc/${pid}`;
  return Object.assign(
    {
      ...task(folder, pid, comm),
      [`${folder}/maps`]: maps,
      [`${folder}/cgroup`]: cgroup,
      [`${folder}/limits`]: 'Max open files            1024                 524288               files\n',
    },
    ...Object.entries({ [pid]: comm, ...threads }).map(([tid, name]) => task(`${folder}/task/${tid}`, Number(tid), name)),
  ) as Record<string, string | Failure>;
}
