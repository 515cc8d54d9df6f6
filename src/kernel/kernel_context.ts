import { Unmodelled } from '../contracts/errors.ts';
import type { HostCall, PartKey } from '../contracts/host_call.ts';
import type { HostPacket } from '../contracts/host_packet.ts';
import { KernelObjects } from './objects/kernel_objects.ts';

/** What stands behind `struct __sk_buff` and `struct xdp_md`: the kernel's own structs, filled with what the packet is now. */
interface KernelContext {
  readonly objects: KernelObjects;
  /** the context that `offset` belongs to; 0 for none */
  context: number;
  offset: number;
}

const KERNEL_CONTEXT: PartKey<KernelContext> = {
  name: 'context of the kernel',
  create: ({ memory, btf }) => ({ objects: new KernelObjects(memory, btf), context: 0, offset: 0 }),
};

type Fields = Readonly<Record<string, number | bigint>>;

const swap16 = (value: number): number => ((value & 0xff) << 8) | ((value >>> 8) & 0xff);

/** Fields of struct sk_buff, include/linux/skbuff.h; positions of headers count from `head`. */
function skBuff(packet: HostPacket): { values: Fields; pointers: Record<string, number> } {
  const { skb } = packet;
  if (skb === null) throw new Unmodelled('context of the kernel');
  const head = packet.dataOffset - packet.metaLength - packet.headroom;
  const inHead = packet.dataOffset - head;
  return {
    values: {
      len: packet.length,
      data_len: packet.length - packet.linearLength,
      mac_len: skb.macLen,
      queue_mapping: skb.queueMapping,
      pkt_type: skb.pktType,
      priority: skb.priority,
      skb_iif: skb.ingressIfindex,
      hash: skb.hash,
      mark: skb.mark,
      protocol: swap16(skb.protocol),
      vlan_tci: skb.vlanTci,
      tstamp: skb.tstamp,
      transport_header: inHead + skb.transportHeader,
      network_header: inHead + skb.networkHeader,
      mac_header: inHead + skb.macHeader,
      tail: inHead + packet.linearLength,
      end: inHead + packet.linearLength + packet.tailroom,
    },
    pointers: { head, data: packet.dataOffset },
  };
}

/** Fields of struct xdp_buff, include/net/xdp.h. */
function xdpBuff(packet: HostPacket): { values: Fields; pointers: Record<string, number> } {
  const { dataOffset: data, metaLength, headroom, linearLength, tailroom } = packet;
  const start = data - metaLength - headroom;
  return {
    values: { frame_sz: linearLength + tailroom + (data - start), flags: packet.xdp?.hasFrags === true ? 1 : 0 },
    pointers: { data, data_end: data + linearLength, data_meta: data - metaLength, data_hard_start: start },
  };
}

/** Offset of the kernel's context of the running program, which lives as long as the program runs. */
export function kernelContext(call: HostCall): number {
  const { packet } = call;
  if (packet === null) throw new Unmodelled('context of the kernel', 'the program does not run on a packet');
  const kept = call.part(KERNEL_CONTEXT);
  const struct = packet.kind === 'xdp' ? 'xdp_buff' : 'sk_buff';
  if (kept.offset === 0 || kept.context !== packet.contextOffset) {
    kept.offset = kept.objects.create(struct);
    kept.context = packet.contextOffset;
    const { offset } = kept;
    call.afterRcu(() => {
      kept.offset = 0;
      call.memory.free(offset);
    });
  }
  const { values, pointers } = packet.kind === 'xdp' ? xdpBuff(packet) : skBuff(packet);
  for (const [path, value] of Object.entries(values)) kept.objects.field(struct, path).set(kept.offset, value);
  for (const [path, target] of Object.entries(pointers)) kept.objects.field(struct, path).setPointer(kept.offset, target);
  return kept.offset;
}
