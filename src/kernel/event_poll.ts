import { ERRNO } from '../contracts/errors.ts';
import type { FileBehaviour, KernelFile } from './objects/files.ts';
import type { KernelObjects } from './objects/kernel_objects.ts';
import { Lock } from './objects/locks.ts';

const EVENTPOLL = 'eventpoll';
const EPITEM = 'epitem';

/** EPOLL*, include/uapi/linux/eventpoll.h. */
export const EPOLL = {
  IN: 0x1,
  OUT: 0x4,
  ERR: 0x8,
  HUP: 0x10,
  WAKEUP: 1 << 29,
  EXCLUSIVE: 1 << 28,
  ONESHOT: 1 << 30,
  ET: 1 << 31,
} as const;

/** Bits that say how to report, not what for. */
const PRIVATE_BITS = EPOLL.WAKEUP | EPOLL.EXCLUSIVE | EPOLL.ONESHOT | EPOLL.ET;
const EXCLUSIVE_OK = EPOLL.IN | EPOLL.OUT | EPOLL.ERR | EPOLL.HUP | EPOLL.WAKEUP | EPOLL.ET | EPOLL.EXCLUSIVE;
/** EP_MAX_NESTS */
const MAX_NESTS = 4;

export interface EpollEvent {
  readonly events: number;
  readonly data: bigint;
}

/** A file that is watched, by file and descriptor number. */
export class EpollItem {
  readonly offset: number;
  readonly file: KernelFile;
  readonly fd: number;
  readonly poll: EventPoll;
  readonly #objects: KernelObjects;
  #event: EpollEvent;
  isReady = false;
  readonly wake = (): void => this.poll.itemWoken(this);

  constructor(objects: KernelObjects, poll: EventPoll, file: KernelFile, fd: number, event: EpollEvent) {
    this.#objects = objects;
    this.poll = poll;
    this.file = file;
    this.fd = fd;
    this.#event = event;
    this.offset = objects.create(EPITEM, { what: `epitem of descriptor ${fd}` });
    objects.field(EPITEM, 'ffd.file').setPointer(this.offset, file.offset);
    objects.field(EPITEM, 'ffd.fd').set(this.offset, fd);
    objects.field(EPITEM, 'ep').setPointer(this.offset, poll.offset);
    this.event = event;
  }

  get event(): EpollEvent {
    return this.#event;
  }

  /** Errors and hang-ups are always watched for. */
  set event({ events, data }: EpollEvent) {
    this.#event = { events: events | EPOLL.ERR | EPOLL.HUP, data };
    this.#show();
  }

  /** After a one-shot event nothing is watched for any more. */
  disarm(): void {
    this.#event = { events: this.#event.events & PRIVATE_BITS, data: this.#event.data };
    this.#show();
  }

  /** What is ready now of what is watched for. */
  revents(): number {
    return (this.file.behaviour.poll?.() ?? 0) & this.#event.events & ~PRIVATE_BITS;
  }

  #show(): void {
    this.#objects.field(EPITEM, 'event.events').set(this.offset, this.#event.events);
    const data = this.#objects.field(EPITEM, 'event.data');
    if (data.exists) this.#objects.memory.storeU64(data.at(this.offset), this.#event.data);
  }
}

/** An epoll instance. Items are kept in the order of the kernel's tree: by address of the file, then by descriptor. Source: fs/eventpoll.c. */
export class EventPoll {
  readonly offset: number;
  readonly mutex: Lock;
  /** epoll_wait and pollers of the epoll file itself */
  readonly waiters = new Set<() => void>();
  readonly #objects: KernelObjects;
  #items: EpollItem[] = [];
  #ready: EpollItem[] = [];
  #isFreed = false;

  constructor(objects: KernelObjects, name: string) {
    this.#objects = objects;
    this.offset = objects.create(EVENTPOLL);
    this.mutex = new Lock(`mtx of ${name}`);
  }

  get items(): readonly EpollItem[] {
    return this.#items;
  }

  /** The instance was freed; who still uses it uses freed memory. */
  get isFreed(): boolean {
    return this.#isFreed;
  }

