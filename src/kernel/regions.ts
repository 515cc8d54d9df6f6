import type { HostPercpu } from '../contracts/host_memory.ts';
import type { GuestMemory } from './memory.ts';

/** Below this, an address is a NULL pointer with an offset. Source: mmap_min_addr and one page of guard. */
export const NULL_GUARD = 65536;

/** High half of pointers that are valid only with a CPU number (`__percpu`). */
export const PERCPU_HIGH = 0xffffe8ff | 0;
/** High half of kernel text and of BPF functions. */
export const TEXT_HIGH = 0xffffffff | 0;

/** Addresses under one high half that are not the kernel's own. */
export interface AddressRegion {
  readonly high: number;
  readonly name: string;
  /** loads from unmapped addresses give 0 and stores to them are dropped, as the arena has it */
  readonly faultProtected: boolean;
  /** linear offset of `size` bytes, or -1 when they are not mapped or not in one piece */
  resolve(lo: number, size: number, write: boolean): number;
  /** copies bytes out, across pages; unmapped ones read as 0. False when any was unmapped. */
  read(lo: number, into: Uint8Array): boolean;
  /** copies bytes in, across pages; what falls on unmapped ones is dropped. False when any did. */
  write(lo: number, bytes: Uint8Array): boolean;
}

const PAGE_SHIFT = 12;
const PAGE_BYTES = 1 << PAGE_SHIFT;

/** 4 GiB of addresses, backed page by page as they are mapped. */
export class SparseRegion implements AddressRegion {
  readonly high: number;
  readonly name: string;
  readonly faultProtected: boolean;
  readonly #memory: GuestMemory;
  readonly #pages = new Map<number, number>();

  constructor(memory: GuestMemory, high: number, name: string, faultProtected = false) {
    this.#memory = memory;
    this.high = high;
    this.name = name;
    this.faultProtected = faultProtected;
  }

  /** The same pages under another high half. */
  under(high: number): AddressRegion {
    return {
      high,
      name: this.name,
      faultProtected: this.faultProtected,
      resolve: (lo, size, write) => this.resolve(lo, size, write),
      read: (lo, into) => this.read(lo, into),
      write: (lo, bytes) => this.write(lo, bytes),
    };
  }

  get pageCount(): number {
    return this.#pages.size;
  }

  isMapped(lo: number): boolean {
    return this.#pages.has(lo >>> PAGE_SHIFT);
  }

  /** Maps one zeroed page; false when memory is used up. */
  map(page: number): boolean {
    if (this.#pages.has(page)) return true;
    const offset = this.#memory.allocate(PAGE_BYTES, { what: `page of ${this.name}` });
    if (offset === 0) return false;
    this.#pages.set(page, offset);
    return true;
  }

  unmap(page: number): void {
    const offset = this.#pages.get(page);
    if (offset === undefined) return;
    this.#pages.delete(page);
    this.#memory.free(offset);
  }

  resolve(lo: number, size: number, _write: boolean): number {
    const offset = this.#pages.get(lo >>> PAGE_SHIFT);
    const within = lo & (PAGE_BYTES - 1);
    return offset === undefined || within + size > PAGE_BYTES ? -1 : offset + within;
  }

  read(lo: number, into: Uint8Array): boolean {
    let complete = true;
    for (let i = 0; i < into.length; i++) {
      const at = this.resolve((lo + i) >>> 0, 1, false);
      if (at < 0) complete = false;
      into[i] = at < 0 ? 0 : this.#memory.u8[at]!;
    }
    return complete;
  }

  write(lo: number, bytes: Uint8Array): boolean {
    let complete = true;
    for (let i = 0; i < bytes.length; i++) {
      const at = this.resolve((lo + i) >>> 0, 1, true);
      if (at < 0) complete = false;
      else this.#memory.u8[at] = bytes[i]!;
    }
    return complete;
  }
}

/** Memory with one copy for each CPU. A `__percpu` pointer is the offset of CPU 0's copy under a high half of its own. */
export class PercpuRegion implements AddressRegion, HostPercpu {
  readonly high = PERCPU_HIGH;
  readonly name = 'per-CPU memory';
  readonly faultProtected = false;
  readonly #memory: GuestMemory;
  readonly cpuCount: number;
  readonly #copies = new Map<number, { readonly size: number; readonly offsets: readonly number[] }>();

  constructor(memory: GuestMemory, cpuCount: number) {
    this.#memory = memory;
    this.cpuCount = cpuCount;
  }

  /** A direct access through a `__percpu` pointer is always wrong. */
  resolve(_lo: number, _size: number, _write: boolean): number {
    return -1;
  }

  read(_lo: number, into: Uint8Array): boolean {
    into.fill(0);
    return false;
  }

  write(_lo: number, _bytes: Uint8Array): boolean {
    return false;
  }

  /** Zeroed copies for every CPU; the low half of the `__percpu` pointer, 0 when memory is used up. */
  allocate(size: number, what: string): number {
    const offsets: number[] = [];
    for (let cpu = 0; cpu < this.cpuCount; cpu++) {
      const offset = this.#memory.allocate(size, { what: `${what}, CPU ${cpu}` });
      if (offset === 0) {
        for (const done of offsets) this.#memory.free(done);
        return 0;
      }
      offsets.push(offset);
    }
    this.#copies.set(offsets[0]!, { size, offsets });
    return offsets[0]!;
  }

  free(lo: number): void {
    const copies = this.#copies.get(lo);
    if (copies === undefined) return;
    this.#copies.delete(lo);
    for (const offset of copies.offsets) this.#memory.free(offset);
  }

  /** Offset of the byte that a `__percpu` pointer means on this CPU; 0 when the pointer or the CPU does not exist. */
  pointer(lo: number, cpu: number): number {
    if (cpu < 0 || cpu >= this.cpuCount) return 0;
    const exact = this.#copies.get(lo);
    if (exact !== undefined) return exact.offsets[cpu]!;
    for (const [start, copies] of this.#copies) {
      if (lo > start && lo < start + copies.size) return copies.offsets[cpu]! + (lo - start);
    }
    return 0;
  }
}
