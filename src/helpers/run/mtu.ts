import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket } from '../../contracts/host_packet.ts';
import { isGso } from '../../kernel/socket_buffer.ts';

/** bpf_check_mtu. Source: net/core/filter.c. */

const BPF_MTU_CHK_SEGS = 1n;
const BPF_MTU_CHK_RET_SUCCESS = 0;
const BPF_MTU_CHK_RET_FRAG_NEEDED = 1;
const BPF_MTU_CHK_RET_SEGS_TOOBIG = 2;
/** of the loopback device, on which test runs take place: drivers/net/loopback.c */
const MTU = 65536;
const HARD_HEADER_LEN = 14;
const LOOPBACK_IFINDEX = 1;

/** ctx, ifindex, mtu_len, len_diff, flags; `check` says what follows from the length as the device counts it */
const checking =
  (linearOnly: boolean, allowed: bigint, tooLong: (packet: HostPacket, flags: bigint) => number) =>
  (call: HostCall): void => {
    const packet = call.packet!;
    const at = call.writable(2, 4);
    const given = call.memory.loadU32(at);
    const flags = call.arg(4);
    const ifindex = call.argU32(1);
    const difference = call.argLo(3);
    if ((flags & ~allowed) !== 0n) return call.setReturnNumber(-ERRNO.EINVAL);
    if ((flags & BPF_MTU_CHK_SEGS) !== 0n && (difference !== 0 || given !== 0)) return call.setReturnNumber(-ERRNO.EINVAL);
    if (ifindex !== 0 && ifindex !== LOOPBACK_IFINDEX) return call.setReturnNumber(-ERRNO.ENODEV);
    const own = linearOnly ? packet.linearLength : packet.length;
    const length = ((given === 0 ? own : given + HARD_HEADER_LEN) + difference) | 0;
    const fits = length <= MTU + HARD_HEADER_LEN;
    call.memory.storeI32(at, MTU);
    call.setReturnNumber(fits ? BPF_MTU_CHK_RET_SUCCESS : tooLong(packet, flags));
  };

export const xdpCheckMtu = checking(true, 0n, () => BPF_MTU_CHK_RET_FRAG_NEEDED);

/** A packet that is to be cut into segments may pass as a whole; its segments are looked at when that is asked for. */
export const skbCheckMtu = checking(false, BPF_MTU_CHK_SEGS, ({ skb }, flags) => {
  if (skb === null || !isGso(skb)) return BPF_MTU_CHK_RET_FRAG_NEEDED;
  const segment = skb.transportHeader - skb.networkHeader + TRANSPORT_BYTES + skb.gsoSize;
  return (flags & BPF_MTU_CHK_SEGS) !== 0n && segment > MTU ? BPF_MTU_CHK_RET_SEGS_TOOBIG : BPF_MTU_CHK_RET_SUCCESS;
});

/** of TCP, without options */
const TRANSPORT_BYTES = 20;
