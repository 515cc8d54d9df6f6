import { Fault, type FaultReason } from '../contracts/errors.ts';
import type { Allocation, AllocationInfo, HostMemory } from '../contracts/host_memory.ts';
import { Heap } from './heap.ts';
import { giveBackLinearMemory, type LinearMemory, newLinearMemory } from './linear_memory.ts';
import { type AddressRegion, NULL_GUARD } from './regions.ts';
import {
  GRANULE,
  GRANULE_SHIFT,
  judgeByte,
  TAG_ALL,
  TAG_ALL_READ_ONLY,
  TAG_CONTEXT,
  TAG_DEAD_FRAME,
  TAG_FREED,
  TAG_MASKED,
  TAG_READ_ONLY,
  TAG_RED_ZONE,
  TAG_STACK_PARTIAL,
  TAG_STACK_UNWRITTEN,
  TAG_UNALLOCATED,
  type TagVerdict,
} from './shadow.ts';

/** High half of a kernel address: that of the direct mapping of physical memory on x86-64. */
export const KERNEL_HIGH = 0xffff8880 | 0;

export const FRAME_BYTES = 512;
const FRAME_FENCE = 64;
const FRAME_STRIDE = FRAME_BYTES + FRAME_FENCE;
/** Frames that may be open at once: 8 for each program run, callbacks and nested runs included. */
export const FRAME_LIMIT = 112;
const STACK_AREA = 64 << 10;

const PAGE = 64 << 10;
const GROWTH = 1 << 20;
const DEFAULT_LIMIT = 256 << 20;
const LARGEST_LIMIT = 1536 << 20;
/** Memories that have grown beyond this are not kept for others. */
const KEPT_BYTES = 8 << 20;
/** Bytes for values that are put together elsewhere before they are loaded. */
const SCRATCH_BYTES = 64;

export interface MemoryOptions {
  /** bytes of heap, default 256 MiB, at most 1.5 GiB */
  readonly limit?: number;
  /** seeds the bytes that reading unwritten stack gives */
  readonly seed?: number;
}

/**
 * One linear memory:
 *
 *     0                    base          base + 64 KiB                            base + limit
 *     | shadow, 1 byte per 8 | stack frames | objects, each with a fence behind it |
 *
 * A kernel address is KERNEL_HIGH over the offset, so the shadow tag of an address is `shadow[(offset - base) >>> 3]`; what lies
 * outside the heap falls outside the shadow and fails the same comparison.
 */
export class GuestMemory implements HostMemory {
  readonly high = KERNEL_HIGH;
  readonly memory: LinearMemory;
  /** offset of the first byte that a program may reach */
  readonly base: number;
  readonly limit: number;
  u8: Uint8Array;
  view: DataView;
  shadow: Uint8Array;
  /** offset of a few bytes that the machine uses for itself */
  readonly scratch: number;
  /** slot of the running instruction, for the sites of allocations */
  site = -1;
  /** told of every stack read that met bytes never written: first offset and length of the read */
  onUnwrittenRead: (offset: number, size: number) => void = () => {};
  /** names the field of a BTF type at an offset, for reports */
  describeField: (btfType: string, offset: number) => string = () => '';
  readonly #heap: Heap;
  /** by high half; the kernel's own half is not among them */
  readonly #regions = new Map<number, AddressRegion>();
  readonly #masks = new Map<number, number>();
  /** one bit for each byte of a stack granule, valid while its tag is `TAG_STACK_PARTIAL` */
  readonly written = new Uint8Array(STACK_AREA >> GRANULE_SHIFT);
  readonly #seed: number;
  /** the tags of the stack area, four at a time */
  #shadowWords = new Int32Array(0);

