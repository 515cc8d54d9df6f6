import { BtfError } from './error.ts';
import { textAt } from './names.ts';
import type { BtfSource } from './source.ts';
import { BTF_MAX_TYPE, BTF_TYPE_BYTES, extraBytes, infoKind, viewOf } from './wire.ts';

/** The parts of a packed BTF; a reader function gives each as bytes. */
export const PACKED_PARTS = ['index', 'types', 'strings'] as const;
export type PackedPart = (typeof PACKED_PARTS)[number];
export type PartReader = (part: PackedPart) => Uint8Array;
/** The `size` plain bytes of deflated data; throws for anything else. */
export type Inflate = (packed: Uint8Array, size: number) => Uint8Array;

export const PACKED_MAGIC = 0x66746264;
export const PACKED_VERSION = 2;
export const INDEX_HEADER_WORDS = 10;

/** Low 20 bits: type index; then 5 bits of kind, then 7 bits of the name's hash above those that choose the bucket. */
export const packEntry = (index: number, kind: number, fingerprint: number): number =>
  ((fingerprint << 25) | (kind << 20) | index) >>> 0;
export const fingerprintOf = (hash: number): number => hash >>> 25;
export const bucketOf = (hash: number, buckets: number): number => hash & (buckets - 1);

const MAX_CHUNK_BYTES = 1 << 28;

/**
 * A BTF in three parts, so that opening it costs no inflating and a look-up only inflates the chunks it touches.
 *
 *     index    header, 10 words: magic version types strLen typesPerChunk typeChunks stringChunks buckets entries declTags
 *              words: start of each type chunk in `types` (n+1), its start in the plain type section (n+1),
 *                     start of each string chunk in `strings` (n+1), its start in the plain string section (n+1),
 *                     index and target id of the DECL_TAG types, name entries by bucket
 *              bytes: entries of each bucket
 *     types    the type section in chunks of `typesPerChunk` types, each deflated
 *     strings  the string section in chunks that end behind a string, each deflated
 */
export class PackedSource implements BtfSource {
  readonly count: number;
  readonly strLen: number;
  readonly declTags: readonly (readonly [index: number, target: number])[];
  readonly #read: PartReader;
  readonly #inflate: Inflate;
  readonly #typesPerChunk: number;
  readonly #typeFile: Uint32Array;
  readonly #typeStart: Uint32Array;
  readonly #stringFile: Uint32Array;
  readonly #stringStart: Uint32Array;
  readonly #entries: Uint32Array;
  /** First entry of each bucket. */
  readonly #buckets: Uint32Array;
  readonly #typeChunks: ({ readonly view: DataView; readonly offsets: Uint32Array } | undefined)[] = [];
  readonly #stringChunks: (Uint8Array | undefined)[] = [];
  #types: Uint8Array | undefined;
  #strings: Uint8Array | undefined;

  constructor(read: PartReader, inflate: Inflate) {
    this.#read = read;
    this.#inflate = inflate;
    const bytes = read('index').slice();
    if (bytes.length < INDEX_HEADER_WORDS * 4) throw new BtfError('packed BTF: index too short');
    const header = new Uint32Array(bytes.buffer, 0, INDEX_HEADER_WORDS);
    const [magic, version, count, strLen, perChunk, typeChunks, stringChunks, buckets, entries, declTags] = [...header] as Words;
    if (magic !== PACKED_MAGIC || version !== PACKED_VERSION) throw new BtfError('packed BTF: not an index of this version');
    const words = INDEX_HEADER_WORDS + 2 * (typeChunks + 1) + 2 * (stringChunks + 1) + 2 * declTags + entries;
    if (bytes.length !== words * 4 + buckets || perChunk === 0 || count > BTF_MAX_TYPE)
      throw new BtfError('packed BTF: index of the wrong size');
    let at = INDEX_HEADER_WORDS;
    const take = (length: number): Uint32Array => {
      const part = new Uint32Array(bytes.buffer, at * 4, length);
      at += length;
      return part;
    };
    this.count = count;
    this.strLen = strLen;
    this.#typesPerChunk = perChunk;
    this.#typeFile = take(typeChunks + 1);
    this.#typeStart = take(typeChunks + 1);
    this.#stringFile = take(stringChunks + 1);
    this.#stringStart = take(stringChunks + 1);
    const tags = take(2 * declTags);
    this.declTags = Array.from({ length: declTags }, (_, i) => [tags[2 * i]!, tags[2 * i + 1]!] as const);
    this.#entries = take(entries);
    this.#buckets = new Uint32Array(buckets + 1);
    for (let bucket = 0; bucket < buckets; bucket++) this.#buckets[bucket + 1] = this.#buckets[bucket]! + bytes[at * 4 + bucket]!;
  }

