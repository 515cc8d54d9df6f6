import { Bug, ERRNO, Fault } from '../../contracts/errors.ts';
import type { HostCall, PartKey } from '../../contracts/host_call.ts';
import type { HostPerf, HostRing } from '../../contracts/host_map.ts';
import { clearDynptr, DYNPTR_BYTES, dynptrFits, initDynptr } from '../../kernel/dynptr.ts';

/** Ring buffer and perf buffer output. Source: kernel/bpf/ringbuf.c, kernel/trace/bpf_trace.c, net/core/filter.c. */

const BPF_RB_NO_WAKEUP = 1n;
const BPF_RB_FORCE_WAKEUP = 2n;
const WAKEUP_FLAGS = BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP;

const BPF_F_INDEX_MASK = 0xffffffffn;
const BPF_F_CTXLEN_MASK = 0xfffffn << 32n;

function ringOf(call: HostCall): HostRing {
  const { ring, name } = call.map(0);
  if (ring === null) throw new Bug(`map ${name} is no ring buffer`);
  return ring;
}

function perfOf(call: HostCall, index: number): HostPerf {
  const { perf, name } = call.map(index);
  if (perf === null) throw new Bug(`map ${name} is no perf event array`);
  return perf;
}

/** Larger sizes than a ring can have find no room either. */
const sizeOf = (call: HostCall, index: number): number => (call.argHi(index) === 0 ? call.argU32(index) : 0xffffffff);

/** Reservations that are open: offset of the sample → its ring. A sample finds its ring by its own address. */
const RESERVED: PartKey<Map<number, HostRing>> = { name: 'ring buffer reservations', create: () => new Map() };

export function ringbufReserve(call: HostCall): void {
  const ring = ringOf(call);
  const sample = call.argIsNull(2) ? ring.reserve(sizeOf(call, 1)) : 0;
  if (sample !== 0) call.part(RESERVED).set(sample, ring);
  call.setReturnPointer(sample);
}

/** Ends the reservation that starts at a sample. */
function end(call: HostCall, sample: number, flags: bigint, discard: boolean): void {
  const reserved = call.part(RESERVED);
  const ring = reserved.get(sample);
  if (ring === undefined) throw new Fault('bad-call', 'not a reserved ring buffer record', call.arg(0));
  reserved.delete(sample);
  ring.commit(sample, flags, discard);
}

const ending =
  (discard: boolean) =>
  (call: HostCall): void => {
    end(call, call.argU32(0), call.arg(1), discard);
    call.setReturn(0, 0);
  };

export const ringbufSubmit = ending(false);
export const ringbufDiscard = ending(true);

/** map, size, flags, ptr: without room the dynptr is invalid, and has to be given back even so. */
export function ringbufReserveDynptr(call: HostCall): void {
  const dynptr = call.writable(3, DYNPTR_BYTES);
  const size = call.argU32(1);
  clearDynptr(call.memory, dynptr);
  if (!call.argIsNull(2)) return call.setReturnNumber(-ERRNO.EINVAL);
  if (!dynptrFits(size)) return call.setReturnNumber(-ERRNO.E2BIG);
  const ring = ringOf(call);
  const sample = ring.reserve(size);
  if (sample === 0) return call.setReturnNumber(-ERRNO.EINVAL);
  call.part(RESERVED).set(sample, ring);
  initDynptr(call.memory, dynptr, 'ringbuf', sample, size);
  call.setReturn(0, 0);
}

const endingDynptr =
  (discard: boolean) =>
  (call: HostCall): void => {
    const dynptr = call.writable(0, DYNPTR_BYTES);
    const sample = call.memory.loadU32(dynptr);
    if (sample !== 0) end(call, sample, call.arg(1), discard);
    clearDynptr(call.memory, dynptr);
    call.setReturn(0, 0);
  };

export const ringbufSubmitDynptr = endingDynptr(false);
export const ringbufDiscardDynptr = endingDynptr(true);

export function ringbufOutput(call: HostCall): void {
  const flags = call.arg(3);
  if ((flags & ~WAKEUP_FLAGS) !== 0n) {
    call.setReturnNumber(-ERRNO.EINVAL);
    return;
  }
  const size = sizeOf(call, 2);
  call.setReturnNumber(ringOf(call).output(call.readable(1, size), size, flags));
}

export const ringbufQuery = (call: HostCall): void => call.setReturnBigint(ringOf(call).query(call.arg(1)));

/** bpf_perf_event_output: ctx, map, flags, data, size */
export function perfEventOutput(call: HostCall): void {
  const flags = call.arg(2);
  if ((flags & ~BPF_F_INDEX_MASK) !== 0n) {
    call.setReturnNumber(-ERRNO.EINVAL);
    return;
  }
  call.setReturnNumber(perfOf(call, 1).output(flags, call.bytes(3, call.argU32(4)).slice()));
}

/** bpf_skb_event_output and bpf_xdp_event_output: bits 32 to 51 of the flags are the number of packet bytes behind the data. */
export function packetEventOutput(call: HostCall): void {
  const flags = call.arg(2);
  if ((flags & ~(BPF_F_CTXLEN_MASK | BPF_F_INDEX_MASK)) !== 0n) {
    call.setReturnNumber(-ERRNO.EINVAL);
    return;
  }
  const packet = call.packet?.read(0, Number((flags & BPF_F_CTXLEN_MASK) >> 32n)) ?? null;
  if (packet === null) {
    call.setReturnNumber(-ERRNO.EFAULT);
    return;
  }
  const data = call.bytes(3, call.argU32(4));
  const all = new Uint8Array(data.length + packet.length);
  all.set(data);
  all.set(packet, data.length);
  call.setReturnNumber(perfOf(call, 1).output(flags & BPF_F_INDEX_MASK, all));
}

export const perfEventRead = (call: HostCall): void => call.setReturnBigint(perfOf(call, 0).read(call.arg(1)));
