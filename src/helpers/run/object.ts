import type { HostCall } from '../../contracts/host_call.ts';
import { LOCAL_OBJECTS } from '../../kernel/local_objects.ts';

/** Kernel pointers in map values, and per-CPU pointers. Source: kernel/bpf/helpers.c. */

const POINTER_BYTES = 8;

/** dst, ptr: what the program hands in belongs to the map, and the old one to the program */
export function kptrXchg(call: HostCall): void {
  const { memory } = call;
  const objects = call.part(LOCAL_OBJECTS);
  const at = call.writable(0, POINTER_BYTES);
  const oldLo = memory.loadI32(at);
  const oldHi = memory.loadI32(at + 4);
  const given = objects.at(call.argLo(1));
  if (given !== undefined) objects.giveUp(given);
  const taken = objects.at(oldLo);
  if (taken !== undefined) objects.hold(taken);
  memory.store64(at, call.argLo(1), call.argHi(1));
  call.setReturn(oldLo, oldHi);
}

/** percpu_ptr, cpu */
export function perCpuPtr(call: HostCall): void {
  const cpu = call.argU32(1);
  call.setReturnPointer(cpu < call.cpuCount ? pointer(call, cpu) : 0);
}

export const thisCpuPtr = (call: HostCall): void => call.setReturnPointer(pointer(call, call.cpu));

/** A variable that is there once, as on a kernel without SMP, is the same for every CPU. */
function pointer(call: HostCall, cpu: number): number {
  const { percpu, memory } = call;
  if (call.argHi(0) === percpu.high) {
    const at = percpu.pointer(call.argU32(0), cpu);
    if (at !== 0) return at;
  }
  return memory.check(call.argLo(0), call.argHi(0), 1, false);
}
