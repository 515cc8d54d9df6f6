import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { MAP_TYPES } from '../../contracts/uapi_numbers.ts';

/** Element helpers: the map's own operations decide. Source: kernel/bpf/helpers.c. */

export function mapLookupElem(call: HostCall): void {
  const map = call.map(0);
  call.setReturnPointer(map.lookup(call.readable(1, map.keySize)));
}

export function mapLookupPercpuElem(call: HostCall): void {
  const map = call.map(0);
  call.setReturnPointer(map.lookupPercpu(call.readable(1, map.keySize), call.argU32(2)));
}

export function mapUpdateElem(call: HostCall): void {
  const map = call.map(0);
  const key = call.readable(1, map.keySize);
  call.setReturnNumber(map.update(key, call.readable(2, map.valueSize), call.arg(3)));
}

export function mapDeleteElem(call: HostCall): void {
  const map = call.map(0);
  call.setReturnNumber(map.delete(call.readable(1, map.keySize)));
}

export function mapPushElem(call: HostCall): void {
  const map = call.map(0);
  call.setReturnNumber(map.push(call.readable(1, map.valueSize), call.arg(2)));
}

export function mapPopElem(call: HostCall): void {
  const map = call.map(0);
  call.setReturnNumber(map.pop(call.writable(1, map.valueSize)));
}

/** A bloom filter only looks at the value it is given. */
export function mapPeekElem(call: HostCall): void {
  const map = call.map(0);
  const value = map.type === MAP_TYPES.bloom_filter ? call.readable(1, map.valueSize) : call.writable(1, map.valueSize);
  call.setReturnNumber(map.peek(value));
}

/** The callback gets map, key, value and ctx; it stops the walk by a non-zero result. */
export function forEachMapElem(call: HostCall): void {
  if (!call.argIsNull(3)) {
    call.setReturnNumber(-ERRNO.EINVAL);
    return;
  }
  const map = call.map(0);
  const ctxLo = call.argLo(2);
  const ctxHi = call.argHi(2);
  const visit = (key: number, value: number): number => {
    call.setCallbackPointer(0, map.offset);
    call.setCallbackPointer(1, key);
    call.setCallbackPointer(2, value);
    call.setCallbackArg(3, ctxLo, ctxHi);
    return call.invoke(1) | call.callbackHi;
  };
  call.setReturnNumber(map.forEach(visit));
}
