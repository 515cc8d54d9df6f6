import type { Btf } from '../btf/btf.ts';
import { Malformed } from '../contracts/errors.ts';
import { MAP_FLAGS, MAP_TYPES } from '../contracts/uapi_numbers.ts';
import type { MapDef, MapSlot } from '../program/program.ts';
import type { ElfFile, ElfSection } from './elf_file.ts';
import { type Extern, kconfigMapSize } from './externs.ts';
import { isMapInMap, type MapDeclaration, parseMapDeclaration, ringbufBytes } from './map_def.ts';
import type { DataKind, ObjectSections } from './sections.ts';

/** A map while its object is being loaded; the position in the list is the number that instructions carry. */
export interface MapDraft {
  readonly name: string;
  /** where the object declares it: section and offset */
  readonly section: number;
  readonly offset: number;
  /** bytes of the declaration in its section */
  readonly extent: number;
  readonly data: DataKind | null;
  readonly sectionName: string | null;
  readonly declaration: MapDeclaration;
  readonly slots: MapSlot[];
  initial: Uint8Array | null;
  /** type of a struct_ops value in the kernel's BTF */
  vmlinuxValueTypeId: number;
  /** SEC("?.struct_ops"): not created unless asked for */
  readonly autocreate: boolean;
  /** why it cannot be created; programs that refer to it are not loaded */
  error: string | null;
}

/** A declaration with only the fields that matter set. */
export const declare = (fields: Partial<MapDeclaration> & { readonly type: number }): MapDeclaration => ({
  keySize: 0,
  valueSize: 0,
  maxEntries: 0,
  flags: 0,
  mapExtra: 0n,
  keyTypeId: 0,
  valueTypeId: 0,
  inner: null,
  valuesOffset: null,
  ...fields,
});

/** Map types that take no entries at all. */
const WITHOUT_ENTRIES: readonly number[] = [
  MAP_TYPES.sk_storage,
  MAP_TYPES.task_storage,
  MAP_TYPES.inode_storage,
  MAP_TYPES.cgroup_storage,
  MAP_TYPES.cgrp_storage,
];

/** Map types that libbpf creates without BTF. Source: bpf_object__create_map. */
const WITHOUT_BTF: readonly number[] = [
  MAP_TYPES.perf_event_array,
  MAP_TYPES.cgroup_array,
  MAP_TYPES.stack_trace,
  MAP_TYPES.array_of_maps,
  MAP_TYPES.hash_of_maps,
  MAP_TYPES.devmap,
  MAP_TYPES.devmap_hash,
  MAP_TYPES.cpumap,
  MAP_TYPES.xskmap,
  MAP_TYPES.sockmap,
  MAP_TYPES.sockhash,
  MAP_TYPES.queue,
  MAP_TYPES.stack,
  MAP_TYPES.arena,
];

const OBJECT_NAME_CHARACTERS = 15;
const SHORTEST_SUFFIX = 7;

/** Name of an object as libbpf derives it from a file name. Source: bpf_object__new. */
export function objectName(file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1).slice(0, OBJECT_NAME_CHARACTERS);
  const dot = base.indexOf('.');
  return dot === -1 ? base : base.slice(0, dot);
}

/** Name of a global data map: as much of the object's name as fits, then the section's. Source: internal_map_name. */
export function dataMapName(object: string, section: string): string {
  const suffix = Math.min(Math.max(SHORTEST_SUFFIX, section.length), OBJECT_NAME_CHARACTERS);
  const prefix = section.indexOf('.', 1) !== -1 ? 0 : Math.min(OBJECT_NAME_CHARACTERS - suffix, object.length);
  return (object.slice(0, prefix) + section.slice(0, suffix)).replace(/[^A-Za-z0-9_.]/g, '_');
}

