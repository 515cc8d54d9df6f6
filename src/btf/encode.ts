import { textAt } from './names.ts';
import { BTF_KINDS, BTF_LINKAGES, type NewBtfType } from './types.ts';
import { BTF_HEADER_BYTES, BTF_MAGIC, BTF_TYPE_BYTES, extraBytes, viewOf } from './wire.ts';

const utf8 = new TextEncoder();

/** A growing string section; each text is stored once. */
export class StringTable {
  #bytes: Uint8Array;
  #length: number;
  readonly #offsets = new Map<string, number>();

  /** Starts from an existing section, whose offsets stay valid, or from the empty string. */
  constructor(section: Uint8Array = new Uint8Array(1)) {
    this.#bytes = section.slice();
    this.#length = section.length;
    for (let at = 0; at < section.length; ) {
      const stop = section.indexOf(0, at);
      const end = stop === -1 ? section.length : stop;
      const text = textAt(section, at, section.length);
      if (text !== undefined && !this.#offsets.has(text)) this.#offsets.set(text, at);
      at = end + 1;
    }
    if (this.#length === 0) this.intern('');
  }

  /** The offset of this text. */
  intern(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const encoded = utf8.encode(text);
    const offset = this.#length;
    const needed = offset + encoded.length + 1;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2, 256));
      grown.set(this.#bytes.subarray(0, offset));
      this.#bytes = grown;
    }
    this.#bytes.set(encoded, offset);
    this.#bytes[needed - 1] = 0;
    this.#length = needed;
    this.#offsets.set(text, offset);
    return offset;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

const vlenOf = (type: NewBtfType): number => {
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
      return type.members.length;
    case 'ENUM':
    case 'ENUM64':
      return type.values.length;
    case 'FUNC_PROTO':
      return type.params.length;
    case 'DATASEC':
      return type.vars.length;
    case 'FUNC':
      return BTF_LINKAGES.indexOf(type.linkage);
    default:
      return 0;
  }
};

const kindFlagOf = (type: NewBtfType): boolean => {
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
    case 'TYPE_TAG':
    case 'DECL_TAG':
      return type.kindFlag;
    case 'ENUM':
    case 'ENUM64':
      return type.signed;
    case 'FWD':
      return type.of === 'union';
    default:
      return false;
  }
};

/** The third word: a size, a type id or 0. */
const thirdWord = (type: NewBtfType): number => {
  switch (type.kind) {
    case 'INT':
    case 'STRUCT':
    case 'UNION':
    case 'ENUM':
    case 'ENUM64':
    case 'DATASEC':
    case 'FLOAT':
      return type.size;
    case 'FUNC_PROTO':
      return type.ret;
    case 'ARRAY':
    case 'FWD':
      return 0;
    default:
      return type.type;
  }
};

/** The words after the common three. */
const extraWords = (type: NewBtfType, strings: StringTable): number[] => {
  switch (type.kind) {
    case 'INT':
      return [(type.encoding << 24) | (type.offset << 16) | type.bits];
    case 'ARRAY':
      return [type.elem, type.index, type.nelems];
    case 'STRUCT':
    case 'UNION':
      return type.members.flatMap((member) => [
        strings.intern(member.name),
        member.type,
        type.kindFlag ? (member.bitfieldSize << 24) | member.bitOffset : member.bitOffset,
      ]);
    case 'ENUM':
      return type.values.flatMap(({ name, value }) => [strings.intern(name), value]);
    case 'ENUM64':
      return type.values.flatMap(({ name, value }) => [
        strings.intern(name),
        Number(BigInt.asUintN(32, value)),
        Number(BigInt.asUintN(32, value >> 32n)),
      ]);
    case 'FUNC_PROTO':
      return type.params.flatMap((param) => [strings.intern(param.name), param.type]);
    case 'VAR':
      return [BTF_LINKAGES.indexOf(type.linkage)];
    case 'DATASEC':
      return type.vars.flatMap((entry) => [entry.type, entry.offset, entry.size]);
    case 'DECL_TAG':
      return [type.componentIdx];
    case 'PTR':
    case 'FWD':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'FUNC':
    case 'FLOAT':
    case 'TYPE_TAG':
      return [];
    default: {
      const never: never = type;
      return never;
    }
  }
};

/** The bytes of one type. */
export const encodeType = (type: NewBtfType, strings: StringTable): Uint8Array => {
  const info = ((kindFlagOf(type) ? 0x80000000 : 0) | (BTF_KINDS.indexOf(type.kind) << 24) | vlenOf(type)) >>> 0;
  const name = strings.intern(type.name);
  const bytes = new Uint8Array(BTF_TYPE_BYTES + extraBytes(info));
  const view = viewOf(bytes);
  [name, info, thirdWord(type), ...extraWords(type, strings)].forEach((word, i) => {
    view.setUint32(i * 4, word, true);
  });
  return bytes;
};

/** Header, types, strings. */
export const encodeBlob = (types: readonly Uint8Array[], strings: Uint8Array): Uint8Array => {
  const typeLen = types.reduce((sum, part) => sum + part.length, 0);
  const blob = new Uint8Array(BTF_HEADER_BYTES + typeLen + strings.length);
  const view = viewOf(blob);
  view.setUint16(0, BTF_MAGIC, true);
  view.setUint8(2, 1);
  view.setUint32(4, BTF_HEADER_BYTES, true);
  view.setUint32(12, typeLen, true);
  view.setUint32(16, typeLen, true);
  view.setUint32(20, strings.length, true);
  let at = BTF_HEADER_BYTES;
  for (const part of types) {
    blob.set(part, at);
    at += part.length;
  }
  blob.set(strings, at);
  return blob;
};
