import { ERRNO, Fault } from '../../contracts/errors.ts';
import {
  type IterFile,
  type IterHost,
  type IterLinkInfo,
  type IterPosition,
  type IterSequence,
  type IterSession,
  type IterStep,
  iterRun,
} from '../../contracts/iteration.ts';
import type { EpollItem, EventPoll } from '../../kernel/event_poll.ts';
import { kernelOfHost } from './task_selection.ts';

/**
 * Target `epoll`, proposed in November 2021 and never merged: the items of an epoll instance in the order of its tree, under its
 * mutex. Between two reads only the descriptor number of the next item is remembered.
 */

interface EpollSubject {
  readonly file: IterFile;
  readonly poll: EventPoll;
}

/** The link keeps the file. */
function attach(host: IterHost, { epollFd = 0 }: IterLinkInfo): EpollSubject | number {
  const file = host.file(epollFd);
  if (file === null) return -ERRNO.EBADF;
  const poll = file.operations === 'eventpoll_fops' ? kernelOfHost(host).eventPolls.get(file.privateData) : undefined;
  if (poll === undefined) return -ERRNO.EOPNOTSUPP;
  file.get();
  return { file, poll };
}

/** Where a walk stands between two reads: at an item's descriptor number, in front of all, behind all. */
const NOT_STARTED = -1;
const FINISHED = -2;

class EpollSequence implements IterSequence {
  readonly #poll: EventPoll;
  readonly #session: IterSession;
  #resume = NOT_STARTED;
  #item: EpollItem | null = null;

  constructor(poll: EventPoll, session: IterSession) {
    this.#poll = poll;
    this.#session = session;
  }

  start(position: IterPosition): IterStep {
    if (this.#poll.isFreed) throw new Fault('use-after-free', 'a freed eventpoll is read by an iterator whose link is closed');
    this.#poll.mutex.lock();
    const { items } = this.#poll;
    if (this.#resume === FINISHED) this.#item = null;
    else if (this.#resume === NOT_STARTED) this.#item = items[0] ?? null;
    else this.#item = items.find(({ fd }) => fd === this.#resume) ?? null;
    if (this.#item === null) return 'end';
    if (position.index === 0) position.index++;
    return 'object';
  }

  next(position: IterPosition): IterStep {
    position.index++;
    const { items } = this.#poll;
    this.#item = items[items.indexOf(this.#item!) + 1] ?? null;
    return this.#item === null ? 'end' : 'object';
  }

  /** An item whose file is on its way out is passed over without a word. */
  show(): number {
    const { file, offset } = this.#item!;
    if (!file.get()) return 0;
    const result = this.#run(offset, false);
    file.put();
    return result;
  }

  stop(at: IterStep): void {
    if (at === 'end') {
      this.#run(0, true);
      this.#resume = FINISHED;
    } else this.#resume = this.#item!.fd;
    this.#poll.mutex.unlock();
  }

  #run(item: number, inStop: boolean): number {
    this.#session.setPointer(1, this.#poll.offset);
    this.#session.setPointer(2, item);
    return this.#session.run(inStop);
  }
}

export const epollRun = iterRun<EpollSubject>({
  attach,
  detach: ({ file }) => file.put(),
  open: (_host, { poll }, session) => new EpollSequence(poll, session),
});
