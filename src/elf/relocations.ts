import { Malformed } from '../contracts/errors.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { type Insn, SLOT_BYTES } from '../isa/insn.ts';
import {
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  isExtern,
  readRelocations,
  SHN_LORESERVE,
  STB,
  STT,
} from './elf_file.ts';
import type { Extern } from './externs.ts';
import type { FunctionTable } from './functions.ts';
import type { MapDraft } from './maps.ts';
import type { ObjectSections } from './sections.ts';

/** What an instruction refers to; `insn` is a slot of its function. */
export type Relocation =
  /** `ld_imm64` of a map */
  | { readonly kind: 'map'; readonly insn: number; readonly map: number }
  /** `ld_imm64` of a global variable: an offset into the value of a map */
  | { readonly kind: 'data'; readonly insn: number; readonly map: number; readonly offset: number }
  | { readonly kind: 'extern'; readonly insn: number; readonly extern: number }
  /** call of a subprogram; `offset` in bytes in `.text` */
  | { readonly kind: 'call'; readonly insn: number; readonly offset: number }
  /** `ld_imm64` of a subprogram's address */
  | { readonly kind: 'subprogram'; readonly insn: number; readonly offset: number };

export const CALL = 0x85;
export const LD_IMM64 = 0x18;
const PSEUDO_CALL = 1;

export interface RelocationContext {
  readonly elf: ElfFile;
  readonly sections: ObjectSections;
  readonly functions: FunctionTable;
  readonly maps: readonly MapDraft[];
  readonly externs: readonly Extern[];
}

/** Indexes by which a symbol is found without a search. */
interface Targets {
  readonly externBySymbol: ReadonlyMap<number, number>;
  readonly dataMapBySection: ReadonlyMap<number, number>;
  readonly declaredMapByOffset: ReadonlyMap<number, number>;
  readonly arena: number | null;
}

function targetsOf({ maps, externs, sections }: RelocationContext): Targets {
  const dataMapBySection = new Map<number, number>();
  const declaredMapByOffset = new Map<number, number>();
  maps.forEach((map, i) => {
    if (map.data !== null && map.data !== 'kconfig') dataMapBySection.set(map.section, i);
    else if (map.section === sections.maps?.index && !declaredMapByOffset.has(map.offset)) declaredMapByOffset.set(map.offset, i);
  });
  const arena = maps.findIndex((map) => map.declaration.type === MAP_TYPES.arena);
  return {
    externBySymbol: new Map(externs.map((extern, i) => [extern.symbol, i])),
    dataMapBySection,
    declaredMapByOffset,
    arena: arena === -1 ? null : arena,
  };
}

/**
 * Gives every function the relocations of its instructions. A relocation that makes no sense spoils its function only.
 * Source: bpf_object__collect_prog_relos.
 */
export function collectRelocations(context: RelocationContext): void {
  const { elf, sections, functions } = context;
  const targets = targetsOf(context);
  const code = new Set(sections.code);
  for (const section of sections.relocations) {
    const target = elf.sections[section.info]!;
    if (code.has(target)) collectFrom(section, target, context, targets);
  }
  for (const fn of functions.list) fn.relocations.sort((a, b) => a.insn - b.insn);
}

function collectFrom(section: ElfSection, target: ElfSection, context: RelocationContext, targets: Targets): void {
  const { elf, functions } = context;
  const refuse = (message: string): never => {
    throw new Malformed(`sec '${section.name}': ${message}`, elf.file);
  };
  readRelocations(section, elf.file).forEach((relocation, i) => {
    const symbol = elf.symbols[relocation.symbol] ?? refuse(`symbol #${relocation.symbol} not found for relo #${i}`);
    if (symbol.section >= elf.sections.length && symbol.section < SHN_LORESERVE)
      refuse(`corrupted symbol #${symbol.index} pointing to invalid section #${symbol.section} for relo #${i}`);
    if (relocation.offset % SLOT_BYTES !== 0 || relocation.offset >= target.data.length)
      refuse(`invalid offset 0x${relocation.offset.toString(16)} for relo #${i}`);
    const slot = relocation.offset / SLOT_BYTES;
    const fn = functions.at(target.index, slot);
    if (fn === null) return;
    const insn = slot - fn.start;
    const found = resolve(context, targets, fn.original, insn, symbol, relocation);
    if (typeof found === 'string') fn.error ??= `prog '${fn.name}': ${found}`;
    else fn.relocations.push(found);
  });
}

/** The relocation of one instruction, or what is wrong with it. Source: bpf_program__record_reloc. */
function resolve(
  { elf, sections }: RelocationContext,
  targets: Targets,
  insns: readonly Insn[],
  insn: number,
  symbol: ElfSymbol,
  relocation: ElfRelocation,
): Relocation | string {
  const { code, src, imm } = insns[insn]!;
  const place = elf.sections[symbol.section];
  const name = symbol.name === '' && symbol.type === STT.SECTION ? (place?.name ?? '<?>') : symbol.name;
  if (code !== CALL && code !== LD_IMM64) return `invalid relo against '${name}' for insns[${insn}].code 0x${code.toString(16)}`;
  if (code === LD_IMM64 && insn + 1 >= insns.length) return `relo against '${name}' for insns[${insn}], which is truncated`;

  if (isExtern(symbol)) {
    const extern = targets.externBySymbol.get(symbol.index);
    if (extern === undefined) return `extern relo failed to find extern for '${name}' (${relocation.symbol})`;
    return { kind: 'extern', insn, extern };
  }
  const text = sections.text?.index ?? 0;
  if (code === CALL) {
    if (src !== PSEUDO_CALL) return 'incorrect bpf_call opcode';
    if (symbol.section === 0 || symbol.section !== text)
      return `bad call relo against '${name}' in section '${place?.name ?? ''}'`;
    if (symbol.value % SLOT_BYTES !== 0) return `bad call relo against '${name}' at offset ${symbol.value}`;
    return { kind: 'call', insn, offset: symbol.value };
  }
  if (place === undefined || symbol.section === 0)
    return `invalid relo against '${name}' in special section 0x${symbol.section.toString(16)}; forgot to initialize global var?..`;
  if (isSubprogramSymbol(symbol, text)) {
    if (symbol.value % SLOT_BYTES !== 0 || imm % SLOT_BYTES !== 0)
      return `bad subprog addr relo against '${name}' at offset ${symbol.value}+${imm}`;
    return { kind: 'subprogram', insn, offset: symbol.value };
  }
  if (place === sections.arena) {
    if (targets.arena === null) return `bad arena data relocation at insn ${insn}, no arena maps defined`;
    return { kind: 'data', insn, map: targets.arena, offset: symbol.value };
  }
  const data = targets.dataMapBySection.get(place.index);
  if (data !== undefined) return { kind: 'data', insn, map: data, offset: symbol.value };
  if (place !== sections.maps) return `bad map relo against '${name}' in section '${place.name}'`;
  const map = targets.declaredMapByOffset.get(symbol.value);
  if (map === undefined) return `map relo failed to find map for section '${place.name}', off ${symbol.value}`;
  return { kind: 'map', insn, map };
}

const isSubprogramSymbol = (symbol: ElfSymbol, text: number): boolean =>
  symbol.section === text &&
  ((symbol.bind === STB.LOCAL && symbol.type === STT.SECTION) ||
    ((symbol.bind === STB.GLOBAL || symbol.bind === STB.WEAK) && symbol.type === STT.FUNC));
