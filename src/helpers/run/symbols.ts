import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';

/** name, name_sz, flags, res: the address of a function. Source: bpf_kallsyms_lookup_name, kernel/bpf/syscall.c. */
export function kallsymsLookupName(call: HostCall): void {
  const result = call.writable(3, 8);
  call.memory.store64(result, 0, 0);
  const size = call.argU32(1) | 0;
  if (call.argU32(2) !== 0 || size <= 1) return call.setReturnNumber(-ERRNO.EINVAL);
  if (call.bytes(0, size)[size - 1] !== 0) return call.setReturnNumber(-ERRNO.EINVAL);
  const symbol = call.symbols.find(call.cstring(0, size));
  if (symbol === null) return call.setReturnNumber(-ERRNO.ENOENT);
  call.memory.store64(result, symbol.lo, symbol.hi);
  call.setReturnNumber(0);
}
