import { ERRNO } from '../contracts/errors.ts';
import type { SkbFields } from '../contracts/host_packet.ts';
import { padded } from './bytes.ts';
import { type ContextAccessor, narrow, type RunContext } from './context.ts';
import { type GuestMemory, KERNEL_HIGH } from './memory.ts';
import { Packet } from './packet.ts';

/** sizeof(struct __sk_buff), include/uapi/linux/bpf.h. */
const SK_BUFF_BYTES = 192;
/** sizeof(struct bpf_sock) and sizeof(struct bpf_flow_keys), include/uapi/linux/bpf.h. */
const BPF_SOCK_BYTES = 80;
const FLOW_KEYS_BYTES = 56;
const ETH_HLEN = 14;
/** Source: NET_SKB_PAD, include/linux/skbuff.h, and SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) on x86-64. */
const NET_SKB_PAD = 64;
const SHARED_INFO_BYTES = 320;
/** Largest frame of the loopback device: mtu and hard_header_len, drivers/net/loopback.c. */
const LOOPBACK_MAX = 65536 + ETH_HLEN;
const LOOPBACK_IFINDEX = 1;
const NO_QUEUE_MAPPING = 0xffff;
const MIN_NAPI_ID = 1;
const TCP_CLOSE = 7;
const GSO_LEGACY_MAX_SIZE = 65536;
const GSO_MAX_SEGS = 65535;

/** Where fields stand in `struct __sk_buff`, by the 4-byte word that holds them. */
class SkbAccessor implements ContextAccessor {
  wideHi = 0;
  readonly #memory: GuestMemory;
  readonly #packet: Packet;
  readonly #flowKeys: number;

  constructor(memory: GuestMemory, packet: Packet, flowKeys: number) {
    this.#memory = memory;
    this.#packet = packet;
    this.#flowKeys = flowKeys;
  }

  /** Source: bpf_convert_ctx_access, net/core/filter.c. */
  load(at: number, size: number): number | null {
    this.wideHi = 0;
    const packet = this.#packet;
    const skb = packet.skb!;
    const within = at & 3;
    if (at >= 48 && at < 68) return this.#loadCb(skb, at - 48, size);
    switch (at & ~3) {
      case 0:
        return narrow(packet.length, within, size);
      case 4:
        return narrow(skb.pktType & 7, within, size);
      case 8:
        return narrow(skb.mark, within, size);
      case 12:
        return narrow(skb.queueMapping, within, size);
      case 16:
        return narrow(swap16(skb.protocol), within, size);
      case 20:
        return narrow(skb.vlanPresent ? 1 : 0, within, size);
      case 24:
        return narrow(skb.vlanTci, within, size);
      case 28:
        return narrow(swap16(skb.vlanProto), within, size);
      case 32:
        return narrow(skb.priority, within, size);
      case 36:
        return narrow(skb.ingressIfindex, within, size);
      case 40:
        return narrow(skb.ifindex, within, size);
      case 44:
        return narrow(skb.tcIndex, within, size);
      case 68:
        return narrow(skb.hash, within, size);
      case 72:
        return narrow(skb.tcClassid, within, size);
      case 76:
        return this.#pointer(packet.dataOffset);
      case 80:
        return this.#pointer(packet.dataOffset + packet.linearLength);
      case 84:
        return narrow(skb.napiId >= MIN_NAPI_ID ? skb.napiId : 0, within, size);
      case 140:
        return this.#pointer(packet.dataOffset - packet.metaLength);
      case 144:
        return this.#flowKeys === 0 ? null : this.#pointer(this.#flowKeys);
      case 152:
        return this.#wide(skb.tstamp);
      case 160:
        return narrow(skb.wireLen, within, size);
      case 164:
        return narrow(skb.gsoSegs, within, size);
      case 168:
        return this.#pointer(skb.sk);
      case 176:
        return narrow(skb.gsoSize, within, size);
      case 180:
        return skb.tstampType;
      case 184:
        return this.#wide(skb.hwtstamp);
      default:
        return this.#loadSock(skb, at, size);
    }
  }

