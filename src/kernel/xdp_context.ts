import { ERRNO } from '../contracts/errors.ts';
import { concat, padded } from './bytes.ts';
import { type ContextAccessor, narrow, type RunContext } from './context.ts';
import { type GuestMemory, KERNEL_HIGH } from './memory.ts';
import { Packet } from './packet.ts';

/**
 *     struct xdp_md, include/uapi/linux/bpf.h
 *     0 data   4 data_end   8 data_meta   12 ingress_ifindex   16 rx_queue_index   20 egress_ifindex
 */
const XDP_MD_BYTES = 24;
/** Source: XDP_PACKET_HEADROOM, include/uapi/linux/bpf.h; struct xdp_frame at the start of the headroom, include/net/xdp.h. */
const XDP_PACKET_HEADROOM = 256;
const XDP_FRAME_BYTES = 40;
/** Source: SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) on x86-64. */
const SHARED_INFO_BYTES = 320;
const PAGE_BYTES = 4096;
const ETH_HLEN = 14;
const MAX_SKB_FRAGS = 17;
const LOOPBACK_IFINDEX = 1;

class XdpAccessor implements ContextAccessor {
  wideHi = 0;
  readonly #packet: Packet;

  constructor(packet: Packet) {
    this.#packet = packet;
  }

  load(at: number, size: number): number | null {
    this.wideHi = 0;
    const packet = this.#packet;
    const xdp = packet.xdp!;
    switch (at & ~3) {
      case 0:
        return this.#pointer(at, size, packet.dataOffset);
      case 4:
        return this.#pointer(at, size, packet.dataOffset + packet.linearLength);
      case 8:
        return this.#pointer(at, size, packet.dataOffset - packet.metaLength);
      case 12:
        return narrow(xdp.ingressIfindex, at & 3, size);
      case 16:
        return narrow(xdp.rxQueueIndex, at & 3, size);
      case 20:
        return narrow(xdp.egressIfindex, at & 3, size);
      default:
        return null;
    }
  }

  /** Only rx_queue_index is writable, and only for device-bound programs that no device here runs. */
  store(at: number, size: number, lo: number, _hi: number): boolean {
    if (at !== 16 || size !== 4) return false;
    this.#packet.xdp!.rxQueueIndex = lo >>> 0;
    return true;
  }

  #pointer(at: number, size: number, offset: number): number | null {
    if ((at & 3) !== 0 || size !== 4) return null;
    this.wideHi = KERNEL_HIGH;
    return offset;
  }
}

export interface XdpInput {
  /** metadata (if the context says so) and frame */
  readonly data: Uint8Array;
  /** a `struct xdp_md` as BPF_PROG_TEST_RUN takes it; null for none */
  readonly context: Uint8Array | null;
  /** the program understands fragments (BPF_F_XDP_HAS_FRAGS) */
  readonly frags: boolean;
}

/**
 * The frame that BPF_PROG_TEST_RUN would build, or a negative errno where it refuses the input.
 * Source: bpf_prog_test_run_xdp and xdp_convert_md_to_buff, net/bpf/test_run.c.
 */
export function xdpContext(memory: GuestMemory, input: XdpInput): RunContext | number {
  const { data } = input;
  let metaSize = 0;
  let headroom = XDP_PACKET_HEADROOM;
  let linearSize = data.length;
  let ingressIfindex = LOOPBACK_IFINDEX;
  let rxQueueIndex = 0;
  if (input.context !== null) {
    const md = new DataView(padded(input.context, XDP_MD_BYTES).buffer);
    const word = (at: number): number => md.getUint32(at, true);
    if (word(8) !== 0 || word(4) > data.length || word(0) > word(4)) return -ERRNO.EINVAL;
    metaSize = word(0);
    if (metaSize % 4 !== 0 || metaSize > 255 || metaSize > headroom - XDP_FRAME_BYTES) return -ERRNO.EINVAL;
    if (word(20) !== 0 || (word(12) === 0 && word(16) !== 0)) return -ERRNO.EINVAL;
    headroom -= metaSize;
    linearSize = word(4);
    if (word(12) !== 0) {
      ingressIfindex = word(12);
      rxQueueIndex = word(16);
    }
  }
  linearSize = Math.min(linearSize, PAGE_BYTES - headroom - SHARED_INFO_BYTES);
  if (data.length - metaSize < ETH_HLEN) return -ERRNO.EINVAL;
  if (data.length > linearSize && !input.frags) return -ERRNO.EINVAL;
  if (data.length - linearSize > MAX_SKB_FRAGS * PAGE_BYTES) return -ERRNO.ENOMEM;
  const offset = memory.allocate(XDP_MD_BYTES, { what: 'XDP context' });
  if (offset === 0) return -ERRNO.ENOMEM;
  memory.setContext(offset, XDP_MD_BYTES);
  const packet = new Packet(memory, {
    kind: 'xdp',
    data: data.subarray(metaSize),
    meta: data.subarray(0, metaSize),
    linear: linearSize - metaSize,
    headroom: headroom - XDP_FRAME_BYTES,
    tailroom: PAGE_BYTES - headroom - SHARED_INFO_BYTES - linearSize,
    maxLength: 0xffff,
  });
  packet.contextOffset = offset;
  packet.xdp = {
    ingressIfindex,
    rxQueueIndex,
    egressIfindex: 0,
    get hasFrags() {
      return packet.hasFragments;
    },
  };
  return {
    offset,
    accessor: new XdpAccessor(packet),
    packet,
    output: () => concat(packet.meta(), packet.bytes()),
    contextOutput: () => xdpMd(packet, input.context),
    release: () => {
      packet.release();
      memory.free(offset);
    },
  };
}

/** Source: xdp_convert_buff_to_md, net/bpf/test_run.c: positions relative to the start of the metadata. */
const xdpMd = (packet: Packet, given: Uint8Array | null): Uint8Array => {
  const bytes = padded(given ?? new Uint8Array(0), XDP_MD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, packet.metaLength, true);
  view.setUint32(4, packet.metaLength + packet.linearLength, true);
  return bytes;
};
