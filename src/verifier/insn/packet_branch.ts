import { BPF_JMP, BPF_X, classOf, opOf, sourceOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import { type Branch, flipComparison } from '../scalar/compare.ts';
import { JGE, JGT, JLE, JLT } from '../scalar/opcodes.ts';
import { isZero, type Scalar } from '../scalar/scalar.ts';
import { replaceRegs } from '../state/each.ts';
import type { Reg } from '../state/reg.ts';
import { PTR_TO_PACKET, PTR_TO_PACKET_END, PTR_TO_PACKET_META } from '../state/reg_types.ts';
import type { State } from '../state/state.ts';

/**
 * Comparisons of packet pointers with the end of the packet (or of metadata pointers with its start) prove how many bytes may be
 * read. Source: try_match_pkt_pointers, find_good_pkt_pointers, is_pkt_ptr_branch_taken, kernel/bpf/verifier.c.
 */

const MAX_PACKET_OFF = 0xffff;

/** Ranges of a pointer that was found at, or behind, the end. */
export const AT_PKT_END = -1;
export const BEYOND_PKT_END = -2;

/** Decides a comparison of a pointer that an earlier one found at or behind the end. */
export function packetBranchTaken(dst: Reg, src: Reg, op: number): Branch {
  const isFlipped = src.type !== PTR_TO_PACKET_END;
  if (isFlipped && dst.type !== PTR_TO_PACKET_END) return -1;
  const range = isFlipped ? src.aux : dst.aux;
  if (range >= 0) return -1;
  switch (isFlipped ? flipComparison(op) : op) {
    case JLE:
      return range === BEYOND_PKT_END ? 0 : -1;
    case JGT:
      return range === BEYOND_PKT_END ? 1 : -1;
    case JLT:
      return 0;
    case JGE:
      return 1;
    default:
      return -1;
  }
}

const isStartOfPacket = (reg: Reg): boolean => reg.type === PTR_TO_PACKET && reg.id === 0 && reg.off === 0 && isZero(reg.scalar);

/** `pointer` moves towards `limit`: data towards its end, metadata towards the data. */
const isTowards = (pointer: Reg, limit: Reg): boolean =>
  (pointer.type === PTR_TO_PACKET && limit.type === PTR_TO_PACKET_END) ||
  (pointer.type === PTR_TO_PACKET_META && isStartOfPacket(limit));

const isSmall = (scalar: Scalar, off: number): boolean =>
  scalar.umaxHi === 0 && scalar.umaxLo >= 0 && scalar.umaxLo <= MAX_PACKET_OFF && scalar.umaxLo + off <= MAX_PACKET_OFF;

/** All pointers with the id of `pointer` may be read up to its offset, one byte further when it is strictly below the end. */
function proveRange(state: State, pointer: Reg, isStrict: boolean): void {
  if (pointer.off < 0 || (pointer.off === 0 && isStrict) || !isSmall(pointer.scalar, pointer.off)) return;
  const range = pointer.off + (isStrict ? 1 : 0);
  replaceRegs(state, (reg) => {
    if (reg.type !== pointer.type || reg.id !== pointer.id || reg.aux >= range) return reg;
    const next = reg.clone();
    next.aux = range;
    return next;
  });
}

function markEnd(state: State, regno: number, isBeyond: boolean): void {
  const reg = state.top.regs[regno] as Reg;
  if (reg.type !== PTR_TO_PACKET) return;
  const next = reg.clone();
  next.aux = isBeyond ? BEYOND_PKT_END : AT_PKT_END;
  state.writableTop().refineReg(regno, next);
}

/**
 * Learns from `dst op src` in both branches: `taken` is the state behind the jump, `fallThrough` the one behind the instruction.
 * False when the comparison is none of packet pointers.
 */
export function learnPacketRange(insn: Insn, dst: Reg, src: Reg, fallThrough: State, taken: State): boolean {
  if (sourceOf(insn.code) !== BPF_X || classOf(insn.code) !== BPF_JMP) return false;
  const op = opOf(insn.code);
  if (op !== JGT && op !== JLT && op !== JGE && op !== JLE) return false;
  const isFlipped = !isTowards(dst, src);
  if (isFlipped && !isTowards(src, dst)) return false;
  const pointer = isFlipped ? src : dst;
  const regno = isFlipped ? insn.src : insn.dst;
  // as pointer > limit, or pointer >= limit, and so on
  const comparison = isFlipped ? flipComparison(op) : op;
  const isAbove = comparison === JGT || comparison === JGE;
  const below = isAbove ? fallThrough : taken;
  const above = isAbove ? taken : fallThrough;
  const belowIsStrict = comparison === JGE || comparison === JLT;
  proveRange(below, pointer, belowIsStrict);
  markEnd(above, regno, !belowIsStrict);
  return true;
}
