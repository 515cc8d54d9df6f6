import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { clearDynptr, DYNPTR_BYTES, Dynptr, dynptrFits, initDynptr } from '../../kernel/dynptr.ts';

/** Helpers for dynptrs. Source: kernel/bpf/helpers.c. */

/** dst, len, src, offset, flags */
export function dynptrRead(call: HostCall): void {
  const length = call.argU32(1);
  const source = new Dynptr(call, 2);
  const offset = call.argU32(3);
  if (source.data === 0 || !call.argIsNull(4)) return call.setReturnNumber(-ERRNO.EINVAL);
  if (!source.holds(offset, length)) return call.setReturnNumber(-ERRNO.E2BIG);
  source.needPlain();
  const from = call.memory.check(source.data + source.start + offset, call.memory.high, length, false);
  const to = call.writable(0, length);
  call.memory.u8.copyWithin(to, from, from + length);
  call.setReturn(0, 0);
}

/** dst, offset, src, len, flags */
export function dynptrWrite(call: HostCall): void {
  const target = new Dynptr(call, 0);
  const offset = call.argU32(1);
  const length = call.argU32(3);
  if (target.data === 0 || target.isReadOnly) return call.setReturnNumber(-ERRNO.EINVAL);
  if (!target.holds(offset, length)) return call.setReturnNumber(-ERRNO.E2BIG);
  target.needPlain();
  if (!call.argIsNull(4)) return call.setReturnNumber(-ERRNO.EINVAL);
  const to = call.memory.check(target.data + target.start + offset, call.memory.high, length, true);
  const from = call.readable(2, length);
  call.memory.u8.copyWithin(to, from, from + length);
  call.setReturn(0, 0);
}

/** ptr, offset, len */
export function dynptrData(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  const offset = call.argU32(1);
  const usable = dynptr.data !== 0 && dynptr.holds(offset, call.argU32(2)) && !dynptr.isReadOnly && dynptr.isPlain;
  call.setReturnPointer(usable ? dynptr.data + dynptr.start + offset : 0);
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
