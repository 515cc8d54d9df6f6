import { ERRNO } from '../contracts/errors.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap } from './bpf_map.ts';
import { BPF_F_ZERO_SEED, type MapEnvironment } from './environment.ts';
import { jhash } from './jhash.ts';

const U32_MAX = 0xffffffff;
const LARGEST_BITSET = 2 ** 31;

/** BPF_MAP_TYPE_BLOOM_FILTER: values that were pushed are always found, others rarely. Source: kernel/bpf/bloom_filter.c. */
export class BloomFilterMap extends BpfMap {
  readonly #hashes: number;
  readonly #mask: number;
  readonly #seed: number;
  /** words of 32 bits by index; most of a large filter is never touched */
  readonly #words = new Map<number, number>();

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    this.#hashes = Number(def.mapExtra & 0xfn) || 5;
    this.#mask = bitMask(def.maxEntries, this.#hashes);
    this.#seed = (def.flags & BPF_F_ZERO_SEED) !== 0 ? 0 : environment.random();
  }

  override push(value: number, flags: bigint): number {
    return this.#push(this.memory.u8.subarray(value, value + this.valueSize), flags);
  }

  override peek(value: number): number {
    return this.#peek(this.memory.u8.subarray(value, value + this.valueSize));
  }

  override delete(_key: number): number {
    return -ERRNO.EOPNOTSUPP;
  }

  /** BPF_MAP_LOOKUP_ELEM on a filter asks whether this value may have been pushed: 0, or -ENOENT. */
  userPeek(value: Uint8Array): number {
    return value.length === this.valueSize ? this.#peek(value) : -ERRNO.EINVAL;
  }

  protected override writeFromUser(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#push(value, flags);
  }

  protected override deleteForUser(_key: Uint8Array): number {
    return -ERRNO.EOPNOTSUPP;
  }

  protected override nextKeyForUser(_key: Uint8Array | null): Uint8Array | number {
    return -ERRNO.EOPNOTSUPP;
  }

  #push(value: Uint8Array, flags: bigint): number {
    if (flags !== 0n) return -ERRNO.EINVAL;
    for (let i = 0; i < this.#hashes; i++) {
      const bit = this.#bit(value, i);
      this.#words.set(bit >>> 5, (this.#words.get(bit >>> 5) ?? 0) | (1 << (bit & 31)));
    }
    return 0;
  }

  #peek(value: Uint8Array): number {
    for (let i = 0; i < this.#hashes; i++) {
      const bit = this.#bit(value, i);
      if ((((this.#words.get(bit >>> 5) ?? 0) >>> (bit & 31)) & 1) === 0) return -ERRNO.ENOENT;
    }
    return 0;
  }

  #bit(value: Uint8Array, index: number): number {
    return (jhash(value, (this.#seed + index) | 0) & this.#mask) >>> 0;
  }
}

/** n * k * 7 / 5 bits, rounded up to a power of two. Source: bloom_map_alloc. */
const bitMask = (entries: number, hashes: number): number => {
  const product = entries * hashes;
  const bits = Math.floor(product / 5) * 7;
  if (product > U32_MAX || bits > LARGEST_BITSET) return U32_MAX;
  let size = 64;
  while (size < bits) size *= 2;
  return size - 1;
};
