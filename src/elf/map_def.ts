import type { Btf } from '../btf/btf.ts';
import type { Member, StructType } from '../btf/types.ts';
import { Malformed } from '../contracts/errors.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';

export const isMapInMap = (type: number): boolean => type === MAP_TYPES.array_of_maps || type === MAP_TYPES.hash_of_maps;

/** What a map definition in `.maps` declares. Zero where it says nothing. */
export interface MapDeclaration {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: bigint;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  readonly inner: MapDeclaration | null;
  /** byte offset of the member `values` in the definition; null without one */
  readonly valuesOffset: number | null;
}

const PAGE_BYTES = 4096;

/** Ring buffers are rounded up to a power of two of pages. Source: adjust_ringbuf_sz. */
export function ringbufBytes(size: number): number {
  const pages = size / PAGE_BYTES;
  if (size === 0 || (Number.isInteger(pages) && (pages & (pages - 1)) === 0)) return size;
  for (let bytes = PAGE_BYTES; bytes <= 0x8000_0000; bytes *= 2) if (bytes > size) return bytes;
  return size;
}

/**
 * Reads the struct that defines a map: every attribute is a member whose type carries the value, an integer as the length of
 * an array that a pointer points to. Source: parse_btf_map_def, tools/lib/bpf/libbpf.c.
 */
export function parseMapDeclaration(btf: Btf, name: string, def: StructType, file: string, isInner = false): MapDeclaration {
  const refuse = (message: string): never => {
    throw new Malformed(`map '${name}': ${message}`, file);
  };
  const integer = (member: Member): number => {
    const type = btf.skipModifiers(member.type);
    if (type.kind !== 'PTR') return refuse(`attr '${member.name}': expected PTR, got ${type.kind}`);
    const array = btf.type(type.type);
    return array.kind === 'ARRAY' ? array.nelems : refuse(`attr '${member.name}': expected ARRAY, got ${array.kind}`);
  };
  const long = (member: Member): bigint => {
    const type = btf.skipModifiers(member.type);
    if (type.kind === 'PTR') return BigInt(integer(member));
    if (type.kind !== 'ENUM' && type.kind !== 'ENUM64')
      return refuse(`attr '${member.name}': expected ENUM or ENUM64, got ${type.kind}`);
    const only = type.values.length === 1 ? type.values[0] : undefined;
    return only === undefined ? refuse(`attr '${member.name}': invalid __ulong`) : BigInt.asUintN(64, BigInt(only.value));
  };

  const draft = {
    type: 0,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    mapExtra: 0n,
    keyTypeId: 0,
    valueTypeId: 0,
    inner: null as MapDeclaration | null,
    valuesOffset: null as number | null,
  };
  const setSize = (what: 'key' | 'value', size: number): void => {
    const known = what === 'key' ? draft.keySize : draft.valueSize;
    if (known !== 0 && known !== size) refuse(`conflicting ${what} size ${known} != ${size}`);
    if (what === 'key') draft.keySize = size;
    else draft.valueSize = size;
  };
  const typed = (what: 'key' | 'value', member: Member): number => {
    const type = btf.type(member.type);
    if (type.kind !== 'PTR') return refuse(`${what} spec is not PTR: ${type.kind}`);
    setSize(what, btf.sizeOf(type.type) ?? refuse(`can't determine ${what} size for type [${type.type}]`));
    return type.type;
  };

  def.members.forEach((member, i) => {
    switch (member.name) {
      case 'type':
        draft.type = integer(member);
        break;
      case 'max_entries':
        draft.maxEntries = integer(member);
        break;
      case 'map_flags':
        draft.flags = integer(member);
        break;
      case 'numa_node':
        integer(member);
        break;
      case 'key_size':
        setSize('key', integer(member));
        break;
      case 'key':
        draft.keyTypeId = typed('key', member);
        break;
      case 'value_size':
        setSize('value', integer(member));
        break;
      case 'value':
        draft.valueTypeId = typed('value', member);
        break;
      case 'map_extra':
        draft.mapExtra = long(member);
        break;
      case 'pinning':
        if (isInner) refuse("inner def can't be pinned");
        if (integer(member) > 1) refuse(`invalid pinning value ${integer(member)}`);
        break;
      case 'values':
        if (isInner) refuse('multi-level inner maps not supported');
        if (i !== def.members.length - 1) refuse("'values' member should be last");
        if (!isMapInMap(draft.type) && draft.type !== MAP_TYPES.prog_array) refuse('should be map-in-map or prog-array');
        setSize('value', 4);
        draft.inner = innerDeclaration(btf, name, member, isMapInMap(draft.type), file);
        draft.valuesOffset = member.bitOffset / 8;
        break;
      default:
        refuse(`unknown field '${member.name}'`);
    }
  });
  if (draft.type === 0) refuse("map type isn't specified");
  if (draft.type === MAP_TYPES.ringbuf || draft.type === MAP_TYPES.user_ringbuf)
    draft.maxEntries = ringbufBytes(draft.maxEntries);
  return draft;
}

/** The template of a map-in-map; null for a program array, whose slots are functions. */
function innerDeclaration(btf: Btf, name: string, member: Member, isMapInMapType: boolean, file: string): MapDeclaration | null {
  const refuse = (message: string): never => {
    throw new Malformed(`map '${name}': ${message}`, file);
  };
  const what = isMapInMapType ? 'map-in-map inner' : 'prog-array value';
  const array = btf.type(member.type);
  if (array.kind !== 'ARRAY' || array.nelems !== 0) return refuse(`${what} spec is not a zero-sized array`);
  const pointed = btf.resolvePtr(array.elem) ?? refuse(`${what} def is of unexpected kind ${btf.skipModifiers(array.elem).kind}`);
  if (!isMapInMapType)
    return pointed.kind === 'FUNC_PROTO' ? null : refuse(`prog-array value def is of unexpected kind ${pointed.kind}`);
  if (pointed.kind !== 'STRUCT') return refuse(`map-in-map inner def is of unexpected kind ${pointed.kind}`);
  return parseMapDeclaration(btf, `${name}.inner`, pointed, file, true);
}
