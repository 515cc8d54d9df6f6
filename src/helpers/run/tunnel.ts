import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { TunnelKey } from '../../contracts/host_packet.ts';
import { skbOf } from '../../kernel/socket_buffer.ts';

/**
 * Tunnel data of packets: what a program sets it reads back with the two ends exchanged. Source: net/core/filter.c.
 *
 *     struct bpf_tunnel_key   0 id   4 remote, 16 bytes   20 tos   21 ttl   22 flags   24 label   28 local, 16 bytes
 */
const KEY_BYTES = 44;
const AT = { remote: 4, tos: 20, ttl: 21, flags: 22, label: 24, local: 28 } as const;
/** Sizes that the struct once had; the first was without IPv6. */
const REMOTE_IPV4_END = 8;
const OLDER_SIZES: ReadonlySet<number> = new Set([REMOTE_IPV4_END, AT.flags, AT.label, AT.local]);

const BPF_F_TUNINFO_IPV6 = 1n << 0n;
const BPF_F_ZERO_CSUM_TX = 1n << 1n;
const BPF_F_DONT_FRAGMENT = 1n << 2n;
const BPF_F_SEQ_NUMBER = 1n << 3n;
const BPF_F_NO_TUNNEL_KEY = 1n << 4n;
const SET_FLAGS = BPF_F_TUNINFO_IPV6 | BPF_F_ZERO_CSUM_TX | BPF_F_DONT_FRAGMENT | BPF_F_SEQ_NUMBER | BPF_F_NO_TUNNEL_KEY;
const BPF_F_TUNINFO_FLAGS = 1n << 4n;
const GET_FLAGS = BPF_F_TUNINFO_IPV6 | BPF_F_TUNINFO_FLAGS;

/** Bits of the tunnel's flags, include/uapi/linux/if_tunnel.h. */
const IP_TUNNEL = { CSUM: 1 << 0, KEY: 1 << 2, SEQ: 1 << 3, DONT_FRAGMENT: 1 << 8, NOCACHE: 1 << 13 } as const;
/** IP_TUNNEL_GENEVE_OPT, VXLAN_OPT, ERSPAN_OPT and GTP_OPT */
const OPTIONS_PRESENT = (1 << 11) | (1 << 12) | (1 << 14) | (1 << 15);
const IP_TUNNEL_OPTS_MAX = 255;
const IPV6_FLOWLABEL_MASK = 0x000fffff;

function flagsOf(flags: bigint): number {
  const unless = (bit: bigint, value: number): number => ((flags & bit) === 0n ? value : 0);
  const where = (bit: bigint, value: number): number => ((flags & bit) === 0n ? 0 : value);
  return (
    IP_TUNNEL.NOCACHE |
    where(BPF_F_DONT_FRAGMENT, IP_TUNNEL.DONT_FRAGMENT) |
    unless(BPF_F_ZERO_CSUM_TX, IP_TUNNEL.CSUM) |
    where(BPF_F_SEQ_NUMBER, IP_TUNNEL.SEQ) |
    unless(BPF_F_NO_TUNNEL_KEY, IP_TUNNEL.KEY)
  );
}

/** skb, key, size, flags */
export function skbSetTunnelKey(call: HostCall): void {
  const size = call.argU32(2);
  const flags = call.arg(3);
  const given = call.bytes(1, size);
  if ((flags & ~SET_FLAGS) !== 0n || (size !== KEY_BYTES && !OLDER_SIZES.has(size))) return call.setReturnNumber(-ERRNO.EINVAL);
  const bytes = new Uint8Array(KEY_BYTES);
  bytes.set(given);
  const view = new DataView(bytes.buffer);
  const isIpv6 = (flags & BPF_F_TUNINFO_IPV6) !== 0n;
  const label = view.getUint32(AT.label, true);
  if ((!isIpv6 && label !== 0) || view.getUint16(AT.flags, true) !== 0) return call.setReturnNumber(-ERRNO.EINVAL);
  const width = isIpv6 ? 16 : 4;
  const { skb } = skbOf(call);
  skb.tunnelKey = {
    isIpv6,
    id: view.getUint32(0, true),
    source: bytes.slice(AT.local, AT.local + width),
    destination: bytes.slice(AT.remote, AT.remote + width),
    tos: bytes[AT.tos]!,
    ttl: bytes[AT.ttl]!,
    label: label & IPV6_FLOWLABEL_MASK,
    flags: flagsOf(flags),
  };
  skb.tunnelOptions = null;
  call.setReturn(0, 0);
}

function keyBytes(key: TunnelKey, flags: bigint): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, key.id, true);
  bytes.set(key.source, AT.remote);
  bytes[AT.tos] = key.tos;
  bytes[AT.ttl] = key.ttl;
  if ((flags & BPF_F_TUNINFO_FLAGS) !== 0n) view.setUint16(AT.flags, key.flags);
  view.setUint32(AT.label, key.label, true);
  bytes.set(key.destination, AT.local);
  return bytes;
}

/** skb, key, size, flags; the buffer is cleared where there is an error */
export function skbGetTunnelKey(call: HostCall): void {
  const size = call.argU32(2);
  const flags = call.arg(3);
  const target = call.writableBytes(1, size);
  const key = skbOf(call).skb.tunnelKey;
  const error = getError(key, size, flags);
  target.fill(0);
  if (error === 0) target.set(keyBytes(key!, flags).subarray(0, size));
  call.setReturnNumber(error);
}

function getError(key: TunnelKey | null, size: number, flags: bigint): number {
  if (key === null || (flags & ~GET_FLAGS) !== 0n) return -ERRNO.EINVAL;
  if (key.isIpv6 !== ((flags & BPF_F_TUNINFO_IPV6) !== 0n)) return -ERRNO.EPROTO;
  const isKnown = size === KEY_BYTES || (OLDER_SIZES.has(size) && !(size === REMOTE_IPV4_END && key.isIpv6));
  return isKnown ? 0 : -ERRNO.EINVAL;
}

/** skb, opt, size: belongs to the data that a program has set */
export function skbSetTunnelOpt(call: HostCall): void {
  const size = call.argU32(2);
  const bytes = call.bytes(1, size).slice();
  const { skb } = skbOf(call);
  if (skb.tunnelKey === null || size % 4 !== 0) return call.setReturnNumber(-ERRNO.EINVAL);
  if (size > IP_TUNNEL_OPTS_MAX) return call.setReturnNumber(-ERRNO.ENOMEM);
  skb.tunnelOptions = bytes;
  skb.tunnelKey = { ...skb.tunnelKey, flags: skb.tunnelKey.flags | OPTIONS_PRESENT };
  call.setReturn(0, 0);
}

/** skb, opt, size: the number of bytes that the options have */
export function skbGetTunnelOpt(call: HostCall): void {
  const size = call.argU32(2);
  const target = call.writableBytes(1, size);
  const options = skbOf(call).skb.tunnelOptions;
  target.fill(0);
  if (options === null) return call.setReturnNumber(-ERRNO.ENOENT);
  if (size < options.length) return call.setReturnNumber(-ERRNO.ENOMEM);
  target.set(options);
  call.setReturnNumber(options.length);
}
