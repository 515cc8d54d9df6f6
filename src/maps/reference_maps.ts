import { ERRNO } from '../contracts/errors.ts';
import type { MapDef, Program } from '../program/program.ts';
import { BpfMap, indexKey, indexOf, nextIndex } from './bpf_map.ts';
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST, type MapEnvironment } from './environment.ts';
import { type KeyText, keyText } from './hash_table.ts';

/** Maps whose slots refer to other objects of the kernel. User space gives descriptors; offline it gives the objects. */

/** BPF_MAP_TYPE_PROG_ARRAY: the targets of tail calls. Source: kernel/bpf/arraymap.c. */
export class ProgArrayMap extends BpfMap {
  readonly #slots = new Map<number, Program>();

  /** The program in a slot, for a tail call. */
  programAt(index: number): Program | null {
    return this.#slots.get(index >>> 0) ?? null;
  }

  /** BPF_MAP_UPDATE_ELEM with a program. */
  setProgram(index: number, program: Program, flags = BPF_ANY): number {
    if (flags !== BPF_ANY) return -ERRNO.EINVAL;
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    this.#slots.set(index, program);
    return 0;
  }

  protected override readForUser(key: Uint8Array): Uint8Array | number {
    const program = this.#slots.get(indexOf(key));
    return program === undefined ? -ERRNO.ENOENT : indexKey(this.environment.programId(program));
  }

  protected override deleteForUser(key: Uint8Array): number {
    const index = indexOf(key);
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    return this.#slots.delete(index) ? 0 : -ERRNO.ENOENT;
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    return nextIndex(key, this.maxEntries);
  }
}

/** Whether a map may stand in a slot whose template is another: bpf_map_meta_equal and its variants. */
export type MetaEqual = (template: MapDef, inner: MapDef) => boolean;

/** BPF_MAP_TYPE_ARRAY_OF_MAPS and BPF_MAP_TYPE_HASH_OF_MAPS. Source: arraymap.c, hashtab.c and map_in_map.c in kernel/bpf. */
export class MapOfMaps extends BpfMap {
  readonly #slots = new Map<KeyText, { readonly key: Uint8Array; readonly inner: BpfMap }>();
  readonly #isArray: boolean;
  readonly #metaEqual: MetaEqual;

  constructor(environment: MapEnvironment, def: MapDef, id: number, isArray: boolean, metaEqual: MetaEqual) {
    super(environment, def, id);
    this.#isArray = isArray;
    this.#metaEqual = metaEqual;
  }

  override lookup(key: number): number {
    return this.#slots.get(keyText(this.memory.u8, key, this.keySize))?.inner.offset ?? 0;
  }

  override delete(key: number): number {
    return this.deleteForUser(this.memory.u8.slice(key, key + this.keySize));
  }

  innerAt(key: Uint8Array): BpfMap | null {
    return this.#slots.get(keyText(key, 0, this.keySize))?.inner ?? null;
  }

  /** BPF_MAP_UPDATE_ELEM with a map. Source: bpf_map_fd_get_ptr, kernel/bpf/map_in_map.c. */
  setInner(key: Uint8Array, inner: BpfMap, flags = BPF_ANY): number {
    if (this.#isArray) {
      if (flags !== BPF_ANY) return -ERRNO.EINVAL;
      if (indexOf(key) >= this.maxEntries) return -ERRNO.E2BIG;
    }
    if (this.def.inner === null || !this.#metaEqual(this.def.inner, inner.def)) return -ERRNO.EINVAL;
    const text = keyText(key, 0, this.keySize);
    const isThere = this.#slots.has(text);
    if (!this.#isArray) {
      if (flags > BPF_EXIST) return -ERRNO.EINVAL;
      if (isThere && flags === BPF_NOEXIST) return -ERRNO.EEXIST;
      if (!isThere && flags === BPF_EXIST) return -ERRNO.ENOENT;
      if (!isThere && this.#slots.size >= this.maxEntries) return -ERRNO.E2BIG;
    }
    this.#slots.set(text, { key: key.slice(), inner });
    return 0;
  }

  protected override readForUser(key: Uint8Array): Uint8Array | number {
    const inner = this.innerAt(key);
    return inner === null ? -ERRNO.ENOENT : indexKey(inner.id);
  }

  protected override deleteForUser(key: Uint8Array): number {
    if (this.#isArray && indexOf(key) >= this.maxEntries) return -ERRNO.E2BIG;
    return this.#slots.delete(keyText(key, 0, this.keySize)) ? 0 : -ERRNO.ENOENT;
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    if (this.#isArray) return nextIndex(key, this.maxEntries);
    const slots = [...this.#slots.values()];
    const at = key === null ? -1 : slots.findIndex((slot) => slot.key.every((byte, i) => byte === key[i]));
    const next = slots[at + 1];
    return next === undefined ? -ERRNO.ENOENT : next.key.slice();
  }
}