/** Maps that `.maps` declares, in the order of its DATASEC. Source: bpf_object__init_user_btf_maps. */
function declaredMaps(elf: ElfFile, section: ElfSection, btf: Btf): MapDraft[] {
  const refuse = (message: string): never => {
    throw new Malformed(message, elf.file);
  };
  const datasec = btf.findByName('.maps', 'DATASEC') ?? refuse("DATASEC '.maps' not found");
  const declarations = new Map<number, MapDeclaration>();
  return datasec.vars.map((entry, i) => {
    const variable = btf.type(entry.type);
    const { name } = variable;
    if (name === '') refuse(`map #${i}: empty name`);
    if (entry.offset + entry.size > section.size) refuse(`map '${name}' BTF data is corrupted`);
    if (variable.kind !== 'VAR') return refuse(`map '${name}': unexpected var kind ${variable.kind}`);
    if (variable.linkage !== 'global') refuse(`map '${name}': unsupported map linkage ${variable.linkage}`);
    const def = btf.skipModifiers(variable.type);
    if (def.kind !== 'STRUCT') return refuse(`map '${name}': unexpected def kind ${def.kind}`);
    if (def.size > entry.size) refuse(`map '${name}': invalid def size`);
    const declaration = declarations.get(def.id) ?? parseMapDeclaration(btf, name, def, elf.file);
    declarations.set(def.id, declaration);
    return {
      name,
      section: section.index,
      offset: entry.offset,
      extent: entry.size,
      data: null,
      sectionName: null,
      declaration,
      slots: [],
      initial: null,
      vmlinuxValueTypeId: 0,
      autocreate: true,
      error: null,
    };
  });
}

/** A global data map can be mapped by a process if one of its variables is visible outside. Source: map_is_mmapable. */
function isMmapable(btf: Btf, valueTypeId: number): boolean {
  const datasec = btf.typeOf(valueTypeId, 'DATASEC');
  return (datasec?.vars ?? []).some((entry) => {
    const variable = btf.typeOf(entry.type, 'VAR');
    return variable !== undefined && variable.linkage !== 'static';
  });
}

/** Source: bpf_object__init_internal_map. */
function dataMap(
  name: string,
  section: number,
  kind: DataKind,
  sectionName: string,
  size: number,
  bytes: Uint8Array,
  btf: Btf | null,
): MapDraft {
  const valueTypeId = btf?.findByName(sectionName, 'DATASEC')?.id ?? 0;
  const readOnly = kind === 'rodata' || kind === 'kconfig' ? MAP_FLAGS.BPF_F_RDONLY_PROG : 0;
  const mmapable = btf !== null && isMmapable(btf, valueTypeId) ? MAP_FLAGS.BPF_F_MMAPABLE : 0;
  return {
    name,
    section,
    offset: 0,
    extent: size,
    data: kind,
    sectionName,
    declaration: declare({
      type: MAP_TYPES.array,
      keySize: 4,
      valueSize: size,
      maxEntries: 1,
      flags: readOnly | mmapable,
      valueTypeId,
    }),
    slots: [],
    initial: bytes,
    vmlinuxValueTypeId: 0,
    autocreate: true,
    error: null,
  };
}

/**
 * The maps of an object in libbpf's order: declared ones, global data by section, `.kconfig`. struct_ops maps follow them.
 * Source: bpf_object__init_maps.
 */
