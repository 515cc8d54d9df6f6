import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { isKernelAddress } from '../../kernel/kernel_address.ts';

/**
 * bpf_iter_bits, kernel/bpf/helpers.c. State in the 16 bytes of the iterator:
 *
 *     0 one word of bits, or the address of a copy of several    8 number of bits    12 the bit given last
 */

const STATE_BYTES = 16;
const COUNT_AT = 8;
const BIT_AT = 12;
const WORD_BYTES = 8;
const WORD_BITS = 64;
const MAX_WORDS = 511;

/** it, unsafe_ptr__ign, nr_words */
export function bitsNew(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, STATE_BYTES);
  const words = call.argU32(2);
  memory.store64(at, 0, 0);
  memory.storeI32(at + COUNT_AT, 0);
  memory.storeI32(at + BIT_AT, -1);
  if (call.argIsNull(1) || words === 0) return call.setReturnNumber(-ERRNO.EINVAL);
  if (words > MAX_WORDS) return call.setReturnNumber(-ERRNO.E2BIG);
  const size = words * WORD_BYTES;
  const from = memory.probe(call.argLo(1), call.argHi(1), size, false);
  if (words > 1 && call.allocationFails()) return call.setReturnNumber(-ERRNO.ENOMEM);
  if (from < 0) {
    const isOdd = words > 1 && !isKernelAddress(call.argLo(1), call.argHi(1));
    return call.setReturnNumber(isOdd ? -ERRNO.ERANGE : -ERRNO.EFAULT);
  }
  const copy = words === 1 ? at : memory.allocate(size, { what: 'words of a bits iterator', readOnly: true });
  if (copy === 0) return call.setReturnNumber(-ERRNO.ENOMEM);
  memory.u8.copyWithin(copy, from, from + size);
  if (copy !== at) memory.store64(at, copy, memory.high);
  memory.storeI32(at + COUNT_AT, words * WORD_BITS);
  call.setReturn(0, 0);
}

export function bitsNext(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, STATE_BYTES);
  const count = memory.loadI32(at + COUNT_AT);
  const last = memory.loadI32(at + BIT_AT);
  if (count === 0 || last >= count) return call.setReturnPointer(0);
  const bits = count === WORD_BITS ? at : memory.loadU32(at);
  let bit = last + 1;
  while (bit < count && ((memory.u8[bits + (bit >> 3)]! >> (bit & 7)) & 1) === 0) bit++;
  memory.storeI32(at + BIT_AT, bit);
  call.setReturnPointer(bit < count ? at + BIT_AT : 0);
}

export function bitsDestroy(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, STATE_BYTES);
  if (memory.loadI32(at + COUNT_AT) > WORD_BITS) memory.free(memory.loadU32(at));
}
