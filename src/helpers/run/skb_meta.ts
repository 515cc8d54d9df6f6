import { ERRNO, Unmodelled } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket, SkbFields } from '../../contracts/host_packet.ts';
import { csumAdd, csumSub } from '../../kernel/checksum_math.ts';
import {
  CHECKSUM,
  clearHash,
  ETH_P_8021AD,
  ETH_P_8021Q,
  ETH_P_IP,
  ETH_P_IPV6,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  skbOf,
} from '../../kernel/socket_buffer.ts';

/** What a socket buffer carries beside its bytes. Source: net/core/filter.c, include/net/inet_ecn.h. */

const BPF_SKB_CLOCK_REALTIME = 0;
const BPF_SKB_CLOCK_TAI = 2;
const CE = 3;

export const getRouteRealm = (call: HostCall): void => call.setReturnNumber(skbOf(call).skb.routeRealm);
export const getCgroupClassid = (call: HostCall): void => call.setReturnNumber(skbOf(call).skb.cgroupClassid);
export const skbCgroupId = (call: HostCall): void => call.setReturnBigint(skbOf(call).skb.cgroupId);

export function setHashInvalid(call: HostCall): void {
  clearHash(skbOf(call).skb);
  call.setReturnNumber(0);
}

export function setHash(call: HostCall): void {
  const { skb } = skbOf(call);
  skb.hash = call.argU32(1);
  skb.hashValid = true;
  call.setReturnNumber(0);
}

/** The hash that is there, else one of the flow. Differs from the kernel: whose siphash has a random key; this is FNV-1a. */
export function getHashRecalc(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  if (!skb.hashValid) {
    skb.hash = flowHash(packet, skb);
    skb.hashValid = true;
  }
  call.setReturn(skb.hash | 0, 0);
}

/** over addresses, protocol and, for TCP and UDP, ports; never 0 */
function flowHash(packet: HostPacket, skb: SkbFields): number {
  let hash = 0x811c9dc5;
  for (const byte of flowKey(packet, skb)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0 || 1;
}

function flowKey(packet: HostPacket, skb: SkbFields): number[] {
  const at = skb.networkHeader;
  const ipv4 = skb.protocol === ETH_P_IP;
  if (!ipv4 && skb.protocol !== ETH_P_IPV6) return [skb.protocol >>> 8, skb.protocol & 0xff];
  const header = packet.read(at, ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES);
  if (header === null) return [];
  const protocol = header[ipv4 ? 9 : 6]!;
  const length = ipv4 ? (header[0]! & 0xf) * 4 : IPV6_HEADER_BYTES;
  const hasPorts = protocol === 6 || protocol === 17;
  const ports = hasPorts ? packet.read(at + length, 4) : null;
  return [...header.subarray(ipv4 ? 12 : 8), protocol, ...(ports ?? [])];
}

/** skb, tstamp, tstamp_type: monotonic and TAI stamps are not 0 */
export function skbSetTstamp(call: HostCall): void {
  const { skb } = skbOf(call);
  const stamp = call.arg(1);
  const type = call.argU32(2);
  if (skb.protocol !== ETH_P_IP && skb.protocol !== ETH_P_IPV6) {
    call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  } else if (type > BPF_SKB_CLOCK_TAI || (type !== BPF_SKB_CLOCK_REALTIME && stamp === 0n)) {
    call.setReturnNumber(-ERRNO.EINVAL);
  } else {
    skb.tstamp = stamp;
    skb.tstampType = type;
    call.setReturnNumber(0);
  }
}

/** 1 when the packet is marked now or was before, 0 when it cannot be */
export function skbEcnSetCe(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  const { protocol } = skb;
  if (protocol === ETH_P_8021Q || protocol === ETH_P_8021AD) throw new Unmodelled('bpf_skb_ecn_set_ce on a tagged packet');
  const size = protocol === ETH_P_IP ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
  const header = packet.linear(skb.networkHeader, size) !== 0 ? packet.read(skb.networkHeader, size) : null;
  if (header === null) call.setReturnNumber(0);
  else if (protocol === ETH_P_IP) call.setReturnNumber(markIpv4(packet, skb.networkHeader, header));
  else call.setReturnNumber(protocol === ETH_P_IPV6 ? markIpv6(packet, skb, header) : 0);
}

/** IP_ECN_set_ce() */
function markIpv4(packet: HostPacket, at: number, header: Uint8Array): number {
  const step = (header[1]! + 1) & 3;
  if ((step & 2) === 0) return step === 0 ? 1 : 0;
  const check = ((header[10]! << 8) | header[11]!) + 0xfffb + step;
  const folded = (check & 0xffff) + (check >>> 16);
  header[1]! |= CE;
  header[10] = (folded >>> 8) & 0xff;
  header[11] = folded & 0xff;
  packet.write(at, header);
  return 1;
}

/** IP6_ECN_set_ce(): the two bits are in the second byte */
function markIpv6(packet: HostPacket, skb: SkbFields, header: Uint8Array): number {
  if (((header[1]! >>> 4) & CE) === 0) return 0;
  const word = (): number => new DataView(header.buffer, header.byteOffset).getUint32(0, true);
  const before = word();
  header[1]! |= CE << 4;
  if (skb.ipSummed === CHECKSUM.COMPLETE) skb.csum = csumAdd(csumSub(skb.csum, before), word());
  packet.write(skb.networkHeader, header);
  return 1;
}
