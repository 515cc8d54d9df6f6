import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { type ArrayType, isAnyEnum, isStruct, kindWord } from '../types.ts';
import {
  type Accessor,
  CORE_KIND_WORDS,
  type CoreRelo,
  type CoreSpec,
  isEnumKind,
  isFieldKind,
  isTypeKind,
  SPEC_MAX_LEN,
} from './relo.ts';

/** An array that ends its struct and has no length: any index is inside. Source: is_flex_arr. */
export const isFlexArray = (btf: Btf, holder: Accessor | undefined, array: ArrayType): boolean => {
  if (holder?.name === undefined || array.nelems > 0) return false;
  const type = btf.type(holder.typeId);
  return isStruct(type) && holder.index === type.members.length - 1;
};

/** The size of a type, or an error: CO-RE computes offsets with it. */
export const sizeOrFail = (btf: Btf, typeId: number): number => {
  const size = btf.sizeOf(typeId);
  if (size === undefined) throw new BtfError('type without size', { typeId });
  return size;
};

/** The numbers of `0:1:2`. */
const parseAccess = (access: string): number[] => {
  if (!/^[ \t]*[+-]?\d+(:[+-]?\d+)*$/.test(access)) throw new BtfError('malformed access string');
  const raw = access.split(':').map(Number);
  if (raw.some((index) => index < 0 || index > 0x7fffffff)) throw new BtfError('malformed access string');
  if (raw.length > SPEC_MAX_LEN) throw new BtfError('access string too long', { errno: 'E2BIG' });
  return raw;
};

/**
 * The way that a relocation describes, in the object's own types. Source: bpf_core_parse_spec, tools/lib/bpf/relo_core.c.
 */
export const parseSpec = (btf: Btf, relo: CoreRelo): CoreSpec => {
  const spec: CoreSpec = { btf, rootTypeId: relo.typeId, kind: relo.kind, path: [], raw: [], bitOffset: 0 };
  if (isTypeKind(relo.kind)) {
    if (relo.access !== '0') throw new BtfError('malformed access string');
    return spec;
  }
  spec.raw.push(...parseAccess(relo.access));
  const [first, ...rest] = spec.raw as [number, ...number[]];
  const root = btf.skipModifiers(relo.typeId);
  if (isEnumKind(relo.kind)) {
    const value = isAnyEnum(root) && rest.length === 0 ? root.values[first] : undefined;
    if (value === undefined) throw new BtfError('no such enumerator', { typeId: relo.typeId });
    spec.path.push({ typeId: root.id, index: first, name: value.name });
    return spec;
  }
  spec.path.push({ typeId: root.id, index: first, name: undefined });
  spec.bitOffset = Math.imul(first * 8, sizeOrFail(btf, root.id)) >>> 0;

  let type = root;
  for (const index of rest) {
    type = btf.skipModifiers(type.id);
    if (isStruct(type)) {
      const member = type.members[index];
      if (member === undefined) throw new BtfError('no such member', { typeId: type.id });
      spec.bitOffset += member.bitOffset;
      if (member.name !== '') spec.path.push({ typeId: type.id, index, name: member.name });
      type = btf.type(member.type);
    } else if (type.kind === 'ARRAY') {
      if (index >= type.nelems && !isFlexArray(btf, spec.path.at(-1), type))
        throw new BtfError('no such element', { typeId: type.id });
      type = btf.skipModifiers(type.elem);
      spec.path.push({ typeId: type.id, index, name: undefined });
      spec.bitOffset = (spec.bitOffset + Math.imul(index * 8, sizeOrFail(btf, type.id))) >>> 0;
    } else {
      throw new BtfError(`captures type [${type.id}] of unexpected kind ${kindWord(type.kind)}`, { typeId: relo.typeId });
    }
  }
  return spec;
};

/**
 * A spec as libbpf prints it: `<byte_off> [5] struct foo.a.b[2] (0:1:0:2 @ offset 24)`.
 * Source: bpf_core_format_spec, tools/lib/bpf/relo_core.c.
 */
export const formatSpec = (spec: CoreSpec): string => {
  const type = spec.btf.type(spec.rootTypeId);
  const head = `<${CORE_KIND_WORDS[spec.kind]}> [${type.id}] ${libbpfKind(type.kind)} ${type.name === '' ? '<anon>' : type.name}`;
  if (isEnumKind(spec.kind)) {
    const enumType = spec.btf.skipModifiers(spec.rootTypeId);
    const value = isAnyEnum(enumType) ? enumType.values[spec.raw[0] ?? 0] : undefined;
    return value === undefined ? head : `${head}::${value.name} = ${value.value}`;
  }
  if (!isFieldKind(spec.kind)) return head;
  const path = spec.path.map(({ name, index }, i) => (name !== undefined ? `.${name}` : i > 0 || index > 0 ? `[${index}]` : ''));
  const bytes = Math.floor(spec.bitOffset / 8);
  const offset = spec.bitOffset % 8 === 0 ? `${bytes}` : `${bytes}.${spec.bitOffset % 8}`;
  return `${head}${path.join('')} (${spec.raw.join(':')} @ offset ${offset})`;
};

/** libbpf's words for kinds. Source: btf_kind_str, tools/lib/bpf/btf.c. */
export const libbpfKind = (kind: string): string => (kind === 'VOID' ? 'void' : kind.toLowerCase());
