import { Malformed } from '../contracts/errors.ts';
import type { ElfFile } from './elf_file.ts';

/**
 * What clang leaves in `.BTF.ext`, by the index of the section that it describes.
 *
 *     header: magic version flags hdr_len | func_info off len | line_info off len | core_relo off len
 *     each part: record size, then per section: name offset, number of records, records
 *
 * Source: include/uapi/linux/bpf.h (bpf_func_info, bpf_line_info, bpf_core_relo), tools/lib/bpf/btf.c (btf_ext_parse).
 */
export interface BtfExt {
  readonly funcInfo: ReadonlyMap<number, ExtRecords>;
  readonly lineInfo: ReadonlyMap<number, ExtRecords>;
  readonly coreRelos: ReadonlyMap<number, ExtRecords>;
}

/** Records of one section as 32-bit words, `words` of each record, ordered by instruction offset (word 0, in bytes). */
export interface ExtRecords {
  readonly count: number;
  readonly at: (record: number, word: number) => number;
}

const BTF_MAGIC = 0xeb9f;
const SECTION_HEADER_BYTES = 8;

/**
 * Reads the section; null where libbpf would go on without it because it holds no records.
 * `nameAt` resolves a string of `.BTF`. A broken section is `Malformed`.
 *
 * Differs from libbpf: it ignores a broken `.BTF.ext` and loads the program without its relocations.
 */
export function readBtfExt(bytes: Uint8Array, elf: ElfFile, nameAt: (offset: number) => string | undefined): BtfExt | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (message: string): never => {
    throw new Malformed(`.BTF.ext: ${message}`, elf.file);
  };
  if (bytes.length < 8) refuse('header is truncated');
  if (view.getUint16(0, true) !== BTF_MAGIC) refuse('invalid magic');
  if (bytes[2] !== 1) refuse(`unsupported version ${bytes[2]}`);
  if (bytes[3] !== 0) refuse(`unsupported flags ${bytes[3]}`);
  const headerBytes = view.getUint32(4, true);
  if (headerBytes > bytes.length) refuse('header lies outside the section');
  if (headerBytes === bytes.length) return null;
  if (headerBytes < 24) refuse('header misses func_info or line_info');

  const indexByName = new Map<string, number>();
  for (const section of elf.sections) if (!indexByName.has(section.name)) indexByName.set(section.name, section.index);

  /** null: the part is there but empty, which makes libbpf drop all of `.BTF.ext`. */
  const part = (headerAt: number, what: string, recordBytes: number): Map<number, ExtRecords> | null => {
    const found = new Map<number, ExtRecords>();
    if (headerBytes < headerAt + 8) return found;
    const offset = view.getUint32(headerAt, true);
    const length = view.getUint32(headerAt + 4, true);
    if (length === 0) return found;
    if (offset % 4 !== 0) refuse(`${what} is not aligned to 4 bytes`);
    let at = headerBytes + offset;
    const end = at + length;
    if (end > bytes.length) refuse(`${what} lies outside the section`);
    if (length < 4) refuse(`${what} has no record size`);
    const stride = view.getUint32(at, true);
    if (stride < recordBytes || stride % 4 !== 0) refuse(`${what} has invalid record size ${stride}`);
    at += 4;
    if (at === end) return null;
    while (at < end) {
      if (end - at < SECTION_HEADER_BYTES) refuse(`${what} ends inside a section header`);
      const name = nameAt(view.getUint32(at, true));
      const count = view.getUint32(at + 4, true);
      if (count === 0 || count * stride > end - at - SECTION_HEADER_BYTES) refuse(`${what} has an incorrect number of records`);
      const start = at + SECTION_HEADER_BYTES;
      at = start + count * stride;
      const index = name === undefined || name === '' ? undefined : indexByName.get(name);
      if (index === undefined || found.has(index)) continue;
      for (let i = 1; i < count; i++) {
        if (view.getUint32(start + i * stride, true) < view.getUint32(start + (i - 1) * stride, true))
          refuse(`${what} of section '${name}' is out of order`);
      }
      found.set(index, { count, at: (record, word) => view.getUint32(start + record * stride + word * 4, true) });
    }
    return found;
  };

  const funcInfo = part(8, 'func_info', 8);
  const lineInfo = part(16, 'line_info', 16);
  const coreRelos = part(24, 'core_relo', 16);
  return funcInfo === null || lineInfo === null || coreRelos === null ? null : { funcInfo, lineInfo, coreRelos };
}

/** Index of the first record whose instruction offset in bytes is `offset` or more. */
export function firstRecordFrom(records: ExtRecords, offset: number): number {
  let low = 0;
  let high = records.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records.at(middle, 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
