import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { clearDynptr, DYNPTR_BYTES, Dynptr, dynptrFits, initDynptr } from '../../kernel/dynptr.ts';
import { readDynptr, writeDynptr } from '../../kernel/dynptr_bytes.ts';

/** Helpers for dynptrs. Source: kernel/bpf/helpers.c. */

/** dst, len, src, offset, flags */
export function dynptrRead(call: HostCall): void {
  const length = call.argU32(1);
  const to = call.writable(0, length);
  if (!call.argIsNull(4)) return call.setReturnNumber(-ERRNO.EINVAL);
  const bytes = readDynptr(call, new Dynptr(call, 2), call.argU32(3), length);
  if (typeof bytes === 'number') return call.setReturnNumber(bytes);
  call.memory.u8.set(bytes, to);
  call.setReturn(0, 0);
}

/** dst, offset, src, len, flags */
export function dynptrWrite(call: HostCall): void {
  const bytes = call.bytes(2, call.argU32(3)).slice();
  call.setReturnNumber(writeDynptr(call, new Dynptr(call, 0), call.argU32(1), bytes, call.arg(4)));
}

/** ptr, offset, len: packets have no bytes that may be had this way */
export function dynptrData(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  const offset = call.argU32(1);
  const usable = dynptr.data !== 0 && dynptr.holds(offset, call.argU32(2)) && !dynptr.isReadOnly;
  const isMemory = usable && (dynptr.kind === 'local' || dynptr.kind === 'ringbuf');
  call.setReturnPointer(isMemory ? dynptr.data + dynptr.start + offset : 0);
}

/** data, size, flags, ptr */
export function dynptrFromMem(call: HostCall): void {
  const at = call.writable(3, DYNPTR_BYTES);
  const size = call.argU32(1);
  const error = dynptrFits(size) ? (call.argIsNull(2) ? 0 : -ERRNO.EINVAL) : -ERRNO.E2BIG;
  if (error === 0) initDynptr(call.memory, at, 'local', call.argU32(0), size);
  else clearDynptr(call.memory, at);
  call.setReturnNumber(error);
}
