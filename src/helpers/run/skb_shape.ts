import { ERRNO, Unmodelled } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket, SkbFields } from '../../contracts/host_packet.ts';
import { csumBlockSub, csumPartial } from '../../kernel/checksum_math.ts';
import {
  BPF_SKB_MAX_LEN,
  CHECKSUM,
  changeProtocol,
  clearHash,
  ETH_P_IP,
  ETH_P_IPV6,
  headersOf,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  isGso,
  macHeaderLength,
  makeHeadroom,
  makeWritable,
  resizeNetworkHeader,
  SKB_GSO,
  skbOf,
} from '../../kernel/socket_buffer.ts';

/** Length, head and protocol of a socket buffer. Source: net/core/filter.c. */

const PACKET_OTHERHOST = 3;

/** __bpf_skb_min_len() */
function minimalLength(skb: SkbFields): number {
  if (skb.ipSummed === CHECKSUM.PARTIAL) throw new Unmodelled('change of the tail of a packet with a partial checksum');
  return skb.transportHeader > 0 ? skb.transportHeader : Math.max(skb.networkHeader, 0);
}

/** skb, len, flags */
export function skbChangeTail(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  call.setReturnNumber(changeTail(call, packet, skb, call.argU32(1)));
}

function changeTail(call: HostCall, packet: HostPacket, skb: SkbFields, length: number): number {
  if (!call.argIsNull(2) || length > BPF_SKB_MAX_LEN || length < minimalLength(skb)) return -ERRNO.EINVAL;
  if (skb.encapsulation) return -ERRNO.ENOTSUPP;
  if (!packet.pull(packet.length)) return -ERRNO.ENOMEM;
  const delta = length - packet.length;
  if (delta > packet.tailroom && !packet.reallocate(packet.headroom, delta)) return -ERRNO.ENOMEM;
  if (delta < 0 && skb.ipSummed === CHECKSUM.COMPLETE) {
    skb.csum = csumBlockSub(skb.csum, csumPartial(packet.read(length, -delta)!, 0), length);
  } else if (delta > 0 && skb.ipSummed === CHECKSUM.COMPLETE) {
    skb.ipSummed = CHECKSUM.NONE;
  }
  if (delta !== 0 && !packet.moveTail(delta)) return -ERRNO.ENOMEM;
  if (isGso(skb)) {
    skb.gsoSize = 0;
    skb.gsoSegs = 0;
    skb.gsoType = 0;
  }
  return 0;
}

/** skb, head_room, flags: new bytes in front, where the link header is from now on */
export function skbChangeHead(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  const room = call.argU32(1);
  const tooLong = !isGso(skb) && packet.length + room > BPF_SKB_MAX_LEN;
  if (!call.argIsNull(2) || call.argLo(1) < 0 || tooLong) {
    call.setReturnNumber(-ERRNO.EINVAL);
    return;
  }
  const before = headersOf(skb);
  if (makeHeadroom(packet, room) !== 0 || !packet.moveHead(-room)) {
    call.setReturnNumber(-ERRNO.ENOMEM);
    return;
  }
  packet.write(0, new Uint8Array(room));
  skb.macHeader = 0;
  skb.networkHeader = before.network + room;
  skb.transportHeader = before.transport + room;
  skb.macLen = skb.networkHeader;
  call.setReturnNumber(0);
}

/** skb, proto in network order, flags */
export function skbChangeProto(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  if (!call.argIsNull(2)) {
    call.setReturnNumber(-ERRNO.EINVAL);
    return;
  }
  const wire = call.argU32(1) & 0xffff;
  const to = ((wire & 0xff) << 8) | (wire >>> 8);
  const more = IPV6_HEADER_BYTES - IPV4_HEADER_BYTES;
  if (skb.protocol === ETH_P_IP && to === ETH_P_IPV6) {
    call.setReturnNumber(translate(packet, skb, more, to, SKB_GSO.TCPV4, SKB_GSO.TCPV6));
  } else if (skb.protocol === ETH_P_IPV6 && to === ETH_P_IP) {
    call.setReturnNumber(translate(packet, skb, -more, to, SKB_GSO.TCPV6, SKB_GSO.TCPV4));
  } else {
    call.setReturnNumber(-ERRNO.ENOTSUPP);
  }
}

/** bpf_skb_proto_4_to_6() and bpf_skb_proto_6_to_4() */
function translate(packet: HostPacket, skb: SkbFields, delta: number, to: number, fromGso: number, toGso: number): number {
  if (delta > 0 && makeHeadroom(packet, delta) !== 0) return -ERRNO.ENOMEM;
  if (!resizeNetworkHeader(packet, skb, macHeaderLength(skb), delta)) return -ERRNO.ENOMEM;
  if (isGso(skb)) {
    if (skb.gsoType & fromGso) skb.gsoType = (skb.gsoType & ~fromGso) | toGso;
    skb.gsoType |= SKB_GSO.DODGY;
  }
  changeProtocol(skb, to);
  clearHash(skb);
  return 0;
}

/** skb, type: among the types up to PACKET_OTHERHOST */
export function skbChangeType(call: HostCall): void {
  const { skb } = skbOf(call);
  const type = call.argU32(1);
  if (skb.pktType > PACKET_OTHERHOST || type > PACKET_OTHERHOST) {
    call.setReturnNumber(-ERRNO.EINVAL);
    return;
  }
  skb.pktType = type;
  call.setReturnNumber(0);
}

/** sk_skb_adjust_room: skb, len_diff, mode, flags: moves the front of the data */
export function skSkbAdjustRoom(call: HostCall): void {
  const delta = call.argLo(1);
  const { packet } = skbOf(call);
  if (!call.argIsNull(3) || call.argLo(2) !== 0) {
    call.setReturnNumber(-ERRNO.EINVAL);
  } else if (Math.abs(delta) > 0xfff) {
    call.setReturnNumber(-ERRNO.EFAULT);
  } else if (delta < 0 ? makeWritable(packet, -delta) !== 0 : makeHeadroom(packet, delta) !== 0) {
    call.setReturnNumber(-ERRNO.ENOMEM);
  } else {
    packet.moveHead(-delta);
    if (delta > 0) packet.write(0, new Uint8Array(delta));
    call.setReturnNumber(0);
  }
}
