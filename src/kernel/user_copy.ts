import { ERRNO } from '../contracts/errors.ts';
import type { HostCall, UserSpace } from '../contracts/host_call.ts';
import { isUserAddress, isUserRange } from './fault_protected.ts';
import { kernelOf } from './kernel_model.ts';

/** Copies from user memory that may wait for a page, of the current task or of another. Source: lib/usercopy.c, mm/memory.c. */

const PAGE_BYTES = 4096;

/** Memory of the task whose `struct task_struct` argument `index` points to; null for one without an address space. */
export const memoryOfTask = (call: HostCall, index: number): UserSpace | null =>
  kernelOf(call).tasks.at(call.argU32(index))?.mm?.memory ?? null;

/** Copies as many bytes as can be read before the first page that is missing; their number. */
export function copyPrefix(user: UserSpace | null, lo: number, hi: number, target: Uint8Array): number {
  if (user === null || !isUserRange(lo, hi, target.length)) return 0;
  let done = 0;
  while (done < target.length) {
    const low = (lo >>> 0) + done;
    const size = Math.min(PAGE_BYTES - (low % PAGE_BYTES), target.length - done);
    const bytes = user.read(low | 0, low > 0xffffffff ? hi + 1 : hi, size);
    if (bytes === null) break;
    target.set(bytes, done);
    done += size;
  }
  return done;
}

/**
 * Copies a string and ends it with a zero, cut to the target. The number of bytes with the zero, or a negative errno.
 * Source: copy_user_str_sleepable, kernel/trace/bpf_trace.c.
 */
export function copyUserString(user: UserSpace | null, lo: number, hi: number, target: Uint8Array): number {
  if (target.length === 0) return 0;
  const limit = target.length - 1;
  const bytes = user === null || !isUserAddress(lo, hi) ? null : limit === 0 ? new Uint8Array(0) : user.readString(lo, hi, limit);
  if (bytes === null) return -ERRNO.EFAULT;
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  target.set(bytes.subarray(0, end));
  target[end] = 0;
  return end + 1;
}
