/**
 * The kinds by number: the index is `BTF_INFO_KIND`. Number 0 is only ever type 0, `void`.
 * Source: include/uapi/linux/btf.h.
 */
export const BTF_KINDS = [
  'VOID',
  'INT',
  'PTR',
  'ARRAY',
  'STRUCT',
  'UNION',
  'ENUM',
  'FWD',
  'TYPEDEF',
  'VOLATILE',
  'CONST',
  'RESTRICT',
  'FUNC',
  'FUNC_PROTO',
  'VAR',
  'DATASEC',
  'FLOAT',
  'DECL_TAG',
  'TYPE_TAG',
  'ENUM64',
] as const;

export type BtfKind = (typeof BTF_KINDS)[number];

/** Bits of `IntType.encoding`. */
export const BTF_INT_SIGNED = 1;
export const BTF_INT_CHAR = 2;
export const BTF_INT_BOOL = 4;

/** Linkage of functions and variables, by number. */
export const BTF_LINKAGES = ['static', 'global', 'extern'] as const;
export type BtfLinkage = (typeof BTF_LINKAGES)[number];

export interface VoidType {
  readonly kind: 'VOID';
  readonly id: number;
  readonly name: '';
}

export interface IntType {
  readonly kind: 'INT';
  readonly id: number;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Value bits; differs from `8 * size` in old bitfield encodings only. */
  readonly bits: number;
  /** First value bit. */
  readonly offset: number;
  /** `BTF_INT_*` bits. */
  readonly encoding: number;
}

export interface PtrType {
  readonly kind: 'PTR';
  readonly id: number;
  readonly name: string;
  readonly type: number;
}

export interface ArrayType {
  readonly kind: 'ARRAY';
  readonly id: number;
  readonly name: string;
  readonly elem: number;
  readonly index: number;
  readonly nelems: number;
}

export interface Member {
  /** Empty for an anonymous struct or union inside. */
  readonly name: string;
  readonly type: number;
  /** From the start of the struct. */
  readonly bitOffset: number;
  /** 0: not a bitfield. */
  readonly bitfieldSize: number;
}

export interface StructType {
  readonly kind: 'STRUCT' | 'UNION';
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly members: readonly Member[];
  /** Members carry bitfield sizes. */
  readonly kindFlag: boolean;
}

export interface EnumType {
  readonly kind: 'ENUM';
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

export interface Enum64Type {
  readonly kind: 'ENUM64';
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
}

export interface FwdType {
  readonly kind: 'FWD';
  readonly id: number;
  readonly name: string;
  readonly of: 'struct' | 'union';
}

export interface ModifierType {
  readonly kind: 'TYPEDEF' | 'VOLATILE' | 'CONST' | 'RESTRICT';
  readonly id: number;
  readonly name: string;
  readonly type: number;
}

export interface TypeTagType {
  readonly kind: 'TYPE_TAG';
  readonly id: number;
  /** The tag's value. */
  readonly name: string;
  readonly type: number;
  /** An arbitrary `__attribute__((value))` instead of `btf_type_tag("value")`. */
  readonly kindFlag: boolean;
}

export interface FuncType {
  readonly kind: 'FUNC';
  readonly id: number;
  readonly name: string;
  readonly linkage: BtfLinkage;
  /** A `FUNC_PROTO`. */
  readonly type: number;
}

export interface Param {
  readonly name: string;
  /** 0 as the last parameter: variadic. */
  readonly type: number;
}

export interface FuncProtoType {
  readonly kind: 'FUNC_PROTO';
  readonly id: number;
  readonly name: string;
  /** 0: void. */
  readonly ret: number;
  readonly params: readonly Param[];
}

export interface VarType {
  readonly kind: 'VAR';
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly linkage: BtfLinkage;
}

export interface SecVar {
  /** A `VAR` (or, for externs of an object file, a `FUNC`). */
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

export interface DatasecType {
  readonly kind: 'DATASEC';
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly vars: readonly SecVar[];
}

export interface FloatType {
  readonly kind: 'FLOAT';
  readonly id: number;
  readonly name: string;
  readonly size: number;
}

export interface DeclTagType {
  readonly kind: 'DECL_TAG';
  readonly id: number;
  /** The tag's value. */
  readonly name: string;
  /** What is tagged: a struct, union, typedef, variable or function. */
  readonly type: number;
  /** Member or parameter number; -1: the declaration itself. */
  readonly componentIdx: number;
  /** An arbitrary `__attribute__((value))` instead of `btf_decl_tag("value")`. */
  readonly kindFlag: boolean;
}

/** A decoded type. Immutable; `id` is its number in the `Btf` it came from. */
export type BtfType =
  | VoidType
  | IntType
  | PtrType
  | ArrayType
  | StructType
  | EnumType
  | Enum64Type
  | FwdType
  | ModifierType
  | TypeTagType
  | FuncType
  | FuncProtoType
  | VarType
  | DatasecType
  | FloatType
  | DeclTagType;

/** The member of the union that has kind `K`. */
export type BtfTypeOf<K extends BtfKind> = BtfType extends infer T
  ? T extends { kind: infer L }
    ? K extends L
      ? T
      : never
    : never
  : never;

type WithoutId<T> = T extends BtfType ? Omit<T, 'id'> : never;

/** A type to be added to a `BtfBuilder`, which gives it its number. */
export type NewBtfType = WithoutId<Exclude<BtfType, VoidType>>;

/** Refers to another type that decides its size: typedef, qualifier or type tag. Source: btf_type_is_modifier. */
export const isModifier = (type: BtfType): type is ModifierType | TypeTagType => {
  switch (type.kind) {
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
      return true;
    default:
      return false;
  }
};

/** A struct or union, in the kernel's sense of `btf_type_is_struct`. */
export const isStruct = (type: BtfType): type is StructType => type.kind === 'STRUCT' || type.kind === 'UNION';

/** An `ENUM` or `ENUM64`. Source: btf_is_any_enum. */
export const isAnyEnum = (type: BtfType): type is EnumType | Enum64Type => type.kind === 'ENUM' || type.kind === 'ENUM64';

/** An int without bit offset whose bits are 8, 16, 32, 64 or 128. Source: __btf_type_int_is_regular. */
export const isRegularInt = (type: IntType, bytes = 0): boolean => {
  const wide = type.bits >> 3;
  return (
    type.bits % 8 === 0 &&
    type.offset === 0 &&
    wide <= 16 &&
    (wide & (wide - 1)) === 0 &&
    wide !== 0 &&
    (bytes === 0 || wide === bytes)
  );
};

/** An int or enum. Source: btf_type_is_scalar. */
export const isScalar = (type: BtfType): type is IntType | EnumType | Enum64Type => type.kind === 'INT' || isAnyEnum(type);

/** The name the kernel prints: `(anon)` where there is none. Source: __btf_name_by_offset. */
export const printedName = (name: string): string => (name === '' ? '(anon)' : name);

/** The kernel's word for a kind in its BTF log. Source: btf_type_str. */
export const kindWord = (kind: BtfKind): string => (kind === 'VOID' ? 'UNKNOWN' : kind);
