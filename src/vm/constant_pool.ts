import { FIRST_CONSTANT } from './ops.ts';

/**
 * The register file: r0 to r10 as int32 halves, then the constants of all loaded programs, each once. Grows only while programs
 * are loaded; `registers` is then another array.
 */
export class ConstantPool {
  registers = new Int32Array(256);
  #used = FIRST_CONSTANT;
  readonly #known = new Map<bigint, number>();
  readonly #small = new Map<number, number>();

  /** The register that holds this constant for good. */
  register(lo: number, hi: number): number {
    const isSmall = hi === lo >> 31;
    const key = isSmall ? 0n : (BigInt(hi) << 32n) | BigInt(lo >>> 0);
    const known = isSmall ? this.#small.get(lo) : this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#used + 2 > this.registers.length) {
      const larger = new Int32Array(this.registers.length * 2);
      larger.set(this.registers);
      this.registers = larger;
    }
    const at = this.#used;
    this.#used += 2;
    this.registers[at] = lo;
    this.registers[at + 1] = hi;
    if (isSmall) this.#small.set(lo, at);
    else this.#known.set(key, at);
    return at;
  }
}
