import { BPF_ADD, BPF_AND, BPF_CMPXCHG, BPF_FETCH, BPF_OR, BPF_XCHG, BPF_XOR } from '../isa/constants.ts';

/**
 * Read-modify-write at a checked offset. `dst` and `src` are registers of the file (low halves); r0 is the comparand of a
 * compare-and-exchange. A fetched 32-bit value is zero-extended. Source: RFC 9669 section 5.3; ___bpf_prog_run, kernel/bpf/core.c.
 */
export function atomic32(registers: Int32Array, view: DataView, offset: number, src: number, op: number): void {
  const old = view.getInt32(offset, true);
  const value = registers[src]!;
  if (op === BPF_CMPXCHG) {
    if (old === registers[0]) view.setInt32(offset, value, true);
    registers[0] = old;
    registers[1] = 0;
    return;
  }
  view.setInt32(offset, op === BPF_XCHG ? value : combine(op & ~BPF_FETCH, old, value), true);
  if ((op & BPF_FETCH) === 0) return;
  registers[src] = old;
  registers[src + 1] = 0;
}

export function atomic64(registers: Int32Array, view: DataView, offset: number, src: number, op: number): void {
  const oldLo = view.getInt32(offset, true);
  const oldHi = view.getInt32(offset + 4, true);
  const lo = registers[src]!;
  const hi = registers[src + 1]!;
  if (op === BPF_CMPXCHG) {
    if (oldLo === registers[0] && oldHi === registers[1]) {
      view.setInt32(offset, lo, true);
      view.setInt32(offset + 4, hi, true);
    }
    registers[0] = oldLo;
    registers[1] = oldHi;
    return;
  }
  const isSwap = op === BPF_XCHG;
  const kind = op & ~BPF_FETCH;
  const newLo = isSwap ? lo : combine(kind, oldLo, lo);
  const carry = !isSwap && kind === BPF_ADD && newLo >>> 0 < oldLo >>> 0 ? 1 : 0;
  view.setInt32(offset, newLo, true);
  view.setInt32(offset + 4, isSwap ? hi : combine(kind, oldHi, hi) + carry, true);
  if ((op & BPF_FETCH) === 0) return;
  registers[src] = oldLo;
  registers[src + 1] = oldHi;
}

const combine = (op: number, a: number, b: number): number => {
  switch (op) {
    case BPF_ADD:
      return (a + b) | 0;
    case BPF_OR:
      return a | b;
    case BPF_AND:
      return a & b;
    case BPF_XOR:
      return a ^ b;
    default:
      return a;
  }
};
