import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { isKernelAddress } from '../../kernel/kernel_address.ts';

/**
 * Reads of addresses that may be bad. Source: kernel/trace/bpf_trace.c, mm/maccess.c, arch/x86/mm/maccess.c. The address is
 * argument 2, the buffer argument 0, its size argument 1; on failure the buffer is zeroed.
 */

/** high halves: TASK_SIZE_MAX is 0x7ffffffff000, and the page behind it is no kernel memory either */
const USER_HIGH = 0x7fff;
const USER_END_LO = 0xfffff000;

/** access_ok(): the range ends below TASK_SIZE_MAX */
export function isUserRange(lo: number, hi: number, size: number): boolean {
  const high = hi >>> 0;
  const low = lo >>> 0;
  const end = low + size;
  return high < USER_HIGH || (high === USER_HIGH && end <= USER_END_LO);
}

/** address < TASK_SIZE */
export const isUserAddress = (lo: number, hi: number): boolean => isUserRange(lo, hi, 1);

/** copies into the target; 0 or a negative errno */
export function copyFromKernel(call: HostCall, lo: number, hi: number, target: Uint8Array): number {
  if (!isKernelAddress(lo, hi)) return -ERRNO.ERANGE;
  const from = call.memory.probe(lo, hi, target.length, false);
  if (from < 0) return -ERRNO.EFAULT;
  target.set(call.memory.u8.subarray(from, from + target.length));
  return 0;
}

/** Copies a string with its zero, cut to the target; the number of bytes or a negative errno. */
export function copyStringFromKernel(call: HostCall, lo: number, hi: number, target: Uint8Array): number {
  if (target.length === 0) return 0;
  if (!isKernelAddress(lo, hi)) return -ERRNO.ERANGE;
  for (let index = 0; index < target.length; index++) {
    const low = (lo >>> 0) + index;
    const from = call.memory.probe(low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi, 1, false);
    if (from < 0) {
      target[0] = 0;
      return -ERRNO.EFAULT;
    }
    const byte = call.memory.u8[from]!;
    target[index] = byte;
    if (byte === 0) return index + 1;
  }
  target[target.length - 1] = 0;
  return target.length;
}

function copyFromUser(call: HostCall, lo: number, hi: number, target: Uint8Array): number {
  const bytes = isUserRange(lo, hi, target.length) ? call.task.user.read(lo, hi, target.length) : null;
  if (bytes === null) return -ERRNO.EFAULT;
  target.set(bytes);
  return 0;
}

export function copyStringFromUser(call: HostCall, lo: number, hi: number, target: Uint8Array): number {
  if (target.length === 0) return 0;
  const bytes = isUserAddress(lo, hi) ? call.task.user.readString(lo, hi, target.length) : null;
  if (bytes === null) return -ERRNO.EFAULT;
  target.set(bytes);
  target[bytes.length - 1] = 0;
  return bytes.length;
}

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
