import { ERRNO } from '../contracts/errors.ts';
import type { HostCall } from '../contracts/host_call.ts';
import { isKernelAddress } from './kernel_address.ts';

/** Copies from addresses that may be bad. Source: mm/maccess.c, arch/x86/mm/maccess.c. */

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

export function copyFromUser(call: HostCall, lo: number, hi: number, target: Uint8Array): number {
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
