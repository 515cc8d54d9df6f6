import type { HostCall } from '../contracts/host_call.ts';
import { KERNEL, kernelOf } from './kernel_model.ts';

/** irqs_disabled(): by the program itself, or because of what it interrupts. */
export function irqsDisabled(call: HostCall): boolean {
  const { irqsDisabled: off, inNmi } = call.state;
  const { interruption } = kernelOf(call);
  return off || inNmi || interruption.irqsDisabled || interruption.nmi;
}

/** Runs when interrupts are on again: soon after the program. */
export const whenInterruptsAreOn = (call: HostCall, action: () => void): void =>
  void call.schedule(call.now('monotonic'), action);

/**
 * irq_work_queue: the processor interrupts itself, so that the work runs at once, or when interrupts are on again.
 * Source: arch_irq_work_raise, arch/x86/kernel/irq_work.c. A machine without a world interrupts nothing.
 */
export function irqWork(call: HostCall, action: () => void): void {
  const { irqsDisabled: off, inNmi } = call.state;
  const masked = call.part(KERNEL).model?.interruption;
  if (off || inNmi || masked?.irqsDisabled === true || masked?.nmi === true) whenInterruptsAreOn(call, action);
  else action();
}

/** in_nmi(): because of the program's own state, or of what it interrupts. */
export const inNmi = (call: HostCall): boolean => call.state.inNmi || call.part(KERNEL).model?.interruption.nmi === true;
