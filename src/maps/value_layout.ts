import type { FieldRecord } from '../btf/special.ts';
import type { MapEnvironment } from './environment.ts';

/**
 * Which bytes of a value are plain data: special fields (locks, timers, kptrs, …) are neither copied in nor out.
 * Source: bpf_obj_memcpy and bpf_obj_memzero, include/linux/bpf.h; bpf_obj_free_fields, kernel/bpf/syscall.c.
 */
export class ValueLayout {
  readonly size: number;
  readonly record: FieldRecord | null;
  readonly #environment: MapEnvironment;
  /** [from, to) pairs of plain bytes */
  readonly #plain: readonly (readonly [number, number])[];

  constructor(environment: MapEnvironment, size: number, record: FieldRecord | null) {
    this.#environment = environment;
    this.size = size;
    this.record = record;
    const plain: (readonly [number, number])[] = [];
    let from = 0;
    for (const field of record?.fields ?? []) {
      if (field.offset > from) plain.push([from, field.offset]);
      from = field.offset + field.size;
    }
    if (from < size) plain.push([from, size]);
    this.#plain = plain;
  }

  get hasSpinLock(): boolean {
    return this.record?.spinLockOff !== undefined;
  }

  /** Copies the plain bytes from one place of guest memory to another. */
  copy(to: number, from: number): void {
    const { u8 } = this.#environment.memory;
    for (const [start, end] of this.#plain) u8.copyWithin(to + start, from + start, from + end);
  }

  /** Copies the plain bytes of a value that comes from user space. */
  copyIn(to: number, bytes: Uint8Array, at = 0): void {
    const { u8 } = this.#environment.memory;
    for (const [start, end] of this.#plain) u8.set(bytes.subarray(at + start, at + end), to + start);
  }

  /** The value as user space sees it: special fields read as zeros. */
  copyOut(from: number, into: Uint8Array, at = 0): void {
    const { u8 } = this.#environment.memory;
    for (const [start, end] of this.#plain) into.set(u8.subarray(from + start, from + end), at + start);
  }

  zero(at: number): void {
    const { u8 } = this.#environment.memory;
    for (const [start, end] of this.#plain) u8.fill(0, at + start, at + end);
  }

  /** Gives back what the special fields of a value own. */
  freeFields(at: number): void {
    for (const field of this.record?.fields ?? []) this.#environment.freeField(field, at + field.offset);
  }
}
