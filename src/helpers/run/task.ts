import { ERRNO, Unmodelled } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { bytesOfText } from '../../kernel/text.ts';

/** The current task. Source: kernel/bpf/helpers.c, kernel/trace/bpf_trace.c. */

const INIT_PID = 1;
const NSIG = 64;

export const getCurrentPidTgid = (call: HostCall): void => call.setReturn(call.task.pid | 0, call.task.tgid | 0);
export const getCurrentUidGid = (call: HostCall): void => call.setReturn(call.task.uid | 0, call.task.gid | 0);
export const getCurrentTask = (call: HostCall): void => call.setReturnPointer(call.task.offset);

/** A pointer that is never NULL: there must be a task. */
export function getCurrentTaskBtf(call: HostCall): void {
  if (call.task.offset === 0) throw new Unmodelled('kernel objects', 'the program runs without a world');
  call.setReturnPointer(call.task.offset);
}

export const getCurrentCgroupId = (call: HostCall): void => call.setReturnBigint(call.task.cgroupId);

/** strscpy_pad(): the name cut to the buffer, the rest zero. */
export function getCurrentComm(call: HostCall): void {
  const size = call.argU32(1);
  const bytes = call.writableBytes(0, size);
  bytes.fill(0);
  bytes.set(bytesOfText(call.task.comm).subarray(0, Math.max(size - 1, 0)));
  call.setReturnNumber(0);
}

/** Process 1 is not signalled; a signal number is at most _NSIG, and 0 only asks. Source: bpf_send_signal_common. */
const sending =
  (thread: boolean) =>
  (call: HostCall): void => {
    const signal = call.argU32(0);
    const { pid, tgid } = call.task;
    if (tgid === INIT_PID) {
      call.setReturnNumber(-ERRNO.EPERM);
    } else if (signal > NSIG) {
      call.setReturnNumber(-ERRNO.EINVAL);
    } else {
      if (signal !== 0) call.record({ kind: 'signal', pid: thread ? pid : tgid, signal, thread });
      call.setReturnNumber(0);
    }
  };

export const sendSignal = sending(false);
export const sendSignalThread = sending(true);