  store(at: number, size: number, lo: number, hi: number): boolean {
    const skb = this.#packet.skb!;
    if (at >= 48 && at + size <= 68) {
      const view = new DataView(skb.cb.buffer);
      if (size === 1) view.setInt8(at - 48, lo);
      else if (size === 2) view.setInt16(at - 48, lo, true);
      else view.setInt32(at - 48, lo, true);
      if (size === 8) view.setInt32(at - 44, hi, true);
      return true;
    }
    switch (at) {
      case 8:
        skb.mark = lo >>> 0;
        return true;
      case 12:
        if (lo >>> 0 < NO_QUEUE_MAPPING) skb.queueMapping = lo;
        return true;
      case 32:
        skb.priority = lo >>> 0;
        return true;
      case 44:
        skb.tcIndex = lo & 0xffff;
        return true;
      case 72:
        skb.tcClassid = lo & 0xffff;
        return true;
      case 152:
        skb.tstamp = BigInt.asUintN(64, (BigInt(hi) << 32n) | BigInt(lo >>> 0));
        return true;
      default:
        return false;
    }
  }

  #loadCb(skb: SkbFields, at: number, size: number): number {
    const view = new DataView(skb.cb.buffer);
    if (size === 1) return view.getUint8(at);
    if (size === 2) return view.getUint16(at, true);
    if (size === 8) this.wideHi = view.getInt32(at + 4, true);
    return view.getInt32(at, true);
  }

  /** family, addresses and ports: read from the socket, `struct bpf_sock` here. */
  #loadSock(skb: SkbFields, at: number, size: number): number | null {
    const memory = this.#memory;
    if (at < 88 || at >= 140) return null;
    if (skb.sk === 0) throw memory.faultAt(at, 0, size, false);
    const word = (offset: number): number => memory.loadI32(skb.sk + offset);
    const within = at & 3;
    const index = at & ~3;
    if (index === 88) return narrow(word(4), within, size);
    if (index === 92) return narrow(word(52), within, size);
    if (index === 96) return narrow(word(24), within, size);
    if (index < 116) return narrow(word(56 + index - 100), within, size);
    if (index < 132) return narrow(word(28 + index - 116), within, size);
    if (index === 132) return narrow(word(48) << 16, within, size);
    return narrow(word(44), within, size);
  }

  #pointer(offset: number): number {
    this.wideHi = offset === 0 ? 0 : KERNEL_HIGH;
    return offset;
  }

  #wide(value: bigint): number {
    this.wideHi = Number(BigInt.asIntN(32, value >> 32n));
    return Number(BigInt.asIntN(32, value));
  }
}

export interface SkbInput {
  /** starts with an Ethernet header, whatever the program sees of it */
  readonly data: Uint8Array;
  /** a `struct __sk_buff` as BPF_PROG_TEST_RUN takes it; null for none */
  readonly context: Uint8Array | null;
  /** the program sees the Ethernet header (tc); others start at the network header */
  readonly seesLinkLayer: boolean;
  /** the context has flow keys (flow dissector); their bytes are the output */
  readonly flowKeys: boolean;
  /** bytes that are linear; default all */
  readonly linear?: number;
}

/**
 * The socket buffer that BPF_PROG_TEST_RUN would build, or a negative errno where it refuses the input.
 * Differs from the kernel: data may be longer than a page.
 * Source: bpf_prog_test_run_skb and convert___skb_to_skb, net/bpf/test_run.c; eth_type_trans, net/ethernet/eth.c.
 */
