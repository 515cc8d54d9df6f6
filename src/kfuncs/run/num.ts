import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';

/**
 * bpf_iter_num, kernel/bpf/bpf_iter.c. State in the 8 bytes of the iterator: the current number, and the one behind the last.
 * Both are 0 when there is nothing to iterate over.
 */

const STATE_BYTES = 8;
const END_AT = 4;
/** BPF_MAX_LOOPS, include/linux/bpf.h */
const MAX_LOOPS = 8 * 1024 * 1024;

/** it, start, end */
export function numNew(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, STATE_BYTES);
  const start = call.argLo(1);
  const end = call.argLo(2);
  const error = start > end ? -ERRNO.EINVAL : end - start > MAX_LOOPS ? -ERRNO.E2BIG : 0;
  memory.storeI32(at, error === 0 ? (start - 1) | 0 : 0);
  memory.storeI32(at + END_AT, error === 0 ? end : 0);
  call.setReturnNumber(error);
}

/** The successor wraps at 32 bits, so that a range may begin at the smallest number. */
export function numNext(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, STATE_BYTES);
  const next = (memory.loadI32(at) + 1) | 0;
  if (next >= memory.loadI32(at + END_AT)) {
    memory.store64(at, 0, 0);
    return call.setReturnPointer(0);
  }
  memory.storeI32(at, next);
  call.setReturnPointer(at);
}

export function numDestroy(call: HostCall): void {
  call.memory.store64(call.writable(0, STATE_BYTES), 0, 0);
}
