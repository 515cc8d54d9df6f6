import { Fault } from '../../contracts/errors.ts';

/**
 * Locks of the modelled kernel. There is one processor, so a lock that is taken is held by the program's own call chain
 * (`inside`), or by somebody outside whom the world names. Outsiders let go as soon as someone has to wait for them.
 */
export type Holder = { readonly who: string; readonly outside: boolean };

export const INSIDE: Holder = { who: 'the running kernel code', outside: false };
export const outsider = (who: string): Holder => ({ who, outside: true });

/** A mutex or spin lock. */
export class Lock {
  readonly name: string;
  #holder: Holder | null = null;
  /** how often someone had to wait, or was turned away */
  contentions = 0;

  constructor(name: string) {
    this.name = name;
  }

  get holder(): Holder | null {
    return this.#holder;
  }

  get isHeld(): boolean {
    return this.#holder !== null;
  }

  tryLock(holder: Holder = INSIDE): boolean {
    if (this.#holder !== null) {
      this.contentions++;
      return false;
    }
    this.#holder = holder;
    return true;
  }

  lock(holder: Holder = INSIDE): void {
    if (this.tryLock(holder)) return;
    if (this.#holder?.outside !== true)
      throw new Fault('deadlock', `${this.name} is taken again by ${holder.who}, which holds it`);
    this.#holder = holder;
  }

  unlock(): void {
    if (this.#holder === null) throw new Fault('bad-call', `${this.name} is released, but nobody holds it`);
    this.#holder = null;
  }
}

/** A lock of readers and one writer. */
export class ReadWriteLock {
  readonly name: string;
  #readers = 0;
  #writer: Holder | null = null;
  #waiting: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get readers(): number {
    return this.#readers;
  }

  get writer(): Holder | null {
    return this.#writer;
  }

  /** A writer waits (mmap_lock_is_contended). */
  get isContended(): boolean {
    return this.#waiting.length > 0;
  }

  /** A writer outside queues up; `change` is what it does once the last reader is gone. */
  queueWriter(change: () => void): void {
    if (this.#readers === 0 && this.#writer === null) change();
    else this.#waiting.push(change);
  }

  /** Fails while a writer holds the lock or waits for it: writers come first. Source: down_read_trylock of a fair rwsem. */
  tryReadLock(): boolean {
    if (this.#writer !== null || this.isContended) return false;
    this.#readers++;
    return true;
  }

  readLock(): void {
    if (this.#writer !== null && !this.#writer.outside) {
      throw new Fault('deadlock', `${this.name} is taken for reading by ${this.#writer.who}, which holds it for writing`);
    }
    this.#writer = null;
    if (this.#readers === 0) this.#admitWriters();
    this.#readers++;
  }

  readUnlock(): void {
    if (this.#readers === 0) throw new Fault('bad-call', `${this.name} is released, but nobody holds it for reading`);
    this.#readers--;
    if (this.#readers === 0) this.#admitWriters();
  }

  tryWriteLock(holder: Holder = INSIDE): boolean {
    if (this.#writer !== null || this.#readers > 0) return false;
    this.#writer = holder;
    return true;
  }

  writeUnlock(): void {
    if (this.#writer === null) throw new Fault('bad-call', `${this.name} is released, but nobody holds it for writing`);
    this.#writer = null;
  }

  #admitWriters(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const change of waiting) change();
  }
}
