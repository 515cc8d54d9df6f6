import { ERRNO } from '../contracts/errors.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap, roundUp8 } from './bpf_map.ts';
import {
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_F_NO_COMMON_LRU,
  BPF_F_NO_PREALLOC,
  BPF_NOEXIST,
  type MapEnvironment,
} from './environment.ts';
import { type Element, HashTable, type KeyText, keyText } from './hash_table.ts';
import { Lru } from './lru.ts';

const KEY_FENCE = 8;

/** Where the value of an update comes from. */
type ValueSource = { readonly offset: number } | { readonly bytes: Uint8Array };

/**
 * BPF_MAP_TYPE_HASH, PERCPU_HASH, LRU_HASH and LRU_PERCPU_HASH. Source: kernel/bpf/hashtab.c.
 *
 * Elements are made when they are first needed and then kept, as preallocation keeps them; a deleted one may be read until the
 * RCU section ends. An update of an existing element of a plain hash puts another element in its place: pointers to the old
 * value keep seeing the old value.
 *
 * Differs from the kernel: elements are walked in order of insertion, which is one of the orders that its random hash allows.
 */
export class HashMap extends BpfMap {
  readonly #table = new HashTable();
  readonly #perCpu: boolean;
  readonly #preallocated: boolean;
  readonly #lru: Lru | null;
  readonly #limit: number;
  /** elements that are nobody's, the last freed first */
  readonly #free: Element[] = [];
  /** RCU epoch in which reuse was last noted */
  #notedIn = -1;
  /** elements that updates swap in, one for each CPU */
  readonly #extra: (Element | undefined)[] = [];

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    const isLru = def.type === MAP_TYPES.lru_hash || def.type === MAP_TYPES.lru_percpu_hash;
    this.#perCpu = def.type === MAP_TYPES.percpu_hash || def.type === MAP_TYPES.lru_percpu_hash;
    this.#preallocated = (def.flags & BPF_F_NO_PREALLOC) === 0;
    const ownLists = (def.flags & BPF_F_NO_COMMON_LRU) !== 0;
    this.#limit = ownLists ? Math.ceil(def.maxEntries / environment.cpuCount) * environment.cpuCount : def.maxEntries;
    this.#lru = isLru
      ? new Lru(
          ownLists,
          this.#limit,
          environment.cpuCount,
          () => this.#newElement(),
          (node) => this.#evict(node as Element),
        )
      : null;
  }

  override get maxEntries(): number {
    return this.#limit;
  }

  override get userValueSize(): number {
    return this.#perCpu ? roundUp8(this.valueSize) * this.environment.cpuCount : this.valueSize;
  }

  get count(): number {
    return this.#table.count;
  }

  override get elementCount(): number {
    return this.#table.count;
  }

  /** The key stands right before the value, as in struct htab_elem. */
  override keyOf(value: number): Uint8Array {
    const at = value - KEY_FENCE - roundUp8(this.keySize);
    return this.memory.u8.slice(at, at + this.keySize);
  }

  override lookup(key: number): number {
    const element = this.#find(key);
    if (element === undefined) return 0;
    if (this.#lru !== null) element.ref = true;
    return element.values[this.#perCpu ? this.environment.cpu() : 0]!;
  }

  override lookupPercpu(key: number, cpu: number): number {
    const element = this.#find(key);
    if (element === undefined || !this.#perCpu) return 0;
    if (this.#lru !== null) element.ref = true;
    return element.values[cpu] ?? 0;
  }

  override update(key: number, value: number, flags: bigint): number {
    return this.#put(keyText(this.memory.u8, key, this.keySize), { offset: value }, flags, (to) =>
      this.memory.u8.copyWithin(to, key, key + this.keySize),
    );
  }

  override delete(key: number): number {
    return this.#drop(this.#find(key));
  }

  override forEach(visit: (key: number, value: number) => number): number {
    const cpu = this.#perCpu ? this.environment.cpu() : 0;
    let visited = 0;
    for (const element of this.#table.snapshot()) {
      if (!element.inTable) continue;
      visited++;
      if (visit(element.key, element.values[cpu]!) !== 0) break;
    }
    return visited;
  }

  override holdsValue(offset: number): boolean {
    for (let element = this.#table.first; element !== null; element = element.after) {
      if (element.values.some((value) => offset >= value && offset < value + this.valueSize)) return true;
    }
    return false;
  }

  protected override readForUser(key: Uint8Array): Uint8Array | number {
    const element = this.#table.find(keyText(key, 0, this.keySize));
    if (element === undefined) return -ERRNO.ENOENT;
    const value = new Uint8Array(this.userValueSize);
    for (const [cpu, at] of element.values.entries()) this.layout.copyOut(at, value, cpu * roundUp8(this.valueSize));
    return value;
  }

  protected override writeFromUser(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#put(keyText(key, 0, this.keySize), { bytes: value }, flags, (to) => this.memory.u8.set(key, to));
  }

  protected override deleteForUser(key: Uint8Array): number {
    return this.#drop(this.#table.find(keyText(key, 0, this.keySize)));
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    const element = key === null ? undefined : this.#table.find(keyText(key, 0, this.keySize));
    const next = element === undefined ? this.#table.first : element.after;
    return next === null ? -ERRNO.ENOENT : this.memory.u8.slice(next.key, next.key + this.keySize);
  }

  #find(key: number): Element | undefined {
    return this.#table.find(keyText(this.memory.u8, key, this.keySize));
  }

  #put(text: KeyText, value: ValueSource, flags: bigint, writeKey: (to: number) => void): number {
    const plain = this.#lru === null && !this.#perCpu;
    if ((plain ? flags & ~BPF_F_LOCK : flags) > BPF_EXIST) return -ERRNO.EINVAL;
    if ((flags & BPF_F_LOCK) !== 0n && !this.layout.hasSpinLock) return -ERRNO.EINVAL;
    const old = this.#table.find(text);
    if (this.#lru !== null) return this.#putLru(this.#lru, text, value, flags, old, writeKey);
    const refused = checkExistence(old, flags);
    if (refused !== 0) return refused;
    if (old !== undefined && (this.#perCpu || (flags & BPF_F_LOCK) !== 0n)) {
      this.#writeValue(old, value, false);
      return 0;
    }
    const fresh = old === undefined ? this.#takeForInsert() : this.#takeForReplace(old);
    if (typeof fresh === 'number') return fresh;
    this.#fill(fresh, text, value, writeKey);
    if (old === undefined) {
      this.#table.insert(fresh);
      return 0;
    }
    this.#table.replace(old, fresh);
    this.#freeFields(old);
    if (!this.#preallocated) this.#retire(old);
    return 0;
  }

  /** A node is taken before the key is looked for, so a full map evicts even when the update then fails or replaces. */
  #putLru(
    lru: Lru,
    text: KeyText,
    value: ValueSource,
    flags: bigint,
    known: Element | undefined,
    writeKey: (to: number) => void,
  ) {
    let fresh: Element | null = null;
    if (!this.#perCpu || flags !== BPF_EXIST) {
      fresh = lru.take(this.environment.cpu()) as Element | null;
      if (fresh === null) return -ERRNO.ENOMEM;
    }
    const old = known?.inTable === true ? known : undefined;
    const refused = checkExistence(old, flags);
    if (refused !== 0 || (this.#perCpu && old !== undefined)) {
      if (refused === 0 && old !== undefined) {
        old.ref = true;
        this.#writeValue(old, value, false);
      }
      if (fresh !== null) lru.giveBack(fresh);
      return refused;
    }
    if (fresh === null) return 0;
    this.#fill(fresh, text, value, writeKey);
    if (old === undefined) {
      this.#table.insert(fresh);
      return 0;
    }
    fresh.ref = true;
    this.#table.replace(old, fresh);
    this.#freeFields(old);
    old.deletedIn = this.environment.rcuEpoch;
    lru.giveBack(old);
    return 0;
  }

  #drop(element: Element | undefined): number {
    if (element === undefined) return -ERRNO.ENOENT;
    this.#evict(element);
    if (this.#lru !== null) this.#lru.giveBack(element);
    else this.#retire(element);
    return 0;
  }

  #evict(element: Element): void {
    this.#table.remove(element);
    this.#freeFields(element);
    element.deletedIn = this.environment.rcuEpoch;
  }

  #takeForInsert(): Element | number {
    if (this.#table.count >= this.#limit) return -ERRNO.E2BIG;
    return this.#take();
  }

  #takeForReplace(old: Element): Element | number {
    if (!this.#preallocated) return this.#take();
    const cpu = this.environment.cpu();
    const extra = this.#extra[cpu] ?? this.#take();
    if (typeof extra === 'number') return extra;
    old.deletedIn = this.environment.rcuEpoch;
    this.#extra[cpu] = old;
    return extra;
  }

  #take(): Element | number {
    if (!this.#preallocated && this.environment.allocationFails()) return -ERRNO.ENOMEM;
    const kept = this.#free.pop();
    if (kept === undefined) return this.#newElement() ?? -ERRNO.ENOMEM;
    kept.isFree = false;
    this.#revive(kept);
    return kept;
  }

  /** The element waits for its next use: reachable until the RCU section ends, then not. */
  #retire(element: Element): void {
    element.isFree = true;
    this.#free.push(element);
    this.environment.afterRcu(() => {
      if (element.isFree) this.memory.bury(element.key);
    });
  }

  #fill(element: Element, text: KeyText, value: ValueSource, writeKey: (to: number) => void): void {
    const { rcuEpoch } = this.environment;
    if (element.deletedIn === rcuEpoch && this.#notedIn !== rcuEpoch) {
      this.#notedIn = rcuEpoch;
      this.environment.note(`an element of map ${this.name} is used again in the RCU section in which it was deleted`);
    }
    element.deletedIn = -1;
    element.text = text;
    writeKey(element.key);
    this.#writeValue(element, value, true);
  }

  /** Source: pcpu_init_value and pcpu_copy_value: other CPUs' values of a new element are zero. */
  #writeValue(element: Element, value: ValueSource, isNew: boolean): void {
    if ('bytes' in value) {
      for (const [cpu, at] of element.values.entries()) {
        this.layout.copyIn(at, value.bytes, cpu * roundUp8(this.valueSize));
        if (!isNew) this.layout.freeFields(at);
      }
      return;
    }
    const own = this.#perCpu ? this.environment.cpu() : 0;
    for (const [cpu, at] of element.values.entries()) {
      if (cpu === own) this.layout.copy(at, value.offset);
      else if (isNew) this.layout.zero(at);
    }
    if (!isNew) this.layout.freeFields(element.values[own]!);
  }

  #freeFields(element: Element): void {
    if (this.layout.record === null) return;
    for (const at of element.values) this.layout.freeFields(at);
  }

  #newElement(): Element | null {
    const { memory } = this;
    const keyBytes = roundUp8(this.keySize);
    const what = `element of map ${this.name}`;
    const ownValue = this.#perCpu ? 0 : KEY_FENCE + this.valueSize;
    const key = memory.allocate(keyBytes + ownValue, { what });
    if (key === 0) return null;
    const values = this.#perCpu
      ? Array.from({ length: this.environment.cpuCount }, (_, cpu) =>
          memory.allocate(this.valueSize, { what: `value of map ${this.name} on CPU ${cpu}` }),
        )
      : [key + keyBytes + KEY_FENCE];
    if (values.includes(0)) return null;
    const element: Element = {
      text: 0,
      key,
      values,
      inTable: false,
      isFree: false,
      before: null,
      after: null,
      deletedIn: -1,
      ref: false,
      list: null,
      previous: null,
      next: null,
      cpu: 0,
    };
    this.#fence(element);
    return element;
  }

  #revive(element: Element): void {
    this.memory.revive(element.key);
    this.#fence(element);
  }

  /** Nothing may run from the key into the value. */
  #fence(element: Element): void {
    const keyEnd = element.key + roundUp8(this.keySize);
    if (!this.#perCpu) this.memory.setRedZone(keyEnd, keyEnd + KEY_FENCE);
    this.memory.setWindow(element.key, keyEnd, element.key, this.keySize);
  }
}

/** Source: check_flags, kernel/bpf/hashtab.c. */
const checkExistence = (old: Element | undefined, flags: bigint): number => {
  const wish = flags & ~BPF_F_LOCK;
  if (old !== undefined && wish === BPF_NOEXIST) return -ERRNO.EEXIST;
  if (old === undefined && wish === BPF_EXIST) return -ERRNO.ENOENT;
  return 0;
};
