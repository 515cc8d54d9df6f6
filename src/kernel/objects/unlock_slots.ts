/**
 * The irq work that releases mmap_lock for a program that runs with interrupts off: one slot a CPU. It is busy from the time
 * the work is queued until interrupts are on again. Source: kernel/bpf/mmap_unlock_work.h.
 */
export class UnlockSlots {
  readonly #pending: (() => void)[][];
  readonly #reserved: boolean[];

  constructor(cpuCount: number) {
    this.#pending = Array.from({ length: cpuCount }, () => []);
    this.#reserved = Array.from({ length: cpuCount }, () => false);
  }

  isBusy(cpu: number): boolean {
    return this.#pending[cpu]!.length > 0;
  }

  /** Keeps a second user of the same context out, as kernels since 2026 do; false when there is one. */
  reserve(cpu: number): boolean {
    if (this.#reserved[cpu] === true) return false;
    this.#reserved[cpu] = true;
    return true;
  }

  /** The slot belongs to somebody else until interrupts are on again. */
  occupy(cpu: number): void {
    this.#pending[cpu]!.push(() => {});
  }

  queue(cpu: number, unlock: () => void): void {
    this.#pending[cpu]!.push(unlock);
  }

  /** Interrupts are on again: the queued work runs. */
  flush(): void {
    for (const pending of this.#pending) for (const unlock of pending.splice(0)) unlock();
    this.#reserved.fill(false);
  }
}
