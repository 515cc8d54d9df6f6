import { BtfError } from './error.ts';
import type { BtfKind } from './types.ts';

/**
 * The BTF file format.
 *
 *     header (24 bytes)                       type (12 bytes)
 *     +-------+---------+-------+---------+   +----------+------+-----------+
 *     | magic | version | flags | hdr_len |   | name_off | info | size/type |  then what the kind carries
 *     +-------+---------+-------+---------+   +----------+------+-----------+
 *     | type_off | type_len               |   info: bit 31 kind_flag, 24..28 kind, 0..15 vlen
 *     | str_off  | str_len                |
 *     +-----------------------------------+
 *
 * Source: include/uapi/linux/btf.h.
 */
export const BTF_MAGIC = 0xeb9f;
export const BTF_HEADER_BYTES = 24;
export const BTF_TYPE_BYTES = 12;
export const BTF_MAX_TYPE = 0x000fffff;
export const BTF_MAX_NAME_OFFSET = 0x00ffffff;

/** Kind numbers. */
export const KIND = {
  VOID: 0,
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const satisfies Record<BtfKind, number>;

export interface BtfHeader {
  readonly magic: number;
  readonly version: number;
  readonly flags: number;
  readonly hdrLen: number;
  /** Offsets count from the end of the header. */
  readonly typeOff: number;
  readonly typeLen: number;
  readonly strOff: number;
  readonly strLen: number;
}

export const infoKind = (info: number): number => (info >>> 24) & 0x1f;
export const infoVlen = (info: number): number => info & 0xffff;
export const infoKindFlag = (info: number): boolean => info >>> 31 === 1;

/** Bytes that follow the 12 common ones; -1 for a kind that does not exist. */
export const extraBytes = (info: number): number => {
  const vlen = infoVlen(info);
  switch (infoKind(info)) {
    case KIND.INT:
    case KIND.VAR:
    case KIND.DECL_TAG:
      return 4;
    case KIND.ARRAY:
      return 12;
    case KIND.STRUCT:
    case KIND.UNION:
    case KIND.DATASEC:
    case KIND.ENUM64:
      return vlen * 12;
    case KIND.ENUM:
    case KIND.FUNC_PROTO:
      return vlen * 8;
    case KIND.PTR:
    case KIND.FWD:
    case KIND.TYPEDEF:
    case KIND.VOLATILE:
    case KIND.CONST:
    case KIND.RESTRICT:
    case KIND.FUNC:
    case KIND.FLOAT:
    case KIND.TYPE_TAG:
      return 0;
    default:
      return -1;
  }
};

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The header as it stands, fields beyond `hdr_len` being zero. Source: btf_parse_hdr. */
export const readHeader = (bytes: Uint8Array): BtfHeader => {
  if (bytes.length < 8) throw new BtfError('hdr_len not found');
  const view = viewOf(bytes);
  const hdrLen = view.getUint32(4, true);
  if (bytes.length < hdrLen) throw new BtfError('btf_header not found');
  const field = (at: number): number => (at + 4 <= Math.min(hdrLen, bytes.length) ? view.getUint32(at, true) : 0);
  return {
    magic: view.getUint16(0, true),
    version: view.getUint8(2),
    flags: view.getUint8(3),
    hdrLen,
    typeOff: field(8),
    typeLen: field(12),
    strOff: field(16),
    strLen: field(20),
  };
};

/**
 * Where the two sections lie, as byte offsets in the blob. Refuses what no reader could use: foreign magic, sections that
 * leave the blob or overlap, a string section that is not closed by a zero byte.
 */
export const locateSections = (bytes: Uint8Array): { types: number; typeLen: number; strings: number; strLen: number } => {
  const header = readHeader(bytes);
  if (header.magic === 0x9feb) throw new BtfError('big-endian BTF is not supported', { offset: 0 });
  if (header.magic !== BTF_MAGIC) throw new BtfError('Invalid magic', { offset: 0 });
  if (header.version !== 1) throw new BtfError('Unsupported version', { offset: 2 });
  if (header.flags !== 0) throw new BtfError('Unsupported flags', { offset: 3 });
  if (header.hdrLen < BTF_HEADER_BYTES) throw new BtfError('btf_header not found', { offset: 4 });
  const room = bytes.length - header.hdrLen;
  if (header.typeOff + header.typeLen > room || header.strOff + header.strLen > room)
    throw new BtfError('Total section length too long', { offset: 8 });
  if (header.typeOff < header.strOff + header.strLen && header.strOff < header.typeOff + header.typeLen)
    throw new BtfError('Section overlap found', { offset: 8 });
  if (header.typeOff % 4 !== 0) throw new BtfError('Unaligned type_off', { offset: 8 });
  const strings = header.hdrLen + header.strOff;
  const last = strings + header.strLen - 1;
  if (header.strLen - 1 > BTF_MAX_NAME_OFFSET || (header.strLen > 0 && bytes[last] !== 0))
    throw new BtfError('Invalid string section', { offset: strings });
  return { types: header.hdrLen + header.typeOff, typeLen: header.typeLen, strings, strLen: header.strLen };
};