  locate(index: number): { view: DataView; at: number } {
    const chunk = this.#typeChunk(Math.floor(index / this.#typesPerChunk));
    return { view: chunk.view, at: chunk.offsets[index % this.#typesPerChunk]! };
  }

  kindOf(index: number): number {
    const { view, at } = this.locate(index);
    return infoKind(view.getUint32(at + 4, true));
  }

  named(hash: number, kind?: number): number[] {
    const bucket = bucketOf(hash, this.#buckets.length - 1);
    const found: number[] = [];
    for (let at = this.#buckets[bucket]!; at < this.#buckets[bucket + 1]!; at++) {
      const entry = this.#entries[at]!;
      if (entry >>> 25 !== fingerprintOf(hash)) continue;
      if (kind === undefined || ((entry >>> 20) & 0x1f) === kind) found.push(entry & 0xfffff);
    }
    return found;
  }

  text(offset: number): string | undefined {
    if (offset < 0 || offset >= this.strLen) return undefined;
    let low = 0;
    let high = this.#stringStart.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#stringStart[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    const bytes = this.#stringChunk(low);
    return textAt(bytes, offset - this.#stringStart[low]!, bytes.length);
  }

  #typeChunk(number: number): { readonly view: DataView; readonly offsets: Uint32Array } {
    const known = this.#typeChunks[number];
    if (known !== undefined) return known;
    this.#types ??= this.#read('types');
    const bytes = this.#chunk(this.#types, this.#typeFile, this.#typeStart, number);
    const view = viewOf(bytes);
    const offsets = new Uint32Array(Math.min(this.#typesPerChunk, this.count - number * this.#typesPerChunk));
    let at = 0;
    for (let i = 0; i < offsets.length; i++) {
      if (at + BTF_TYPE_BYTES > bytes.length) throw new BtfError('packed BTF: broken type chunk');
      offsets[i] = at;
      at += BTF_TYPE_BYTES + Math.max(0, extraBytes(view.getUint32(at + 4, true)));
    }
    if (at !== bytes.length) throw new BtfError('packed BTF: broken type chunk');
    const chunk = { view, offsets };
    this.#typeChunks[number] = chunk;
    return chunk;
  }

  #stringChunk(number: number): Uint8Array {
    const known = this.#stringChunks[number];
    if (known !== undefined) return known;
    this.#strings ??= this.#read('strings');
    const bytes = this.#chunk(this.#strings, this.#stringFile, this.#stringStart, number);
    this.#stringChunks[number] = bytes;
    return bytes;
  }

  #chunk(file: Uint8Array, fileStarts: Uint32Array, plainStarts: Uint32Array, number: number): Uint8Array {
    const size = plainStarts[number + 1]! - plainStarts[number]!;
    if (!(size >= 0 && size <= MAX_CHUNK_BYTES)) throw new BtfError('packed BTF: chunk out of range');
    const bytes = this.#inflated(file.subarray(fileStarts[number], fileStarts[number + 1]), size);
    if (bytes?.length !== size) throw new BtfError('packed BTF: broken chunk');
    return bytes;
  }

  /** The plain bytes; undefined for what is not deflated data. */
  #inflated(packed: Uint8Array, size: number): Uint8Array | undefined {
    try {
      return this.#inflate(packed, size);
    } catch {
      return undefined;
    }
  }

  /** The plain type and string sections, all chunks inflated. */
  sections(): { types: Uint8Array; strings: Uint8Array } {
    const types = new Uint8Array(this.#typeStart.at(-1)!);
    for (let i = 0; i + 1 < this.#typeStart.length; i++) {
      const { view } = this.#typeChunk(i);
      types.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), this.#typeStart[i]!);
    }
    const strings = new Uint8Array(this.strLen);
    for (let i = 0; i + 1 < this.#stringStart.length; i++) strings.set(this.#stringChunk(i), this.#stringStart[i]!);
    return { types, strings };
  }
}

type Words = [number, number, number, number, number, number, number, number, number, number];