  constructor(options: MemoryOptions = {}) {
    this.limit = Math.min(Math.ceil((options.limit ?? DEFAULT_LIMIT) / PAGE) * PAGE, LARGEST_LIMIT);
    this.base = Math.ceil(this.limit / GRANULE / PAGE) * PAGE;
    this.#seed = options.seed ?? 0;
    const initial = Math.min(GROWTH, this.limit);
    this.memory = newLinearMemory((this.base + initial) / PAGE, (this.base + this.limit) / PAGE);
    this.#heap = new Heap(this.base + STACK_AREA, this.base + this.limit);
    this.u8 = new Uint8Array(0);
    this.view = new DataView(new ArrayBuffer(0));
    this.shadow = this.u8;
    this.#refresh();
    this.shadow.fill(TAG_UNALLOCATED);
    this.#tag(this.base, this.base + STACK_AREA, TAG_RED_ZONE);
    this.scratch = this.allocate(SCRATCH_BYTES, { what: 'scratch of the machine' });
  }

  /** Bytes of heap handed out so far, fences and quarantine included. */
  get used(): number {
    return this.#heap.used;
  }

  addRegion(region: AddressRegion): void {
    this.#regions.set(region.high, region);
  }

  region(high: number): AddressRegion | undefined {
    return this.#regions.get(high);
  }

