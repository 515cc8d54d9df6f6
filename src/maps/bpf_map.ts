import { ERRNO } from '../contracts/errors.ts';
import type { HostArena, HostMap, HostPerf, HostRing, HostStacks, HostStorage } from '../contracts/host_map.ts';
import type { MapDef } from '../program/program.ts';
import { BPF_F_LOCK, BPF_F_RDONLY, BPF_F_WRONLY, type MapEnvironment } from './environment.ts';
import { ValueLayout } from './value_layout.ts';

/**
 * A map that exists. What programs call is in `HostMap`; methods that begin with `user` are the bpf(2) commands on it, with keys
 * and values as bytes. Operations that a type does not have answer as the kernel does for it; each family overrides what it has.
 */
export abstract class BpfMap implements HostMap {
  readonly def: MapDef;
  readonly id: number;
  readonly offset: number;
  readonly layout: ValueLayout;
  frozen = false;
  protected readonly environment: MapEnvironment;
  protected readonly memory;

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    this.environment = environment;
    this.memory = environment.memory;
    this.def = def;
    this.id = id;
    this.layout = new ValueLayout(environment, def.valueSize, environment.fieldsOf(def));
    this.offset = environment.newMapObject(def, id);
  }

  get name(): string {
    return this.def.name;
  }

  get type(): number {
    return this.def.type;
  }

  get keySize(): number {
    return this.def.keySize;
  }

  get valueSize(): number {
    return this.def.valueSize;
  }

  get maxEntries(): number {
    return this.def.maxEntries;
  }

  get flags(): number {
    return this.def.flags;
  }

  /** bytes that user space passes for a value; per-CPU types have one rounded copy for each CPU (bpf_map_value_size) */
  get userValueSize(): number {
    return this.def.valueSize;
  }

  get ring(): HostRing | null {
    return null;
  }

  get perf(): HostPerf | null {
    return null;
  }

  get arena(): HostArena | null {
    return null;
  }

  get stacks(): HostStacks | null {
    return null;
  }

  get storage(): HostStorage | null {
    return null;
  }

  fieldOffset(field: string): number {
    const kernelName = `BPF_${field.replace(/^bpf_/, '').toUpperCase()}`;
    return this.layout.record?.fields.find((known) => known.type === kernelName)?.offset ?? -1;
  }

  /** Source: bpf_map_init_elem_count, called by the hash tables alone. */
  get elementCount(): number {
    return 0;
  }

  keyOf(_value: number): Uint8Array | null {
    return null;
  }

  lookup(_key: number): number {
    return 0;
  }

  lookupPercpu(_key: number, _cpu: number): number {
    return 0;
  }

  update(_key: number, _value: number, _flags: bigint): number {
    return -ERRNO.EINVAL;
  }

  delete(_key: number): number {
    return -ERRNO.EINVAL;
  }

  push(_value: number, _flags: bigint): number {
    return -ERRNO.EOPNOTSUPP;
  }

  pop(_value: number): number {
    return -ERRNO.EOPNOTSUPP;
  }

  peek(_value: number): number {
    return -ERRNO.EOPNOTSUPP;
  }

  forEach(_visit: (key: number, value: number) => number): number {
    return -ERRNO.EOPNOTSUPP;
  }

  redirectTarget(_key: number): { readonly ifindex: number } | null {
    return null;
  }

  /** Offset of the bytes that BPF_PSEUDO_MAP_VALUE addresses; 0 for types without them. */
  directValue(): number {
    return 0;
  }

  /** An object that values may hang on is gone. */
  ownerGone(_owner: number): void {}

  /** Whether this offset lies in one of the map's values. */
  holdsValue(_offset: number): boolean {
    return false;
  }

  /** BPF_MAP_LOOKUP_ELEM: the value, or a negative errno. */
  userLookup(key: Uint8Array, flags = 0n): Uint8Array | number {
    if ((flags & ~BPF_F_LOCK) !== 0n) return -ERRNO.EINVAL;
    if ((this.flags & BPF_F_WRONLY) !== 0) return -ERRNO.EPERM;
    if ((flags & BPF_F_LOCK) !== 0n && !this.layout.hasSpinLock) return -ERRNO.EINVAL;
    if (key.length !== this.keySize) return -ERRNO.EINVAL;
    return this.readForUser(key);
  }

  /** BPF_MAP_UPDATE_ELEM: 0 or a negative errno. */
  userUpdate(key: Uint8Array, value: Uint8Array, flags = 0n): number {
    if ((this.flags & BPF_F_RDONLY) !== 0 || this.frozen) return -ERRNO.EPERM;
    if ((flags & BPF_F_LOCK) !== 0n && !this.layout.hasSpinLock) return -ERRNO.EINVAL;
    if (key.length !== this.keySize || value.length !== this.userValueSize) return -ERRNO.EINVAL;
    return this.writeFromUser(key, value, flags);
  }

  /** BPF_MAP_DELETE_ELEM. */
  userDelete(key: Uint8Array): number {
    if ((this.flags & BPF_F_RDONLY) !== 0 || this.frozen) return -ERRNO.EPERM;
    if (key.length !== this.keySize) return -ERRNO.EINVAL;
    return this.deleteForUser(key);
  }

  /** BPF_MAP_GET_NEXT_KEY: the key behind `key` (null: the first), or a negative errno. */
  userNextKey(key: Uint8Array | null): Uint8Array | number {
    if ((this.flags & BPF_F_WRONLY) !== 0) return -ERRNO.EPERM;
    if (key !== null && key.length !== this.keySize) return -ERRNO.EINVAL;
    return this.nextKeyForUser(key);
  }

  /** BPF_MAP_FREEZE. */
  freeze(): number {
    if (this.layout.record !== null) return -ERRNO.ENOTSUPP;
    if ((this.flags & BPF_F_RDONLY) !== 0) return -ERRNO.EPERM;
    if (this.frozen) return -ERRNO.EBUSY;
    this.frozen = true;
    return 0;
  }

  /** Every entry as user space would walk it. */
  *entries(): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    const keys: Uint8Array[] = [];
    for (let key = this.nextKeyForUser(null); typeof key !== 'number'; key = this.nextKeyForUser(key)) keys.push(key);
    for (const key of keys) {
      const value = this.readForUser(key);
      if (typeof value !== 'number') yield [key, value];
    }
  }

  protected readForUser(_key: Uint8Array): Uint8Array | number {
    return -ERRNO.ENOTSUPP;
  }

  protected writeFromUser(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -ERRNO.EINVAL;
  }

  protected deleteForUser(_key: Uint8Array): number {
    return -ERRNO.EINVAL;
  }

  protected nextKeyForUser(_key: Uint8Array | null): Uint8Array | number {
    return -ERRNO.ENOTSUPP;
  }
}

export const roundUp8 = (size: number): number => Math.ceil(size / 8) * 8;

/** The 32-bit index that an array-like key is. */
export const indexOf = (key: Uint8Array): number => new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true);

export const indexKey = (index: number): Uint8Array => {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index, true);
  return key;
};

/** The key behind an index, as every array-like type walks. Source: array_map_get_next_key, kernel/bpf/arraymap.c. */
export const nextIndex = (key: Uint8Array | null, maxEntries: number): Uint8Array | number => {
  const index = key === null ? 0xffffffff : indexOf(key);
  if (index >= maxEntries) return indexKey(0);
  return index === maxEntries - 1 ? -ERRNO.ENOENT : indexKey(index + 1);
};
