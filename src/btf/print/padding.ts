import { BtfError } from '../error.ts';

/** Lines of padding in one gap, at most: 8 MiB. */
const PAD_LIMIT = 1 << 20;

/** Types that fill a gap, widest first. */
const PADS = [
  { name: 'long', bits: 64 },
  { name: 'int', bits: 32 },
  { name: 'short', bits: 16 },
  { name: 'char', bits: 8 },
] as const;

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/**
 * The unnamed bitfields that make a C compiler put the next member at bit `next` rather than right behind bit `current`:
 * `long: 0` to reach an alignment, then whole units, then the rest. `align` is what the next member asks for, in bytes.
 * Source: btf_dump_emit_bit_padding, tools/lib/bpf/btf_dump.c.
 */
export const padding = (current: number, next: number, align: number, inBitfield: boolean): string[] => {
  if (current >= next) return [];
  const pads: string[] = [];
  const unit = PADS.find(({ bits }) => roundUp(current, bits) <= next) ?? PADS[3];
  const aligned = roundUp(current, unit.bits);
  let at = current;
  if (aligned > current && aligned <= next) {
    const ignored = aligned !== next && next - aligned <= aligned - current;
    const unexpected = aligned === next && roundUp(current, Math.max(1, align) * 8) !== aligned;
    if (inBitfield || unexpected || ignored) pads.push(`${unit.name}: ${inBitfield ? aligned - current : 0};`);
    at = aligned;
  }
  if ((next - at) / unit.bits > PAD_LIMIT) throw new BtfError('types too large to print');
  for (; at + unit.bits <= next; at += unit.bits) pads.push(`${unit.name}: ${unit.bits};`);
  if (at < next) {
    const rest = next - at;
    const smallest = PADS.findLast(({ bits }) => bits >= rest) ?? unit;
    pads.push(`${smallest.name}: ${rest};`);
  }
  return pads;
};
