import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket, SkbFields } from '../../contracts/host_packet.ts';
import {
  addToChecksum,
  ETH_HLEN,
  ETH_P_8021AD,
  ETH_P_8021Q,
  headersOf,
  macHeaderLength,
  makeHeadroom,
  makeWritable,
  setHeaders,
  skbOf,
  subtractFromChecksum,
  VLAN_HLEN,
} from '../../kernel/socket_buffer.ts';

/**
 * VLAN tags: the outermost is kept beside the packet, the others lie behind the link addresses. Source: skb_vlan_push and
 * skb_vlan_pop, net/core/skbuff.c; include/linux/if_vlan.h.
 */

/** bytes of the two link addresses */
const ADDRESSES = 12;
const ETH_P_802_3_MIN = 0x0600;
const ETH_P_802_3 = 0x0001;
const ETH_P_802_2 = 0x0004;

const isVlan = (protocol: number): boolean => protocol === ETH_P_8021Q || protocol === ETH_P_8021AD;

/** skb, vlan_proto in network order, vlan_tci */
export function skbVlanPush(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  const wire = call.argU32(1) & 0xffff;
  const wanted = ((wire & 0xff) << 8) | (wire >>> 8);
  if (skb.vlanPresent) {
    const failed = insertTag(packet, skb);
    if (failed !== 0) {
      call.setReturnNumber(failed);
      return;
    }
  }
  skb.vlanPresent = true;
  skb.vlanProto = isVlan(wanted) ? wanted : ETH_P_8021Q;
  skb.vlanTci = call.argU32(2) & 0xffff;
  skb.macLen = macHeaderLength(skb);
  call.setReturnNumber(0);
}

/** __vlan_insert_tag(): the tag beside the packet moves into it */
function insertTag(packet: HostPacket, skb: SkbFields): number {
  const before = headersOf(skb);
  if (makeWritable(packet, ADDRESSES) !== 0 || makeHeadroom(packet, VLAN_HLEN) !== 0) return -ERRNO.ENOMEM;
  if (!packet.resizeAt(ADDRESSES, VLAN_HLEN)) return -ERRNO.ENOMEM;
  const tag = Uint8Array.of(skb.vlanProto >>> 8, skb.vlanProto & 0xff, skb.vlanTci >>> 8, skb.vlanTci & 0xff);
  packet.write(ADDRESSES, tag);
  setHeaders(skb, { ...before, transport: before.transport + VLAN_HLEN });
  skb.protocol = skb.vlanProto;
  addToChecksum(skb, tag, 0);
  return 0;
}

export function skbVlanPop(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  if (skb.vlanPresent) {
    skb.vlanPresent = false;
    skb.vlanTci = 0;
  } else if (isVlan(skb.protocol)) {
    const removed = removeTag(packet, skb);
    if (removed === null) {
      call.setReturnNumber(-ERRNO.ENOMEM);
      return;
    }
  }
  if (isVlan(skb.protocol)) {
    const { protocol } = skb;
    const tci = removeTag(packet, skb);
    if (tci === null) {
      call.setReturnNumber(-ERRNO.ENOMEM);
      return;
    }
    skb.vlanPresent = true;
    skb.vlanProto = protocol;
    skb.vlanTci = tci;
  }
  call.setReturnNumber(0);
}

/** __skb_vlan_pop(): takes the outermost tag out of the packet; null when the packet is too short */
function removeTag(packet: HostPacket, skb: SkbFields): number | null {
  if (makeWritable(packet, ETH_HLEN + VLAN_HLEN) !== 0) return null;
  const before = headersOf(skb);
  const tag = packet.read(ADDRESSES, VLAN_HLEN + 4)!;
  subtractFromChecksum(skb, tag.subarray(0, VLAN_HLEN), 0);
  if (!packet.resizeAt(ADDRESSES, -VLAN_HLEN)) return null;
  const network = Math.max(before.network - VLAN_HLEN, ETH_HLEN);
  setHeaders(skb, { mac: before.mac, network, transport: before.transport - VLAN_HLEN });
  skb.protocol = encapsulatedProtocol((tag[4]! << 8) | tag[5]!, (tag[6]! << 8) | tag[7]!);
  skb.macLen = macHeaderLength(skb);
  return (tag[2]! << 8) | tag[3]!;
}

/** vlan_set_encap_proto(): what follows the tag is a type, or the length of an older frame */
function encapsulatedProtocol(typeOrLength: number, next: number): number {
  if (typeOrLength >= ETH_P_802_3_MIN) return typeOrLength;
  return next === 0xffff ? ETH_P_802_3 : ETH_P_802_2;
}
