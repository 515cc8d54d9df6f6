import type { UserSpace } from '../contracts/host_call.ts';

const PAGE_BYTES = 4096;
const TWO32 = 2 ** 32;
/** First address that is no user address: TASK_SIZE_MAX on x86-64. */
const TASK_SIZE = 2 ** 47 - PAGE_BYTES;

interface Page {
  readonly bytes: Uint8Array;
  writable: boolean;
}

/** The memory of one process, page by page. Only helpers that copy from and to user space reach it. */
export class UserMemory implements UserSpace {
  /** by page number */
  readonly #pages = new Map<number, Page>();

  /** Maps zeroed pages that cover the range; mapped ones keep their bytes and change their permission. */
  map(address: number, size: number, writable = true): void {
    for (let page = Math.floor(address / PAGE_BYTES); page * PAGE_BYTES < address + size; page++) {
      const known = this.#pages.get(page);
      if (known !== undefined) known.writable = writable;
      else this.#pages.set(page, { bytes: new Uint8Array(PAGE_BYTES), writable });
    }
  }

  unmap(address: number, size: number): void {
    for (let page = Math.floor(address / PAGE_BYTES); page * PAGE_BYTES < address + size; page++) this.#pages.delete(page);
  }

  /** Maps what is needed and puts bytes there, whatever the permission. */
  place(address: number, bytes: Uint8Array, writable = true): void {
    this.map(address, bytes.length, writable);
    this.#walk(address, bytes.length, (page, at, from, size) => {
      page.bytes.set(bytes.subarray(from, from + size), at);
      return true;
    });
  }

  read(lo: number, hi: number, size: number): Uint8Array | null {
    const out = new Uint8Array(size);
    const complete = this.#walk(toAddress(lo, hi), size, (page, at, from, length) => {
      out.set(page.bytes.subarray(at, at + length), from);
      return true;
    });
    return complete ? out : null;
  }

  write(lo: number, hi: number, bytes: Uint8Array): boolean {
    const address = toAddress(lo, hi);
    if (!this.#walk(address, bytes.length, (page) => page.writable)) return false;
    return this.#walk(address, bytes.length, (page, at, from, size) => {
      page.bytes.set(bytes.subarray(from, from + size), at);
      return true;
    });
  }

  readString(lo: number, hi: number, limit: number): Uint8Array | null {
    const address = toAddress(lo, hi);
    const out: number[] = [];
    while (out.length < limit) {
      const at = address + out.length;
      const page = at < TASK_SIZE ? this.#pages.get(Math.floor(at / PAGE_BYTES)) : undefined;
      if (page === undefined) return null;
      const byte = page.bytes[at % PAGE_BYTES]!;
      out.push(byte);
      if (byte === 0) break;
    }
    return Uint8Array.from(out);
  }

  /** Visits the pieces of a range; false as soon as a page is missing or the visitor says so. */
  #walk(address: number, size: number, visit: (page: Page, at: number, from: number, size: number) => boolean): boolean {
    if (address + size > TASK_SIZE) return false;
    let from = 0;
    while (from < size) {
      const page = this.#pages.get(Math.floor((address + from) / PAGE_BYTES));
      if (page === undefined) return false;
      const at = (address + from) % PAGE_BYTES;
      const length = Math.min(size - from, PAGE_BYTES - at);
      if (!visit(page, at, from, length)) return false;
      from += length;
    }
    return true;
  }
}

const toAddress = (lo: number, hi: number): number => (hi >>> 0) * TWO32 + (lo >>> 0);
