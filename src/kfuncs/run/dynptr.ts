import { ERRNO, Unmodelled } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket } from '../../contracts/host_packet.ts';
import { clearDynptr, DYNPTR_BYTES, Dynptr, type DynptrKind, initDynptr, setReadOnly } from '../../kernel/dynptr.ts';
import { readDynptr, sliceOf, writeDynptr } from '../../kernel/dynptr_bytes.ts';

/** Kfuncs for dynptrs. Source: kernel/bpf/helpers.c. */

/**
 * p, offset, buffer__opt, buffer__szk: bytes of a packet that do not stand in one piece are copied to the buffer. Differs from the
 * kernel: a piece within one fragment of an XDP frame is copied, too.
 */
export function dynptrSlice(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  const offset = call.argU32(1);
  const size = call.argU32(3);
  const direct = sliceOf(call, dynptr, offset, size);
  if (direct !== 0 || call.argIsNull(2)) return call.setReturnPointer(direct);
  const bytes = readDynptr(call, dynptr, offset, size);
  if (typeof bytes !== 'number') call.writableBytes(2, size).set(bytes);
  else if (dynptr.data === 0 || !dynptr.holds(offset, size) || dynptr.kind !== 'xdp') return call.setReturnPointer(0);
  call.setReturn(call.argLo(2), call.argHi(2));
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

/** packet, flags, ptr__uninit */
const fromPacket =
  (kind: DynptrKind, sizeOf: (packet: HostPacket) => number) =>
  (call: HostCall): void => {
    const at = call.writable(2, DYNPTR_BYTES);
    const { packet } = call;
    if (packet === null) throw new Unmodelled('dynptr over a packet', 'the program does not run on one');
    if (!call.argIsNull(1)) clearDynptr(call.memory, at);
    else initDynptr(call.memory, at, kind, packet.contextOffset, sizeOf(packet));
    call.setReturnNumber(call.argIsNull(1) ? 0 : -ERRNO.EINVAL);
  };

/** Programs that may not write to the packet get a dynptr that is read-only. Source: bpf_dynptr_from_skb_rdonly. */
export function dynptrFromSkb(call: HostCall): void {
  fromPacket('skb', ({ length }) => length)(call);
  if (call.argIsNull(1) && !call.mayWritePacket) setReadOnly(call.memory, call.writable(2, DYNPTR_BYTES));
}
export const dynptrFromSkbMeta = fromPacket('skb_meta', ({ metaLength }) => metaLength);
export const dynptrFromXdp = fromPacket('xdp', ({ length }) => length);

/** dst_ptr, dst_off, src_ptr, src_off, size */
export function dynptrCopy(call: HostCall): void {
  const target = new Dynptr(call, 0);
  const targetOffset = call.argU32(1);
  const source = new Dynptr(call, 2);
  const sourceOffset = call.argU32(3);
  const size = call.argU32(4);
  const hasPiece = sliceOf(call, source, sourceOffset, size) !== 0;
  const targetPiece = target.isReadOnly ? 0 : sliceOf(call, target, targetOffset, size);
  if (!hasPiece && targetPiece === 0 && !(target.holds(targetOffset, size) && source.holds(sourceOffset, size))) {
    return call.setReturnNumber(-ERRNO.E2BIG);
  }
  if (!hasPiece && targetPiece === 0)
    return call.setReturnNumber(copyInChunks(call, target, targetOffset, source, sourceOffset, size));
  const bytes = readDynptr(call, source, sourceOffset, size);
  if (typeof bytes === 'number') return call.setReturnNumber(bytes);
  if (targetPiece === 0) return call.setReturnNumber(writeDynptr(call, target, targetOffset, bytes));
  call.memory.u8.set(bytes, targetPiece);
  call.setReturn(0, 0);
}

/** The stack of the kernel holds so many bytes at a time. */
const CHUNK = 256;

function copyInChunks(call: HostCall, target: Dynptr, targetOffset: number, source: Dynptr, sourceOffset: number, size: number) {
  for (let done = 0; done < size; done += CHUNK) {
    const bytes = readDynptr(call, source, sourceOffset + done, Math.min(CHUNK, size - done));
    const error = typeof bytes === 'number' ? bytes : writeDynptr(call, target, targetOffset + done, bytes);
    if (error !== 0) return error;
  }
  return 0;
}

/** p, offset, size, val */
export function dynptrMemset(call: HostCall): void {
  const dynptr = new Dynptr(call, 0);
  const offset = call.argU32(1);
  const size = call.argU32(2);
  const value = call.argU32(3) & 0xff;
  const piece = dynptr.isReadOnly ? 0 : sliceOf(call, dynptr, offset, size);
  if (piece !== 0) {
    call.memory.u8.fill(value, call.memory.check(piece, call.memory.high, size, true), piece + size);
    return call.setReturn(0, 0);
  }
  if (dynptr.isReadOnly) return call.setReturnNumber(-ERRNO.EINVAL);
  if (!dynptr.holds(offset, size)) return call.setReturnNumber(-ERRNO.E2BIG);
  for (let done = 0; done < size; done += CHUNK) {
    const error = writeDynptr(call, dynptr, offset + done, new Uint8Array(Math.min(CHUNK, size - done)).fill(value));
    if (error !== 0) return call.setReturnNumber(error);
  }
  call.setReturn(0, 0);
}
