import { textOfBytes } from '../../src/kernel/text.ts';
import type { Failure, ProcFiles } from '../../src/world/snapshot_capture.ts';

/** The /proc of a guest: text, targets of links and what stat says, by path. Numbers are errors. */
export interface RecordedProc {
  readonly text: Readonly<Record<string, string | number>>;
  readonly links: Readonly<Record<string, string | number>>;
  /** mode, device, inode, special: numbers are major and minor */
  readonly status: Readonly<Record<string, readonly number[]>>;
}

/** What the guest's program says: hexadecimal bytes, or an error number. */
export type DumpedFile =
  | readonly [kind: 'text' | 'link', path: string, content: string | number]
  | readonly [kind: 'status', path: string, numbers: readonly number[]];

const WANTED_STATUS = /^(?:Name|State|Tgid|Pid|PPid|Uid|Gid):/;
const WANTED_LIMITS = /^Max open files/;
const WANTED_MOUNTS = / - cgroup2 /;

const keep = (text: string, wanted: RegExp): string =>
  text
    .split(/(?<=\n)/)
    .filter((line) => wanted.test(line))
    .join('');

/** Only lines that are read: a recording is to be looked at. */
function trimmed(path: string, text: string): string {
  if (path.endsWith('/status')) return keep(text, WANTED_STATUS);
  if (path.endsWith('/limits')) return keep(text, WANTED_LIMITS);
  return path.endsWith('/mountinfo') ? keep(text, WANTED_MOUNTS) : text;
}

/** The first thread stands in its process; of its own folder only the name is needed. */
const isRepeated = (path: string): boolean => /^\/proc\/(\d+)\/task\/\1\/(?!comm$)/.test(path);

const decoded = (content: string | number): string | number =>
  typeof content === 'number' ? content : textOfBytes(Buffer.from(content, 'hex'));

export function recordedProc(files: readonly DumpedFile[]): RecordedProc {
  const text: Record<string, string | number> = {};
  const links: Record<string, string | number> = {};
  const status: Record<string, readonly number[]> = {};
  for (const [kind, path, content] of files) {
    if (path === '/proc' || isRepeated(path)) continue;
    if (kind === 'status') status[path] = content;
    else if (kind === 'link') links[path] = decoded(content);
    else {
      const found = decoded(content);
      text[path] = typeof found === 'number' ? found : trimmed(path, found);
    }
  }
  return { text, links, status };
}

const ERRNO_NAMES: Readonly<Record<number, string>> = { 1: 'EPERM', 2: 'ENOENT', 3: 'ESRCH', 13: 'EACCES', 22: 'EINVAL' };

const orFailure = (found: string | number | undefined): string | Failure =>
  typeof found === 'string' ? found : { errno: ERRNO_NAMES[found ?? 2] ?? `error ${found}` };

const deviceText = (major: number, minor: number): string =>
  [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':');

/** The recording as files to read. */
export function procFilesOf({ text, links, status }: RecordedProc): ProcFiles {
  const names = [...Object.keys(text), ...Object.keys(links)];
  const listed = new Map<string, Set<string>>();
  for (const name of names) {
    const parts = name.split('/');
    for (let depth = 2; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/');
      listed.set(folder, (listed.get(folder) ?? new Set()).add(parts[depth]!));
    }
  }
  return {
    read: (path) => orFailure(text[path]),
    link: (path) => orFailure(links[path]),
    list: (path) => [...(listed.get(path) ?? [])],
    status: (path) => {
      const found = status[path];
      if (found === undefined) return { errno: 'ENOENT' };
      const [mode = 0, major = 0, minor = 0, inode = 0, specialMajor = 0, specialMinor = 0] = found;
      return { mode, device: deviceText(major, minor), inode, special: deviceText(specialMajor, specialMinor) };
    },
  };
}
