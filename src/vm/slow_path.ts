import { Fault } from '../contracts/errors.ts';
import { type GuestMemory, KERNEL_HIGH } from '../kernel/memory.ts';
import type { AddressRegion } from '../kernel/regions.ts';
import {
  GRANULE_SHIFT,
  TAG_ALL,
  TAG_ALL_READ_ONLY,
  TAG_CONTEXT,
  TAG_STACK_PARTIAL,
  TAG_STACK_UNWRITTEN,
} from '../kernel/shadow.ts';
import type { EngineHost } from './engine.ts';
import { DST_MASK, DST_SHIFT, SRC_SHIFT } from './ops.ts';

const TWO32 = 2 ** 32;
const ARENA_GUARD = 1 << 15;
/** Reads as zeros, and takes everything. */
const UNMAPPED: AddressRegion = {
  high: 0,
  name: 'guard of the arena',
  faultProtected: true,
  resolve: () => -1,
  read: (_lo, into) => {
    into.fill(0);
    return false;
  },
  write: () => false,
};

/** One bit for each byte of an access of this size. */
const BYTE_BITS = [0, 0x1, 0x3, 0, 0xf, 0, 0, 0, 0xff];

/** Memory accesses that are not plain: stack bytes, odd ends of objects, contexts, other address spaces, and everything that faults. */
export class SlowPath {
  readonly #memory: GuestMemory;
  readonly #host: EngineHost;
  /** what `place` has found */
  offset = 0;
  #lo = 0;
  #hi = 0;

  constructor(memory: GuestMemory, host: EngineHost) {
    this.#memory = memory;
    this.#host = host;
  }

  /** The load at word `p`, into its destination. */
  load(registers: Int32Array, words: Int32Array, p: number, size: number, signed: boolean): void {
    const memory = this.#memory;
    const dst = (words[p]! >>> DST_SHIFT) & DST_MASK;
    this.#address(registers, words[p]! >>> SRC_SHIFT, words[p + 1]!);
    const lo = this.#lo;
    const hi = this.#hi;
    if (hi === KERNEL_HIGH) {
      const granule = (lo - memory.base) >>> GRANULE_SHIFT;
      const first = memory.shadow[granule];
      if (first === TAG_STACK_PARTIAL) {
        const bits = BYTE_BITS[size]! << (lo & 7);
        if ((memory.written[granule]! & bits) === bits) {
          this.#fetch(registers, dst, lo, size, signed);
          return;
        }
      } else if (first === TAG_ALL_READ_ONLY && memory.shadow[(lo + size - 1 - memory.base) >>> GRANULE_SHIFT] === first) {
        this.#fetch(registers, dst, lo, size, signed);
        return;
      } else if (first === TAG_ALL && memory.shadow[(lo + size - 1 - memory.base) >>> GRANULE_SHIFT] === TAG_ALL) {
        this.#fetch(registers, dst, lo, size, signed);
        return;
      }
      memory.site = words[p + 3]!;
      if (first === TAG_CONTEXT) {
        const value = this.#host.loadContext(lo, size);
        const high = this.#host.wideHi;
        registers[dst] = signed ? signExtend(value, size) : value;
        registers[dst + 1] = signed ? registers[dst]! >> 31 : high;
        return;
      }
    }
    memory.site = words[p + 3]!;
    const region = hi === KERNEL_HIGH ? undefined : this.#region(lo, hi);
    if (region?.faultProtected === true) {
      region.read(lo >>> 0, memory.u8.subarray(memory.scratch, memory.scratch + size));
      this.#fetch(registers, dst, memory.scratch, size, signed);
      return;
    }
    this.#fetch(registers, dst, memory.check(lo, hi, size, false), size, signed);
  }

  /** The store at word `p`. */
  store(registers: Int32Array, words: Int32Array, p: number, size: number): void {
    const memory = this.#memory;
    const src = words[p]! >>> SRC_SHIFT;
    this.#address(registers, (words[p]! >>> DST_SHIFT) & DST_MASK, words[p + 1]!);
    const lo = this.#lo;
    const hi = this.#hi;
    if (hi === KERNEL_HIGH) {
      const granule = (lo - memory.base) >>> GRANULE_SHIFT;
      const tag = memory.shadow[granule];
      if ((tag === TAG_STACK_PARTIAL || tag === TAG_STACK_UNWRITTEN) && (lo & 7) + size <= 8) {
        const before = tag === TAG_STACK_PARTIAL ? memory.written[granule]! : 0;
        const bits = before | (BYTE_BITS[size]! << (lo & 7));
        memory.written[granule] = bits;
        memory.shadow[granule] = bits === 0xff ? TAG_ALL : TAG_STACK_PARTIAL;
        this.#put(registers, src, lo, size);
        return;
      }
      memory.site = words[p + 3]!;
      if (tag === TAG_CONTEXT) {
        this.#host.storeContext(lo, size, registers[src]!, registers[src + 1]!);
        return;
      }
    }
    memory.site = words[p + 3]!;
    const region = hi === KERNEL_HIGH ? undefined : this.#region(lo, hi);
    if (region?.faultProtected === true) {
      this.#put(registers, src, memory.scratch, size);
      region.write(lo >>> 0, memory.u8.subarray(memory.scratch, memory.scratch + size));
      return;
    }
    this.#put(registers, src, memory.check(lo, hi, size, true), size);
  }

