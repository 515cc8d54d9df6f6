import { Bug, ERRNO } from '../contracts/errors.ts';
import type { HostCall } from '../contracts/host_call.ts';
import type { HostPacket, SkbFields } from '../contracts/host_packet.ts';
import { csumBlockAdd, csumBlockSub, csumPartial } from './checksum_math.ts';

/** What the packet helpers know of a socket buffer. Source: include/linux/skbuff.h, net/core/filter.c. */

/** skb->ip_summed */
export const CHECKSUM = { NONE: 0, UNNECESSARY: 1, COMPLETE: 2, PARTIAL: 3 } as const;

export const ETH_HLEN = 14;
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
export const ETH_P_8021Q = 0x8100;
export const ETH_P_8021AD = 0x88a8;
export const VLAN_HLEN = 4;

export const IPV4_HEADER_BYTES = 20;
export const IPV6_HEADER_BYTES = 40;

/** BPF_SKB_MAX_LEN: four pages without struct skb_shared_info */
export const BPF_SKB_MAX_LEN = 4 * 4096 - 320;

export const SKB_GSO = {
  TCPV4: 1 << 0,
  DODGY: 1 << 1,
  TCPV6: 1 << 4,
  GRE: 1 << 6,
  IPXIP4: 1 << 8,
  IPXIP6: 1 << 9,
  UDP_TUNNEL: 1 << 10,
  UDP_L4: 1 << 17,
} as const;

export function skbOf(call: HostCall): { readonly packet: HostPacket; readonly skb: SkbFields } {
  const { packet } = call;
  if (packet === null || packet.skb === null) throw new Bug('socket buffer helper without a socket buffer');
  return { packet, skb: packet.skb };
}

/** bpf_try_make_writable(): makes the first bytes linear */
export const makeWritable = (packet: HostPacket, size: number): number =>
  size <= packet.length && packet.pull(size) ? 0 : -ERRNO.ENOMEM;

/** skb_cow(): headroom for at least this many bytes; rooms grow in steps of NET_SKB_PAD */
export function makeHeadroom(packet: HostPacket, headroom: number): number {
  if (headroom <= packet.headroom) return 0;
  const more = Math.ceil((headroom - packet.headroom) / 64) * 64;
  return packet.reallocate(packet.headroom + more, packet.tailroom) ? 0 : -ERRNO.ENOMEM;
}

/** skb_clear_hash() */
export function clearHash(skb: SkbFields): void {
  skb.hash = 0;
  skb.hashValid = false;
}

/** __skb_reset_checksum_unnecessary() */
export function resetChecksum(skb: SkbFields): void {
  if (skb.ipSummed !== CHECKSUM.UNNECESSARY) return;
  skb.ipSummed = CHECKSUM.NONE;
  skb.csumLevel = 0;
}

/** __skb_postpull_rcsum(): takes bytes out of a complete checksum */
export function subtractFromChecksum(skb: SkbFields, bytes: Uint8Array, offset: number): void {
  if (skb.ipSummed === CHECKSUM.COMPLETE) skb.csum = csumBlockSub(skb.csum, csumPartial(bytes, 0), offset);
}

/** __skb_postpush_rcsum(): adds bytes to a complete checksum */
export function addToChecksum(skb: SkbFields, bytes: Uint8Array, offset: number): void {
  if (skb.ipSummed === CHECKSUM.COMPLETE) skb.csum = csumBlockAdd(skb.csum, csumPartial(bytes, 0), offset);
}

export const isGso = (skb: SkbFields): boolean => skb.gsoSize !== 0;
export const isGsoTcp = (skb: SkbFields): boolean => (skb.gsoType & (SKB_GSO.TCPV4 | SKB_GSO.TCPV6)) !== 0;

/** bpf_skb_change_protocol() */
export function changeProtocol(skb: SkbFields, protocol: number): void {
  skb.protocol = protocol;
}

/** positions of the headers relative to the data */
export interface Headers {
  readonly mac: number;
  readonly network: number;
  readonly transport: number;
}

export const headersOf = (skb: SkbFields): Headers => ({
  mac: skb.macHeader,
  network: skb.networkHeader,
  transport: skb.transportHeader,
});

export function setHeaders(skb: SkbFields, headers: Headers): void {
  skb.macHeader = headers.mac;
  skb.networkHeader = headers.network;
  skb.transportHeader = headers.transport;
}

/** skb_mac_header_len() */
export const macHeaderLength = (skb: SkbFields): number => skb.networkHeader - skb.macHeader;

/**
 * bpf_skb_net_hdr_push() and bpf_skb_net_hdr_pop(): opens or closes a gap at `offset`, in front of which link and network header
 * keep their positions. False when the packet is too short.
 */
export function resizeNetworkHeader(packet: HostPacket, skb: SkbFields, offset: number, delta: number): boolean {
  const before = headersOf(skb);
  if (delta < 0) {
    if (makeWritable(packet, offset - delta) !== 0) return false;
    subtractFromChecksum(skb, packet.read(offset, -delta)!, 0);
  }
  if (!packet.resizeAt(offset, delta)) return false;
  const transport = before.transport === before.network ? before.network : before.transport + delta;
  setHeaders(skb, { ...before, transport });
  return true;
}

const BPF_F_RECOMPUTE_CSUM = 1n;
const BPF_F_INVALIDATE_HASH = 2n;
const INT_MAX = 0x7fffffff;

/** Source: __bpf_skb_store_bytes, net/core/filter.c. */
export function storeBytes(packet: HostPacket, skb: SkbFields, offset: number, bytes: Uint8Array, flags: bigint): number {
  if ((flags & ~(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH)) !== 0n) return -ERRNO.EINVAL;
  if (offset > INT_MAX || makeWritable(packet, offset + bytes.length) !== 0) return -ERRNO.EFAULT;
  if ((flags & BPF_F_RECOMPUTE_CSUM) !== 0n) {
    subtractFromChecksum(skb, packet.read(offset, bytes.length)!, offset);
    addToChecksum(skb, bytes, offset);
  }
  packet.write(offset, bytes);
  if ((flags & BPF_F_INVALIDATE_HASH) !== 0n) clearHash(skb);
  return 0;
}
