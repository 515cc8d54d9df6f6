import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket, SkbFields } from '../../contracts/host_packet.ts';
import {
  BPF_SKB_MAX_LEN,
  changeProtocol,
  ETH_HLEN,
  ETH_P_IP,
  ETH_P_IPV6,
  headersOf,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  isGso,
  isGsoTcp,
  macHeaderLength,
  makeHeadroom,
  resetChecksum,
  resizeNetworkHeader,
  SKB_GSO,
  skbOf,
} from '../../kernel/socket_buffer.ts';

/** bpf_skb_adjust_room(): room for tunnel headers, or their removal. Source: net/core/filter.c. */

const BPF_ADJ_ROOM_NET = 0;
const BPF_ADJ_ROOM_MAC = 1;

const FLAG = {
  FIXED_GSO: 1 << 0,
  ENCAP_L3_IPV4: 1 << 1,
  ENCAP_L3_IPV6: 1 << 2,
  ENCAP_L4_GRE: 1 << 3,
  ENCAP_L4_UDP: 1 << 4,
  NO_CSUM_RESET: 1 << 5,
  ENCAP_L2_ETH: 1 << 6,
  DECAP_L3_IPV4: 1 << 7,
  DECAP_L3_IPV6: 1 << 8,
} as const;
const ENCAP_L3 = FLAG.ENCAP_L3_IPV4 | FLAG.ENCAP_L3_IPV6;
const DECAP_L3 = FLAG.DECAP_L3_IPV4 | FLAG.DECAP_L3_IPV6;
const KNOWN_LOW = 0x1ff;
/** bits 56 to 63: length of the inner link header */
const ENCAP_L2_SHIFT = 24;
const LARGEST_CHANGE = 0xfff;

const networkHeaderBytes = (skb: SkbFields): number => (skb.protocol === ETH_P_IP ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES);

/** skb, len_diff, mode, flags */
export function skbAdjustRoom(call: HostCall): void {
  const { packet, skb } = skbOf(call);
  call.setReturnNumber(adjustRoom(call, packet, skb));
}

function adjustRoom(call: HostCall, packet: HostPacket, skb: SkbFields): number {
  const delta = call.argLo(1);
  const mode = call.argU32(2);
  const flags = call.argU32(3);
  const flagsHigh = call.argHi(3) >>> 0;
  if ((flags & ~KNOWN_LOW) !== 0 || (flagsHigh & 0xffffff) !== 0) return -ERRNO.EINVAL;
  if (Math.abs(delta) > LARGEST_CHANGE) return -ERRNO.EFAULT;
  if (skb.protocol !== ETH_P_IP && skb.protocol !== ETH_P_IPV6) return -ERRNO.ENOTSUPP;
  if (mode !== BPF_ADJ_ROOM_NET && mode !== BPF_ADJ_ROOM_MAC) return -ERRNO.ENOTSUPP;
  const offset = macHeaderLength(skb) + (mode === BPF_ADJ_ROOM_NET ? networkHeaderBytes(skb) : 0);
  let smallest = networkHeaderBytes(skb);
  if (flags & DECAP_L3) {
    if (delta >= 0 || (flags & DECAP_L3) === DECAP_L3) return -ERRNO.EINVAL;
    smallest = flags & FLAG.DECAP_L3_IPV4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
  }
  const current = packet.length - skb.networkHeader;
  if (delta < 0 && (-delta >= current || current + delta < smallest)) return -ERRNO.ENOTSUPP;
  if (delta >= 0 && packet.length + delta > BPF_SKB_MAX_LEN && !isGso(skb)) return -ERRNO.ENOTSUPP;
  const result =
    delta < 0
      ? shrink(packet, skb, offset, -delta, flags)
      : grow(packet, skb, offset, delta, flags, flagsHigh >>> ENCAP_L2_SHIFT);
  if (result === 0 && (flags & FLAG.NO_CSUM_RESET) === 0) resetChecksum(skb);
  return result;
}

