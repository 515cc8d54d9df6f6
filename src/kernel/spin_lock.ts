import { Fault } from '../contracts/errors.ts';
import type { HostCall, PartKey } from '../contracts/host_call.ts';

/** Lock words in map values and objects: 1 while held. Source: kernel/bpf/helpers.c. */
export const LOCK_BYTES = 4;

/** Interrupt state at the time when a bpf_spin_lock was taken. Source: irqsave_flags. */
const SAVED_INTERRUPTS: PartKey<{ disabled: boolean }> = {
  name: 'interrupts before a bpf_spin_lock',
  create: () => ({ disabled: false }),
};

export function holdLock(call: HostCall, at: number, disablesInterrupts: boolean): void {
  const { state } = call;
  call.memory.storeI32(at, 1);
  state.preemptDepth++;
  state.locks.push({ at, disablesInterrupts });
  if (!disablesInterrupts) return;
  call.part(SAVED_INTERRUPTS).disabled = state.irqsDisabled;
  state.irqsDisabled = true;
}

export function giveLockBack(call: HostCall, at: number): void {
  const { state } = call;
  const index = state.locks.findLastIndex((lock) => lock.at === at);
  const lock = state.locks[index];
  if (lock === undefined) throw new Fault('bad-call', 'the lock is not held', call.arg(0));
  call.memory.storeI32(at, 0);
  state.preemptDepth--;
  state.locks.splice(index, 1);
  if (lock.disablesInterrupts) state.irqsDisabled = call.part(SAVED_INTERRUPTS).disabled;
}