  /**
   * Finds and checks what the atomic operation at word `p` works on, into `offset`. False where it has no effect: in memory of an
   * arena that is not mapped (BPF_PROBE_ATOMIC, whose exceptions leave the registers alone).
   */
  place(registers: Int32Array, words: Int32Array, p: number, size: number): boolean {
    const memory = this.#memory;
    this.#address(registers, (words[p]! >>> DST_SHIFT) & DST_MASK, words[p + 1]!);
    const lo = this.#lo;
    const hi = this.#hi;
    this.offset = lo;
    if (hi === KERNEL_HIGH) {
      const first = memory.shadow[(lo - memory.base) >>> GRANULE_SHIFT];
      if (first === TAG_ALL && memory.shadow[(lo + size - 1 - memory.base) >>> GRANULE_SHIFT] === TAG_ALL) return true;
      if (first === TAG_CONTEXT) throw new Fault('bad-instruction', 'atomic operation on the context');
    }
    memory.site = words[p + 3]!;
    const region = hi === KERNEL_HIGH ? undefined : this.#region(lo, hi);
    if (region?.faultProtected === true) {
      this.offset = region.resolve(lo >>> 0, size, true);
      return this.offset >= 0;
    }
    memory.check(lo, hi, size, false);
    this.offset = memory.check(lo, hi, size, true);
    return true;
  }

  /**
   * The address space that holds an address, if it is not the kernel's own. Around an arena lies a guard, as an offset is added to 32
   * bits of pointer: nothing is mapped there. Source: GUARD_SZ, kernel/bpf/arena.c.
   */
  #region(lo: number, hi: number): AddressRegion | undefined {
    const overEnd = hi === 1 && lo >>> 0 < ARENA_GUARD;
    const beforeStart = hi === -1 && lo >>> 0 >= TWO32 - ARENA_GUARD;
    const arena = overEnd || beforeStart ? this.#memory.region(0) : undefined;
    return arena?.faultProtected === true ? UNMAPPED : this.#memory.region(hi);
  }

  /** The fault-protected load at word `p`: a bad address reads 0. Source: ex_handler_bpf, arch/x86/net/bpf_jit_comp.c. */
  probe(registers: Int32Array, words: Int32Array, p: number): void {
    const signedSize = words[p + 2]!;
    const size = Math.abs(signedSize);
    const dst = (words[p]! >>> DST_SHIFT) & DST_MASK;
    this.#address(registers, words[p]! >>> SRC_SHIFT, words[p + 1]!);
    const offset = this.#memory.probe(this.#lo, this.#hi, size, false);
    if (offset >= 0) {
      this.#fetch(registers, dst, offset, size, signedSize < 0);
      return;
    }
    registers[dst] = 0;
    registers[dst + 1] = 0;
  }

  /** Loads packet bytes in network order into r0; false past the end of the packet. Source: bpf_gen_ld_abs, net/core/filter.c. */
  loadPacket(registers: Int32Array, size: number, position: number): boolean {
    const bytes = this.#host.packetBytes(position, size);
    if (bytes === null) return false;
    let value = 0;
    for (let i = 0; i < size; i++) value = (value << 8) | bytes[i]!;
    registers[0] = value;
    registers[1] = 0;
    return true;
  }

  #address(registers: Int32Array, register: number, displacement: number): void {
    const from = registers[register]!;
    const lo = (from + displacement) | 0;
    this.#lo = lo;
    this.#hi = (registers[register + 1]! + (displacement >> 31) + (lo >>> 0 < from >>> 0 ? 1 : 0)) | 0;
  }

  #fetch(registers: Int32Array, dst: number, offset: number, size: number, signed: boolean): void {
    const { view } = this.#memory;
    if (size === 8) {
      registers[dst] = view.getInt32(offset, true);
      registers[dst + 1] = view.getInt32(offset + 4, true);
      return;
    }
    const value = size === 4 ? view.getInt32(offset, true) : size === 2 ? view.getUint16(offset, true) : view.getUint8(offset);
    registers[dst] = signed ? signExtend(value, size) : value;
    registers[dst + 1] = signed ? registers[dst]! >> 31 : 0;
  }

  #put(registers: Int32Array, src: number, offset: number, size: number): void {
    const { view } = this.#memory;
    const value = registers[src]!;
    if (size === 1) view.setInt8(offset, value);
    else if (size === 2) view.setInt16(offset, value, true);
    else view.setInt32(offset, value, true);
    if (size === 8) view.setInt32(offset + 4, registers[src + 1]!, true);
  }
}

const signExtend = (value: number, size: number): number => (value << (32 - 8 * size)) >> (32 - 8 * size);
