import type { WorldText } from './schema.ts';
import type { DescriptorText } from './snapshot_capture.ts';

export type TaskText = NonNullable<WorldText['tasks']>[number];
export type FilesText = NonNullable<TaskText['files']>;
export type FileText = FilesText[string];
type RingText = Extract<FileText, { io_uring: unknown }>['io_uring'];
type ItemsText = Extract<FileText, { epoll: unknown }>['epoll'];

/** What descriptors may refer to, and where complaints go. */
export interface Surroundings {
  readonly hasTask: (pid: number) => boolean;
  /** path in the hierarchy of a directory of the cgroup file system; null for other paths */
  readonly cgroupOf: (path: string) => string | null;
  readonly leaveOut: (what: string) => void;
}

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFDIR = 0o040000;
const O_CLOEXEC = 0o2000000;
/** Major numbers of terminals: virtual consoles and serial lines, /dev/tty, pseudo terminals. */
const isTerminal = (major: number): boolean => major === 4 || major === 5 || (major >= 136 && major <= 143);

const DELETED = ' (deleted)';
const PROC_NAME_OF_RING = 'anon_inode:[io_uring]';
const HEX = 16;

/** A number behind a key of fdinfo; null without such a line. */
function field(fdinfo: string | null, key: string): string | null {
  const at = new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(fdinfo ?? '');
  return at === null ? null : at[1]!;
}

function flagsOf({ fdinfo }: DescriptorText): { flags?: number } {
  const flags = Number.parseInt(field(fdinfo, 'flags') ?? '0', 8) & ~O_CLOEXEC;
  return flags === 0 ? {} : { flags };
}

/** A file as a world has it. `watched`: epoll instances of the process have it as an item. */
export function fileText(text: DescriptorText, name: string, watched: boolean, around: Surroundings): FileText {
  const { target, status, fdinfo } = text;
  const special = /^(pipe|socket):\[(\d+)\]$/.exec(target);
  if (special !== null) {
    const inode = Number(special[2]);
    return special[1] === 'pipe' ? { pipe: inode, ...flagsOf(text) } : { socket: inode, ...flagsOf(text) };
  }
  const flags = { ...(watched ? { pollable: true } : {}), ...flagsOf(text) };
  if (!target.startsWith('/')) return anonymous(text, name, flags, around);
  const kind = (status?.mode ?? 0) & S_IFMT;
  if (kind === S_IFCHR) {
    const major = Number.parseInt(status!.special, HEX);
    return isTerminal(major) ? { tty: target, ...flagsOf(text) } : { device: target, ...flagsOf(text) };
  }
  const cgroup = kind === S_IFDIR ? around.cgroupOf(target) : null;
  if (cgroup !== null) return { cgroup };
  const isUnlinked = target.endsWith(DELETED) && !text.endsInDeleted;
  if (fdinfo === null) around.leaveOut(`${name}: flags of the file`);
  return {
    path: isUnlinked ? target.slice(0, -DELETED.length) : target,
    ...(status === null ? {} : { inode: status.inode, device: status.device }),
    ...(isUnlinked ? { unlinked: true } : {}),
    ...flags,
  };
}

/** Files without a name; epoll instances and rings are made when all others are known. */
function anonymous(
  text: DescriptorText,
  name: string,
  flags: { pollable?: boolean; flags?: number },
  around: Surroundings,
): FileText {
  const { target, fdinfo } = text;
  if (target === 'anon_inode:[eventfd]') {
    const count = field(fdinfo, 'eventfd-count');
    if (count === null) around.leaveOut(`${name}: count of the eventfd`);
    return { eventfd: count === null ? 0 : `0x${count}` };
  }
  if (target === 'anon_inode:[pidfd]') {
    const pid = Number(field(fdinfo, 'Pid') ?? -1);
    if (pid > 0 && around.hasTask(pid)) return { pidfd: pid };
    around.leaveOut(`${name}: process ${pid} of the pidfd`);
  }
  return { anonymous: target, ...flags };
}

export const isEpoll = ({ target }: DescriptorText): boolean => target === 'anon_inode:[eventpoll]';
export const isRing = ({ target }: DescriptorText): boolean => target === PROC_NAME_OF_RING;

