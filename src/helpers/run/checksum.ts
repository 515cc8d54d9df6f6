import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostPacket, SkbFields } from '../../contracts/host_packet.ts';
import {
  csumAdd,
  csumFold,
  csumFrom32To16,
  csumNot,
  csumPartial,
  csumSub,
  replace2,
  replace4,
  replaceByDiff,
} from '../../kernel/checksum_math.ts';
import { CHECKSUM, makeWritable, resetChecksum, skbOf } from '../../kernel/socket_buffer.ts';

/** Checksum helpers. Source: net/core/filter.c, net/core/utils.c (inet_proto_csum_replace4 and kin). */

const BPF_F_HDR_FIELD_MASK = 0xf;
const BPF_F_PSEUDO_HDR = 0x10;
const BPF_F_MARK_MANGLED_0 = 0x20;
const BPF_F_MARK_ENFORCE = 0x40;
const BPF_F_IPV6 = 0x80;
const CSUM_MANGLED_0 = 0xffff;

const BPF_CSUM_LEVEL_QUERY = 0;
const BPF_CSUM_LEVEL_INC = 1;
const BPF_CSUM_LEVEL_DEC = 2;
const BPF_CSUM_LEVEL_RESET = 3;
const SKB_MAX_CSUM_LEVEL = 3;

/** the new checksum, or a negative errno */
type Replace = (check: number, from: number, to: number) => number;

/** skb, offset, from, to, flags: applies `change` to the two bytes at the offset */
function replaceAt(
  call: HostCall,
  allowed: number,
  change: (check: number, flags: number, packet: HostPacket) => number,
): number {
  const flags = call.argU32(4);
  if (call.argHi(4) !== 0 || (flags & ~allowed) !== 0) return -ERRNO.EINVAL;
  const offset = call.argU32(1);
  if (offset > 0xffff || offset % 2 !== 0) return -ERRNO.EFAULT;
  const { packet } = skbOf(call);
  if (makeWritable(packet, offset + 2) !== 0) return -ERRNO.EFAULT;
  const bytes = packet.read(offset, 2)!;
  const result = change(bytes[0]! | (bytes[1]! << 8), flags, packet);
  if (result < 0) return result;
  packet.write(offset, Uint8Array.of(result & 0xff, result >>> 8));
  return 0;
}

export function l3CsumReplace(call: HostCall): void {
  const to = call.argU32(3);
  const from = call.argU32(2);
  call.setReturnNumber(
    replaceAt(call, BPF_F_HDR_FIELD_MASK, (check, flags) => {
      if (flags === 0) return call.argIsNull(2) ? replaceByDiff(check, to) : -ERRNO.EINVAL;
      if (flags === 2) return replace2(check, from & 0xffff, to & 0xffff);
      return flags === 4 ? replace4(check, from, to) : -ERRNO.EINVAL;
    }),
  );
}

export function l4CsumReplace(call: HostCall): void {
  const allowed = BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR | BPF_F_HDR_FIELD_MASK | BPF_F_IPV6;
  const to = call.argU32(3);
  const from = call.argU32(2);
  const { skb } = skbOf(call);
  call.setReturnNumber(
    replaceAt(call, allowed, (check, flags) => {
      const manglesZero = (flags & BPF_F_MARK_MANGLED_0) !== 0;
      if (manglesZero && (flags & BPF_F_MARK_ENFORCE) === 0 && check === 0) return check;
      const replace = l4Replace(call, flags, skb);
      const result = replace(check, from, to);
      return manglesZero && result === 0 ? CSUM_MANGLED_0 : result;
    }),
  );
}

function l4Replace(call: HostCall, flags: number, skb: SkbFields): Replace {
  const pseudo = (flags & BPF_F_PSEUDO_HDR) !== 0;
  switch (flags & BPF_F_HDR_FIELD_MASK) {
    case 0:
      if (!call.argIsNull(2)) return () => -ERRNO.EINVAL;
      return (check, _from, diff) => protoReplaceByDiff(skb, check, diff, pseudo, (flags & BPF_F_IPV6) !== 0);
    case 2:
      return (check, from, to) => protoReplace4(skb, check, from & 0xffff, to & 0xffff, pseudo);
    case 4:
      return (check, from, to) => protoReplace4(skb, check, from, to, pseudo);
    default:
      return () => -ERRNO.EINVAL;
  }
}

/** inet_proto_csum_replace_by_diff() */
function protoReplaceByDiff(skb: SkbFields, check: number, diff: number, pseudo: boolean, ipv6: boolean): number {
  if (skb.ipSummed === CHECKSUM.PARTIAL) return pseudo ? ~csumFold(csumAdd(diff, check)) & 0xffff : check;
  if (skb.ipSummed === CHECKSUM.COMPLETE && pseudo && !ipv6) skb.csum = csumNot(csumSub(diff, skb.csum));
  return replaceByDiff(check, diff);
}

/** inet_proto_csum_replace4() */
function protoReplace4(skb: SkbFields, check: number, from: number, to: number, pseudo: boolean): number {
  if (skb.ipSummed === CHECKSUM.PARTIAL) {
    return pseudo ? ~csumFold(csumAdd(csumSub(check, from), to)) & 0xffff : check;
  }
  if (skb.ipSummed === CHECKSUM.COMPLETE && pseudo) {
    skb.csum = csumNot(csumAdd(csumSub(csumNot(skb.csum), from), to));
  }
  return replace4(check, from, to);
}

/** from, from_size, to, to_size, seed */
export function csumDiff(call: HostCall): void {
  const fromSize = call.argU32(1);
  const toSize = call.argU32(3);
  let sum = call.argU32(4);
  if (toSize > 0) sum = csumPartial(call.bytes(2, toSize), sum);
  if (toSize > 0 && fromSize > 0) sum = csumSub(sum, csumPartial(call.bytes(0, fromSize), 0));
  else if (fromSize > 0) sum = csumNot(csumPartial(call.bytes(0, fromSize), csumNot(sum)));
  call.setReturnNumber(csumFrom32To16(sum));
}

export function csumUpdate(call: HostCall): void {
  const { skb } = skbOf(call);
  if (skb.ipSummed === CHECKSUM.COMPLETE) {
    skb.csum = csumAdd(skb.csum, call.argU32(1));
    call.setReturn(skb.csum | 0, 0);
  } else {
    call.setReturnNumber(-ERRNO.ENOTSUPP);
  }
}

export const csumLevel = (call: HostCall): void => call.setReturnNumber(changeLevel(skbOf(call).skb, call.arg(1)));

function changeLevel(skb: SkbFields, level: bigint): number {
  const unnecessary = skb.ipSummed === CHECKSUM.UNNECESSARY;
  switch (Number(level)) {
    case BPF_CSUM_LEVEL_QUERY:
      return unnecessary ? skb.csumLevel : -ERRNO.EACCES;
    case BPF_CSUM_LEVEL_INC:
      if (unnecessary) skb.csumLevel = Math.min(skb.csumLevel + 1, SKB_MAX_CSUM_LEVEL);
      else if (skb.ipSummed === CHECKSUM.NONE) {
        skb.ipSummed = CHECKSUM.UNNECESSARY;
        skb.csumLevel = 0;
      }
      return 0;
    case BPF_CSUM_LEVEL_DEC:
      if (unnecessary && skb.csumLevel === 0) skb.ipSummed = CHECKSUM.NONE;
      else if (unnecessary) skb.csumLevel--;
      return 0;
    case BPF_CSUM_LEVEL_RESET:
      resetChecksum(skb);
      return 0;
    default:
      return -ERRNO.EINVAL;
  }
}