/** udp gso_size delimits datagrams, so that only TCP may change its length freely */
const gsoForbids = (skb: SkbFields, flags: number): boolean =>
  isGso(skb) && !isGsoTcp(skb) && ((skb.gsoType & SKB_GSO.UDP_L4) === 0 || (flags & FLAG.FIXED_GSO) === 0);

/** bpf_skb_net_grow() */
function grow(packet: HostPacket, skb: SkbFields, offset: number, size: number, flags: number, innerLink: number): number {
  if (gsoForbids(skb, flags)) return -ERRNO.ENOTSUPP;
  if (makeHeadroom(packet, size) !== 0) return -ERRNO.ENOMEM;
  const encapsulates = (flags & ENCAP_L3) !== 0;
  if (encapsulates) {
    if ((flags & ENCAP_L3) === ENCAP_L3) return -ERRNO.EINVAL;
    if (flags & FLAG.ENCAP_L4_GRE && flags & FLAG.ENCAP_L4_UDP) return -ERRNO.EINVAL;
    if (flags & FLAG.ENCAP_L2_ETH && innerLink < ETH_HLEN) return -ERRNO.EINVAL;
    if (skb.encapsulation) return -ERRNO.EALREADY;
    if (innerLink > size) return -ERRNO.EINVAL;
  }
  const linkLength = macHeaderLength(skb);
  if (!resizeNetworkHeader(packet, skb, offset, size)) return -ERRNO.ENOMEM;
  if (encapsulates) encapsulate(skb, linkLength, flags);
  if (isGso(skb)) {
    skb.gsoType |= SKB_GSO.DODGY | (encapsulates ? tunnelGso(flags) : 0);
    skb.gsoSegs = 0;
    if ((flags & FLAG.FIXED_GSO) === 0) skb.gsoSize -= size;
  }
  return 0;
}

/** the outer headers become the packet's */
function encapsulate(skb: SkbFields, linkLength: number, flags: number): void {
  skb.encapsulation = true;
  const { transport } = headersOf(skb);
  skb.networkHeader = linkLength;
  const hasTransport = (flags & (FLAG.ENCAP_L4_GRE | FLAG.ENCAP_L4_UDP)) !== 0;
  const outerHeader = flags & FLAG.ENCAP_L3_IPV6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
  skb.transportHeader = hasTransport ? linkLength + outerHeader : transport;
  changeProtocol(skb, flags & FLAG.ENCAP_L3_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
}

function tunnelGso(flags: number): number {
  if (flags & FLAG.ENCAP_L4_UDP) return SKB_GSO.UDP_TUNNEL;
  if (flags & FLAG.ENCAP_L4_GRE) return SKB_GSO.GRE;
  return flags & FLAG.ENCAP_L3_IPV6 ? SKB_GSO.IPXIP6 : SKB_GSO.IPXIP4;
}

/** bpf_skb_net_shrink() */
function shrink(packet: HostPacket, skb: SkbFields, offset: number, size: number, flags: number): number {
  if ((flags & ~(FLAG.FIXED_GSO | DECAP_L3 | FLAG.NO_CSUM_RESET)) !== 0) return -ERRNO.EINVAL;
  if (gsoForbids(skb, flags)) return -ERRNO.ENOTSUPP;
  if (!resizeNetworkHeader(packet, skb, offset, -size)) return -ERRNO.ENOMEM;
  if (skb.protocol === ETH_P_IP && flags & FLAG.DECAP_L3_IPV6) changeProtocol(skb, ETH_P_IPV6);
  else if (skb.protocol === ETH_P_IPV6 && flags & FLAG.DECAP_L3_IPV4) changeProtocol(skb, ETH_P_IP);
  if (isGso(skb)) {
    if ((flags & FLAG.FIXED_GSO) === 0) skb.gsoSize += size;
    skb.gsoType |= SKB_GSO.DODGY;
    skb.gsoSegs = 0;
  }
  return 0;
}