  /** Gives the memory back, for the next one of the same limit. This one must not be used any more. */
  release(): void {
    if (this.u8.length - this.base <= KEPT_BYTES) {
      this.u8.fill(0, this.base, Math.min(this.#heap.top, this.u8.length));
      this.shadow.fill(0);
      giveBackLinearMemory(this.memory, (this.base + this.limit) / PAGE);
    }
    this.u8 = new Uint8Array(0);
    this.view = new DataView(new ArrayBuffer(0));
    this.shadow = this.u8;
  }

  allocate(size: number, info: AllocationInfo): number {
    const placed = this.#heap.place(size, info, this.site);
    if (placed === null) return 0;
    const { block, fresh } = placed;
    const end = block.offset + block.span;
    if (fresh) this.#cover(block.offset, end);
    else this.u8.fill(0, block.offset, block.offset + size);
    this.#tagObject(block.offset, size, info.readOnly === true);
    this.#tag(block.offset + Math.ceil(size / GRANULE) * GRANULE, end, TAG_RED_ZONE);
    return block.offset;
  }

  free(offset: number): void {
    const block = this.#heap.at(offset);
    if (block === undefined || block.freed) {
      throw this.#fault('use-after-free', `free of 0x${this.#hex(offset)}, which is not a live object`, offset, KERNEL_HIGH);
    }
    this.#tag(block.offset, block.offset + Math.ceil(block.size / GRANULE) * GRANULE, TAG_FREED);
    this.#heap.release(block, this.site);
  }

  find(offset: number): Allocation | null {
    return this.#heap.find(offset);
  }

  /** Every object that is alive, in order of allocation. */
  *live(): Generator<Allocation> {
    for (const block of this.#heap.blocks.values()) if (!block.freed) yield block;
  }

  /** Makes a range of an object read-only for programs, or writable again. The range starts at a granule. */
  setReadOnly(offset: number, size: number, readOnly: boolean): void {
    this.#tagObject(offset, size, readOnly);
  }

  /** Loads and stores of this range go to the context accessor of the machine. */
  setContext(offset: number, size: number): void {
    this.#tag(offset, offset + Math.ceil(size / GRANULE) * GRANULE, TAG_CONTEXT);
  }

  /** Only `size` bytes from `from` on may be touched within the block of bytes that starts at a granule and ends at `blockEnd`. */
  setWindow(blockStart: number, blockEnd: number, from: number, size: number): void {
    const to = from + size;
    const firstFull = Math.ceil(from / GRANULE) * GRANULE;
    const lastFull = Math.floor(to / GRANULE) * GRANULE;
    this.#tag(blockStart, Math.ceil(blockEnd / GRANULE) * GRANULE, TAG_RED_ZONE);
    if (lastFull > firstFull) this.#tag(firstFull, lastFull, TAG_ALL);
    this.#maskEdge(Math.floor(from / GRANULE) * GRANULE, from, to);
    if (lastFull > from) this.#maskEdge(lastFull, from, to);
  }

  /** Fences off a part of an object; both ends are at granules. */
  setRedZone(from: number, to: number): void {
    this.#tag(from, to, TAG_RED_ZONE);
  }

  /** Makes a live object unreachable without giving its space back: an element that waits on a free list. */
  bury(offset: number): void {
    const block = this.#heap.at(offset)!;
    this.#tag(offset, offset + Math.ceil(block.size / GRANULE) * GRANULE, TAG_FREED);
  }

  /** Undoes `bury`: the whole object may be reached again. */
  revive(offset: number): void {
    const block = this.#heap.at(offset)!;
    this.#tagObject(offset, block.size, false);
  }

  /** Opens stack frame number `index`; the offset of its lowest byte. Its bytes count as never written. */
  openFrame(index: number): number {
    this.#tagFrame(index, TAG_STACK_UNWRITTEN);
    return this.base + FRAME_FENCE + index * FRAME_STRIDE;
  }

  closeFrame(index: number): void {
    this.#tagFrame(index, TAG_DEAD_FRAME);
  }

  check(lo: number, hi: number, size: number, write: boolean): number {
    const offset = this.#resolve(lo, hi, size, write);
    if (offset >= 0) return offset;
    throw this.faultAt(lo, hi, size, write);
  }

  probe(lo: number, hi: number, size: number, write: boolean): number {
    return this.#resolve(lo, hi, size, write);
  }

  /** The tag of the granule that holds this kernel offset. */
  tagOf(offset: number): number {
    return this.shadow[(offset - this.base) >>> GRANULE_SHIFT] ?? TAG_UNALLOCATED;
  }

  /** The fault for an access that `check` refuses. */
  faultAt(lo: number, hi: number, size: number, write: boolean): Fault {
    const verb = write ? 'write' : 'read';
    const address = `0x${hex64(lo, hi)}`;
    if (hi === 0 && lo >>> 0 < NULL_GUARD) {
      return this.#fault('null', `${verb} of ${size} bytes at ${address}: NULL pointer`, lo, hi);
    }
    const region = this.#regions.get(hi);
    if (hi !== KERNEL_HIGH) {
      const where = region === undefined ? 'no memory has this address' : `not mapped in ${region.name}`;
      return this.#fault('unmapped', `${verb} of ${size} bytes at ${address}: ${where}`, lo, hi);
    }
    const offset = lo >>> 0;
    let bad = offset;
    let verdict: TagVerdict = null;
    for (let at = 0; at < size && verdict === null; at++) {
      bad = offset + at;
      verdict = this.#judge(bad, write);
    }
    return this.#fault(
      verdict ?? 'out-of-bounds',
      `${verb} of ${size} bytes at ${address}: ${this.#where(bad, offset, size)}`,
      lo,
      hi,
    );
  }

  loadI32(offset: number): number {
    return this.view.getInt32(offset, true);
  }

  loadU32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  loadU64(offset: number): bigint {
    return this.view.getBigUint64(offset, true);
  }

  storeI32(offset: number, value: number): void {
    this.view.setInt32(offset, value, true);
  }

  store64(offset: number, lo: number, hi: number): void {
    this.view.setInt32(offset, lo, true);
    this.view.setInt32(offset + 4, hi, true);
  }

  storeU64(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, BigInt.asUintN(64, value), true);
  }

  /** Stores a kernel pointer; offset 0 is NULL. */
  storePointer(offset: number, target: number): void {
    this.store64(offset, target, target === 0 ? 0 : KERNEL_HIGH);
  }

  /** The linear offset of a range, or -1. Notes reads of unwritten stack, marks written stack. */
  #resolve(lo: number, hi: number, size: number, write: boolean): number {
    if (size === 0) return lo >>> 0;
    if (hi !== KERNEL_HIGH) return this.#regions.get(hi)?.resolve(lo >>> 0, size, write) ?? -1;
    const offset = lo >>> 0;
    const end = offset + size;
    if (size < 0 || offset < this.base || end > this.u8.length) return -1;
    const shadow = this.shadow;
    const first = (offset - this.base) >>> GRANULE_SHIFT;
    const last = (end - 1 - this.base) >>> GRANULE_SHIFT;
    let stack = false;
    for (let granule = first; granule <= last; granule++) {
      const tag = shadow[granule]!;
      if (tag === TAG_ALL || (tag === TAG_ALL_READ_ONLY && !write)) continue;
      if (tag === TAG_STACK_UNWRITTEN || tag === TAG_STACK_PARTIAL) {
        stack = true;
        continue;
      }
      const start = this.base + granule * GRANULE;
      const from = Math.max(offset, start) - start;
      const to = Math.min(end, start + GRANULE) - start;
      const mask = tag === TAG_MASKED ? this.#masks.get(granule)! : 0;
      for (let at = from; at < to; at++) if (judgeByte(tag, at, write, mask) !== null) return -1;
    }
    if (stack) {
      if (write) this.#markWritten(offset, end);
      else this.#seedUnwritten(offset, end);
    }
    return offset;
  }

