import type { Btf } from '../btf/btf.ts';
import { essentialName } from '../btf/names.ts';
import type { Member, StructType } from '../btf/types.ts';
import { Malformed } from '../contracts/errors.ts';
import { MAP_FLAGS, MAP_TYPES } from '../contracts/uapi_numbers.ts';
import type { MapSlot } from '../program/program.ts';
import { type ElfFile, type ElfSection, readRelocations, SHN_LORESERVE } from './elf_file.ts';
import type { FunctionTable, ObjectFunction } from './functions.ts';
import { declare, type MapDraft } from './maps.ts';

/** What a struct_ops program implements. */
export interface StructOpsMember {
  /** the struct in the kernel, such as `tcp_congestion_ops` */
  readonly typeName: string;
  /** its id in the kernel's BTF */
  readonly typeId: number;
  /** index of the member, which BPF_PROG_LOAD takes as expected_attach_type */
  readonly member: number;
}

export interface StructOps {
  readonly maps: readonly MapDraft[];
  /** what each referenced program implements, or why its map cannot be created */
  readonly members: ReadonlyMap<ObjectFunction, StructOpsMember | string>;
}

/** A struct_ops variable as the object declares it. */
interface Declared {
  readonly name: string;
  readonly section: ElfSection;
  readonly offset: number;
  readonly type: StructType;
  readonly bytes: Uint8Array;
  /** programs by member */
  readonly programs: Map<number, ObjectFunction>;
}

const VALUE_PREFIX = 'bpf_struct_ops_';

/** The variables of one section may have as many members together; no real struct comes near. */
const MEMBER_LIMIT = 1 << 20;

/** Source: init_struct_ops_maps. */
function declaredIn(section: ElfSection, btf: Btf, file: string): Declared[] {
  const refuse = (message: string): never => {
    throw new Malformed(`struct_ops init: ${message}`, file);
  };
  const datasec = btf.findByName(section.name, 'DATASEC') ?? refuse(`DATASEC ${section.name} not found`);
  let members = 0;
  return datasec.vars.map((entry) => {
    const variable = btf.type(entry.type);
    const type = btf.skipModifiers(variable.kind === 'VAR' ? variable.type : entry.type);
    if (type.name === '') return refuse('anonymous type is not supported');
    if (type.kind !== 'STRUCT') return refuse(`${type.name} is not a struct`);
    members += type.members.length;
    if (members > MEMBER_LIMIT) return refuse(`more than ${MEMBER_LIMIT} members in ${section.name}`);
    if (entry.offset + type.size > section.data.length)
      refuse(`var ${variable.name} is beyond the end of DATASEC ${section.name}`);
    const bytes = section.data.subarray(entry.offset, entry.offset + type.size);
    return { name: variable.name, section, offset: entry.offset, type, bytes, programs: new Map() };
  });
}

/** Source: bpf_object__collect_st_ops_relos. */
function relocate(
  section: ElfSection,
  target: ElfSection,
  declared: readonly Declared[],
  btf: Btf,
  elf: ElfFile,
  functions: FunctionTable,
): void {
  const refuse = (message: string): never => {
    throw new Malformed(`struct_ops reloc: ${message}`, elf.file);
  };
  /** every pointer of every variable, by its offset in the section */
  const places = new Map<number, { readonly map: Declared; readonly member: number }>();
  for (const map of declared) {
    if (map.section !== target) continue;
    map.type.members.forEach(({ bitOffset }, member) => {
      const at = map.offset + bitOffset / 8;
      if (!places.has(at)) places.set(at, { map, member });
    });
  }
  for (const relocation of readRelocations(section, elf.file)) {
    const symbol = elf.symbols[relocation.symbol] ?? refuse(`symbol ${relocation.symbol} not found`);
    const place = places.get(relocation.offset) ?? refuse(`cannot find member at rel->r_offset ${relocation.offset}`);
    const { map, member } = place;
    const { name, type } = map.type.members[member]!;
    if (symbol.section >= SHN_LORESERVE) refuse(`${map.name}: unsupported non-static function`);
    if (btf.resolvePtr(type)?.kind !== 'FUNC_PROTO') refuse(`${map.name}: cannot relocate non func ptr ${name}`);
    const fn =
      functions.at(symbol.section, symbol.value / 8) ?? refuse(`${map.name}: cannot find prog to relocate func ptr ${name}`);
    map.programs.set(member, fn);
  }
}

/** The kernel's side of a struct_ops type. */
interface KernelTypes {
  readonly type: StructType;
  readonly value: StructType;
  /** where the struct lies in the value, in bytes */
  readonly dataOffset: number;
}

/** Source: find_struct_ops_kern_types. */
function kernelTypes(kernel: Btf, localName: string): KernelTypes | string {
  const name = essentialName(localName);
  const value = kernel.findByName(VALUE_PREFIX + name, 'STRUCT');
  if (value === undefined) return `struct_ops init_kern: struct ${VALUE_PREFIX}${name} is not found in kernel BTF`;
  const type = kernel.findByName(name, 'STRUCT');
  if (type === undefined) return `struct_ops init_kern: struct ${name} is not found in kernel BTF`;
  const data = value.members.find((member) => member.type === type.id);
  if (data === undefined) return `struct_ops init_kern: struct ${name} data is not found in struct ${VALUE_PREFIX}${name}`;
  return { type, value, dataOffset: data.bitOffset / 8 };
}

/** The value that the kernel gets, the programs in it, and what keeps it from being created. */
interface KernelValue {
  readonly bytes: Uint8Array;
  readonly slots: MapSlot[];
  readonly members: ReadonlyMap<ObjectFunction, StructOpsMember>;
  readonly error: string | null;
}

