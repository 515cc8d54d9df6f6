import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { BTF_INT_SIGNED, type BtfType, isAnyEnum, isStruct } from '../types.ts';
import { type CoreKind, type CoreSpec, isEnumKind, isFieldKind } from './relo.ts';
import { sizeOrFail } from './spec.ts';

/** What one side of a relocation comes to. */
interface Value {
  /** Unsigned 64 bits. */
  readonly value: bigint;
  /** Bytes that a load or store of the field takes; 0: not about one. */
  readonly memSize: number;
  /** The field's type where `memSize` is given. */
  readonly typeId: number;
  /** The instruction must hold this value before it is patched. */
  readonly validate: boolean;
}

const plain = (value: number | bigint, validate = true): Value => ({
  value: BigInt.asUintN(64, BigInt(value)),
  memSize: 0,
  typeId: 0,
  validate,
});

/** Bytes of a value of this type, or of an element where it is an array. */
const elementSize = (btf: Btf, typeId: number): number => {
  let type = btf.skipModifiers(typeId);
  for (let depth = 0; type.kind === 'ARRAY'; depth++) {
    if (depth > 1000) throw new BtfError('Loop detected', { typeId });
    type = btf.skipModifiers(type.elem);
  }
  return sizeOrFail(btf, type.id);
};

const isSigned = (type: BtfType): boolean =>
  isAnyEnum(type) ? type.signed : type.kind === 'INT' && (type.encoding & BTF_INT_SIGNED) !== 0;

/** The aligned place from which a bitfield is loaded: the narrowest power of two bytes that holds it. */
const bitfieldPlace = (type: BtfType, bitOffset: number, bits: number): { offset: number; size: number } => {
  let size = 'size' in type ? type.size : 0;
  if (size === 0) throw new BtfError('bitfield of a type without size', { typeId: type.id });
  for (;;) {
    const offset = Math.floor(Math.floor(bitOffset / 8) / size) * size;
    if (bitOffset + bits - offset * 8 <= size * 8) return { offset, size };
    if (size >= 8) throw new BtfError("can't be satisfied for bitfield", { errno: 'E2BIG' });
    size *= 2;
  }
};

/** Source: bpf_core_calc_field_relo. */
const fieldValue = (kind: CoreKind, spec: CoreSpec): Value => {
  const { btf, bitOffset } = spec;
  const last = spec.path.at(-1)!;
  if (last.name === undefined) {
    if (kind === 'FIELD_BYTE_SIZE') return plain(sizeOrFail(btf, last.typeId));
    if (kind !== 'FIELD_BYTE_OFFSET') throw new BtfError("can't be applied to array access");
    const value = BigInt(Math.floor(bitOffset / 8));
    return { value, memSize: elementSize(btf, last.typeId), typeId: last.typeId, validate: true };
  }
  const holder = btf.type(last.typeId);
  const member = isStruct(holder) ? holder.members[last.index]! : undefined;
  if (member === undefined) throw new BtfError('no such member', { typeId: last.typeId });
  const type = btf.skipModifiers(member.type);
  const bitfield = member.bitfieldSize > 0;
  const place = bitfield
    ? bitfieldPlace(type, bitOffset, member.bitfieldSize)
    : { offset: Math.floor(bitOffset / 8), size: sizeOrFail(btf, type.id) };
  const bits = bitfield ? member.bitfieldSize : place.size * 8;
  switch (kind) {
    case 'FIELD_BYTE_OFFSET':
      if (bitfield) return plain(place.offset, false);
      return { value: BigInt(place.offset), memSize: elementSize(btf, type.id), typeId: type.id, validate: true };
    case 'FIELD_BYTE_SIZE':
      return plain(place.size, !bitfield);
    case 'FIELD_SIGNED':
      return plain(isSigned(type) ? 1 : 0);
    case 'FIELD_LSHIFT_U64':
      return plain((64 - (bitOffset + bits - place.offset * 8)) >>> 0, !bitfield);
    case 'FIELD_RSHIFT_U64':
      return plain((64 - bits) >>> 0);
    default:
      throw new BtfError(`unrecognized CO-RE relocation ${kind}`);
  }
};

/** Source: bpf_core_calc_type_relo. */
const typeValue = (kind: CoreKind, spec: CoreSpec): Value => {
  switch (kind) {
    case 'TYPE_ID_TARGET':
      return plain(spec.rootTypeId, false);
    case 'TYPE_EXISTS':
    case 'TYPE_MATCHES':
      return plain(1);
    case 'TYPE_SIZE':
      return plain(sizeOrFail(spec.btf, spec.rootTypeId));
    default:
      throw new BtfError(`unrecognized CO-RE relocation ${kind}`);
  }
};

/** Source: bpf_core_calc_enumval_relo. */
const enumValue = (spec: CoreSpec): Value => {
  const { typeId, index } = spec.path[0]!;
  const type = spec.btf.type(typeId);
  if (type.kind === 'ENUM') return plain(type.values[index]!.value | 0);
  if (type.kind === 'ENUM64') return plain(type.values[index]!.value);
  throw new BtfError('no enum', { typeId });
};

/** The value of one side, or undefined where the kind has none without a match: the instruction is poisoned. */
const sideOf = (kind: CoreKind, spec: CoreSpec | undefined): Value | undefined => {
  if (kind === 'FIELD_EXISTS' || kind === 'ENUMVAL_EXISTS') return plain(spec === undefined ? 0 : 1);
  if (isFieldKind(kind)) return spec === undefined ? undefined : fieldValue(kind, spec);
  if (isEnumKind(kind)) return spec === undefined ? undefined : enumValue(spec);
  return spec === undefined ? plain(0) : typeValue(kind, spec);
};

/** What is to become of the relocated instruction. Source: struct bpf_core_relo_res. */
export type CoreResult =
  | { readonly poison: true; readonly newValue: 0n }
  | {
      readonly poison: false;
      readonly origValue: bigint;
      readonly newValue: bigint;
      readonly validate: boolean;
      /** Bytes of the access in the object and in the target; 0: not about one. */
      readonly origSize: number;
      readonly newSize: number;
      /** The sizes differ and the value would be read wrongly: a load or store is poisoned. */
      readonly badSize: boolean;
    };

/** A pointer, or an unsigned integer, may be loaded with the target's size instead. */
const mayResize = (local: BtfType, target: BtfType): boolean =>
  (local.kind === 'PTR' && target.kind === 'PTR') ||
  (local.kind === 'INT' && target.kind === 'INT' && local.encoding !== BTF_INT_SIGNED && target.encoding !== BTF_INT_SIGNED);

/** Source: bpf_core_calc_relo, tools/lib/bpf/relo_core.c. */
export const calculate = (local: CoreSpec, target: CoreSpec | undefined): CoreResult => {
  const { kind } = local;
  const orig = sideOf(kind, local);
  const next = sideOf(kind, target);
  if (orig === undefined || next === undefined) return { poison: true, newValue: 0n };
  const badSize =
    orig.memSize !== next.memSize &&
    target !== undefined &&
    !mayResize(local.btf.type(orig.typeId), target.btf.type(next.typeId));
  return {
    poison: false,
    origValue: orig.value,
    newValue: next.value,
    validate: orig.validate,
    origSize: orig.memSize,
    newSize: next.memSize,
    badSize,
  };
};
