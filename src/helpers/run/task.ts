import type { HostCall } from '../../contracts/host_call.ts';

/** The current task. Source: kernel/bpf/helpers.c, kernel/trace/bpf_trace.c. */

export const getCurrentPidTgid = (call: HostCall): void => call.setReturn(call.task.pid | 0, call.task.tgid | 0);
export const getCurrentUidGid = (call: HostCall): void => call.setReturn(call.task.uid | 0, call.task.gid | 0);
export const getCurrentTask = (call: HostCall): void => call.setReturnPointer(call.task.offset);
export const getCurrentCgroupId = (call: HostCall): void => call.setReturnBigint(call.task.cgroupId);

/** strscpy_pad(): the name cut to the buffer, the rest zero. */
export function getCurrentComm(call: HostCall): void {
  const size = call.argU32(1);
  const bytes = call.writableBytes(0, size);
  const { comm } = call.task;
  bytes.fill(0);
  for (let index = 0; index < Math.min(comm.length, size - 1); index++) bytes[index] = comm.charCodeAt(index);
  call.setReturnNumber(0);
}