  #markWritten(offset: number, end: number): void {
    const { base, shadow } = this;
    for (let at = offset; at < end; ) {
      const granule = (at - base) >>> GRANULE_SHIFT;
      const start = base + granule * GRANULE;
      const from = at - start;
      const to = Math.min(end - start, GRANULE);
      const tag = shadow[granule];
      if (tag === TAG_STACK_UNWRITTEN || tag === TAG_STACK_PARTIAL) {
        const before = tag === TAG_STACK_PARTIAL ? this.written[granule]! : 0;
        const mask = before | ((0xff >> (GRANULE - to + from)) << from);
        this.written[granule] = mask;
        shadow[granule] = mask === 0xff ? TAG_ALL : TAG_STACK_PARTIAL;
      }
      at = start + to;
    }
  }

  #seedUnwritten(offset: number, end: number): void {
    const { base, shadow } = this;
    let met = false;
    for (let at = offset; at < end; at++) {
      const granule = (at - base) >>> GRANULE_SHIFT;
      const tag = shadow[granule];
      if (tag !== TAG_STACK_UNWRITTEN && tag !== TAG_STACK_PARTIAL) continue;
      const mask = tag === TAG_STACK_PARTIAL ? this.written[granule]! : 0;
      if ((mask >> (at & 7)) & 1) continue;
      met = true;
      this.u8[at] = seededByte(this.#seed, at - base);
    }
    this.#markWritten(offset, end);
    if (met) this.onUnwrittenRead(offset, end - offset);
  }

  #judge(offset: number, write: boolean): TagVerdict {
    if (offset < this.base) return 'unmapped';
    const granule = (offset - this.base) >>> GRANULE_SHIFT;
    const tag = this.shadow[granule] ?? TAG_UNALLOCATED;
    return judgeByte(tag, (offset - this.base) & 7, write, this.#masks.get(granule) ?? 0);
  }

  #where(bad: number, offset: number, size: number): string {
    if (bad >= this.base && bad < this.base + STACK_AREA) return this.#whereInStack(bad);
    const block = this.#heap.find(bad);
    if (block === null) return 'no object is there';
    const inside = offset - block.offset;
    const field = block.btfType === undefined ? '' : this.describeField(block.btfType, inside);
    const named = field === '' ? '' : ` (${block.btfType}.${field})`;
    const object = `${block.what} (${block.size} bytes at 0x${this.#hex(block.offset)}${siteText(', allocated', block.site)})`;
    if (block.freed) return `byte ${inside}${named} of freed ${object}${siteText(', freed', block.freedAt)}`;
    if (inside >= 0 && inside + size <= block.size) return `byte ${inside}${named} of ${object}`;
    if (inside < 0) return `${-inside} bytes before ${object}`;
    return inside >= block.size
      ? `${inside - block.size} bytes past the end of ${object}`
      : `byte ${inside}${named}, over the end of ${object}`;
  }

  #whereInStack(bad: number): string {
    const at = bad - this.base - FRAME_FENCE;
    const index = Math.floor(at / FRAME_STRIDE);
    const within = at - index * FRAME_STRIDE;
    if (within < FRAME_BYTES && index >= 0) return `byte ${within - FRAME_BYTES} of a stack frame that has returned`;
    return `${within - FRAME_BYTES} bytes past the top of a stack frame`;
  }

  #fault(reason: FaultReason, message: string, lo: number, hi: number): Fault {
    return new Fault(reason, message, (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0));
  }

  #hex(offset: number): string {
    return hex64(offset, KERNEL_HIGH);
  }

  #tagObject(offset: number, size: number, readOnly: boolean): void {
    const rest = size % GRANULE;
    const full = offset + size - rest;
    this.#tag(offset, full, readOnly ? TAG_READ_ONLY + GRANULE : TAG_ALL);
    if (rest > 0) this.#tag(full, full + GRANULE, readOnly ? TAG_READ_ONLY + rest : rest);
  }

  #tagFrame(index: number, tag: number): void {
    const tags = this.#shadowWords;
    const four = Math.imul(tag, 0x01010101);
    const first = (FRAME_FENCE + index * FRAME_STRIDE) >>> (GRANULE_SHIFT + 2);
    for (let i = 0; i < FRAME_BYTES / GRANULE / 4; i++) tags[first + i] = four;
  }

  #tag(from: number, to: number, tag: number): void {
    this.shadow.fill(tag, (from - this.base) >>> GRANULE_SHIFT, (to - this.base) >>> GRANULE_SHIFT);
  }

  #maskEdge(granuleStart: number, from: number, to: number): void {
    const first = Math.max(from - granuleStart, 0);
    const last = Math.min(to - granuleStart, GRANULE);
    if (last <= first) return;
    const granule = (granuleStart - this.base) >>> GRANULE_SHIFT;
    if (first === 0) this.shadow[granule] = last === GRANULE ? TAG_ALL : last;
    else {
      this.#masks.set(granule, (0xff >> (GRANULE - last + first)) << first);
      this.shadow[granule] = TAG_MASKED;
    }
  }

  /** Commits memory up to `end` and makes what was tagged before in this range addressable again. */
  #cover(start: number, end: number): void {
    const committed = this.u8.length;
    if (end > committed) {
      const spare = Math.max(GROWTH, committed - this.base) / 4;
      const size = Math.min(Math.ceil((end + spare) / GROWTH) * GROWTH, this.base + this.limit);
      this.memory.grow((size - committed) / PAGE);
      this.#refresh();
      if (start > committed) this.#tag(committed, start, TAG_UNALLOCATED);
      this.#tag(Math.ceil(end / GRANULE) * GRANULE, size, TAG_UNALLOCATED);
    }
    if (start < committed) this.#tag(start, Math.min(end, committed), TAG_ALL);
  }

  #refresh(): void {
    const buffer = this.memory.buffer;
    this.u8 = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.shadow = new Uint8Array(buffer, 0, (buffer.byteLength - this.base) >>> GRANULE_SHIFT);
    this.#shadowWords = new Int32Array(buffer, 0, STACK_AREA >> (GRANULE_SHIFT + 2));
  }
}

const siteText = (verb: string, site: number): string => (site < 0 ? '' : `${verb} by insn ${site}`);

const hex64 = (lo: number, hi: number): string =>
  (hi === 0 ? '' : (hi >>> 0).toString(16)) + (lo >>> 0).toString(16).padStart(hi === 0 ? 1 : 8, '0');

/** A byte that looks random but depends on nothing but the seed and the place. */
const seededByte = (seed: number, at: number): number => {
  let x = Math.imul(at ^ seed, 0x9e3779b1);
  x ^= x >>> 15;
  x = Math.imul(x, 0x85ebca77);
  return (x >>> 13) & 0xff;
};
