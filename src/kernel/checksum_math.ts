/**
 * Internet checksums over little-endian words, as Linux computes them on x86-64: include/net/checksum.h,
 * arch/x86/lib/csum-partial_64.c. Sums are unsigned 32-bit numbers whose 16-bit halves still have to be added; checksums are
 * 16-bit numbers as they lie in memory.
 */

const WORD = 0x1_0000_0000;

/** end-around carry addition */
export function csumAdd(sum: number, addend: number): number {
  const total = sum + addend;
  return total >= WORD ? total - WORD + 1 : total;
}

export const csumNot = (sum: number): number => ~sum >>> 0;

export const csumSub = (sum: number, subtrahend: number): number => csumAdd(sum, csumNot(subtrahend));

/** csum_partial(): 64-bit words with end-around carry, folded to 32 bits at the end */
export function csumPartial(bytes: Uint8Array, seed: number): number {
  let low = seed;
  let high = 0;
  const length = bytes.length;
  for (let at = 0; at < length; at += 8) {
    for (let index = 0; index < 4 && at + index < length; index++) low += bytes[at + index]! * 2 ** (8 * index);
    for (let index = 4; index < 8 && at + index < length; index++) high += bytes[at + index]! * 2 ** (8 * index - 32);
  }
  while (low >= WORD || high >= WORD) {
    const carryLow = Math.floor(low / WORD);
    high += carryLow;
    low -= carryLow * WORD;
    const carryHigh = Math.floor(high / WORD);
    low += carryHigh;
    high -= carryHigh * WORD;
  }
  const total = low + high;
  return (total >= WORD ? total + 1 : total) % WORD;
}

/** csum_from32to16(): the halves added, not inverted */
export function csumFrom32To16(sum: number): number {
  const total = (sum >>> 16) + (sum & 0xffff);
  return total > 0xffff ? total - 0xffff : total;
}

/** csum_fold(): the 16-bit checksum of a sum */
export const csumFold = (sum: number): number => ~csumFrom32To16(sum) & 0xffff;

/** csum_block_add(): `sum` of bytes that begin at `offset`; odd ones are shifted by a byte */
export const csumBlockAdd = (total: number, sum: number, offset: number): number =>
  csumAdd(total, offset % 2 === 0 ? sum : ((sum >>> 8) | (sum << 24)) >>> 0);

export const csumBlockSub = (total: number, sum: number, offset: number): number => csumBlockAdd(total, csumNot(sum), offset);

const csum16Add = (sum: number, addend: number): number => {
  const total = sum + addend;
  return total > 0xffff ? total - 0xffff : total;
};

/** csum_replace_by_diff() */
export const replaceByDiff = (check: number, diff: number): number => csumFold(csumAdd(diff, csumNot(check)));

/** csum_replace2(): 16-bit field */
export const replace2 = (check: number, from: number, to: number): number =>
  ~csum16Add(csum16Add(~check & 0xffff, ~from & 0xffff), to) & 0xffff;

/** csum_replace4(): 32-bit field */
export const replace4 = (check: number, from: number, to: number): number => csumFold(csumAdd(csumSub(csumNot(check), from), to));
