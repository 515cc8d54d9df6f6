import { ERRNO } from '../contracts/errors.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { BpfMap, indexKey, indexOf, nextIndex } from './bpf_map.ts';
import { BPF_EXIST, BPF_NOEXIST } from './environment.ts';

/** Longest queue of a CPU map entry. Source: __cpu_map_entry_alloc's caller, cpu_map_update_elem, kernel/bpf/cpumap.c. */
const LONGEST_QUEUE = 16384;

/**
 * BPF_MAP_TYPE_DEVMAP, DEVMAP_HASH and CPUMAP: where frames can be redirected to. Programs read entries, only user space writes
 * them. Interfaces of any number but 0 exist. Source: kernel/bpf/devmap.c, kernel/bpf/cpumap.c.
 */
export class RedirectMap extends BpfMap {
  /** offset of the value by key */
  readonly #slots = new Map<number, number>();

  get #isHash(): boolean {
    return this.type === MAP_TYPES.devmap_hash;
  }

  override lookup(key: number): number {
    return this.#slots.get(this.memory.loadU32(key)) ?? 0;
  }

  override redirectTarget(key: number): { readonly ifindex: number } | null {
    const value = this.#slots.get(key >>> 0);
    return value === undefined ? null : { ifindex: this.memory.loadU32(value) };
  }

  override holdsValue(offset: number): boolean {
    return [...this.#slots.values()].some((at) => offset >= at && offset < at + this.valueSize);
  }

  protected override readForUser(key: Uint8Array): Uint8Array | number {
    const at = this.#slots.get(indexOf(key));
    return at === undefined ? -ERRNO.ENOENT : this.memory.u8.slice(at, at + this.valueSize);
  }

  protected override writeFromUser(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const index = indexOf(key);
    const word = indexOf(value);
    if (flags > BPF_EXIST) return -ERRNO.EINVAL;
    if (!this.#isHash && index >= this.maxEntries) return -ERRNO.E2BIG;
    if (flags === BPF_NOEXIST && (!this.#isHash || this.#slots.has(index))) return -ERRNO.EEXIST;
    if (this.type === MAP_TYPES.cpumap) {
      if (word > LONGEST_QUEUE) return -ERRNO.EOVERFLOW;
      if (index >= this.environment.cpuCount) return -ERRNO.ENODEV;
    }
    if (word === 0 && !this.#isHash) {
      this.#remove(index);
      return 0;
    }
    if (word === 0) return -ERRNO.EINVAL;
    if (this.#isHash && !this.#slots.has(index) && this.#slots.size >= this.maxEntries) return -ERRNO.E2BIG;
    const at = this.memory.allocate(this.valueSize, { what: `value of map ${this.name}`, readOnly: true });
    if (at === 0) return -ERRNO.ENOMEM;
    this.memory.u8.set(value, at);
    this.#remove(index);
    this.#slots.set(index, at);
    return 0;
  }

  protected override deleteForUser(key: Uint8Array): number {
    const index = indexOf(key);
    if (this.#isHash) return this.#remove(index) ? 0 : -ERRNO.ENOENT;
    if (index >= this.maxEntries) return -ERRNO.EINVAL;
    this.#remove(index);
    return 0;
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    if (!this.#isHash) return nextIndex(key, this.maxEntries);
    const keys = [...this.#slots.keys()];
    const next = keys[key === null ? 0 : keys.indexOf(indexOf(key)) + 1];
    return next === undefined ? -ERRNO.ENOENT : indexKey(next);
  }

  #remove(index: number): boolean {
    const at = this.#slots.get(index);
    if (at === undefined) return false;
    this.#slots.delete(index);
    this.environment.afterRcu(() => this.memory.free(at));
    return true;
  }
}
