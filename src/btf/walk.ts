import type { Btf } from './btf.ts';
import { type BtfErrno, BtfError } from './error.ts';
import { type FieldRecord, fieldTypeName } from './special.ts';
import { type BtfType, isModifier, isStruct, type Member, printedName, type StructType } from './types.ts';

/** The kernel's answer to an access it refuses: error number and log line without its newline. */
export interface WalkError {
  readonly kind: 'error';
  readonly errno: BtfErrno;
  readonly message: string;
}

/** What the type tag on a pointer member says about the memory behind it. */
export type PointeeTag = 'user' | 'percpu' | 'rcu';

/** Where a walk to `off` ends. Source: enum bpf_struct_walk_result. */
export type Walk =
  | WalkError
  | { readonly kind: 'scalar' }
  /** A pointer member to a struct. */
  | {
      readonly kind: 'ptr';
      readonly typeId: number;
      readonly tag: PointeeTag | undefined;
      readonly fieldName: string;
      readonly untrusted: boolean;
    }
  /** A pointer member to something else. */
  | { readonly kind: 'ptr_untrusted' }
  /** A struct begins exactly here. */
  | { readonly kind: 'struct'; readonly typeId: number; readonly untrusted: boolean };

/** A member with what the walk needs of its type, computed once per struct. Source: __btf_resolve_size. */
interface Shape {
  readonly member: Member;
  readonly byteOff: number;
  /** Bytes; undefined for a type without size. */
  readonly size: number | undefined;
  /** The member's type, or the element's for an array. */
  readonly type: BtfType;
  /** The id the kernel hands on for a struct that starts at the member or element. */
  readonly typeId: number;
  /** Elements over all dimensions; undefined for no array. */
  readonly nelems: number | undefined;
}

const MAX_RESOLVE_DEPTH = 32;

const shapeOf = (btf: Btf, member: Member): Shape => {
  const byteOff = Math.floor(member.bitOffset / 8);
  const size = btf.sizeOf(member.type);
  let type = btf.type(member.type);
  let nelems: number | undefined;
  let typeId = member.type;
  let elemId = 0;
  for (let depth = 0; depth < MAX_RESOLVE_DEPTH; depth++) {
    if (isModifier(type)) {
      typeId = type.type;
      type = btf.type(type.type);
    } else if (type.kind === 'ARRAY') {
      nelems = (nelems ?? 1) * type.nelems;
      elemId = type.elem;
      type = btf.type(type.elem);
    } else {
      break;
    }
  }
  return { member, byteOff, size, type, typeId: nelems === undefined ? typeId : elemId, nelems };
};

const shapes = new WeakMap<StructType, readonly Shape[]>();

const shapesOf = (btf: Btf, struct: StructType): readonly Shape[] => {
  const known = shapes.get(struct);
  if (known !== undefined) return known;
  const computed = struct.members.map((member) => shapeOf(btf, member));
  shapes.set(struct, computed);
  return computed;
};

const refuse = (errno: BtfErrno, message: string): WalkError => ({ kind: 'error', errno, message });

const unsigned = (value: number): number => value >>> 0;

const tagOf = (type: BtfType): PointeeTag | undefined =>
  type.kind === 'TYPE_TAG' && !type.kindFlag && (type.name === 'user' || type.name === 'percpu' || type.name === 'rcu')
    ? type.name
    : undefined;

/** Further struct types in one walk than any compiler nests: the type graph has a loop. */
const WALK_LIMIT = 10_000;

/**
 * What lies at `off`, `size` bytes wide, in a struct. `untrusted` on entry says that a union with several members was crossed
 * before; then an access may leave its member. Source: btf_struct_walk, kernel/bpf/btf.c.
 */
