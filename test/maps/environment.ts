import type { Btf } from '../../src/btf/btf.ts';
import type { Field, FieldRecord } from '../../src/btf/special.ts';
import type { Outcome } from '../../src/contracts/host_call.ts';
import { MAP_TYPES, type MapTypeName } from '../../src/contracts/uapi_numbers.ts';
import { GuestMemory } from '../../src/kernel/memory.ts';
import { RandomNumbers } from '../../src/kernel/random.ts';
import type { BpfMap } from '../../src/maps/bpf_map.ts';
import { createMap } from '../../src/maps/create.ts';
import type { MapEnvironment } from '../../src/maps/environment.ts';
import { MAP_TYPES as ENTRIES } from '../../src/maps/types/index.ts';
import type { MapDef } from '../../src/program/program.ts';

/** A world with nothing in it but memory, processors and maps. Tests act as a program: keys and values go through guest memory. */
export class Bench implements MapEnvironment {
  readonly memory: GuestMemory;
  readonly cpuCount: number;
  readonly notes: string[] = [];
  readonly outcomes: Outcome[] = [];
  currentCpu = 0;
  rcuEpoch = 0;
  failing = false;
  readonly #random = new RandomNumbers(7);
  readonly #key: number;
  readonly #value: number;
  #pending: (() => void)[] = [];

  constructor(cpuCount = 2, limit = 8 << 20) {
    this.memory = new GuestMemory({ limit });
    this.cpuCount = cpuCount;
    this.#key = this.memory.allocate(512, { what: 'key' });
    this.#value = this.memory.allocate(4096, { what: 'value' });
  }

  create(type: MapTypeName, def: Partial<MapDef> = {}): BpfMap {
    const map = createMap(this, mapDef(type, def), 1, ENTRIES.get(MAP_TYPES[type])!);
    if (typeof map === 'number') throw new Error(`cannot create ${type}: ${map}`);
    return map;
  }

  /** Puts bytes where a program would have its key. */
  key(bytes: Uint8Array | number): number {
    this.memory.u8.set(typeof bytes === 'number' ? u32(bytes) : bytes, this.#key);
    return this.#key;
  }

  value(bytes: Uint8Array): number {
    this.memory.u8.set(bytes, this.#value);
    return this.#value;
  }

  /** The value that a lookup gives, or null. */
  get(map: BpfMap, key: Uint8Array | number): number[] | null {
    const at = map.lookup(this.key(key));
    return at === 0 ? null : this.at(at, map.valueSize);
  }

  put(map: BpfMap, key: Uint8Array | number, value: Uint8Array | number, flags = 0n): number {
    return map.update(this.key(key), this.value(typeof value === 'number' ? u32(value) : value), flags);
  }

  at(offset: number, size: number): number[] {
    return [...this.memory.u8.subarray(offset, offset + size)];
  }

  /** The RCU section ends, as when a program returns. */
  endRcu(): void {
    this.rcuEpoch++;
    for (const action of this.#pending.splice(0)) action();
  }

  cpu(): number {
    return this.currentCpu;
  }

  random(): number {
    return this.#random.next();
  }

  afterRcu(action: () => void): void {
    this.#pending.push(action);
  }

  allocationFails(): boolean {
    return this.failing;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  record(outcome: Outcome): void {
    this.outcomes.push(outcome);
  }

  fieldsOf(): FieldRecord | null {
    return null;
  }

  newMapObject(): number {
    return this.memory.allocate(64, { what: 'map' });
  }

  freeField(_field: Field, _offset: number): void {}

  programId(): number {
    return 1;
  }
}

export const mapDef = (type: MapTypeName, def: Partial<MapDef> = {}): MapDef => ({
  name: 'sample',
  type: MAP_TYPES[type],
  keySize: 4,
  valueSize: 4,
  maxEntries: 4,
  flags: 0,
  mapExtra: 0n,
  btf: null as Btf | null,
  btfKeyTypeId: 0,
  btfValueTypeId: 0,
  btfVmlinuxValueTypeId: 0,
  inner: null,
  initial: null,
  frozen: false,
  slots: [],
  section: null,
  ...def,
});

export const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};

export const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
};
