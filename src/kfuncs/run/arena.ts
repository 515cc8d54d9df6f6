import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';

/** Pages of arenas. Source: kernel/bpf/arena.c. */

const NUMA_NO_NODE = -1;

/** p__map, addr__ign, page_cnt, node_id, flags */
export function arenaAllocPages(call: HostCall): void {
  const { arena } = call.map(0);
  const count = call.argU32(2);
  const node = call.argLo(3);
  const knownNode = node === NUMA_NO_NODE || node === call.numaNode;
  const refused = arena === null || !call.argIsNull(4) || count === 0 || !knownNode || call.allocationFails();
  call.setReturnBigint(refused ? 0n : arena.allocatePages(call.arg(1), count));
}

/** p__map, ptr__ign, page_cnt: of the page that the address lies in, and those behind it */
export function arenaFreePages(call: HostCall): void {
  const count = call.argU32(2);
  if (count !== 0 && !call.argIsNull(1)) call.map(0).arena?.freePages(call.arg(1), count);
}

/** p__map, ptr__ign, page_cnt */
export function arenaReservePages(call: HostCall): void {
  const { arena } = call.map(0);
  const count = call.argU32(2);
  if (arena === null) return call.setReturnNumber(-ERRNO.EINVAL);
  call.setReturnNumber(count === 0 ? 0 : arena.reservePages(call.arg(1), count));
}
