import type { Env } from '../env.ts';
import { invalidReg } from '../objects/references.ts';
import { replaceRegs } from '../state/each.ts';
import type { Reg } from '../state/reg.ts';
import {
  baseOf,
  DYNPTR_TYPE_SKB,
  DYNPTR_TYPE_SKB_META,
  DYNPTR_TYPE_XDP,
  isPacketPointerAny,
  PTR_TO_MEM,
} from '../state/reg_types.ts';

const PACKET_SLICE = DYNPTR_TYPE_SKB | DYNPTR_TYPE_XDP | DYNPTR_TYPE_SKB_META;

/** A pointer into the packet, its end or its metadata, or a slice of a dynptr over one. */
const pointsToPacket = ({ type }: Reg): boolean =>
  isPacketPointerAny(type) || (baseOf(type) === PTR_TO_MEM && (type & PACKET_SLICE) !== 0);

/** The packet may have moved: no pointer into it is valid any more (clear_all_pkt_pointers). */
export function clearPacketPointers(env: Env): void {
  const invalid = invalidReg(env);
  replaceRegs(env.cur, (reg) => (pointsToPacket(reg) ? invalid : reg));
}
