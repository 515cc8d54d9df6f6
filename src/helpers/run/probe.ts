import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import {
  copyFromKernel,
  copyFromUser,
  copyStringFromKernel,
  copyStringFromUser,
  isUserAddress,
  isUserRange,
} from '../../kernel/fault_protected.ts';
import { copyPrefix, memoryOfTask } from '../../kernel/user_copy.ts';

/**
 * Reads of addresses that may be bad. Source: kernel/trace/bpf_trace.c, mm/maccess.c, arch/x86/mm/maccess.c. The address is
 * argument 2, the buffer argument 0, its size argument 1; on failure the buffer is zeroed.
 */

type Copy = (call: HostCall, lo: number, hi: number, target: Uint8Array) => number;

const reading =
  (copy: Copy) =>
  (call: HostCall): void => {
    const target = call.writableBytes(0, call.argU32(1));
    const result = copy(call, call.argLo(2), call.argHi(2), target);
    if (result < 0) target.fill(0);
    call.setReturnNumber(result);
  };

/** by address: user below TASK_SIZE, kernel above */
const either =
  (user: Copy, kernel: Copy): Copy =>
  (call, lo, hi, target) =>
    (isUserAddress(lo, hi) ? user : kernel)(call, lo, hi, target);

export const probeReadKernel = reading(copyFromKernel);
export const probeReadUser = reading(copyFromUser);
export const probeReadKernelStr = reading(copyStringFromKernel);
export const probeReadUserStr = reading(copyStringFromUser);
export const probeRead = reading(either(copyFromUser, copyFromKernel));
export const probeReadStr = reading(either(copyStringFromUser, copyStringFromKernel));
/** a partial copy fails as a whole, as the probe does */
export const copyFromUserSleepable = reading(copyFromUser);

/** dst, size, user_ptr, tsk, flags */
export function copyFromUserTask(call: HostCall): void {
  if (!call.argIsNull(4)) return call.setReturnNumber(-ERRNO.EINVAL);
  const target = call.writableBytes(0, call.argU32(1));
  const done = copyPrefix(memoryOfTask(call, 3), call.argLo(2), call.argHi(2), target);
  if (done !== target.length) target.fill(0);
  call.setReturnNumber(done === target.length ? 0 : -ERRNO.EFAULT);
}

/** dst, src, len: only on behalf of a user process */
export function probeWriteUser(call: HostCall): void {
  const size = call.argU32(2);
  const bytes = call.bytes(1, size).slice();
  const { inInterrupt, inNmi } = call.state;
  if (inInterrupt || inNmi) return call.setReturnNumber(-ERRNO.EPERM);
  const lo = call.argLo(0);
  const hi = call.argHi(0);
  const written = isUserRange(lo, hi, size) && call.task.user.write(lo, hi, bytes);
  call.setReturnNumber(written ? 0 : -ERRNO.EFAULT);
}
