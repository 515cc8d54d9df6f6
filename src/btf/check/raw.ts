import { infoKind, infoKindFlag, infoVlen, KIND } from '../wire.ts';

/** A type as it stands in the blob, not decoded: what the checks read. */
export interface RawType {
  /** Byte offset of the type; -1 for void. */
  readonly at: number;
  readonly nameOff: number;
  readonly info: number;
  readonly kind: number;
  readonly vlen: number;
  readonly kindFlag: boolean;
  /** Size or type id. */
  readonly third: number;
}

export interface RawMember {
  readonly nameOff: number;
  readonly type: number;
  /** As stored: with `kind_flag` the upper 8 bits are the bitfield's size. */
  readonly packed: number;
}

export interface RawVar {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

export const RAW_VOID: RawType = { at: -1, nameOff: 0, info: 0, kind: KIND.VOID, vlen: 0, kindFlag: false, third: 0 };

export const readRaw = (view: DataView, at: number): RawType => {
  const info = view.getUint32(at + 4, true);
  return {
    at,
    nameOff: view.getUint32(at, true),
    info,
    kind: infoKind(info),
    vlen: infoVlen(info),
    kindFlag: infoKindFlag(info),
    third: view.getUint32(at + 8, true),
  };
};

export const isModifierKind = (kind: number): boolean =>
  kind === KIND.TYPEDEF || kind === KIND.VOLATILE || kind === KIND.CONST || kind === KIND.RESTRICT || kind === KIND.TYPE_TAG;

export const isStructKind = (kind: number): boolean => kind === KIND.STRUCT || kind === KIND.UNION;

/** Source: btf_type_nosize. */
export const hasNoSize = (kind: number): boolean =>
  kind === KIND.VOID || kind === KIND.FWD || kind === KIND.FUNC || kind === KIND.FUNC_PROTO || kind === KIND.DECL_TAG;

/** The third word is the size. Source: btf_type_has_size. */
export const statesSize = (kind: number): boolean =>
  kind === KIND.INT ||
  isStructKind(kind) ||
  kind === KIND.ENUM ||
  kind === KIND.DATASEC ||
  kind === KIND.FLOAT ||
  kind === KIND.ENUM64;

/** Source: btf_type_is_resolve_source_only. */
export const isSourceOnly = (kind: number): boolean => kind === KIND.VAR || kind === KIND.DECL_TAG || kind === KIND.DATASEC;

/** Refers to types whose graph must be walked. Source: btf_type_needs_resolve. */
export const needsResolve = (kind: number): boolean =>
  isModifierKind(kind) ||
  kind === KIND.PTR ||
  isStructKind(kind) ||
  kind === KIND.ARRAY ||
  kind === KIND.VAR ||
  kind === KIND.FUNC ||
  kind === KIND.DECL_TAG ||
  kind === KIND.DATASEC;

export const bitOffsetOf = (struct: RawType, member: RawMember): number =>
  struct.kindFlag ? member.packed & 0xffffff : member.packed;
export const bitfieldSizeOf = (struct: RawType, member: RawMember): number => (struct.kindFlag ? member.packed >>> 24 : 0);

/** The parts of an INT's data word. */
export const intParts = (data: number): { bits: number; offset: number; encoding: number } => ({
  bits: data & 0xff,
  offset: (data >>> 16) & 0xff,
  encoding: (data >>> 24) & 0x0f,
});

/** Whole bytes that hold so many bits. */
export const bytesFor = (bits: number): number => Math.ceil(bits / 8);
