import type { Btf } from '../btf.ts';

/** What a relocation asks about a type, by number. Source: enum bpf_core_relo_kind, include/uapi/linux/bpf.h. */
export const CORE_KINDS = [
  'FIELD_BYTE_OFFSET',
  'FIELD_BYTE_SIZE',
  'FIELD_EXISTS',
  'FIELD_SIGNED',
  'FIELD_LSHIFT_U64',
  'FIELD_RSHIFT_U64',
  'TYPE_ID_LOCAL',
  'TYPE_ID_TARGET',
  'TYPE_EXISTS',
  'TYPE_SIZE',
  'ENUMVAL_EXISTS',
  'ENUMVAL_VALUE',
  'TYPE_MATCHES',
] as const;

export type CoreKind = (typeof CORE_KINDS)[number];

/** libbpf's word for a kind. Source: core_relo_kind_str, tools/lib/bpf/relo_core.c. */
export const CORE_KIND_WORDS: Readonly<Record<CoreKind, string>> = {
  FIELD_BYTE_OFFSET: 'byte_off',
  FIELD_BYTE_SIZE: 'byte_sz',
  FIELD_EXISTS: 'field_exists',
  FIELD_SIGNED: 'signed',
  FIELD_LSHIFT_U64: 'lshift_u64',
  FIELD_RSHIFT_U64: 'rshift_u64',
  TYPE_ID_LOCAL: 'local_type_id',
  TYPE_ID_TARGET: 'target_type_id',
  TYPE_EXISTS: 'type_exists',
  TYPE_SIZE: 'type_size',
  ENUMVAL_EXISTS: 'enumval_exists',
  ENUMVAL_VALUE: 'enumval_value',
  TYPE_MATCHES: 'type_matches',
};

/** One record of `.BTF.ext`. Source: struct bpf_core_relo. */
export interface CoreRelo {
  readonly kind: CoreKind;
  /** In the object's own BTF. */
  readonly typeId: number;
  /** Member and element numbers: `0:1:2`. */
  readonly access: string;
}

/** A named member, an array element or an enumerator on the way to a field. Source: struct bpf_core_accessor. */
export interface Accessor {
  readonly typeId: number;
  readonly index: number;
  /** Undefined: an array element. */
  readonly name: string | undefined;
}

/**
 * The way to a field: `raw` has a number for every level, `path` only named members and array elements.
 * Source: struct bpf_core_spec.
 */
export interface CoreSpec {
  readonly btf: Btf;
  readonly rootTypeId: number;
  readonly kind: CoreKind;
  readonly path: Accessor[];
  readonly raw: number[];
  bitOffset: number;
}

/** Source: BPF_CORE_SPEC_MAX_LEN. */
export const SPEC_MAX_LEN = 64;

export const isFieldKind = (kind: CoreKind): boolean => kind.startsWith('FIELD_');
export const isTypeKind = (kind: CoreKind): boolean => kind.startsWith('TYPE_');
export const isEnumKind = (kind: CoreKind): boolean => kind.startsWith('ENUMVAL_');
