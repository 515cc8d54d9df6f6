/**
 * The irq work that releases mmap_lock for a program that runs with interrupts off: one slot a CPU, busy from the time it is
 * queued until interrupts are on again. Source: kernel/bpf/mmap_unlock_work.h.
 */
export class UnlockSlots {
  readonly #pending: (() => void)[][];

  constructor(cpuCount: number) {
    this.#pending = Array.from({ length: cpuCount }, () => []);
  }

  isBusy(cpu: number): boolean {
    return this.#pending[cpu]!.length > 0;
  }

  /** Marks a slot as used by somebody else, until interrupts are on again. */
  occupy(cpu: number): void {
    this.#pending[cpu]!.push(() => {});
  }

  queue(cpu: number, unlock: () => void): void {
    this.#pending[cpu]!.push(unlock);
  }

  /** Interrupts are on again: the queued work runs. */
  flush(): void {
    for (const pending of this.#pending) for (const unlock of pending.splice(0)) unlock();
  }
}
