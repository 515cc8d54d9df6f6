import type { HostCall } from '../../contracts/host_call.ts';

/** Preemption and interrupt sections. Source: kernel/bpf/helpers.c. */

export function preemptDisable(call: HostCall): void {
  call.state.preemptDepth++;
}

export function preemptEnable(call: HostCall): void {
  call.state.preemptDepth--;
}

/** The flag register's interrupt bit, as local_irq_save() stores it. */
const X86_EFLAGS_IF = 0x200;

/** `index`: which argument points to the flags */
export function localIrqSave(call: HostCall, index = 0): void {
  const { state } = call;
  call.memory.store64(call.writable(index, 8), state.irqsDisabled ? 0 : X86_EFLAGS_IF, 0);
  state.irqsDisabled = true;
}

export function localIrqRestore(call: HostCall, index = 0): void {
  call.state.irqsDisabled = (call.memory.loadU32(call.readable(index, 8)) & X86_EFLAGS_IF) === 0;
}
