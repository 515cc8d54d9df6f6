import type { PartKey } from '../contracts/host_call.ts';
import type { KernelObjects } from './objects/kernel_objects.ts';

/** Pages of the buffer of an iterator's file: PAGE_SIZE << 3. Source: bpf_seq_read, kernel/bpf/bpf_iter.c. */
export const SEQ_BUFFER_BYTES = 4096 << 3;

const SEQ_FILE = 'seq_file';

/**
 * A `struct seq_file` and its buffer. It has overflowed when `count` equals `size`: then the last record did not fit, and nothing
 * more does. Source: fs/seq_file.c.
 */
export class SeqFile {
  readonly offset: number;
  readonly #objects: KernelObjects;
  #buffer = 0;
  #size = 0;
  #count = 0;
  /** first byte in the buffer that was not read yet */
  from = 0;
  /** position of the iterator; it only has to grow */
  index = 0;

  /** `file`: offset of the `struct file` */
  constructor(objects: KernelObjects, file: number) {
    this.#objects = objects;
    this.offset = objects.create(SEQ_FILE);
    objects.field(SEQ_FILE, 'file').setPointer(this.offset, file);
  }

  get hasBuffer(): boolean {
    return this.#buffer !== 0;
  }

  get count(): number {
    return this.#count;
  }

  set count(bytes: number) {
    this.#count = bytes;
    this.#objects.field(SEQ_FILE, 'count').set(this.offset, bytes);
  }

  /** seq_has_overflowed */
  get hasOverflowed(): boolean {
    return this.#count === this.#size;
  }

  allocateBuffer(): void {
    this.#size = SEQ_BUFFER_BYTES;
    this.#buffer = this.#objects.createBytes(this.#size, 'buffer of a seq_file');
    this.#objects.field(SEQ_FILE, 'buf').setPointer(this.offset, this.#buffer);
    this.#objects.field(SEQ_FILE, 'size').set(this.offset, this.#size);
  }

  /** seq_write: what does not fit leaves nothing but the overflow. */
  write(bytes: Uint8Array): boolean {
    if (this.#count + bytes.length >= this.#size) {
      this.count = this.#size;
      return false;
    }
    this.#objects.memory.u8.set(bytes, this.#buffer + this.#count);
    this.count = this.#count + bytes.length;
    return true;
  }

  /** A copy of bytes in the buffer. */
  take(from: number, size: number): Uint8Array {
    return this.#objects.memory.u8.slice(this.#buffer + from, this.#buffer + from + size);
  }

  release(): void {
    if (this.#buffer !== 0) this.#objects.free(this.#buffer);
    this.#objects.free(this.offset);
  }
}

/** Seq files that are open, by the offset of their `struct seq_file`. */
export const SEQ_FILES: PartKey<Map<number, SeqFile>> = { name: 'seq files', create: () => new Map() };
