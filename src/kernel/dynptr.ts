import { Unmodelled } from '../contracts/errors.ts';
import type { HostCall } from '../contracts/host_call.ts';
import type { HostMemory } from '../contracts/host_memory.ts';

/**
 * Dynptrs while a program runs. Source: struct bpf_dynptr_kern, include/linux/bpf.h; kernel/bpf/helpers.c.
 *
 *     0 data, a kernel address    8 bits 0-23 size, 28-30 kind, 31 read-only    12 offset
 */
export const DYNPTR_BYTES = 16;

export const DYNPTR_KINDS = { local: 1, ringbuf: 2, skb: 3, xdp: 4, skb_meta: 5 } as const;
export type DynptrKind = keyof typeof DYNPTR_KINDS;
const KIND_NAMES: readonly (DynptrKind | undefined)[] = [undefined, 'local', 'ringbuf', 'skb', 'xdp', 'skb_meta'];

const SIZE_AT = 8;
const OFFSET_AT = 12;
const MAX_SIZE = 0xffffff;
const KIND_SHIFT = 28;
const KIND_MASK = 7;

/** bpf_dynptr_check_size */
export const dynptrFits = (size: number): boolean => size <= MAX_SIZE;

export function initDynptr(memory: HostMemory, at: number, kind: DynptrKind, data: number, size: number): void {
  memory.store64(at, data, memory.high);
  memory.storeI32(at + SIZE_AT, size | (DYNPTR_KINDS[kind] << KIND_SHIFT) | 0);
  memory.storeI32(at + OFFSET_AT, 0);
}

export const setReadOnly = (memory: HostMemory, at: number): void =>
  memory.storeI32(at + SIZE_AT, memory.loadI32(at + SIZE_AT) | (1 << 31));

export function clearDynptr(memory: HostMemory, at: number): void {
  memory.u8.fill(0, at, at + DYNPTR_BYTES);
}

/** A dynptr that argument `index` of a call points to. */
export class Dynptr {
  readonly at: number;
  readonly #memory: HostMemory;

  constructor(call: HostCall, index: number) {
    this.#memory = call.memory;
    this.at = call.readable(index, DYNPTR_BYTES);
  }

  /** offset of its bytes; 0 for an invalid dynptr */
  get data(): number {
    return this.#memory.loadU32(this.at);
  }

  get size(): number {
    return this.#memory.loadU32(this.at + SIZE_AT) & MAX_SIZE;
  }

  get start(): number {
    return this.#memory.loadU32(this.at + OFFSET_AT);
  }

  get isReadOnly(): boolean {
    return this.#memory.loadI32(this.at + SIZE_AT) < 0;
  }

  /** What its bytes are part of. */
  get kind(): DynptrKind {
    const number = (this.#memory.loadU32(this.at + SIZE_AT) >>> KIND_SHIFT) & KIND_MASK;
    const kind = KIND_NAMES[number];
    if (kind === undefined) throw new Unmodelled('dynptr', `kind ${number}`);
    return kind;
  }

  /** bpf_dynptr_check_off_len */
  holds(offset: number, length: number): boolean {
    const { size } = this;
    return length <= size && offset <= size - length;
  }

  /** Narrows it to part of what it has. */
  narrow(start: number, end: number): void {
    this.#memory.storeI32(this.at + OFFSET_AT, this.start + start);
    const rest = this.#memory.loadU32(this.at + SIZE_AT) & ~MAX_SIZE;
    this.#memory.storeI32(this.at + SIZE_AT, rest | (end - start));
  }
}
