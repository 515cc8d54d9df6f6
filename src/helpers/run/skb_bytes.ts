import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket } from '../../contracts/host_packet.ts';
import { makeWritable, skbOf, storeBytes } from '../../kernel/socket_buffer.ts';

/** Bytes of a socket buffer, copied in and out. Source: net/core/filter.c. */

const INT_MAX = 0x7fffffff;
const BPF_HDR_START_MAC = 0;
const BPF_HDR_START_NET = 1;

/** skb, offset, from, len, flags */
export function skbStoreBytes(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  call.setReturnNumber(storeBytes(packet, skb, call.argU32(1), call.bytes(2, call.argU32(3)).slice(), call.arg(4)));
}

/** ctx, offset, to, len: copies what `read` finds, else zeroes the buffer */
function loadInto(call: HostCall, read: (offset: number, size: number) => Uint8Array | null): void {
  const size = call.argU32(3);
  const bytes = read(call.argU32(1), size);
  const target = call.writableBytes(2, size);
  if (bytes === null) target.fill(0);
  else target.set(bytes);
  call.setReturnNumber(bytes === null ? -ERRNO.EFAULT : 0);
}

const upTo =
  (limit: number) =>
  (call: HostCall): void => {
    const { packet } = skbOf(call);
    loadInto(call, (offset, size) => (offset > limit ? null : packet.read(offset, size)));
  };

export const skbLoadBytes = upTo(INT_MAX);
export const flowDissectorLoadBytes = upTo(0xffff);

/** skb, offset, to, len, start_header: only linear bytes */
export function skbLoadBytesRelative(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  const header = call.argU32(4);
  loadInto(call, (offset, size) => {
    if (offset > 0xffff) return null;
    if (header === BPF_HDR_START_MAC) return readLinear(call, packet, skb.macHeader + offset, size);
    if (header === BPF_HDR_START_NET) return readLinear(call, packet, skb.networkHeader + offset, size);
    return null;
  });
}

/** a header may lie in front of the data, where a link header was pulled */
function readLinear(call: HostCall, packet: HostPacket, position: number, size: number): Uint8Array | null {
  if (position + size > packet.linearLength || position < -packet.headroom) return null;
  const start = packet.dataOffset + position;
  return call.memory.u8.slice(start, start + size);
}

/** skb, len: 0 means what is linear already */
export function skbPullData(call: HostCall): void {
  const { packet } = skbOf(call);
  const size = call.argU32(1);
  call.setReturnNumber(makeWritable(packet, size === 0 ? packet.linearLength : size));
}
