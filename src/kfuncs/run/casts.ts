import type { HostCall } from '../../contracts/host_call.ts';
import { kernelContext } from '../../kernel/kernel_context.ts';

/** obj: what the kernel has behind the context that the program sees. Source: kernel/bpf/helpers.c. */
export const castToKernCtx = (call: HostCall): void => call.setReturnPointer(kernelContext(call));

/** obj__ign, btf_id__k: the same address, which from now on is read with fault protection. Source: kernel/bpf/helpers.c. */
export const rdonlyCast = (call: HostCall): void => call.setReturn(call.argLo(0), call.argHi(0));

/** cookie: leaves the program for its exception callback. Source: bpf_throw, kernel/bpf/helpers.c. */
export const throwException = (call: HostCall): void => call.unwind(call.argLo(0), call.argHi(0));

/** map: elements of a hash table, 0 for other maps. Source: kernel/bpf/map_iter.c. */
export const mapSumElemCount = (call: HostCall): void => call.setReturnNumber(call.map(0).elementCount);