  behaviour(): FileBehaviour {
    return {
      operations: 'eventpoll_fops',
      privateData: this.offset,
      waiters: this.waiters,
      poll: () => (this.#ready.some((item) => item.revents() !== 0) ? EPOLL.IN : 0),
      fdinfo: () => this.#items.map(itemLine).join(''),
      release: () => {
        for (const item of [...this.#items]) this.remove(item);
        this.#isFreed = true;
        this.#objects.free(this.offset);
      },
    };
  }

  find(file: KernelFile, fd: number): EpollItem | null {
    return this.#items.find((item) => item.file === file && item.fd === fd) ?? null;
  }

  add(file: KernelFile, fd: number, event: EpollEvent): EpollItem {
    const item = new EpollItem(this.#objects, this, file, fd, event);
    this.#items.push(item);
    this.#items.sort((a, b) => a.file.offset - b.file.offset || a.fd - b.fd);
    file.behaviour.waiters?.add(item.wake);
    file.onRelease(item, () => this.#fileGone(item));
    if (item.revents() !== 0) this.itemWoken(item);
    return item;
  }

  modify(item: EpollItem, event: EpollEvent): void {
    item.event = event;
    if (item.revents() !== 0) this.itemWoken(item);
  }

  remove(item: EpollItem): void {
    if (!this.#items.includes(item)) return;
    this.#items = this.#items.filter((other) => other !== item);
    this.#ready = this.#ready.filter((other) => other !== item);
    item.file.behaviour.waiters?.delete(item.wake);
    item.file.offRelease(item);
    this.#objects.free(item.offset);
  }

  /** ep_poll_callback */
  itemWoken(item: EpollItem): void {
    if ((item.event.events & ~PRIVATE_BITS) === 0) return;
    if (!this.#ready.includes(item)) this.#ready.push(item);
    for (const waiter of [...this.waiters]) waiter();
  }

  /** ep_send_events: what is ready is asked again before it is reported. */
  take(maxEvents: number): EpollEvent[] {
    const events: EpollEvent[] = [];
    const again: EpollItem[] = [];
    while (events.length < maxEvents) {
      const item = this.#ready.shift();
      if (item === undefined) break;
      const bits = item.revents();
      if (bits === 0) continue;
      events.push({ events: bits, data: item.event.data });
      if ((item.event.events & EPOLL.ONESHOT) !== 0) item.disarm();
      else if ((item.event.events & EPOLL.ET) === 0) again.push(item);
    }
    this.#ready.push(...again);
    return events;
  }

  /** A file is on its way out; whoever removes its item needs the mutex, which another may hold (eventpoll_release_file). */
  #fileGone(item: EpollItem): void {
    if (!this.mutex.tryLock()) return;
    this.remove(item);
    this.mutex.unlock();
  }
}

const itemLine = ({ fd, event, file }: EpollItem): string =>
  `tfd: ${String(fd).padStart(8)} events: ${(event.events >>> 0).toString(16).padStart(8)} data: ${event.data
    .toString(16)
    .padStart(16)}  pos:0 ino:${file.dentry.inode.number.toString(16)} sdev:${file.dentry.inode.device.toString(16)}\n`;

/** How epoll instances watch each other. */
export interface EpollNests {
  /** the instance behind a file; null for other files */
  epollOf(file: KernelFile): EventPoll | null;
  readonly all: readonly EventPoll[];
}

/** ep_loop_check: whether watching `target` would make a loop, or a chain of more than four steps. */
function isTooDeep(from: EventPoll, target: EventPoll, nests: EpollNests): boolean {
  const below = (at: EventPoll): readonly EventPoll[] => at.items.flatMap(({ file }) => nests.epollOf(file) ?? []);
  const depth = (at: EventPoll): number =>
    at === from ? Number.POSITIVE_INFINITY : Math.max(0, ...below(at).map((inner) => depth(inner) + 1));
  const height = (at: EventPoll): number =>
    Math.max(0, ...nests.all.filter((outer) => below(outer).includes(at)).map((outer) => height(outer) + 1));
  const downwards = depth(target);
  return downwards > MAX_NESTS || downwards + 1 + height(from) > MAX_NESTS;
}

/** What epoll_ctl checks before it looks for the item: 0 or a negative error number. Source: do_epoll_ctl, fs/eventpoll.c. */
export function checkEpollTarget(poll: EventPoll, target: KernelFile, adds: boolean, events: number, nests: EpollNests): number {
  if (target.behaviour.poll === undefined) return -ERRNO.EPERM;
  const inner = nests.epollOf(target);
  if (inner === poll) return -ERRNO.EINVAL;
  if ((events & EPOLL.EXCLUSIVE) !== 0) {
    if (!adds || inner !== null || (events & ~EXCLUSIVE_OK) !== 0) return -ERRNO.EINVAL;
  }
  return adds && inner !== null && isTooDeep(poll, inner, nests) ? -ERRNO.ELOOP : 0;
}
