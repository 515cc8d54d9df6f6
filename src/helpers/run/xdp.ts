import { Bug, ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket } from '../../contracts/host_packet.ts';
import { ETH_HLEN } from '../../kernel/socket_buffer.ts';

/** XDP frames. Source: net/core/filter.c. */

/** xdp_metalen_invalid() */
const META_MAX = 255;
const POINTER_LIMIT = 0xffff;

function frameOf(call: HostCall): HostPacket {
  const { packet } = call;
  if (packet === null || packet.kind !== 'xdp') throw new Bug('XDP helper without a frame');
  return packet;
}

/** xdp, delta: the link header stays in the frame, metadata moves along */
export function xdpAdjustHead(call: HostCall): void {
  const frame = frameOf(call);
  const delta = call.argLo(1);
  const moved = delta <= frame.linearLength - ETH_HLEN && frame.moveHead(delta);
  call.setReturnNumber(moved ? 0 : -ERRNO.EINVAL);
}

/** xdp, delta */
export function xdpAdjustTail(call: HostCall): void {
  const frame = frameOf(call);
  const delta = call.argLo(1);
  const left = frame.xdp?.hasFrags ? frame.length : frame.linearLength;
  const moved = left + delta >= ETH_HLEN && frame.moveTail(delta);
  call.setReturnNumber(moved ? 0 : -ERRNO.EINVAL);
}

/** xdp, delta: negative makes room for metadata */
export function xdpAdjustMeta(call: HostCall): void {
  const frame = frameOf(call);
  const delta = call.argLo(1);
  const size = frame.metaLength - delta;
  if (size < 0 || -delta > frame.headroom) call.setReturnNumber(-ERRNO.EINVAL);
  else if (size % 4 !== 0 || size > META_MAX) call.setReturnNumber(-ERRNO.EACCES);
  else call.setReturnNumber(frame.moveMeta(delta) ? 0 : -ERRNO.EINVAL);
}

export const xdpGetBuffLen = (call: HostCall): void => call.setReturnNumber(frameOf(call).length);

/** bpf_xdp_pointer(): 0 or why the range is refused */
function checkRange(frame: HostPacket, offset: number, size: number): number {
  if (offset > POINTER_LIMIT || size > POINTER_LIMIT) return -ERRNO.EFAULT;
  return offset + size > frame.length ? -ERRNO.EINVAL : 0;
}

/** xdp, offset, buf, len */
export function xdpLoadBytes(call: HostCall): void {
  const frame = frameOf(call);
  const size = call.argU32(3);
  const refused = checkRange(frame, call.argU32(1), size);
  if (refused === 0) call.writableBytes(2, size).set(frame.read(call.argU32(1), size)!);
  call.setReturnNumber(refused);
}

/** xdp, offset, buf, len */
export function xdpStoreBytes(call: HostCall): void {
  const frame = frameOf(call);
  const size = call.argU32(3);
  const refused = checkRange(frame, call.argU32(1), size);
  if (refused === 0) frame.write(call.argU32(1), call.bytes(2, size).slice());
  call.setReturnNumber(refused);
}
