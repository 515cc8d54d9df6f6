import { ERRNO } from '../contracts/errors.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap } from './bpf_map.ts';
import { BPF_EXIST, BPF_NOEXIST, type MapEnvironment } from './environment.ts';

/** One prefix. `bits` has its bytes beyond the prefix as they were given: lookups never look at them. */
interface Prefix {
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly value: number;
}

const LENGTH_BYTES = 4;

/**
 * BPF_MAP_TYPE_LPM_TRIE: the value of the longest prefix that a key begins with. A key is a u32 length in bits and then the bytes
 * in network order. Prefixes are kept by length and content; the trie's shape shows only in the order in which it is walked, where
 * a prefix comes behind everything it contains, and bit 0 before bit 1. Source: kernel/bpf/lpm_trie.c.
 */
export class LpmTrieMap extends BpfMap {
  readonly #maxLength: number;
  /** by length in bits, then by the text of those bits */
  readonly #byLength: (Map<string, Prefix> | undefined)[] = [];
  #count = 0;
  /** post-order; null after a change */
  #order: Prefix[] | null = null;

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    this.#maxLength = (def.keySize - LENGTH_BYTES) * 8;
  }

  override lookup(key: number): number {
    return this.#longest(this.memory.u8.slice(key, key + this.keySize))?.value ?? 0;
  }

  override update(key: number, value: number, flags: bigint): number {
    return this.#put(this.memory.u8.slice(key, key + this.keySize), flags, (to) => this.layout.copy(to, value));
  }

  override delete(key: number): number {
    return this.deleteForUser(this.memory.u8.slice(key, key + this.keySize));
  }

  override holdsValue(offset: number): boolean {
    return this.#inOrder().some((prefix) => offset >= prefix.value && offset < prefix.value + this.valueSize);
  }

  protected override readForUser(key: Uint8Array): Uint8Array | number {
    const prefix = this.#longest(key);
    if (prefix === undefined) return -ERRNO.ENOENT;
    const value = new Uint8Array(this.valueSize);
    this.layout.copyOut(prefix.value, value);
    return value;
  }

  protected override writeFromUser(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#put(key.slice(), flags, (to) => this.layout.copyIn(to, value));
  }

  protected override deleteForUser(key: Uint8Array): number {
    const length = lengthOf(key);
    if (length > this.#maxLength) return -ERRNO.EINVAL;
    const known = this.#byLength[length];
    const text = bitText(key, length);
    const prefix = known?.get(text);
    if (known === undefined || prefix === undefined) return -ERRNO.ENOENT;
    known.delete(text);
    this.#count--;
    this.#order = null;
    this.environment.afterRcu(() => this.memory.free(prefix.value));
    return 0;
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    const order = this.#inOrder();
    if (order.length === 0) return -ERRNO.ENOENT;
    let at = 0;
    if (key !== null && lengthOf(key) <= this.#maxLength) {
      const exact = this.#byLength[lengthOf(key)]?.get(bitText(key, lengthOf(key)));
      if (exact !== undefined) at = order.indexOf(exact) + 1;
    }
    const next = order[at];
    return next === undefined ? -ERRNO.ENOENT : next.bytes.slice();
  }

  #longest(key: Uint8Array): Prefix | undefined {
    const length = lengthOf(key);
    if (length > this.#maxLength) return undefined;
    for (let bits = length; bits >= 0; bits--) {
      const known = this.#byLength[bits];
      if (known === undefined || known.size === 0) continue;
      const prefix = known.get(bitText(key, bits));
      if (prefix !== undefined) return prefix;
    }
    return undefined;
  }

  #put(key: Uint8Array, flags: bigint, write: (to: number) => void): number {
    const length = lengthOf(key);
    if (flags > BPF_EXIST || length > this.#maxLength) return -ERRNO.EINVAL;
    const text = bitText(key, length);
    const known = (this.#byLength[length] ??= new Map());
    const old = known.get(text);
    const value = this.environment.allocationFails()
      ? 0
      : this.memory.allocate(this.valueSize, { what: `value of map ${this.name}` });
    if (value === 0) return -ERRNO.ENOMEM;
    const refused = this.#refuses(old, flags);
    if (refused !== 0) {
      this.memory.free(value);
      return refused;
    }
    write(value);
    known.set(text, { length, bytes: key, value });
    this.#order = null;
    if (old === undefined) this.#count++;
    else this.environment.afterRcu(() => this.memory.free(old.value));
    return 0;
  }

  /** Source: trie_check_add_elem and trie_update_elem. */
  #refuses(old: Prefix | undefined, flags: bigint): number {
    if (old !== undefined) return flags === BPF_NOEXIST ? -ERRNO.EEXIST : 0;
    if (flags === BPF_EXIST) return -ERRNO.ENOENT;
    return this.#count === this.maxEntries ? -ERRNO.ENOSPC : 0;
  }

  #inOrder(): Prefix[] {
    if (this.#order === null) {
      const all: Prefix[] = [];
      for (const known of this.#byLength) for (const prefix of known?.values() ?? []) all.push(prefix);
      this.#order = all.sort(postOrder);
    }
    return this.#order;
  }
}

const lengthOf = (key: Uint8Array): number => new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true);

/** The first `bits` bits of the data, as text. */
const bitText = (key: Uint8Array, bits: number): string => {
  const whole = bits >> 3;
  let text = '';
  for (let i = 0; i < whole; i++) text += String.fromCharCode(key[LENGTH_BYTES + i]!);
  const rest = bits & 7;
  return rest === 0 ? text : text + String.fromCharCode(key[LENGTH_BYTES + whole]! & (0xff00 >> rest) & 0xff);
};

const bitAt = (key: Uint8Array, index: number): number => (key[LENGTH_BYTES + (index >> 3)]! >> (7 - (index & 7))) & 1;

const postOrder = (a: Prefix, b: Prefix): number => {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = bitAt(a.bytes, i) - bitAt(b.bytes, i);
    if (difference !== 0) return difference;
  }
  return b.length - a.length;
};
