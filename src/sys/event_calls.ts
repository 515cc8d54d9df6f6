import { ERRNO, Fault } from '../contracts/errors.ts';
import { checkEpollTarget, type EpollEvent, EventPoll } from '../kernel/event_poll.ts';
import { EventFd } from '../kernel/eventfd.ts';
import type { KernelFile } from '../kernel/objects/files.ts';
import type { Process } from './process.ts';

/** eventfd, epoll and what waits. Source: fs/eventfd.c, fs/eventpoll.c. */

export const EPOLL_CTL = { ADD: 1, DEL: 2, MOD: 3 } as const;
const MAX_EVENTS = Math.floor(0x7fffffff / 12);
const NANOSECONDS_PER_MS = 1_000_000n;

export const eventfd = (process: Process, count: number, flags = 0): number =>
  process.call('eventfd2', `${count}, ${flags}`, () => {
    const { kernel } = process.system;
    const event = new EventFd(kernel.objects, BigInt(count));
    kernel.eventFds.set(event.offset, event);
    return process.installAnonymous('[eventfd]', event.behaviour());
  });

export const epollCreate = (process: Process, flags = 0): number =>
  process.call('epoll_create1', String(flags), () => {
    const { kernel } = process.system;
    const poll = new EventPoll(kernel.objects, `epoll of ${process.pid}`);
    kernel.eventPolls.set(poll.offset, poll);
    return process.installAnonymous('[eventpoll]', poll.behaviour());
  });

/** The epoll instance behind a file; null for other files. */
export const epollOf = (process: Process, file: KernelFile | null): EventPoll | null =>
  file?.behaviour.operations === 'eventpoll_fops'
    ? (process.system.kernel.eventPolls.get(file.behaviour.privateData) ?? null)
    : null;

function control(process: Process, epfd: number, op: number, fd: number, event: EpollEvent): number {
  const file = process.file(epfd);
  const target = process.file(fd);
  if (file === null || target === null) return -ERRNO.EBADF;
  if (target.behaviour.poll === undefined) return -ERRNO.EPERM;
  const poll = epollOf(process, file);
  if (poll === null || file === target) return -ERRNO.EINVAL;
  const adds = op === EPOLL_CTL.ADD;
  const events = op === EPOLL_CTL.DEL ? 0 : event.events;
  const bad = checkEpollTarget(poll, target, adds, events, {
    epollOf: (other) => epollOf(process, other),
    all: [...process.system.kernel.eventPolls.values()],
  });
  if (bad !== 0) return bad;
  poll.mutex.lock();
  const item = poll.find(target, fd);
  let result = 0;
  if (adds && item !== null) result = -ERRNO.EEXIST;
  else if (adds) poll.add(target, fd, event);
  else if (item === null) result = -ERRNO.ENOENT;
  else if (op === EPOLL_CTL.DEL) poll.remove(item);
  else if (op === EPOLL_CTL.MOD) poll.modify(item, event);
  else result = -ERRNO.EINVAL;
  poll.mutex.unlock();
  return result;
}

export const epollCtl = (process: Process, epfd: number, op: number, fd: number, event: EpollEvent): number =>
  process.call('epoll_ctl', `${epfd}, ${op}, ${fd}, {events=0x${(event.events >>> 0).toString(16)}}`, () =>
    control(process, epfd, op, fd, event),
  );

/** Events, or a negative error number. Waiting lets modelled time pass; `timeoutMs` -1 waits for what is due to happen. */
export function epollWait(process: Process, epfd: number, maxEvents: number, timeoutMs: number): EpollEvent[] | number {
  let events: EpollEvent[] | number = [];
  process.call('epoll_wait', `${epfd}, …, ${maxEvents}, ${timeoutMs}`, () => {
    events = wait(process, epfd, maxEvents, timeoutMs);
    return typeof events === 'number' ? events : events.length;
  });
  return events;
}

function wait(process: Process, epfd: number, maxEvents: number, timeoutMs: number): EpollEvent[] | number {
  if (maxEvents <= 0 || maxEvents > MAX_EVENTS) return -ERRNO.EINVAL;
  const file = process.file(epfd);
  if (file === null) return -ERRNO.EBADF;
  const poll = epollOf(process, file);
  if (poll === null) return -ERRNO.EINVAL;
  const { machine } = process.system;
  const deadline = timeoutMs < 0 ? null : machine.clock.nanoseconds + BigInt(timeoutMs) * NANOSECONDS_PER_MS;
  for (;;) {
    poll.mutex.lock();
    const events = poll.take(maxEvents);
    poll.mutex.unlock();
    if (events.length > 0) return events;
    if (!letPass(process, deadline)) return [];
  }
}

/** Moves modelled time to what happens next, or to the deadline; false when that is reached. */
function letPass(process: Process, deadline: bigint | null): boolean {
  const { machine } = process.system;
  const now = machine.clock.nanoseconds;
  const { next } = machine.agenda;
  if (deadline !== null && now >= deadline) return false;
  if (next === null && deadline === null) {
    throw new Fault('deadlock', `process ${process.pid} waits for ever: nothing is due to happen`);
  }
  const until = next !== null && (deadline === null || next <= deadline) ? next : deadline!;
  const fault = machine.advance(until > now ? until - now : 0n);
  if (fault !== null) throw fault;
  return true;
}
