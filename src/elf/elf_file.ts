import { Malformed } from '../contracts/errors.ts';

/** Section types of use here. Source: include/uapi/linux/elf.h. */
export const SHT = { PROGBITS: 1, SYMTAB: 2, STRTAB: 3, RELA: 4, NOBITS: 8, REL: 9, LLVM_ADDRSIG: 0x6fff4c03 } as const;
export const SHF_EXECINSTR = 4;
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3 } as const;
export const STV = { DEFAULT: 0, INTERNAL: 1, HIDDEN: 2 } as const;
export const SHN_UNDEF = 0;
export const SHN_LORESERVE = 0xff00;
const SHN_XINDEX = 0xffff;

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const REL_BYTES = 16;
const EM_BPF = 247;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
  /** Bytes in memory; for `NOBITS` there is no `data`. */
  readonly size: number;
  readonly data: Uint8Array;
}

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly value: number;
  readonly size: number;
  /** Section index, or a number from `SHN_LORESERVE` on. */
  readonly section: number;
  readonly bind: number;
  readonly type: number;
  readonly visibility: number;
}

/** One `Elf64_Rel`: the symbol it names and where in the target section it applies. */
export interface ElfRelocation {
  readonly offset: number;
  readonly symbol: number;
  readonly type: number;
}

export interface ElfFile {
  /** Name as given, for messages. */
  readonly file: string;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** Index of the symbol table's section. */
  readonly symbolSection: number;
}

const utf8 = new TextDecoder();

/** Whether the bytes begin as an ELF file does. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

const textIn = (table: Uint8Array, at: number): string | undefined => {
  if (at >= table.length) return undefined;
  const end = table.indexOf(0, at);
  return end === -1 ? undefined : utf8.decode(table.subarray(at, end));
};

/** A 64-bit field; beyond 2^53 it is inexact, which is far outside every file. */
const u64 = (view: DataView, at: number): number => view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);

/**
 * Sections and symbols of a relocatable 64-bit little-endian BPF object, every offset checked; otherwise `Malformed`.
 * Source: bpf_object__elf_init and the first pass of bpf_object__elf_collect, tools/lib/bpf/libbpf.c.
 */
export function readElf(bytes: Uint8Array, file: string): ElfFile {
  const refuse = (message: string): never => {
    throw new Malformed(message, file);
  };
  if (!isElf(bytes)) refuse('not an ELF file');
  if (bytes.length < HEADER_BYTES) refuse('ELF header is truncated');
  if (bytes[4] !== 2) refuse('not a 64-bit ELF object');
  if (bytes[5] === 2) refuse('big-endian objects are not supported');
  if (bytes[5] !== 1) refuse('unknown byte order');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = view.getUint16(18, true);
  if (view.getUint16(16, true) !== 1 || (machine !== 0 && machine !== EM_BPF)) refuse('not a relocatable BPF object file');

  const headers = u64(view, 40);
  if (headers === 0) refuse('no section headers');
  if (view.getUint16(58, true) !== SECTION_BYTES)
    refuse(`section header size ${view.getUint16(58, true)} is not ${SECTION_BYTES}`);
  if (headers + SECTION_BYTES > bytes.length) refuse('section headers lie outside the file');
  const count = view.getUint16(60, true) || u64(view, headers + 32);
  if (count * SECTION_BYTES > bytes.length - headers) refuse(`${count} section headers do not fit into the file`);
  const declared = view.getUint16(62, true);
  const namesIndex = declared === SHN_XINDEX ? view.getUint32(headers + 40, true) : declared;

  const dataOf = (index: number): Uint8Array => {
    const at = headers + index * SECTION_BYTES;
    const type = view.getUint32(at + 4, true);
    if (index === 0 || type === SHT.NOBITS || type === 0) return bytes.subarray(0, 0);
    const offset = u64(view, at + 24);
    const size = u64(view, at + 32);
    if (offset > bytes.length || size > bytes.length - offset)
      refuse(`section ${index} at offset ${offset} with ${size} bytes lies outside the file of ${bytes.length} bytes`);
    return bytes.subarray(offset, offset + size);
  };
  if (namesIndex === 0 || namesIndex >= count) refuse('no section with the section names');
  const names = dataOf(namesIndex);

  const sections: ElfSection[] = [];
  let total = 0;
  for (let index = 0; index < count; index++) {
    const at = headers + index * SECTION_BYTES;
    const data = dataOf(index);
    total += data.length;
    if (total > bytes.length) refuse('sections overlap');
    const nameAt = view.getUint32(at, true);
    sections.push({
      index,
      name: index === 0 ? '' : (textIn(names, nameAt) ?? refuse(`section ${index} has no name at offset ${nameAt}`)),
      type: view.getUint32(at + 4, true),
      flags: view.getUint32(at + 8, true),
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
      entrySize: u64(view, at + 56),
      size: u64(view, at + 32),
      data,
    });
  }

  const tables = sections.filter((section) => section.type === SHT.SYMTAB);
  if (tables.length > 1) refuse('multiple symbol tables');
  const table = tables[0] ?? refuse("couldn't find symbol table, stripped object file?");
  const strings = sections[table.link];
  if (table.link === 0 || strings === undefined || strings.type !== SHT.STRTAB)
    return refuse('symbol strings section missing or invalid');
  if (table.entrySize !== SYMBOL_BYTES) refuse(`symbol size ${table.entrySize} is not ${SYMBOL_BYTES}`);
  return { file, sections, symbols: readSymbols(table, strings, file), symbolSection: table.index };
}

function readSymbols(table: ElfSection, strings: ElfSection, file: string): ElfSymbol[] {
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength);
  const symbols: ElfSymbol[] = [];
  for (let index = 0; (index + 1) * SYMBOL_BYTES <= table.data.length; index++) {
    const at = index * SYMBOL_BYTES;
    const nameAt = view.getUint32(at, true);
    const name = nameAt === 0 ? '' : textIn(strings.data, nameAt);
    if (name === undefined) throw new Malformed(`symbol ${index} has no name at offset ${nameAt}`, file);
    const info = view.getUint8(at + 4);
    symbols.push({
      index,
      name,
      bind: info >> 4,
      type: info & 0xf,
      visibility: view.getUint8(at + 5) & 3,
      section: view.getUint16(at + 6, true),
      value: u64(view, at + 8),
      size: u64(view, at + 16),
    });
  }
  return symbols;
}

/** The records of an `SHT_REL` section. */
export function readRelocations(section: ElfSection, file: string): ElfRelocation[] {
  if (section.entrySize !== REL_BYTES)
    throw new Malformed(`section '${section.name}': relocation size ${section.entrySize} is not ${REL_BYTES}`, file);
  const view = new DataView(section.data.buffer, section.data.byteOffset, section.data.byteLength);
  const relocations: ElfRelocation[] = [];
  for (let at = 0; at + REL_BYTES <= section.data.length; at += REL_BYTES) {
    relocations.push({ offset: u64(view, at), type: view.getUint32(at + 8, true), symbol: view.getUint32(at + 12, true) });
  }
  return relocations;
}

/** A symbol that another object, the kernel or the loader has to provide. Source: sym_is_extern. */
export const isExtern = (symbol: ElfSymbol): boolean =>
  symbol.section === SHN_UNDEF && (symbol.bind === STB.GLOBAL || symbol.bind === STB.WEAK) && symbol.type === STT.NOTYPE;

/** Visible inside its object only: the loader then treats it as static. */
export const isHidden = (symbol: ElfSymbol): boolean => symbol.visibility === STV.HIDDEN || symbol.visibility === STV.INTERNAL;