interface ItemLine {
  readonly fd: number;
  readonly events: number;
  readonly data: string;
}

/** Items of an epoll instance. Source: ep_show_fdinfo, fs/eventpoll.c. */
export const epollItems = ({ fdinfo }: DescriptorText): ItemLine[] =>
  [...(fdinfo ?? '').matchAll(/^tfd:\s*(\d+) events:\s*([0-9a-f]+) data:\s*([0-9a-f]+)/gm)].map(([, fd, events, data]) => ({
    fd: Number(fd),
    events: Number.parseInt(events!, HEX),
    data: `0x${data}`,
  }));

/** `canWatch`: the descriptor is open, and of a kind that epoll takes. */
export function epollText(text: DescriptorText, name: string, canWatch: (fd: number) => boolean, around: Surroundings): FileText {
  if (text.fdinfo === null) around.leaveOut(`${name}: items of the epoll instance`);
  const items: ItemsText = [];
  for (const item of epollItems(text)) {
    if (item.fd !== text.fd && canWatch(item.fd)) items.push(item);
    else around.leaveOut(`${name}: item ${item.fd}, which is no descriptor of this process that can be watched`);
  }
  return { epoll: items };
}

/** Lines below `UserFiles:` or `UserBufs:`, up to the next key; what they say behind the index. */
function slots(fdinfo: string, key: string): string[] {
  const found = new RegExp(`^${key}:\\t\\d+\\n((?:\\s*\\d+: .*\\n?)*)`, 'm').exec(fdinfo);
  return found === null ? [] : found[1]!.split('\n').flatMap((line) => /^\s*\d+: (.*)$/.exec(line)?.[1] ?? []);
}

/** The process that has a ring. */
export interface RingOwner {
  /** a descriptor that is the file of this name */
  readonly descriptorOf: (target: string) => number | null;
  readonly hasMemory: (address: number) => boolean;
}

/** A ring, as far as its process would have set it up. Source: io_uring_show_fdinfo, io_uring/fdinfo.c. */
export function ringText(text: DescriptorText, name: string, owner: RingOwner, around: Surroundings): FileText {
  const { fdinfo } = text;
  const sqMask = field(fdinfo, 'SqMask');
  const cqMask = field(fdinfo, 'CqMask');
  if (fdinfo === null || sqMask === null || cqMask === null) {
    around.leaveOut(`${name}: state of the ring`);
    return { io_uring: {} };
  }
  const entries = Number(sqMask) + 1;
  const cqEntries = Number(cqMask) + 1;
  const thread = Number(field(fdinfo, 'SqThread') ?? -1);
  const cpu = Number(field(fdinfo, 'SqThreadCpu') ?? -1);
  const flags: NonNullable<RingText['flags']> = [];
  if (cqEntries !== 2 * entries) flags.push('CQSIZE');
  if (thread > 0) flags.push('SQPOLL');
  if (thread > 0) around.leaveOut(`${name}: idle time of the ring's thread ${thread}${cpu >= 0 ? `, now on CPU ${cpu}` : ''}`);
  const files = slots(fdinfo, 'UserFiles').map((slot, index) => {
    const fd = slot === '<none>' ? -1 : (owner.descriptorOf(slot) ?? -1);
    if (fd < 0 && slot !== '<none>') around.leaveOut(`${name}: registered file ${index}, ${slot}, which is no open descriptor`);
    return fd;
  });
  const buffers = slots(fdinfo, 'UserBufs').map((slot, index) => {
    const [, digits, length] = /^0x([0-9a-f]+)\/(\d+)$/.exec(slot) ?? [];
    if (digits === undefined || length === '0') return null;
    const address = Number.parseInt(digits, HEX);
    if (owner.hasMemory(address)) return { address, length: Number(length) };
    around.leaveOut(`${name}: registered buffer ${index}, whose memory is gone`);
    return null;
  });
  return {
    io_uring: {
      entries,
      ...(flags.length === 0 ? {} : { flags }),
      ...(cqEntries === 2 * entries ? {} : { cq_entries: cqEntries }),
      ...(files.length === 0 ? {} : { files }),
      ...(buffers.length === 0 ? {} : { buffers }),
    },
  };
}
