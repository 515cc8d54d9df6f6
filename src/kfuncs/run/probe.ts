import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall, UserSpace } from '../../contracts/host_call.ts';
import { Dynptr } from '../../kernel/dynptr.ts';
import { sliceOf, writeDynptr } from '../../kernel/dynptr_bytes.ts';
import { copyStringFromKernel, copyStringFromUser } from '../../kernel/fault_protected.ts';
import { isKernelAddress } from '../../kernel/kernel_address.ts';
import { copyPrefix, copyUserString, memoryOfTask } from '../../kernel/user_copy.ts';

/** Copies from addresses that may be bad, into memory and dynptrs. Source: kernel/trace/bpf_trace.c, kernel/bpf/helpers.c. */

const BPF_F_PAD_ZEROS = 1n;
/** What the kernel copies at a time where a dynptr's bytes do not stand in one piece. */
const CHUNK = 256;

/** Copies to the target from an address; 0 or a negative errno, for strings the number of bytes with the zero. */
type Copy = (call: HostCall, lo: number, hi: number, target: Uint8Array) => number;

/** dptr, off, size, unsafe_ptr__ign */
const into =
  (copy: Copy, isString: boolean) =>
  (call: HostCall): void => {
    const dynptr = new Dynptr(call, 0);
    const offset = call.argU32(1);
    const size = call.argU32(2);
    const piece = dynptr.isReadOnly ? 0 : sliceOf(call, dynptr, offset, size);
    if (piece !== 0) {
      const target = call.memory.u8.subarray(call.memory.check(piece, call.memory.high, size, true), piece + size);
      return call.setReturnNumber(copy(call, call.argLo(3), call.argHi(3), target));
    }
    if (!dynptr.holds(offset, size)) return call.setReturnNumber(-ERRNO.E2BIG);
    call.setReturnNumber((isString ? stringInChunks : bytesInChunks)(call, copy, dynptr, offset, size));
  };

const further = (call: HostCall, by: number): [lo: number, hi: number] => {
  const low = (call.argLo(3) >>> 0) + by;
  return [low | 0, low > 0xffffffff ? (call.argHi(3) + 1) | 0 : call.argHi(3)];
};

function bytesInChunks(call: HostCall, copy: Copy, dynptr: Dynptr, offset: number, size: number): number {
  for (let done = 0; done < size; done += CHUNK) {
    const chunk = new Uint8Array(Math.min(CHUNK, size - done));
    const error = copy(call, ...further(call, done), chunk) || writeDynptr(call, dynptr, offset + done, chunk);
    if (error !== 0) return error;
  }
  return 0;
}

/** The zero of each chunk is overwritten by the next one. */
function stringInChunks(call: HostCall, copy: Copy, dynptr: Dynptr, offset: number, size: number): number {
  let done = 0;
  while (done < size) {
    const chunk = new Uint8Array(Math.min(CHUNK, size - done));
    const count = copy(call, ...further(call, done), chunk);
    if (count < 0) return count;
    const error = writeDynptr(call, dynptr, offset + done, chunk.subarray(0, count));
    if (error !== 0) return error;
    if (count < chunk.length || chunk.length === 1) return done + count;
    done += chunk.length - 1;
  }
  return done;
}

/** copy_from_kernel_nofault: words, then what is left; what was copied before a fault stays */
const kernelBytes: Copy = (call, lo, hi, target) => {
  if (!isKernelAddress(lo, hi)) return -ERRNO.ERANGE;
  let done = 0;
  for (const step of [8, 4, 2, 1]) {
    for (; target.length - done >= step; done += step) {
      const low = (lo >>> 0) + done;
      const from = call.memory.probe(low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi, step, false);
      if (from < 0) return -ERRNO.EFAULT;
      target.set(call.memory.u8.subarray(from, from + step), done);
    }
  }
  return 0;
};

/** copy_from_user_nofault: what was copied before a fault stays */
const userBytes: Copy = (call, lo, hi, target) =>
  copyPrefix(call.task.user, lo, hi, target) === target.length ? 0 : -ERRNO.EFAULT;

/** copy_from_user: zeros follow what was copied before a fault */
const userBytesSleeping: Copy = (call, lo, hi, target) => {
  const done = copyPrefix(call.task.user, lo, hi, target);
  target.fill(0, done);
  return done === target.length ? 0 : -ERRNO.EFAULT;
};

/** access_process_vm of the task in the last argument */
const taskBytes: Copy = (call, lo, hi, target) =>
  copyPrefix(memoryOfTask(call, 4), lo, hi, target) === target.length ? 0 : -ERRNO.EFAULT;

const taskString: Copy = (call, lo, hi, target) => copyUserString(memoryOfTask(call, 4), lo, hi, target);
const userString: Copy = (call, lo, hi, target) => copyUserString(call.task.user, lo, hi, target);

export const probeReadUserDynptr = into(userBytes, false);
export const probeReadKernelDynptr = into(kernelBytes, false);
export const probeReadUserStrDynptr = into(copyStringFromUser, true);
export const probeReadKernelStrDynptr = into(copyStringFromKernel, true);
export const copyFromUserDynptr = into(userBytesSleeping, false);
export const copyFromUserStrDynptr = into(userString, true);
export const copyFromUserTaskDynptr = into(taskBytes, false);
export const copyFromUserTaskStrDynptr = into(taskString, true);

/** dst, dst__sz, unsafe_ptr__ign, and then the flags */
const string = (flagsAt: number, source: (call: HostCall) => UserSpace | null) => (call: HostCall) => {
  const flags = call.arg(flagsAt);
  if ((flags & ~BPF_F_PAD_ZEROS) !== 0n) return call.setReturnNumber(-ERRNO.EINVAL);
  const target = call.writableBytes(0, call.argU32(1));
  const count = copyUserString(source(call), call.argLo(2), call.argHi(2), target);
  if ((flags & BPF_F_PAD_ZEROS) !== 0n) target.fill(0, Math.max(count, 0));
  call.setReturnNumber(count);
};

export const copyFromUserStr = string(3, ({ task }) => task.user);
export const copyFromUserTaskStr = string(4, (call) => memoryOfTask(call, 3));
