import type { Place } from '../../btf/place.ts';
import type { HostMemory } from '../../contracts/host_memory.ts';
import { bytesOfText, textOfBytes } from '../text.ts';

const TWO32 = 2 ** 32;

const NOWHERE: Place = { offset: 0, size: 0, shift: 0, bits: 0 };

/**
 * A field of a kernel struct, where the kernel's BTF has it. A field that this BTF lacks reads as 0 and takes no value, so that
 * one model serves kernels of different ages. Accesses are the kernel's own: nothing is checked.
 */
export class Field {
  readonly path: string;
  readonly exists: boolean;
  readonly place: Place;
  readonly #memory: HostMemory;

  constructor(memory: HostMemory, path: string, place: Place | null) {
    this.#memory = memory;
    this.path = path;
    this.exists = place !== null;
    this.place = place ?? NOWHERE;
  }

  /** Offset of the field in the object that begins at `object`. */
  at(object: number): number {
    return object + this.place.offset;
  }

  /** The value, unsigned. */
  get(object: number): bigint {
    const { size, shift, bits } = this.place;
    if (size === 0) return 0n;
    const at = this.at(object);
    const raw = size === 8 ? this.#memory.loadU64(at) : BigInt(this.#narrow(at, size));
    return bits === 0 ? raw : BigInt.asUintN(bits, raw >> BigInt(shift));
  }

  /** The value, unsigned; exact below 2^53. */
  number(object: number): number {
    const { size, bits } = this.place;
    if (size === 0 || bits > 0) return Number(this.get(object));
    const at = this.at(object);
    if (size < 8) return this.#narrow(at, size);
    return this.#memory.loadU32(at) + 2 ** 32 * this.#memory.loadU32(at + 4);
  }

  set(object: number, value: number | bigint): void {
    const { size, shift, bits } = this.place;
    if (size === 0) return;
    const at = this.at(object);
    if (bits > 0) {
      const mask = ((1n << BigInt(bits)) - 1n) << BigInt(shift);
      const old = size === 8 ? this.#memory.loadU64(at) : BigInt(this.#narrow(at, size));
      this.#store(at, size, (old & ~mask) | ((BigInt(value) << BigInt(shift)) & mask));
    } else if (typeof value === 'number' && size <= 4) this.#storeNarrow(at, size, value);
    else if (typeof value === 'number' && value >= 0) this.#memory.store64(at, value | 0, Math.floor(value / TWO32) | 0);
    else this.#store(at, size, BigInt(value));
  }

  /** Low half of the pointer that the field holds: an offset, or 0 for NULL. */
  pointer(object: number): number {
    return this.exists ? this.#memory.loadU32(this.at(object)) : 0;
  }

  /** Stores the kernel address of an offset; 0 stores NULL. */
  setPointer(object: number, target: number): void {
    if (this.exists) this.#memory.store64(this.at(object), target, target === 0 ? 0 : this.#memory.high);
  }

  add(object: number, difference: number): void {
    this.set(object, this.get(object) + BigInt(difference));
  }

  /** Stores characters and zeros behind them, as many as the field has room for: the last byte stays 0. */
  setText(object: number, text: string): void {
    const { size } = this.place;
    const at = this.at(object);
    const bytes = bytesOfText(text).subarray(0, Math.max(size - 1, 0));
    this.#memory.u8.fill(0, at, at + size);
    this.#memory.u8.set(bytes, at);
  }

  text(object: number): string {
    const at = this.at(object);
    const bytes = this.#memory.u8.subarray(at, at + this.place.size);
    const end = bytes.indexOf(0);
    return textOfBytes(bytes.slice(0, end < 0 ? bytes.length : end));
  }

  #narrow(at: number, size: number): number {
    const { view } = this.#memory;
    if (size === 4) return view.getUint32(at, true);
    return size === 2 ? view.getUint16(at, true) : view.getUint8(at);
  }

  #store(at: number, size: number, value: bigint): void {
    if (size === 8) this.#memory.storeU64(at, value);
    else this.#storeNarrow(at, size, Number(BigInt.asIntN(32, value)));
  }

  #storeNarrow(at: number, size: number, value: number): void {
    const { view } = this.#memory;
    if (size === 4) view.setInt32(at, value, true);
    else if (size === 2) view.setInt16(at, value, true);
    else view.setInt8(at, value);
  }
}
