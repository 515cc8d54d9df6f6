import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { MAP_TYPES } from '../../contracts/uapi_numbers.ts';
import { isGso, skbOf } from '../../kernel/socket_buffer.ts';

/**
 * Redirects, as outcomes: there are no devices, so that every interface but 0 counts as present. Source: net/core/filter.c,
 * include/linux/filter.h (__bpf_xdp_redirect_map).
 */

const BPF_F_INGRESS = 1n;
const BPF_F_BROADCAST = 8;
const BPF_F_EXCLUDE_INGRESS = 16;

const TC_ACT_SHOT = 2;
const TC_ACT_REDIRECT = 7;

const XDP_ABORTED = 0;
const XDP_REDIRECT = 4;
/** the action when the map has nothing is in the lower flag bits */
const XDP_ACTIONS = 3;

/** struct bpf_redir_neigh */
const NEIGHBOUR_BYTES = 20;

function redirectTo(call: HostCall, helper: string, flags: bigint, data: Uint8Array | null = null): void {
  call.record({ kind: 'redirect', helper, target: call.argU32(data === null ? 0 : 1), map: null, flags, data });
}

/** ifindex, flags; for tc and lwt */
export function redirect(call: HostCall): void {
  const flags = call.arg(1);
  if ((flags & ~BPF_F_INGRESS) !== 0n) {
    call.setReturnNumber(TC_ACT_SHOT);
    return;
  }
  redirectTo(call, 'bpf_redirect', flags);
  call.setReturnNumber(TC_ACT_REDIRECT);
}

/** ifindex, flags */
export function redirectPeer(call: HostCall): void {
  const flags = call.arg(1);
  if (flags === 0n) redirectTo(call, 'bpf_redirect_peer', flags);
  call.setReturnNumber(flags === 0n ? TC_ACT_REDIRECT : TC_ACT_SHOT);
}

/** ifindex, params, plen, flags */
export function redirectNeigh(call: HostCall): void {
  const size = call.argLo(2);
  const refused = (size !== 0 && size < NEIGHBOUR_BYTES) || !call.argIsNull(3);
  if (!refused) redirectTo(call, 'bpf_redirect_neigh', 0n);
  call.setReturnNumber(refused ? TC_ACT_SHOT : TC_ACT_REDIRECT);
}

/** skb, ifindex, flags: sends a copy at once */
export function cloneRedirect(call: HostCall): void {
  call.setReturnNumber(sendClone(call));
}

function sendClone(call: HostCall): number {
  const flags = call.arg(2);
  if ((flags & ~BPF_F_INGRESS) !== 0n) return -ERRNO.EINVAL;
  const { packet, skb } = skbOf(call);
  if (isGso(skb) && skb.gsoType === 0) return -ERRNO.EBADMSG;
  if (call.argU32(1) === 0) return -ERRNO.EINVAL;
  if (call.allocationFails()) return -ERRNO.ENOMEM;
  const data = packet.read(0, packet.length)!;
  if (!packet.pull(packet.linearLength)) return -ERRNO.ENOMEM;
  if (skb.macHeader >= skb.networkHeader || data.length === 0) return -ERRNO.ERANGE;
  redirectTo(call, 'bpf_clone_redirect', flags, data);
  return 0;
}

/** ifindex, flags; for XDP */
export function xdpRedirect(call: HostCall): void {
  const flags = call.arg(1);
  if (flags === 0n) redirectTo(call, 'bpf_redirect', flags);
  call.setReturnNumber(flags === 0n ? XDP_REDIRECT : XDP_ABORTED);
}

/** map, key, flags */
export function xdpRedirectMap(call: HostCall): void {
  const map = call.map(0);
  const toDevice = map.type === MAP_TYPES.devmap || map.type === MAP_TYPES.devmap_hash;
  const known = XDP_ACTIONS | (toDevice ? BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS : 0);
  const flags = call.argU32(2);
  if (call.argHi(2) !== 0 || (flags & ~known) !== 0) {
    call.setReturnNumber(XDP_ABORTED);
    return;
  }
  const key = call.argU32(1);
  if (map.redirectTarget(key) === null && (flags & BPF_F_BROADCAST) === 0) {
    call.setReturnNumber(flags & XDP_ACTIONS);
    return;
  }
  call.record({ kind: 'redirect', helper: 'bpf_redirect_map', target: key, map: map.name, flags: BigInt(flags), data: null });
  call.setReturnNumber(XDP_REDIRECT);
}
