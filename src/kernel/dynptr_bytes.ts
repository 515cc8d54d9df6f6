import { ERRNO, never, Unmodelled } from '../contracts/errors.ts';
import type { HostCall } from '../contracts/host_call.ts';
import type { HostPacket } from '../contracts/host_packet.ts';
import type { Dynptr } from './dynptr.ts';
import { storeBytes } from './socket_buffer.ts';

/** The bytes that a dynptr is over, wherever they are. Source: kernel/bpf/helpers.c, net/core/filter.c. */

/** Source: bpf_xdp_pointer */
const XDP_LIMIT = 0xffff;

function packetOf(call: HostCall): HostPacket {
  if (call.packet === null) throw new Unmodelled('dynptr over a packet', 'the packet is not the one that the program runs on');
  return call.packet;
}

/** Why a range of an XDP frame is refused; 0 when it is not. */
const checkFrame = (frame: HostPacket, position: number, size: number): number => {
  if (position > XDP_LIMIT || size > XDP_LIMIT) return -ERRNO.EFAULT;
  return position + size > frame.length ? -ERRNO.EINVAL : 0;
};

/** Copies bytes out; a negative errno when the range is refused. Source: __bpf_dynptr_read. */
export function readDynptr(call: HostCall, dynptr: Dynptr, offset: number, size: number): Uint8Array | number {
  if (dynptr.data === 0) return -ERRNO.EINVAL;
  if (!dynptr.holds(offset, size)) return -ERRNO.E2BIG;
  const position = dynptr.start + offset;
  const { kind } = dynptr;
  switch (kind) {
    case 'local':
    case 'ringbuf': {
      const from = call.memory.check(dynptr.data + position, call.memory.high, size, false);
      return call.memory.u8.slice(from, from + size);
    }
    case 'skb':
      return packetOf(call).read(position, size) ?? -ERRNO.EFAULT;
    case 'xdp': {
      const frame = packetOf(call);
      return checkFrame(frame, position, size) || frame.read(position, size)!;
    }
    case 'skb_meta': {
      const from = metaOffset(call, position, size);
      return call.memory.u8.slice(from, from + size);
    }
    default:
      return never(kind, 'readDynptr');
  }
}

/** 0 or a negative errno. Source: __bpf_dynptr_write. */
export function writeDynptr(call: HostCall, dynptr: Dynptr, offset: number, bytes: Uint8Array, flags = 0n): number {
  if (dynptr.data === 0 || dynptr.isReadOnly) return -ERRNO.EINVAL;
  if (!dynptr.holds(offset, bytes.length)) return -ERRNO.E2BIG;
  const position = dynptr.start + offset;
  const { kind } = dynptr;
  if (kind !== 'skb' && flags !== 0n) return -ERRNO.EINVAL;
  switch (kind) {
    case 'local':
    case 'ringbuf':
      call.memory.u8.set(bytes, call.memory.check(dynptr.data + position, call.memory.high, bytes.length, true));
      return 0;
    case 'skb': {
      const packet = packetOf(call);
      return storeBytes(packet, packet.skb!, position, bytes, flags);
    }
    case 'xdp': {
      const frame = packetOf(call);
      const refused = checkFrame(frame, position, bytes.length);
      if (refused === 0) frame.write(position, bytes);
      return refused;
    }
    case 'skb_meta':
      call.memory.u8.set(bytes, metaOffset(call, position, bytes.length));
      return 0;
    default:
      return never(kind, 'writeDynptr');
  }
}

/** Where a range stands in one piece; 0 when it does not. Source: bpf_dynptr_slice without a buffer. */
export function sliceOf(call: HostCall, dynptr: Dynptr, offset: number, size: number): number {
  if (dynptr.data === 0 || !dynptr.holds(offset, size)) return 0;
  const position = dynptr.start + offset;
  const { kind } = dynptr;
  switch (kind) {
    case 'local':
    case 'ringbuf':
      return dynptr.data + position;
    case 'skb':
      return packetOf(call).linear(position, size);
    case 'xdp': {
      const frame = packetOf(call);
      return checkFrame(frame, position, size) === 0 ? frame.linear(position, size) : 0;
    }
    case 'skb_meta':
      return metaOffset(call, position, size);
    default:
      return never(kind, 'sliceOf');
  }
}

/** Source: bpf_skb_meta_pointer */
function metaOffset(call: HostCall, position: number, size: number): number {
  const packet = packetOf(call);
  return call.memory.check(packet.dataOffset - packet.metaLength + position, call.memory.high, size, true);
}
