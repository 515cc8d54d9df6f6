import { ERRNO } from '../contracts/errors.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap, indexKey, indexOf, nextIndex, roundUp8 } from './bpf_map.ts';
import { BPF_EXIST, BPF_F_LOCK, BPF_F_RDONLY_PROG, BPF_NOEXIST, type MapEnvironment } from './environment.ts';

/** Arrays up to this many bytes have fences between their elements. */
const FENCED_BYTES = 16 << 20;
const FENCE = 8;

/**
 * A contiguous row of values in guest memory. Between elements of small arrays lies a fence, so that running from one element
 * into the next is found; one-element arrays (global data) have none, as their bytes are addressed directly.
 */
class Row {
  readonly start: number;
  readonly stride: number;
  readonly #count: number;

  constructor(environment: MapEnvironment, def: MapDef, what: string) {
    const { memory } = environment;
    const size = roundUp8(def.valueSize);
    const fenced = def.maxEntries > 1 && (size + FENCE) * def.maxEntries <= FENCED_BYTES;
    this.stride = fenced ? size + FENCE : size;
    this.#count = def.maxEntries;
    const readOnly = (def.flags & BPF_F_RDONLY_PROG) !== 0;
    const total = def.maxEntries > 1 ? this.stride * def.maxEntries : def.valueSize;
    this.start = environment.allocationFails() ? 0 : memory.allocate(total, { what, readOnly });
    if (this.start === 0 || !fenced) return;
    for (let i = 0; i < def.maxEntries; i++) {
      const at = this.start + i * this.stride;
      memory.setRedZone(at, at + this.stride);
      memory.setReadOnly(at, def.valueSize, readOnly);
    }
  }

  at(index: number): number {
    return this.start + index * this.stride;
  }

  indexOf(offset: number): number {
    return Math.floor((offset - this.start) / this.stride);
  }

  holds(offset: number): boolean {
    return offset >= this.start && offset < this.start + this.stride * this.#count;
  }
}

/** BPF_MAP_TYPE_ARRAY. Source: kernel/bpf/arraymap.c. */
export class ArrayMap extends BpfMap {
  readonly #row: Row;

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    this.#row = new Row(environment, def, `value of map ${def.name}`);
    if (def.initial !== null && this.#row.start !== 0) {
      this.memory.u8.set(def.initial.subarray(0, def.valueSize), this.#row.start);
    }
  }

  /** False when there was no memory for the elements. */
  get isAllocated(): boolean {
    return this.#row.start !== 0;
  }

  override lookup(key: number): number {
    const index = this.memory.loadU32(key);
    return index < this.maxEntries ? this.#row.at(index) : 0;
  }

  override update(key: number, value: number, flags: bigint): number {
    const index = this.memory.loadU32(key);
    const refused = checkArrayFlags(this, index, flags);
    if (refused !== 0) return refused;
    const at = this.#row.at(index);
    this.layout.copy(at, value);
    this.layout.freeFields(at);
    return 0;
  }

