/**
 * The packet a program runs on: an XDP frame or a socket buffer. Positions are relative to `data`; what lies in front of it is
 * headroom (XDP: metadata, then headroom).
 *
 *      head        data-meta      data                 data_end            tail end
 *       | headroom   | metadata     | linear bytes        | tailroom          |     + bytes in fragments
 */
export interface HostPacket {
  readonly kind: 'xdp' | 'skb';
  /** offset of the context object (`struct xdp_md` or `struct __sk_buff` as programs see it) */
  readonly contextOffset: number;
  /** all bytes, fragments included */
  readonly length: number;
  /** bytes between data and data_end */
  readonly linearLength: number;
  readonly headroom: number;
  readonly tailroom: number;
  readonly metaLength: number;
  /** offset of `data` in guest memory; changes when the packet is reshaped */
  readonly dataOffset: number;

  /** copies bytes out, from fragments too; null when the range leaves the packet */
  read(position: number, size: number): Uint8Array | null;
  /** false when the range leaves the packet */
  write(position: number, bytes: Uint8Array): boolean;
  /** offset in guest memory of a range that is linear; 0 when it is not */
  linear(position: number, size: number): number;

  /** moves `data` by `delta` bytes (negative: into the headroom) without moving bytes; false when there is no room */
  moveHead(delta: number): boolean;
  /** moves the end; new bytes are zero; reaches into fragments when it shrinks. False when there is no room */
  moveTail(delta: number): boolean;
  /** XDP: moves the start of the metadata; false when there is no room or the size is not allowed */
  moveMeta(delta: number): boolean;
  /** opens (positive) or closes (negative) a gap of bytes behind `position`, as headers are inserted; new bytes are zero */
  resizeAt(position: number, delta: number): boolean;
  /** makes at least `size` bytes linear; false when the packet is shorter */
  pull(size: number): boolean;
  /** gives the packet a private copy with at least this headroom and tailroom: old data pointers die */
  reallocate(headroom: number, tailroom: number): boolean;
  /** largest length that the device takes, for helpers that check it (__bpf_skb_max_len) */
  readonly maxLength: number;

  /** fields of an skb; null for XDP */
  readonly skb: SkbFields | null;
  /** fields of an XDP frame; null for skb */
  readonly xdp: XdpFields | null;
}

export interface XdpFields {
  ingressIfindex: number;
  rxQueueIndex: number;
  egressIfindex: number;
  /** frame has fragments (XDP_FLAGS_HAS_FRAGS) */
  readonly hasFrags: boolean;
}

/** Modelled fields of struct sk_buff under the names that `struct __sk_buff` gives them, and offsets of headers relative to `data`. */
export interface SkbFields {
  pktType: number;
  mark: number;
  queueMapping: number;
  /** host order: 0x0800 */
  protocol: number;
  vlanPresent: boolean;
  vlanTci: number;
  /** host order: 0x8100 */
  vlanProto: number;
  priority: number;
  ingressIfindex: number;
  ifindex: number;
  tcIndex: number;
  /** five words */
  readonly cb: Uint32Array;
  hash: number;
  /** hash is valid / software / layer 4 */
  hashValid: boolean;
  tcClassid: number;
  napiId: number;
  tstamp: bigint;
  tstampType: number;
  hwtstamp: bigint;
  wireLen: number;
  gsoSegs: number;
  gsoSize: number;
  /** SKB_GSO_* */
  gsoType: number;
  /** CHECKSUM_NONE 0, UNNECESSARY 1, COMPLETE 2, PARTIAL 3 */
  ipSummed: number;
  csum: number;
  csumLevel: number;
  /** relative to `data`; may be negative */
  macHeader: number;
  networkHeader: number;
  transportHeader: number;
  macLen: number;
  encapsulation: boolean;
  /** offset of its socket in guest memory; 0 without one */
  sk: number;
  /** route classid and realm (bpf_get_route_realm) */
  routeRealm: number;
  cgroupClassid: number;
  cgroupId: bigint;
  /** tunnel data that a program has set, and its options; null without */
  tunnelKey: TunnelKey | null;
  tunnelOptions: Uint8Array | null;
}

/** `struct ip_tunnel_key` as far as it is modelled, include/net/ip_tunnels.h. */
export interface TunnelKey {
  readonly isIpv6: boolean;
  readonly id: number;
  /** address bytes as the program gave them */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly tos: number;
  readonly ttl: number;
  readonly label: number;
  /** IP_TUNNEL_* bits */
  readonly flags: number;
}
