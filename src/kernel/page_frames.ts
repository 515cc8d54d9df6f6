import type { KernelObjects } from './objects/kernel_objects.ts';
import type { AddressSpace } from './objects/mm.ts';

const PAGE = 'page';
/** Frames below belong to the kernel itself. */
const FIRST_FRAME = 0x1000;

/** Physical pages that somebody has pinned: a `struct page` each, with a frame number. */
export class PageFrames {
  readonly #objects: KernelObjects;
  readonly #byPage = new Map<AddressSpace, Map<number, number>>();
  readonly #frames = new Map<number, number>();
  #next = FIRST_FRAME;

  constructor(objects: KernelObjects) {
    this.#objects = objects;
  }

  /** Offset of the `struct page` behind a page of an address space, the same each time. */
  pageOf(mm: AddressSpace, page: number): number {
    const pages = this.#byPage.get(mm) ?? new Map<number, number>();
    this.#byPage.set(mm, pages);
    const known = pages.get(page);
    if (known !== undefined) return known;
    const offset = this.#objects.create(PAGE);
    this.#objects.field(PAGE, '_refcount.counter').set(offset, 1);
    pages.set(page, offset);
    this.#frames.set(offset, this.#next++);
    return offset;
  }

  /** page_to_pfn(); null for an address that is no `struct page`. */
  frameOf(offset: number): number | null {
    return this.#frames.get(offset) ?? null;
  }
}