export function collectMaps(elf: ElfFile, sections: ObjectSections, btf: Btf | null, externs: readonly Extern[]): MapDraft[] {
  const maps: MapDraft[] = [];
  if (sections.maps !== null) {
    if (btf === null) throw new Malformed('BTF is required, but is missing', elf.file);
    maps.push(...declaredMaps(elf, sections.maps, btf));
    placeArena(elf, sections.arena, maps);
  } else if (sections.arena !== null) {
    placeArena(elf, sections.arena, maps);
  }
  const object = objectName(elf.file);
  for (const [index, kind] of sections.data) {
    const section = elf.sections[index]!;
    if (section.size > 0x7fff_ffff)
      throw new Malformed(`section '${section.name}' of ${section.size} bytes is too large`, elf.file);
    const bytes = kind === 'bss' ? new Uint8Array(0) : section.data.slice();
    maps.push(dataMap(dataMapName(object, section.name), index, kind, section.name, section.size, bytes, btf));
  }
  const kconfigBytes = kconfigMapSize(externs);
  if (kconfigBytes > 0) {
    const limit = 1 << 20;
    if (kconfigBytes > limit) throw new Malformed(`.kconfig of ${kconfigBytes} bytes is too large`, elf.file);
    const bytes = new Uint8Array(kconfigBytes);
    maps.push(dataMap(dataMapName(object, '.kconfig'), elf.symbolSection, 'kconfig', '.kconfig', kconfigBytes, bytes, btf));
  }
  return maps;
}

/** Global variables in the arena's address space are the arena's first bytes. Source: init_arena_map_data. */
function placeArena(elf: ElfFile, data: ElfSection | null, maps: readonly MapDraft[]): void {
  const arenas = maps.filter((map) => map.declaration.type === MAP_TYPES.arena);
  if (arenas.length > 1)
    throw new Malformed(
      `map '${arenas[1]!.name}': only single ARENA map is supported (map '${arenas[0]!.name}' is also ARENA)`,
      elf.file,
    );
  if (data === null) return;
  const arena = arenas[0];
  if (arena === undefined)
    throw new Malformed(
      "'.addr_space.1': to use global __arena variables the ARENA map should be explicitly declared in .maps",
      elf.file,
    );
  const room = arena.declaration.maxEntries * 4096;
  if (Math.ceil(data.size / 4096) * 4096 > room)
    throw new Malformed(
      `declared ARENA map size (${room}) is too small to hold global __arena variables of size ${data.size}`,
      elf.file,
    );
  arena.initial = data.data.slice();
}

function definition(name: string, declaration: MapDeclaration, btf: Btf | null): MapDef {
  const withBtf = btf !== null && !WITHOUT_BTF.includes(declaration.type) && declaration.type !== MAP_TYPES.struct_ops;
  const key = withBtf ? declaration.keyTypeId : 0;
  const value = withBtf ? declaration.valueTypeId : 0;
  const unset = declaration.maxEntries === 0 && !WITHOUT_ENTRIES.includes(declaration.type);
  const isRingbuf = declaration.type === MAP_TYPES.ringbuf || declaration.type === MAP_TYPES.user_ringbuf;
  const smallest = isRingbuf ? ringbufBytes(1) : 1;
  return {
    name,
    type: declaration.type,
    keySize: declaration.keySize,
    valueSize: declaration.valueSize,
    maxEntries: unset ? smallest : declaration.maxEntries,
    flags: declaration.flags,
    mapExtra: declaration.mapExtra,
    btf: key !== 0 || value !== 0 ? btf : null,
    btfKeyTypeId: key,
    btfValueTypeId: value,
    btfVmlinuxValueTypeId: 0,
    inner: null,
    initial: null,
    frozen: false,
    slots: [],
    section: null,
  };
}

/**
 * The map as BPF_MAP_CREATE would be told. A map without a size gets one entry, and so does an inner one: an application sets
 * the size before it loads the object, as veristat does (fixup_obj). Source: bpf_object__create_map,
 * bpf_object__populate_internal_map.
 */
export function toMapDef(draft: MapDraft, btf: Btf | null): MapDef {
  const { declaration } = draft;
  const inner = isMapInMap(declaration.type) ? declaration.inner : null;
  return {
    ...definition(draft.name, declaration, btf),
    btfVmlinuxValueTypeId: draft.vmlinuxValueTypeId,
    inner: inner === null ? null : definition(`${draft.name}.inner`, inner, btf),
    initial: draft.initial,
    frozen: draft.data === 'rodata' || draft.data === 'kconfig',
    slots: draft.slots,
    section: draft.sectionName,
  };
}