export function skbContext(memory: GuestMemory, input: SkbInput): RunContext | number {
  const { data } = input;
  if (data.length < ETH_HLEN || data.length > LOOPBACK_MAX) return -ERRNO.EINVAL;
  const fields = initialFields(data);
  if (!input.flowKeys && data.length - ETH_HLEN < minimumHeader(fields.protocol)) return -ERRNO.EINVAL;
  const sk = newSocket(memory, data, fields.protocol);
  const offset = memory.allocate(SK_BUFF_BYTES, { what: 'skb context' });
  const flowKeys = input.flowKeys ? memory.allocate(FLOW_KEYS_BYTES, { what: 'flow keys' }) : 0;
  if (sk === 0 || offset === 0 || (input.flowKeys && flowKeys === 0)) return -ERRNO.ENOMEM;
  memory.setContext(offset, SK_BUFF_BYTES);
  const packet = new Packet(memory, {
    kind: 'skb',
    data,
    headroom: NET_SKB_PAD,
    tailroom: SHARED_INFO_BYTES,
    maxLength: LOOPBACK_MAX,
    ...(input.linear === undefined ? {} : { linear: Math.max(input.linear, ETH_HLEN) }),
  });
  packet.contextOffset = offset;
  packet.skb = fields;
  fields.sk = sk;
  if (!input.seesLinkLayer && !input.flowKeys) packet.moveHead(ETH_HLEN);
  fields.wireLen = packet.length;
  if (input.context !== null) {
    const refused = applyContext(fields, packet.length, padded(input.context, SK_BUFF_BYTES));
    if (refused !== 0) return refused;
  }
  if (flowKeys !== 0) initialFlowKeys(memory, flowKeys, data);
  return {
    offset,
    accessor: new SkbAccessor(memory, packet, flowKeys),
    packet,
    output() {
      if (flowKeys !== 0) return finalFlowKeys(memory, flowKeys, data.length);
      if (!input.seesLinkLayer && (packet.headroom >= ETH_HLEN || packet.reallocate(ETH_HLEN + 2, packet.tailroom))) {
        packet.moveHead(-ETH_HLEN);
      }
      return packet.bytes();
    },
    contextOutput: () => (flowKeys === 0 ? skBuff(fields) : null),
    release() {
      packet.release();
      memory.free(sk);
      memory.free(offset);
      if (flowKeys !== 0) memory.free(flowKeys);
    },
  };
}

const minimumHeader = (protocol: number): number => (protocol === 0x0800 ? 20 : protocol === 0x86dd ? 40 : 0);

const swap16 = (value: number): number => ((value & 0xff) << 8) | ((value >> 8) & 0xff);

const initialFields = (data: Uint8Array): SkbFields => {
  const type = (data[12]! << 8) | data[13]!;
  return {
    pktType: packetType(data),
    mark: 0,
    queueMapping: 0,
    protocol: type >= 0x600 ? type : data[14] === 0xff && data[15] === 0xff ? 1 : 4,
    vlanPresent: false,
    vlanTci: 0,
    vlanProto: 0,
    priority: 0,
    ingressIfindex: 0,
    ifindex: LOOPBACK_IFINDEX,
    tcIndex: 0,
    cb: new Uint32Array(5),
    hash: 0,
    hashValid: false,
    tcClassid: 0,
    napiId: 0,
    tstamp: 0n,
    tstampType: 0,
    hwtstamp: 0n,
    wireLen: 0,
    gsoSegs: 0,
    gsoSize: 0,
    gsoType: 0,
    ipSummed: 0,
    csum: 0,
    csumLevel: 0,
    macHeader: 0,
    networkHeader: ETH_HLEN,
    transportHeader: ETH_HLEN,
    macLen: ETH_HLEN,
    encapsulation: false,
    sk: 0,
    routeRealm: 0,
    cgroupClassid: 0,
    cgroupId: 1n,
    tunnelKey: null,
    tunnelOptions: null,
  };
};

/** PACKET_HOST for the loopback address (all zero), else BROADCAST, MULTICAST or OTHERHOST. */
const packetType = (data: Uint8Array): number => {
  const destination = data.subarray(0, 6);
  if (destination.every((byte) => byte === 0)) return 0;
  if ((destination[0]! & 1) === 0) return 3;
  return destination.every((byte) => byte === 0xff) ? 1 : 2;
};