  override forEach(visit: (key: number, value: number) => number): number {
    const key = this.memory.allocate(4, { what: 'key of an array element', readOnly: true });
    if (key === 0) return -ERRNO.ENOMEM;
    let visited = 0;
    for (let index = 0; index < this.maxEntries; index++) {
      visited++;
      this.memory.storeI32(key, index);
      if (visit(key, this.#row.at(index)) !== 0) break;
    }
    this.memory.free(key);
    return visited;
  }

  override directValue(): number {
    return this.maxEntries === 1 ? this.#row.start : 0;
  }

  override holdsValue(offset: number): boolean {
    return this.#row.holds(offset);
  }

  override keyOf(value: number): Uint8Array {
    return indexKey(this.#row.indexOf(value));
  }

  protected override readForUser(key: Uint8Array): Uint8Array | number {
    const index = indexOf(key);
    if (index >= this.maxEntries) return -ERRNO.ENOENT;
    const value = new Uint8Array(this.valueSize);
    this.layout.copyOut(this.#row.at(index), value);
    return value;
  }

  protected override writeFromUser(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const index = indexOf(key);
    const refused = checkArrayFlags(this, index, flags);
    if (refused !== 0) return refused;
    const at = this.#row.at(index);
    this.layout.copyIn(at, value);
    this.layout.freeFields(at);
    return 0;
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    return nextIndex(key, this.maxEntries);
  }
}

/** BPF_MAP_TYPE_PERCPU_ARRAY: one row for each CPU. */
export class PercpuArrayMap extends BpfMap {
  readonly #rows: readonly Row[];

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    const row = (_: unknown, cpu: number): Row => new Row(environment, def, `value of map ${def.name} on CPU ${cpu}`);
    this.#rows = Array.from({ length: environment.cpuCount }, row);
  }

  get isAllocated(): boolean {
    return this.#rows.every((row) => row.start !== 0);
  }

  override get userValueSize(): number {
    return roundUp8(this.valueSize) * this.#rows.length;
  }

  override lookup(key: number): number {
    return this.lookupPercpu(key, this.environment.cpu());
  }

  override lookupPercpu(key: number, cpu: number): number {
    const index = this.memory.loadU32(key);
    return index < this.maxEntries ? (this.#rows[cpu]?.at(index) ?? 0) : 0;
  }

  override update(key: number, value: number, flags: bigint): number {
    const index = this.memory.loadU32(key);
    const refused = checkArrayFlags(this, index, flags);
    if (refused !== 0) return refused;
    const at = this.#rows[this.environment.cpu()]!.at(index);
    this.layout.copy(at, value);
    this.layout.freeFields(at);
    return 0;
  }

  override forEach(visit: (key: number, value: number) => number): number {
    const key = this.memory.allocate(4, { what: 'key of an array element', readOnly: true });
    if (key === 0) return -ERRNO.ENOMEM;
    const row = this.#rows[this.environment.cpu()]!;
    let visited = 0;
    for (let index = 0; index < this.maxEntries; index++) {
      visited++;
      this.memory.storeI32(key, index);
      if (visit(key, row.at(index)) !== 0) break;
    }
    this.memory.free(key);
    return visited;
  }

  override holdsValue(offset: number): boolean {
    return this.#rows.some((row) => row.holds(offset));
  }

  protected override readForUser(key: Uint8Array): Uint8Array | number {
    const index = indexOf(key);
    if (index >= this.maxEntries) return -ERRNO.ENOENT;
    const value = new Uint8Array(this.userValueSize);
    for (const [cpu, row] of this.#rows.entries()) this.layout.copyOut(row.at(index), value, cpu * roundUp8(this.valueSize));
    return value;
  }

  /** Source: bpf_percpu_array_update, whose flags differ a little from those of a program's update. */
  protected override writeFromUser(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const index = indexOf(key);
    if (flags > BPF_EXIST) return -ERRNO.EINVAL;
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    if (flags === BPF_NOEXIST) return -ERRNO.EEXIST;
    for (const [cpu, row] of this.#rows.entries()) {
      this.layout.copyIn(row.at(index), value, cpu * roundUp8(this.valueSize));
      this.layout.freeFields(row.at(index));
    }
    return 0;
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    return nextIndex(key, this.maxEntries);
  }
}

/** Source: array_map_update_elem, kernel/bpf/arraymap.c. */
const checkArrayFlags = (map: BpfMap, index: number, flags: bigint): number => {
  if ((flags & ~BPF_F_LOCK) > BPF_EXIST) return -ERRNO.EINVAL;
  if (index >= map.maxEntries) return -ERRNO.E2BIG;
  if ((flags & BPF_NOEXIST) !== 0n) return -ERRNO.EEXIST;
  if ((flags & BPF_F_LOCK) !== 0n && !map.layout.hasSpinLock) return -ERRNO.EINVAL;
  return 0;
};
