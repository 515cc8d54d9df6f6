import type { Allocation, AllocationInfo } from '../contracts/host_memory.ts';

/** A piece of the heap: the object and the fence behind it. */
export class Block implements Allocation {
  readonly offset: number;
  readonly size: number;
  /** bytes up to the next block, fence included */
  readonly span: number;
  /** slot of the instruction that allocated it; -1 for the machine itself */
  readonly site: number;
  freed = false;
  freedAt = -1;
  readonly #info: AllocationInfo;

  constructor(offset: number, size: number, span: number, info: AllocationInfo, site: number) {
    this.offset = offset;
    this.size = size;
    this.span = span;
    this.site = site;
    this.#info = info;
  }

  get what(): string {
    return this.#info.what;
  }

  get btfType(): string | undefined {
    return this.#info.btfType;
  }

  get readOnly(): boolean {
    return this.#info.readOnly === true;
  }
}

const FENCE = 16;
/** Freed memory that waits before it may be used again. */
const QUARANTINE_BYTES = 4 << 20;
const QUARANTINE_BLOCKS = 4096;

/**
 * Where things stand in the heap. Blocks never move or merge: a block that comes back from quarantine is reused for something
 * of the same span, or else of a smaller one. Knows nothing of bytes and tags.
 */
export class Heap {
  readonly start: number;
  readonly end: number;
  /** first offset that was never handed out */
  top: number;
  readonly #blocks = new Map<number, Block>();
  readonly #free = new Map<number, number[]>();
  readonly #quarantine: Block[] = [];
  #quarantineHead = 0;
  #quarantined = 0;

  constructor(start: number, end: number) {
    this.start = start;
    this.end = end;
    this.top = start;
  }

  /** Bytes that live objects and their fences take, quarantine included. */
  get used(): number {
    return this.top - this.start;
  }

  get blocks(): ReadonlyMap<number, Block> {
    return this.#blocks;
  }

  /** A place for `size` bytes, or null when the heap is full. `fresh`: no byte of it was ever used. */
  place(size: number, info: AllocationInfo, site: number): { block: Block; fresh: boolean } | null {
    const align = info.align ?? 8;
    const span = Math.ceil(Math.max(size, 1) / 8) * 8 + FENCE;
    const reused = align <= 8 ? this.#takeFree(span) : null;
    if (reused !== null) return { block: this.#add(reused.offset, size, reused.span, info, site), fresh: false };
    const offset = Math.ceil(this.top / align) * align;
    if (offset + span <= this.end) {
      this.top = offset + span;
      return { block: this.#add(offset, size, span, info, site), fresh: true };
    }
    const squeezed = this.#takeLarger(span, align);
    if (squeezed === null) return null;
    return { block: this.#add(squeezed.offset, size, squeezed.span, info, site), fresh: false };
  }

  /** The block becomes unusable; true once quarantine has let older blocks go, which are then forgotten. */
  release(block: Block, site: number): void {
    block.freed = true;
    block.freedAt = site;
    this.#quarantine.push(block);
    this.#quarantined += block.span;
    while (this.#quarantined > QUARANTINE_BYTES || this.#quarantine.length - this.#quarantineHead > QUARANTINE_BLOCKS) {
      this.#letGo();
    }
  }

  at(offset: number): Block | undefined {
    return this.#blocks.get(offset);
  }

  /** The block whose span (or the fence before it) holds the offset. Walks all blocks: for reports only. */
  find(offset: number): Block | null {
    let best: Block | null = null;
    for (const block of this.#blocks.values()) {
      if (offset >= block.offset && offset < block.offset + block.span) return block;
      if (offset >= block.offset - FENCE && offset < block.offset && best === null) best = block;
    }
    return best;
  }

  #add(offset: number, size: number, span: number, info: AllocationInfo, site: number): Block {
    const block = new Block(offset, size, span, info, site);
    this.#blocks.set(offset, block);
    return block;
  }

  #letGo(): void {
    const block = this.#quarantine[this.#quarantineHead++]!;
    this.#quarantined -= block.span;
    if (this.#blocks.get(block.offset) === block) this.#blocks.delete(block.offset);
    const list = this.#free.get(block.span);
    if (list === undefined) this.#free.set(block.span, [block.offset]);
    else list.push(block.offset);
    if (this.#quarantineHead > QUARANTINE_BLOCKS) {
      this.#quarantine.splice(0, this.#quarantineHead);
      this.#quarantineHead = 0;
    }
  }

  #takeFree(span: number): { offset: number; span: number } | null {
    const offset = this.#free.get(span)?.pop();
    return offset === undefined ? null : { offset, span };
  }

  /** The smallest free block that fits, after quarantine has been emptied. */
  #takeLarger(span: number, align: number): { offset: number; span: number } | null {
    while (this.#quarantineHead < this.#quarantine.length) this.#letGo();
    let bestSpan = Number.POSITIVE_INFINITY;
    let bestIndex = -1;
    for (const [size, list] of this.#free) {
      if (size < span || size >= bestSpan) continue;
      const index = list.findIndex((offset) => offset % align === 0);
      if (index < 0) continue;
      bestSpan = size;
      bestIndex = index;
    }
    if (bestIndex < 0) return null;
    const [offset] = this.#free.get(bestSpan)!.splice(bestIndex, 1);
    return { offset: offset!, span: bestSpan };
  }
}