/** The dummy socket of a test run, with the packet's addresses as its own. */
const newSocket = (memory: GuestMemory, data: Uint8Array, protocol: number): number => {
  const sk = memory.allocate(BPF_SOCK_BYTES, { what: 'socket', readOnly: true });
  if (sk === 0) return 0;
  memory.storeI32(sk + 72, TCP_CLOSE);
  memory.storeI32(sk + 76, -1);
  if (protocol === 0x0800 && data.length >= ETH_HLEN + 20) {
    memory.storeI32(sk + 4, 2);
    memory.u8.set(data.subarray(26, 30), sk + 24);
    memory.u8.set(data.subarray(30, 34), sk + 52);
  } else if (protocol === 0x86dd && data.length >= ETH_HLEN + 40) {
    memory.storeI32(sk + 4, 10);
    memory.u8.set(data.subarray(22, 38), sk + 28);
    memory.u8.set(data.subarray(38, 54), sk + 56);
  }
  return sk;
};

/** Source: bpf_flow_dissect, net/core/flow_dissector.c. */
const initialFlowKeys = (memory: GuestMemory, flowKeys: number, data: Uint8Array): void => {
  memory.view.setUint16(flowKeys, ETH_HLEN, true);
  memory.view.setUint16(flowKeys + 2, ETH_HLEN, true);
  memory.u8.set(data.subarray(12, 14), flowKeys + 10);
};

/** The keys, with header offsets kept in order and inside the packet. */
const finalFlowKeys = (memory: GuestMemory, flowKeys: number, length: number): Uint8Array => {
  const { view } = memory;
  const clamp = (value: number, low: number): number => Math.min(Math.max(value, low), length);
  const network = clamp(view.getUint16(flowKeys, true), ETH_HLEN);
  view.setUint16(flowKeys, network, true);
  view.setUint16(flowKeys + 2, clamp(view.getUint16(flowKeys + 2, true), network), true);
  return memory.u8.slice(flowKeys, flowKeys + FLOW_KEYS_BYTES);
};

/** Bytes of `struct __sk_buff` that a test run may set: mark, priority to ifindex, cb, tstamp to gso_segs, gso_size, hwtstamp. */
const SETTABLE: readonly (readonly [from: number, to: number])[] = [
  [8, 12],
  [32, 44],
  [48, 68],
  [152, 168],
  [176, 180],
  [184, 192],
];

const applyContext = (fields: SkbFields, length: number, bytes: Uint8Array<ArrayBuffer>): number => {
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < SK_BUFF_BYTES; at++) {
    if (bytes[at] !== 0 && !SETTABLE.some(([from, to]) => at >= from && at < to)) return -ERRNO.EINVAL;
  }
  const wireLen = view.getUint32(160, true);
  if (wireLen !== 0 && (wireLen < length || wireLen > GSO_LEGACY_MAX_SIZE)) return -ERRNO.EINVAL;
  if (view.getUint32(164, true) > GSO_MAX_SEGS) return -ERRNO.EINVAL;
  fields.mark = view.getUint32(8, true);
  fields.priority = view.getUint32(32, true);
  fields.ingressIfindex = view.getUint32(36, true);
  fields.ifindex = view.getUint32(40, true) || LOOPBACK_IFINDEX;
  for (let i = 0; i < 5; i++) fields.cb[i] = view.getUint32(48 + 4 * i, true);
  fields.tstamp = view.getBigUint64(152, true);
  fields.wireLen = wireLen === 0 ? length : wireLen;
  fields.gsoSegs = view.getUint32(164, true);
  fields.gsoSize = view.getUint32(176, true) & 0xffff;
  fields.hwtstamp = view.getBigUint64(184, true);
  return 0;
};

/** Source: convert_skb_to___skb, net/bpf/test_run.c. */
const skBuff = (fields: SkbFields): Uint8Array => {
  const bytes = new Uint8Array(SK_BUFF_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, fields.mark, true);
  view.setUint32(32, fields.priority, true);
  view.setUint32(36, fields.ingressIfindex, true);
  view.setUint32(40, fields.ifindex, true);
  for (let i = 0; i < 5; i++) view.setUint32(48 + 4 * i, fields.cb[i]!, true);
  view.setBigUint64(152, fields.tstamp, true);
  view.setUint32(160, fields.wireLen, true);
  view.setUint32(164, fields.gsoSegs, true);
  view.setBigUint64(184, fields.hwtstamp, true);
  return bytes;
};
