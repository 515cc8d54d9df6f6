import { ERRNO, Fault } from '../../contracts/errors.ts';
import {
  type IterHost,
  type IterLinkInfo,
  type IterPosition,
  type IterRun,
  type IterSequence,
  type IterSession,
  type IterStep,
  iterRun,
} from '../../contracts/iteration.ts';
import type { IoRing } from '../../kernel/io_uring.ts';
import { kernelOfHost } from './task_selection.ts';

/**
 * Targets `io_uring_buf` and `io_uring_file`, proposed in November 2021 and never merged. The ring's lock is only tried: a ring
 * that reads an iterator over itself, or whose lock another holds, gets EDEADLK. It is held from start to stop.
 */

/** What a link refers to: the ring, which it pins, and since version 2 the inode of the ring's file. */
interface RingSubject {
  readonly ring: IoRing;
  readonly inode: number;
}

function attach(host: IterHost, { ioUringFd = 0 }: IterLinkInfo): RingSubject | number {
  const file = host.file(ioUringFd);
  if (file === null) return -ERRNO.EBADF;
  const ring = file.operations === 'io_uring_fops' ? kernelOfHost(host).rings.get(file.privateData) : undefined;
  if (ring === undefined) return -ERRNO.EOPNOTSUPP;
  return ring.tryGet() ? { ring, inode: file.inode } : -ERRNO.ENXIO;
}

/** What the index in the context is. A program reads 8 bytes of it in either case. */
type IndexType = 'unsigned long' | 'u64';

/** The walk that both share: by index, over slots that may be empty. */
class SlotSequence implements IterSequence {
  readonly #ring: IoRing;
  readonly #session: IterSession;
  readonly #slots: (ring: IoRing) => readonly number[];
  readonly #indexType: IndexType;
  /** slots that were fetched so far */
  #index = 0;
  #current = 0;

  /** `slots`: offsets of the objects, 0 for an empty slot */
  constructor(ring: IoRing, session: IterSession, slots: (ring: IoRing) => readonly number[], indexType: IndexType) {
    this.#indexType = indexType;
    this.#ring = ring;
    this.#session = session;
    this.#slots = slots;
  }

  #fetch(): IterStep {
    const slots = this.#slots(this.#ring);
    if (this.#index >= slots.length) return 'end';
    this.#current = slots[this.#index++]!;
    return 'object';
  }

  start(position: IterPosition): IterStep {
    if (this.#ring.isFreed) throw new Fault('use-after-free', 'a freed io_ring_ctx is read by an iterator whose link is closed');
    if (!this.#ring.uringLock.tryLock()) return -ERRNO.EDEADLK;
    const step = this.#fetch();
    if (step === 'object' && position.index === 0) position.index++;
    return step;
  }

  next(position: IterPosition): IterStep {
    position.index++;
    return this.#fetch();
  }

  show(): number {
    return this.#run(this.#current, this.#index - 1, false);
  }

  stop(at: IterStep): void {
    if (typeof at === 'number') return;
    if (at === 'end') this.#run(0, this.#index, true);
    else if (this.#index > 0) this.#index--;
    this.#ring.uringLock.unlock();
  }

  #run(object: number, index: number, inStop: boolean): number {
    this.#session.setPointer(1, this.#ring.offset);
    this.#session.setPointer(2, object);
    if (this.#indexType === 'u64') this.#session.setNumber(3, index);
    else this.#session.setLong(3, index);
    return this.#session.run(inStop);
  }
}

const bufferSlots = (ring: IoRing): readonly number[] => ring.buffers?.map(({ offset }) => offset) ?? [];
const fileSlots = (ring: IoRing): readonly number[] => ring.files?.map((file) => file?.offset ?? 0) ?? [];

const target = (slots: (ring: IoRing) => readonly number[], indexType: IndexType): IterRun<RingSubject> => ({
  attach,
  detach: ({ ring }) => ring.put(),
  open: (_host, { ring }, session) => new SlotSequence(ring, session, slots, indexType),
});

/** Version 2 tells the inode number of the ring: a descriptor means nothing to others. */
const version2 = (slots: (ring: IoRing) => readonly number[]): IterRun<RingSubject> => ({
  ...target(slots, 'u64'),
  fdinfo: ({ inode }) => `io_uring_inode:\t${inode}\n`,
  linkInfo: ({ inode }) => ({ io_uring_inode: inode }),
});

const runs = (slots: (ring: IoRing) => readonly number[]) =>
  ({ v1: iterRun(target(slots, 'unsigned long')), v2: iterRun(version2(slots)) }) as const;

export const IO_URING_BUF_RUNS = runs(bufferSlots);
export const IO_URING_FILE_RUNS = runs(fileSlots);
