import type { Btf } from './btf.ts';
import { isStruct, type Member, type StructType } from './types.ts';

/** Where a path ends within a struct. */
export interface Place {
  /** bytes from the start of the struct */
  readonly offset: number;
  /** bytes */
  readonly size: number;
  /** bitfields: bits above the first bit of `offset`, and their number; 0 bits for a field of whole bytes */
  readonly shift: number;
  readonly bits: number;
}

/** Structs within anonymous structs, deeper than any compiler writes them. */
const DEEPEST = 16;

/** A member by name, also within anonymous structs and unions; `base` is the bit at which the struct starts. */
export function findMember(btf: Btf, struct: StructType, name: string, depth = 0): { member: Member; base: number } | null {
  for (const member of struct.members) if (member.name === name) return { member, base: 0 };
  if (depth > DEEPEST) return null;
  for (const member of struct.members) {
    const inner = member.name === '' ? btf.skipModifiers(member.type) : null;
    if (inner === null || !isStruct(inner)) continue;
    const found = findMember(btf, inner, name, depth + 1);
    if (found !== null) return { member: found.member, base: found.base + member.bitOffset };
  }
  return null;
}

/** Follows a path such as `f_path.dentry`, `comm` or `bvec[2].bv_page`. Null when the BTF has no such field. */
export function placeOf(btf: Btf, struct: StructType, path: string): Place | null {
  let type = struct as StructType | null;
  let at = 0;
  let place: Place | null = null;
  for (const step of path.split('.')) {
    const [, name, index] = /^(\w+)(?:\[(\d+)\])?$/.exec(step) ?? [];
    const found = type === null || name === undefined ? null : findMember(btf, type, name);
    if (found === null) return null;
    const { member } = found;
    at += found.base + member.bitOffset;
    let target = member.type;
    if (index !== undefined) {
      const array = btf.skipModifiers(target);
      if (array.kind !== 'ARRAY') return null;
      target = array.elem;
      at += Number(index) * (btf.sizeOf(target) ?? 0) * 8;
    }
    const size = btf.sizeOf(target) ?? 0;
    const bits = index === undefined ? member.bitfieldSize : 0;
    if (bits > 0) {
      const storage = Math.floor(at / (8 * size)) * size;
      place = { offset: storage, size, shift: at - 8 * storage, bits };
    } else {
      place = { offset: at / 8, size, shift: 0, bits: 0 };
    }
    const inner = btf.skipModifiers(target);
    type = isStruct(inner) ? inner : null;
  }
  return place;
}
