import type { HostCall } from '../../contracts/host_call.ts';

/** Clocks, random numbers and the processor. Source: kernel/bpf/helpers.c, kernel/bpf/core.c. */

export const ktimeGetNs = (call: HostCall): void => call.setReturnBigint(call.now('monotonic'));
export const ktimeGetBootNs = (call: HostCall): void => call.setReturnBigint(call.now('boottime'));
export const ktimeGetCoarseNs = (call: HostCall): void => call.setReturnBigint(call.now('coarse'));
export const ktimeGetTaiNs = (call: HostCall): void => call.setReturnBigint(call.now('tai'));
export const jiffies64 = (call: HostCall): void => call.setReturnBigint(call.jiffies());

export const getPrandomU32 = (call: HostCall): void => call.setReturn(call.random() | 0, 0);
export const getSmpProcessorId = (call: HostCall): void => call.setReturnNumber(call.cpu);
export const getNumaNodeId = (call: HostCall): void => call.setReturnNumber(call.numaNode);
