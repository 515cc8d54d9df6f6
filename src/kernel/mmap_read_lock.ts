import type { HostCall } from '../contracts/host_call.ts';
import { irqsDisabled, whenInterruptsAreOn } from './interrupts.ts';
import { kernelOf } from './kernel_model.ts';
import type { AddressSpace } from './objects/mm.ts';

/** How a program gives mmap_lock back: at once, or by irq work when interrupts are on again. */
export type Unlocking = 'at-once' | 'deferred';

/**
 * Takes mmap_lock for reading without waiting; null when it cannot be had, or could not be given back because the irq work of
 * this CPU is in use. `exclusive`: a second user in the same context is refused, too (2026).
 * Source: bpf_mmap_unlock_get_irq_work, kernel/bpf/mmap_unlock_work.h.
 */
export function tryMmapReadLock(call: HostCall, mm: AddressSpace, exclusive = false): Unlocking | null {
  const unlocking: Unlocking = irqsDisabled(call) ? 'deferred' : 'at-once';
  const { unlockSlots } = kernelOf(call);
  if (unlocking === 'deferred') {
    if (unlockSlots.isBusy(call.cpu)) return null;
    if (exclusive && !unlockSlots.reserve(call.cpu)) return null;
  }
  return mm.lock.tryReadLock() ? unlocking : null;
}

/** Source: bpf_mmap_unlock_mm. */
export function mmapReadUnlock(call: HostCall, mm: AddressSpace, unlocking: Unlocking): void {
  if (unlocking === 'at-once') return mm.lock.readUnlock();
  const { unlockSlots } = kernelOf(call);
  unlockSlots.queue(call.cpu, () => mm.lock.readUnlock());
  whenInterruptsAreOn(call, () => unlockSlots.flush());
}
