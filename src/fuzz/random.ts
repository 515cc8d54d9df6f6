/** Numbers of a seed: the same seed gives the same numbers on every machine. The generator is sfc32 by Chris Doty-Humphrey. */
export class Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9 | 0;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x100000000) | 0;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 32 bits, unsigned. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor((this.next() / 0x100000000) * count);
  }

  /** From `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability * 0x100000000;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** One of the items, in proportion to their weights; null where all weights are 0. */
  weighted<T>(items: readonly T[], weight: (item: T) => number): T | null {
    let total = 0;
    for (const item of items) total += weight(item);
    let at = (this.next() / 0x100000000) * total;
    for (const item of items) {
      at -= weight(item);
      if (at < 0) return item;
    }
    return null;
  }

  /** A signed 32-bit constant: mostly one near which arithmetic changes its mind. */
  immediate(): number {
    switch (this.below(8)) {
      case 0:
        return this.next() | 0;
      case 1:
        return (this.pick(EDGES) + this.between(-2, 2)) | 0;
      case 2:
        return ((1 << this.below(32)) + this.between(-1, 1)) | 0;
      case 3:
        return -this.below(300) | 0;
      default:
        return this.below(this.pick([2, 8, 16, 64, 256, 4096]));
    }
  }
}

const EDGES = [0, -1, 0x7fffffff, -0x80000000, 0xff, 0xffff, 0x7fff, 0x8000, 0x7f, 0x80, 0x10000] as const;