export const structWalk = (btf: Btf, typeId: number, off: number, size: number, untrusted = false): Walk => {
  let type = btf.skipModifiers(typeId);
  let at = off;
  let mixed = untrusted;
  for (let steps = 0; ; steps++) {
    if (steps > WALK_LIMIT) throw new BtfError('Loop detected', { typeId });
    const name = printedName(type.name);
    if (!isStruct(type)) return refuse('EINVAL', `Type '${name}' is not a struct`);
    if (type.kind === 'UNION' && type.members.length !== 1) mixed = true;

    if (unsigned(at + size) > type.size) {
      const beyond = (): WalkError =>
        refuse('EACCES', `access beyond struct ${name} at off ${unsigned(at)} size ${unsigned(size)}`);
      const last = type.members.at(-1);
      const array = last === undefined ? undefined : btf.skipModifiers(last.type);
      if (last === undefined || array?.kind !== 'ARRAY' || array.nelems !== 0) return beyond();
      const lastOff = Math.floor(last.bitOffset / 8);
      if (unsigned(at) < lastOff) return beyond();
      const elem = btf.skipModifiers(array.elem);
      if (elem.kind === 'INT') return { kind: 'scalar' };
      if (!isStruct(elem) || elem.size === 0) return beyond();
      at = unsigned(at - lastOff) % elem.size;
      type = elem;
      continue;
    }

    const next = inside(btf, type, at, size, mixed);
    if (next.kind !== 'enter') return next;
    type = next.type;
    at = next.off;
  }
};

/** One struct's part of the walk: the answer, or the nested struct in which to go on. */
const inside = (
  btf: Btf,
  struct: StructType,
  off: number,
  size: number,
  untrusted: boolean,
): Walk | { readonly kind: 'enter'; readonly type: StructType; readonly off: number } => {
  const name = printedName(struct.name);
  const from = unsigned(off);
  for (const shape of shapesOf(btf, struct)) {
    const { member, byteOff } = shape;
    if (off + size <= byteOff) break;
    if (member.bitfieldSize > 0) {
      const endBit = member.bitOffset + member.bitfieldSize;
      if (from <= byteOff && Math.ceil(endBit / 8) <= off + size) return { kind: 'scalar' };
      continue;
    }
    if (from < byteOff) break;
    const memberName = printedName(member.name);
    if (shape.size === undefined) return refuse('EFAULT', `field ${memberName} doesn't have size`);
    const end = byteOff + shape.size;
    if (from >= end) continue;

    let start = byteOff;
    let width = shape.size;
    if (shape.nelems !== undefined) {
      width /= shape.nelems;
      start += Math.floor((off - byteOff) / width) * width;
    }
    if (isStruct(shape.type)) {
      if (off === start) return { kind: 'struct', typeId: shape.typeId, untrusted };
      return { kind: 'enter', type: shape.type, off: off - start };
    }
    if (shape.type.kind === 'PTR') {
      if (width !== size || off !== start) {
        return refuse(
          'EACCES',
          `cannot access ptr member ${memberName} with moff ${start} in struct ${name} with off ${off} size ${size}`,
        );
      }
      const target = btf.skipModifiers(shape.type.type);
      if (!isStruct(target)) return { kind: 'ptr_untrusted' };
      return { kind: 'ptr', typeId: target.id, tag: tagOf(btf.type(shape.type.type)), fieldName: memberName, untrusted };
    }
    if (off + size > end && !untrusted) {
      return refuse(
        'EACCES',
        `access beyond the end of member ${memberName} (mend:${end}) in struct ${name} with off ${off} size ${size}`,
      );
    }
    return { kind: 'scalar' };
  }
  return refuse('EINVAL', `struct ${name} doesn't have field at offset ${off}`);
};

/** What a load from, or store to, a struct gives. */
export type StructAccess =
  | WalkError
  | { readonly kind: 'scalar' }
  /** PTR_TO_BTF_ID with the flags that the tag and `untrusted` (PTR_UNTRUSTED) name. */
  | {
      readonly kind: 'btf_ptr';
      readonly typeId: number;
      readonly tag: PointeeTag | undefined;
      readonly untrusted: boolean;
      readonly fieldName: string;
    }
  /** PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED: a pointer to something that is no struct. */
  | { readonly kind: 'untrusted_mem' };

