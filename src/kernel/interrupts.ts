import type { HostCall } from '../contracts/host_call.ts';
import { kernelOf } from './kernel_model.ts';

/** irqs_disabled(): by the program itself, or because of what it interrupts. */
export function irqsDisabled(call: HostCall): boolean {
  const { irqsDisabled: off, inNmi } = call.state;
  const { interruption } = kernelOf(call);
  return off || inNmi || interruption.irqsDisabled || interruption.nmi;
}

/** Runs when interrupts are on again: soon after the program. */
export const whenInterruptsAreOn = (call: HostCall, action: () => void): void =>
  void call.schedule(call.now('monotonic'), action);