/** Source: bpf_map__init_kern_struct_ops. */
function kernelValue(map: Declared, types: KernelTypes, btf: Btf, kernel: Btf): KernelValue {
  const bytes = new Uint8Array(types.value.size);
  const slots: MapSlot[] = [];
  const members = new Map<ObjectFunction, StructOpsMember>();
  let error: string | null = null;
  const fail = (message: string): void => {
    error ??= `struct_ops init_kern ${map.name}: ${message}`;
  };
  const indexByName = new Map(types.type.members.map((member, i) => [member.name, i]));
  for (const [i, member] of map.type.members.entries()) {
    const { name } = member;
    const size = btf.sizeOf(member.type);
    if (size === undefined) {
      fail(`failed to resolve the size of member ${name}`);
      continue;
    }
    const from = Math.floor(member.bitOffset / 8);
    const content = map.bytes.subarray(from, from + size);
    const index = indexByName.get(name);
    const fn = map.programs.get(i);
    if (index === undefined) {
      if (content.some((byte) => byte !== 0) || fn !== undefined) fail(`Cannot find member ${name} in kernel BTF`);
      continue;
    }
    const there = types.type.members[index]!;
    const problem = memberProblem(btf, member, kernel, there, size);
    if (problem !== null) {
      fail(problem);
    } else if (btf.skipModifiers(member.type).kind !== 'PTR') {
      bytes.set(content, types.dataOffset + Math.floor(there.bitOffset / 8));
    } else if (fn !== undefined) {
      const known = members.get(fn);
      if (kernel.resolvePtr(there.type)?.kind !== 'FUNC_PROTO') fail(`kernel member ${name} is not a func ptr`);
      else if (known !== undefined && known.member !== index) fail(`func ptr ${name}: invalid reuse of prog ${fn.name}`);
      slots.push({ index, name: fn.name, kind: 'program' });
      members.set(fn, { typeName: types.type.name, typeId: types.type.id, member: index });
    }
  }
  return { bytes, slots: slots.sort((a, b) => a.index - b.index), members, error };
}

function memberProblem(btf: Btf, local: Member, kernel: Btf, there: Member, size: number): string | null {
  if (local.bitfieldSize !== 0 || there.bitfieldSize !== 0) return `bitfield ${local.name} is not supported`;
  const localType = btf.skipModifiers(local.type);
  const kernelType = kernel.skipModifiers(there.type);
  if (localType.kind !== kernelType.kind)
    return `Unmatched member type ${local.name} ${localType.kind} != ${kernelType.kind}(kernel)`;
  if (localType.kind === 'PTR') return null;
  const kernelSize = kernel.sizeOf(there.type);
  return kernelSize === size ? null : `Error in size of member ${local.name}: ${size} != ${kernelSize ?? -22}(kernel)`;
}

/**
 * The struct_ops maps of an object and the members that its programs implement. A map that the kernel would not take spoils the
 * programs it names, no others. `slots` of the maps are indexes of members of the kernel's struct.
 */
export function collectStructOps(
  elf: ElfFile,
  sections: ReadonlySet<number>,
  relocations: readonly ElfSection[],
  btf: Btf | null,
  kernel: Btf,
  functions: FunctionTable,
): StructOps {
  const members = new Map<ObjectFunction, StructOpsMember | string>();
  if (sections.size === 0) return { maps: [], members };
  if (btf === null) throw new Malformed('BTF is required, but is missing', elf.file);
  const declared = [...sections].flatMap((index) => declaredIn(elf.sections[index]!, btf, elf.file));
  for (const section of relocations) {
    if (sections.has(section.info)) relocate(section, elf.sections[section.info]!, declared, btf, elf, functions);
  }
  const maps = declared.map((map): MapDraft => {
    const types = kernelTypes(kernel, map.type.name);
    const value: KernelValue =
      typeof types === 'string'
        ? { bytes: map.bytes, slots: [], members: new Map(), error: types }
        : kernelValue(map, types, btf, kernel);
    const error = value.error ?? reuseProblem(map.name, value.members, members);
    for (const fn of map.programs.values()) {
      const member = error ?? value.members.get(fn) ?? null;
      if (member !== null && typeof (members.get(fn) ?? '') === 'string') members.set(fn, member);
    }
    const isOptional = map.section.name.startsWith('?');
    return {
      name: map.name,
      section: map.section.index,
      offset: map.offset,
      extent: map.type.size,
      data: null,
      sectionName: map.section.name,
      declaration: declare({
        type: MAP_TYPES.struct_ops,
        keySize: 4,
        valueSize: value.bytes.length,
        maxEntries: 1,
        flags: map.section.name.endsWith('.link') ? MAP_FLAGS.BPF_F_LINK : 0,
      }),
      slots: value.slots,
      initial: value.bytes,
      vmlinuxValueTypeId: typeof types === 'string' ? 0 : types.value.id,
      autocreate: !isOptional,
      error,
    };
  });
  return { maps, members };
}

/** A program can stand in several maps if it is the same member of the same struct everywhere. */
function reuseProblem(
  map: string,
  members: ReadonlyMap<ObjectFunction, StructOpsMember>,
  known: ReadonlyMap<ObjectFunction, StructOpsMember | string>,
): string | null {
  for (const [fn, { typeId, member }] of members) {
    const before = known.get(fn);
    if (before === undefined || typeof before === 'string') continue;
    if (before.typeId !== typeId || before.member !== member)
      return `struct_ops init_kern ${map}: invalid reuse of prog ${fn.name}`;
  }
  return null;
}
