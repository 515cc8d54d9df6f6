/**
 * What a generator knows of a register: enough to choose a next step that is probably valid. It is a guess, not a proof; the
 * verifier judges.
 */
export type Kind =
  /** `max`: largest unsigned value, infinite where unknown */
  | { readonly kind: 'scalar'; readonly max: number }
  | { readonly kind: 'ctx' }
  /** the frame pointer plus `off` */
  | { readonly kind: 'stack'; readonly off: number }
  /** inside `size` bytes that may be read and, if `writable`, written; `off` is how far in, at most */
  | {
      readonly kind: 'memory';
      readonly size: number;
      readonly off: number;
      readonly writable: boolean;
      readonly map: number | null;
    }
  /** `size` bytes of it are known to be there */
  | { readonly kind: 'packet'; readonly size: number }
  | { readonly kind: 'packet-end' }
  /** pointer to a kernel struct */
  | { readonly kind: 'btf'; readonly struct: string }
  | { readonly kind: 'map'; readonly map: number }
  /** a pointer that steps of this generator do not look through */
  | { readonly kind: 'opaque' };

export const UNKNOWN_SCALAR: Kind = { kind: 'scalar', max: Number.POSITIVE_INFINITY };
export const scalarUpTo = (max: number): Kind => ({ kind: 'scalar', max });

export const STACK_BYTES = 512;
const UNWRITTEN = 0;
const WRITTEN = 1;
const SPILLED = 2;
const RESERVED = 3;

const isSameKind = (a: Kind | null, b: Kind | null): boolean => {
  if (a === b) return true;
  if (a === null || b === null || a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'scalar':
      return a.max === (b as typeof a).max;
    case 'ctx':
    case 'packet-end':
      return true;
    case 'opaque':
      return false;
    case 'stack':
      return a.off === (b as typeof a).off;
    case 'memory': {
      const other = b as typeof a;
      return a.size === other.size && a.off === other.off && a.writable === other.writable && a.map === other.map;
    }
    case 'packet':
      return a.size === (b as typeof a).size;
    case 'btf':
      return a.struct === (b as typeof a).struct;
    case 'map':
      return a.map === (b as typeof a).map;
    default:
      return a satisfies never;
  }
};

/** Kind of a register where two paths meet; null where they disagree. */
const meet = (a: Kind | null, b: Kind | null): Kind | null => {
  if (isSameKind(a, b)) return a;
  if (a?.kind === 'scalar' && b?.kind === 'scalar') return scalarUpTo(Math.max(a.max, b.max));
  if (a?.kind === 'packet' && b?.kind === 'packet') return { kind: 'packet', size: Math.min(a.size, b.size) };
  return null;
};

/** Registers and stack of one function as its generator sees them at one place. Stack offsets are negative, from the frame pointer. */
export class Scope {
  /** r0 to r9; null: nothing that may be read */
  readonly regs: (Kind | null)[];
  /** bit r: steps must leave register r alone */
  pinned = 0;
  /** code after this place is not reached */
  isEnded = false;
  readonly #bytes: Uint8Array;
  readonly #spilled: Map<number, Kind>;

  constructor(
    regs: (Kind | null)[] = new Array(10).fill(null),
    bytes = new Uint8Array(STACK_BYTES),
    spilled = new Map<number, Kind>(),
  ) {
    this.regs = regs;
    this.#bytes = bytes;
    this.#spilled = spilled;
  }

  clone(): Scope {
    const copy = new Scope(this.regs.slice(), this.#bytes.slice(), new Map(this.#spilled));
    copy.pinned = this.pinned;
    copy.isEnded = this.isEnded;
    return copy;
  }

  /** Becomes what holds on both paths. */
  join(other: Scope): void {
    if (other.isEnded) return;
    if (this.isEnded) {
      for (let r = 0; r < 10; r++) this.regs[r] = other.regs[r]!;
      this.#bytes.set(other.#bytes);
      this.#spilled.clear();
      for (const [off, kind] of other.#spilled) this.#spilled.set(off, kind);
      this.isEnded = false;
      return;
    }
    for (let r = 0; r < 10; r++) this.regs[r] = meet(this.regs[r]!, other.regs[r]!);
    for (let i = 0; i < STACK_BYTES; i++) this.#bytes[i] = Math.min(this.#bytes[i]!, other.#bytes[i]!);
    for (const [off, kind] of this.#spilled) {
      const met = meet(kind, other.#spilled.get(off) ?? null);
      if (met === null) this.#spilled.delete(off);
      else this.#spilled.set(off, met);
    }
  }

  /** Forgets what a loop's body may change: the bounds of scalars, and registers that calls do not keep. */
  widen(): void {
    for (let r = 0; r < 10; r++) {
      if (this.isPinned(r)) continue;
      if (r <= 5) this.regs[r] = null;
      else if (this.regs[r]?.kind === 'scalar') this.regs[r] = UNKNOWN_SCALAR;
    }
  }

  isPinned(reg: number): boolean {
    return (this.pinned & (1 << reg)) !== 0;
  }

  /** After a call: r1 to r5 are gone, r0 is the result. */
  called(result: Kind | null): void {
    this.regs[0] = result;
    for (let r = 1; r <= 5; r++) this.regs[r] = null;
  }

  /** Packet pointers are gone after the packet moved. */
  dropPackets(): void {
    for (let r = 0; r < 10; r++) {
      const kind = this.regs[r]?.kind;
      if (kind === 'packet' || kind === 'packet-end') this.regs[r] = null;
    }
    for (const [off, kind] of this.#spilled) {
      if (kind.kind === 'packet' || kind.kind === 'packet-end') this.#spilled.delete(off);
    }
  }

  write(off: number, size: number, kind: Kind | null): void {
    this.#forgetSpills(off, size);
    const isSpill = kind !== null && kind.kind !== 'scalar' && size === 8 && off % 8 === 0;
    this.#bytes.fill(isSpill ? SPILLED : WRITTEN, STACK_BYTES + off, STACK_BYTES + off + size);
    if (kind !== null && size === 8 && off % 8 === 0) this.#spilled.set(off, kind);
  }

  reserve(off: number, size: number): void {
    this.#forgetSpills(off, size);
    this.#bytes.fill(RESERVED, STACK_BYTES + off, STACK_BYTES + off + size);
  }

  release(off: number, size: number): void {
    this.#bytes.fill(UNWRITTEN, STACK_BYTES + off, STACK_BYTES + off + size);
  }

  #forgetSpills(off: number, size: number): void {
    for (const at of this.#spilled.keys()) if (at < off + size && at + 8 > off) this.#spilled.delete(at);
  }

  /** Kind of the register that was stored at this slot; null where none is known. */
  spilledAt(off: number): Kind | null {
    return this.#spilled.get(off) ?? null;
  }

  get spills(): ReadonlyMap<number, Kind> {
    return this.#spilled;
  }

  /** Whether all bytes hold data, not pointers. */
  isData(off: number, size: number): boolean {
    for (let i = STACK_BYTES + off; i < STACK_BYTES + off + size; i++) if (this.#bytes[i] !== WRITTEN) return false;
    return true;
  }

  /** Whether steps may write these bytes. */
  isFree(off: number, size: number): boolean {
    for (let i = STACK_BYTES + off; i < STACK_BYTES + off + size; i++) if (this.#bytes[i] === RESERVED) return false;
    return true;
  }
}
