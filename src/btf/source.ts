import { BtfError } from './error.ts';
import { nameHash, textAt } from './names.ts';
import { BTF_MAX_TYPE, BTF_TYPE_BYTES, extraBytes, infoKind, KIND, locateSections, viewOf } from './wire.ts';

/** Undecoded types, addressed by index: 0 is the first type of the blob. */
export interface BtfSource {
  readonly count: number;
  /** Where type `index` begins. */
  locate(index: number): { readonly view: DataView; readonly at: number };
  /** The string at an offset of this blob's own string section. */
  text(offset: number): string | undefined;
  /** Bytes of the string section. */
  readonly strLen: number;
  /** Indexes, ascending, of types whose `nameHash` is `hash` (and whose kind number is `kind`, if given); others may be among them. */
  named(hash: number, kind?: number): readonly number[];
  /** Index and target id of all DECL_TAG types, ascending by index. */
  readonly declTags: readonly (readonly [index: number, target: number])[];
  /** The kind number of type `index`, without decoding it. */
  kindOf(index: number): number;
}

/** How often the string section may be decoded through strings that begin inside others. */
const MAX_OVERLAP = 8;
const MAX_OVERLAP_FLOOR = 65536;

/** A chained hash table over the names, built on the first look-up. */
const buildNameIndex = (source: FlatSource): { heads: Int32Array; next: Int32Array; hashes: Uint32Array } => {
  const size = 1 << Math.max(4, Math.ceil(Math.log2(source.count + 1)));
  const heads = new Int32Array(size).fill(-1);
  const next = new Int32Array(source.count);
  const hashes = new Uint32Array(source.count);
  for (let index = source.count - 1; index >= 0; index--) {
    const nameOff = source.view.getUint32(source.offsets[index]!, true);
    const name = nameOff === 0 ? '' : (source.text(nameOff - source.startStr) ?? '');
    if (name === '') continue;
    const hash = nameHash(name);
    hashes[index] = hash;
    const bucket = hash & (size - 1);
    next[index] = heads[bucket]!;
    heads[bucket] = index;
  }
  return { heads, next, hashes };
};

/** A plain blob in memory. Opening it walks the type headers once; everything else is lazy. */
export class FlatSource implements BtfSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly count: number;
  readonly strLen: number;
  readonly declTags: readonly (readonly [index: number, target: number])[];
  /** Byte offset of each type in the blob. */
  readonly offsets: Uint32Array;
  /** End of the type section in the blob. */
  readonly end: number;
  /** Where the string section begins in the blob. */
  readonly strings: number;
  /** First string offset that belongs to this blob; above 0 for split BTF. */
  readonly startStr: number;
  readonly #texts = new Map<number, string>();
  #decoded = 0;
  #index: { heads: Int32Array; next: Int32Array; hashes: Uint32Array } | undefined;

  constructor(bytes: Uint8Array, startStr = 0) {
    const sections = locateSections(bytes);
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.strings = sections.strings;
    this.strLen = sections.strLen;
    this.startStr = startStr;
    const offsets = new Uint32Array(Math.floor(sections.typeLen / BTF_TYPE_BYTES));
    const declTags: [number, number][] = [];
    const end = sections.types + sections.typeLen;
    let count = 0;
    for (let at = sections.types; at < end; count++) {
      const where = { offset: at, typeId: count + 1 };
      if (count >= BTF_MAX_TYPE) throw new BtfError('Exceeded max num of types', where);
      if (end - at < BTF_TYPE_BYTES) throw new BtfError(`meta_left:${end - at} meta_needed:${BTF_TYPE_BYTES}`, where);
      const info = this.view.getUint32(at + 4, true);
      const extra = extraBytes(info);
      if (extra < 0) throw new BtfError(`Invalid kind:${infoKind(info)}`, where);
      const left = end - at - BTF_TYPE_BYTES;
      if (left < extra) throw new BtfError(`meta_left:${left} meta_needed:${extra}`, where);
      if (infoKind(info) === KIND.DECL_TAG) declTags.push([count, this.view.getUint32(at + 8, true)]);
      offsets[count] = at;
      at += BTF_TYPE_BYTES + extra;
    }
    this.count = count;
    this.end = end;
    this.offsets = offsets.subarray(0, count);
    this.declTags = declTags;
  }

  locate(index: number): { view: DataView; at: number } {
    return { view: this.view, at: this.offsets[index]! };
  }

  /**
   * Each offset is decoded once. Strings that begin inside others are allowed, but not so many that they come to many times
   * the section.
   */
  text(offset: number): string | undefined {
    if (offset < 0 || offset >= this.strLen) return undefined;
    const known = this.#texts.get(offset);
    if (known !== undefined) return known;
    const text = textAt(this.bytes, this.strings + offset, this.strings + this.strLen);
    if (text === undefined) return undefined;
    this.#decoded += text.length;
    if (this.#decoded > this.strLen * MAX_OVERLAP + MAX_OVERLAP_FLOOR) throw new BtfError('strings overlap too much', { offset });
    this.#texts.set(offset, text);
    return text;
  }

  kindOf(index: number): number {
    return infoKind(this.view.getUint32(this.offsets[index]! + 4, true));
  }

  named(hash: number, kind?: number): number[] {
    this.#index ??= buildNameIndex(this);
    const { heads, next, hashes } = this.#index;
    const found: number[] = [];
    for (let index = heads[hash & (heads.length - 1)]!; index !== -1; index = next[index]!) {
      if (hashes[index] === hash && (kind === undefined || this.kindOf(index) === kind)) found.push(index);
    }
    return found;
  }
}
