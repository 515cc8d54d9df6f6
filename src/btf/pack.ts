import { nameHash } from './names.ts';
import { bucketOf, fingerprintOf, PACKED_MAGIC, PACKED_VERSION, type PackedPart, packEntry } from './packed_source.ts';
import type { FlatSource } from './source.ts';

/** Compresses one chunk to raw deflate. */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

const TYPES_PER_CHUNK = 128;
const STRING_CHUNK_BYTES = 8192;
const BUCKETS = 1 << 15;

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** Where each of some lengths starts, and where the last ends. */
const starts = (lengths: readonly number[]): number[] => {
  let at = 0;
  return [0, ...lengths.map((length) => (at += length))];
};

/** The string section cut behind strings, in pieces of about `STRING_CHUNK_BYTES`. */
const cutStrings = (section: Uint8Array): Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < section.length; ) {
    const stop = section.indexOf(0, Math.min(at + STRING_CHUNK_BYTES, section.length) - 1) + 1;
    const end = stop === 0 ? section.length : stop;
    pieces.push(section.subarray(at, end));
    at = end;
  }
  return pieces;
};

/** Name entries by bucket, ascending by type within each, and how many each bucket has. */
const indexNames = (source: FlatSource): { entries: number[]; counts: Uint8Array } => {
  const buckets: number[][] = Array.from({ length: BUCKETS }, () => []);
  for (let index = 0; index < source.count; index++) {
    const name = source.text(source.view.getUint32(source.offsets[index]!, true)) ?? '';
    if (name === '') continue;
    const hash = nameHash(name);
    buckets[bucketOf(hash, BUCKETS)]!.push(packEntry(index, source.kindOf(index), fingerprintOf(hash)));
  }
  if (buckets.some((bucket) => bucket.length > 255)) throw new RangeError('a name occurs more than 255 times');
  return { entries: buckets.flat(), counts: Uint8Array.from(buckets, (bucket) => bucket.length) };
};

/** A plain BTF in the packed form that `PackedSource` reads. */
export const packBtf = (source: FlatSource, deflate: Deflate): Record<PackedPart, Uint8Array> => {
  const types: Uint8Array[] = [];
  for (let index = 0; index < source.count; index += TYPES_PER_CHUNK) {
    types.push(source.bytes.subarray(source.offsets[index]!, source.offsets[index + TYPES_PER_CHUNK] ?? source.end));
  }
  const strings = cutStrings(source.bytes.subarray(source.strings, source.strings + source.strLen));
  const packedTypes = types.map(deflate);
  const packedStrings = strings.map(deflate);
  const { entries, counts } = indexNames(source);
  const words = [
    [PACKED_MAGIC, PACKED_VERSION, source.count, source.strLen, TYPES_PER_CHUNK],
    [types.length, strings.length, BUCKETS, entries.length, source.declTags.length],
    ...[packedTypes, types, packedStrings, strings].map((parts) => starts(parts.map((part) => part.length))),
    source.declTags.flat(),
    entries,
  ].flat();
  return {
    index: concat([new Uint8Array(Uint32Array.from(words).buffer), counts]),
    types: concat(packedTypes),
    strings: concat(packedStrings),
  };
};