/**
 * Access to `size` bytes at `off` of a struct. `local`: the struct was allocated by a program and `record` holds its special
 * fields, which cannot be touched; its pointers load as scalars. Source: btf_struct_access, kernel/bpf/btf.c.
 */
export const structAccess = (
  btf: Btf,
  typeId: number,
  off: number,
  size: number,
  local?: { readonly record: FieldRecord | undefined },
): StructAccess => {
  for (const field of local?.record?.fields ?? []) {
    if (unsigned(off) < field.offset + field.size && field.offset < unsigned(off + size))
      return refuse('EACCES', `direct access to ${fieldTypeName(field.type)} is disallowed`);
  }
  let walk = structWalk(btf, typeId, off, size);
  while (walk.kind === 'struct') walk = structWalk(btf, walk.typeId, 0, size, walk.untrusted);
  switch (walk.kind) {
    case 'error':
    case 'scalar':
      return walk;
    case 'ptr': {
      if (local !== undefined) return { kind: 'scalar' };
      const { typeId: target, tag, untrusted, fieldName } = walk;
      return { kind: 'btf_ptr', typeId: target, tag, untrusted, fieldName };
    }
    case 'ptr_untrusted':
      return { kind: 'untrusted_mem' };
    default: {
      const never: never = walk;
      return never;
    }
  }
};

/** Whether two ids mean the same type; ids of two blobs do when they share the base that holds it. Source: btf_types_are_same. */
export const typesAreSame = (btf1: Btf, id1: number, btf2: Btf, id2: number): boolean =>
  id1 === id2 && (btf1 === btf2 || btf1.typeOrUndefined(id1) === btf2.typeOrUndefined(id2));

/**
 * Whether at `off` of one struct there begins the other, directly or as first member of what begins there. A walk that fails
 * leaves its line in the kernel's log even so: `message`. Source: btf_struct_ids_match, kernel/bpf/btf.c.
 */
export const structIdsMatch = (
  btf: Btf,
  typeId: number,
  off: number,
  needBtf: Btf,
  needTypeId: number,
  strict: boolean,
): { readonly match: boolean; readonly message?: string } => {
  if (off === 0 && typesAreSame(btf, typeId, needBtf, needTypeId)) return { match: true };
  if (strict || btf.typeOrUndefined(typeId) === undefined) return { match: false };
  let walk = structWalk(btf, typeId, off, 1);
  while (walk.kind === 'struct') {
    if (typesAreSame(btf, walk.typeId, needBtf, needTypeId)) return { match: true };
    walk = structWalk(btf, walk.typeId, 0, 1, walk.untrusted);
  }
  return walk.kind === 'error' ? { match: false, message: walk.message } : { match: false };
};

/**
 * Whether the struct `NAME + suffix` lists this field with this pointee: the kernel's way to write down which members of a
 * struct give trusted pointers. Source: btf_nested_type_is_trusted, kernel/bpf/btf.c.
 */
export const nestedTypeIsTrusted = (btf: Btf, typeId: number, fieldName: string, pointeeId: number, suffix: string): boolean => {
  const type = btf.typeOrUndefined(typeId);
  if (type === undefined || !isStruct(type)) return false;
  const safeName = type.name + suffix;
  const safe = safeName.length < 64 ? btf.findByName(safeName, type.kind) : undefined;
  return (
    safe?.members.some((member) => {
      const memberType = btf.type(member.type);
      return (
        memberType.kind === 'PTR' && printedName(member.name) === fieldName && btf.skipModifiers(memberType.type).id === pointeeId
      );
    }) ?? false
  );
};

const NOCAST_ALIAS_SUFFIX = '___init';

/** Whether exactly one of two names is the other with `___init` behind it. Source: btf_type_ids_nocast_alias. */
export const isNocastAlias = (btf1: Btf, id1: number, btf2: Btf, id2: number): boolean => {
  const a = btf1.typeOrUndefined(id1)?.name;
  const b = btf2.typeOrUndefined(id2)?.name;
  if (a === undefined || b === undefined) return false;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long === short + NOCAST_ALIAS_SUFFIX && long.indexOf(NOCAST_ALIAS_SUFFIX) === short.length;
};
