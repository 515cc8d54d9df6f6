import { BtfError } from '../btf/error.ts';
import { parseFields } from '../btf/fields.ts';
import { type Field, type FieldRecord, MAP_VALUE_FIELDS } from '../btf/special.ts';
import { Reject, Unmodelled } from '../contracts/errors.ts';
import type { Outcome } from '../contracts/host_call.ts';
import type { Profile } from '../contracts/profile.ts';
import { ALL_CAPABILITIES } from '../contracts/subject.ts';
import type { GuestMemory } from '../kernel/memory.ts';
import type { RandomNumbers } from '../kernel/random.ts';
import { ArenaMap } from '../maps/arena.ts';
import type { BpfMap } from '../maps/bpf_map.ts';
import { createMap } from '../maps/create.ts';
import type { MapEnvironment } from '../maps/environment.ts';
import type { MapDef, Program } from '../program/program.ts';

/** Bytes of `struct bpf_map` where the profile's BTF does not say. */
const BPF_MAP_BYTES = 256;

/** What the registry needs of the machine around it. */
export interface RegistryHost {
  readonly cpu: number;
  readonly cpuCount: number;
  readonly rcuEpoch: number;
  /** high half that a cast to the user's address space gives */
  arenaUserHigh: number;
  afterRcu(action: () => void): void;
  allocationFails(): boolean;
  note(text: string): void;
  record(outcome: Outcome): void;
  freeField(field: Field, offset: number): void;
}

/** The maps that exist in one machine, and what they need of it. */
export class MapRegistry implements MapEnvironment {
  readonly memory: GuestMemory;
  readonly cpuCount: number;
  readonly #profile: Profile;
  readonly #random: RandomNumbers;
  readonly #host: RegistryHost;
  readonly #byDef = new Map<MapDef, BpfMap>();
  readonly #byOffset = new Map<number, BpfMap>();
  readonly #programIds = new Map<Program, number>();

  constructor(memory: GuestMemory, profile: Profile, random: RandomNumbers, host: RegistryHost) {
    this.memory = memory;
    this.cpuCount = host.cpuCount;
    this.#profile = profile;
    this.#random = random;
    this.#host = host;
  }

  get rcuEpoch(): number {
    return this.#host.rcuEpoch;
  }

  /** All maps, in order of creation. */
  get all(): readonly BpfMap[] {
    return [...this.#byDef.values()];
  }

  /** The map of this definition; made when it is first asked for. A `Reject` when BPF_MAP_CREATE refuses it. */
  of(def: MapDef): BpfMap {
    const known = this.#byDef.get(def);
    if (known !== undefined) return known;
    const type = this.#profile.mapTypes.get(def.type);
    if (type === undefined) throw new Unmodelled('running a map', `type ${def.type} of map ${def.name}`);
    const refused = type.checkCreate(def, ALL_CAPABILITIES);
    if (refused !== null) throw new Reject(refused, `map ${def.name} cannot be created: ${refused}`);
    const created = createMap(this, { ...def, flags: def.flags | type.impliedFlags }, this.#byDef.size + 1, type);
    if (typeof created === 'number') throw new Reject('ENOMEM', `map ${def.name} cannot be created: ENOMEM`);
    if (created instanceof ArenaMap) this.#openArena(created);
    this.#byDef.set(def, created);
    this.#byOffset.set(created.offset, created);
    return created;
  }

  /** What `struct bpf_arena` says of the addresses in user space; programs read it. */
  #openArena(map: ArenaMap): void {
    this.#host.arenaUserHigh = map.userHigh;
    const struct = this.#profile.btf.findByName('bpf_arena', 'STRUCT');
    const set = (name: string, value: bigint): void => {
      const member = struct?.members.find((candidate) => candidate.name === name);
      if (member !== undefined) this.memory.storeU64(map.offset + member.bitOffset / 8, value);
    };
    set('user_vm_start', map.userStart);
    set('user_vm_end', map.userStart + BigInt(map.maxEntries) * 4096n);
  }

  at(offset: number): BpfMap | null {
    return this.#byOffset.get(offset) ?? null;
  }

  named(name: string): BpfMap | null {
    for (const map of this.#byDef.values()) if (map.name === name) return map;
    return null;
  }

  holding(offset: number): BpfMap | null {
    for (const map of this.#byDef.values()) if (map.holdsValue(offset)) return map;
    return null;
  }

  cpu(): number {
    return this.#host.cpu;
  }

  random(): number {
    return this.#random.next();
  }

  afterRcu(action: () => void): void {
    this.#host.afterRcu(action);
  }

  allocationFails(): boolean {
    return this.#host.allocationFails();
  }

  note(text: string): void {
    this.#host.note(text);
  }

  record(outcome: Outcome): void {
    this.#host.record(outcome);
  }

  freeField(field: Field, offset: number): void {
    this.#host.freeField(field, offset);
  }

  programId(program: Program): number {
    const known = this.#programIds.get(program);
    if (known !== undefined) return known;
    const id = this.#programIds.size + 1;
    this.#programIds.set(program, id);
    return id;
  }

  /** Where the kernel refuses the BTF of a value, libbpf makes the map without it (bpf_object__create_map). */
  fieldsOf(def: MapDef): FieldRecord | null {
    if (def.btf === null || def.btfValueTypeId === 0) return null;
    const type = def.btf.skipModifiers(def.btfValueTypeId);
    if (type.kind !== 'STRUCT' && type.kind !== 'DATASEC') return null;
    const kernel = { btf: this.#profile.btf, destructors: this.#profile.facts.destructors };
    try {
      return parseFields(def.btf, type.id, MAP_VALUE_FIELDS, def.valueSize, kernel);
    } catch (error) {
      if (error instanceof BtfError) return null;
      throw error;
    }
  }

  newMapObject(def: MapDef, id: number): number {
    const { btf, mapTypes } = this.#profile;
    const container = mapTypes.get(def.type)?.kernelStruct ?? 'bpf_map';
    const size = btf.findByName(container, 'STRUCT')?.size ?? BPF_MAP_BYTES;
    const offset = this.memory.allocate(size, { what: `map ${def.name}`, btfType: container, readOnly: true });
    if (offset === 0) return 0;
    const members = btf.findByName('bpf_map', 'STRUCT')?.members ?? [];
    const place = (name: string): number => {
      const member = members.find((candidate) => candidate.name === name);
      return member === undefined ? -1 : offset + member.bitOffset / 8;
    };
    const words: readonly (readonly [string, number])[] = [
      ['map_type', def.type],
      ['key_size', def.keySize],
      ['value_size', def.valueSize],
      ['max_entries', def.maxEntries],
      ['map_flags', def.flags],
      ['id', id],
    ];
    for (const [name, value] of words) if (place(name) >= 0) this.memory.storeI32(place(name), value);
    if (place('map_extra') >= 0) this.memory.storeU64(place('map_extra'), def.mapExtra);
    if (place('name') >= 0) {
      for (let i = 0; i < Math.min(def.name.length, 15); i++) this.memory.u8[place('name') + i] = def.name.charCodeAt(i);
    }
    return offset;
  }
}
