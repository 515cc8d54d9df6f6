import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { clearDynptr, DYNPTR_BYTES, Dynptr } from '../../kernel/dynptr.ts';

/** Kfuncs for dynptrs. Source: kernel/bpf/helpers.c. */

/** p, offset, buffer__opt, buffer__szk: bytes in memory need no buffer. */
export function dynptrSlice(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  const offset = call.argU32(1);
  if (dynptr.data === 0 || !dynptr.holds(offset, call.argU32(3))) return call.setReturnPointer(0);
  dynptr.needPlain();
  call.setReturnPointer(dynptr.data + dynptr.start + offset);
}

export function dynptrSliceRdwr(call: HostCall): void {
  if (new Dynptr(call, 0).isReadOnly) return call.setReturnPointer(0);
  dynptrSlice(call);
}

/** p, start, end */
export function dynptrAdjust(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  const start = call.argU32(1);
  const end = call.argU32(2);
  if (dynptr.data === 0 || start > end) return call.setReturnNumber(-ERRNO.EINVAL);
  if (start > dynptr.size || end > dynptr.size) return call.setReturnNumber(-ERRNO.ERANGE);
  dynptr.narrow(start, end);
  call.setReturn(0, 0);
}

export const dynptrIsNull = (call: HostCall): void => call.setReturn(new Dynptr(call, 0).data === 0 ? 1 : 0, 0);

export function dynptrIsRdonly(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  call.setReturn(dynptr.data !== 0 && dynptr.isReadOnly ? 1 : 0, 0);
}

/** 32 bits: an error for an invalid dynptr, too. */
export function dynptrSize(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  call.setReturn(dynptr.data === 0 ? -ERRNO.EINVAL : dynptr.size, 0);
}

/** p, clone__uninit */
export function dynptrClone(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  const clone = call.writable(1, DYNPTR_BYTES);
  const isValid = dynptr.data !== 0;
  if (isValid) call.memory.u8.copyWithin(clone, dynptr.at, dynptr.at + DYNPTR_BYTES);
  else clearDynptr(call.memory, clone);
  call.setReturnNumber(isValid ? 0 : -ERRNO.EINVAL);
}
