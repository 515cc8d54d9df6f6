import type { Btf } from '../btf/btf.ts';
import { type BtfType, type FuncType, isModifier, type VarType } from '../btf/types.ts';
import { type ElfFile, isExtern, STB } from './elf_file.ts';
import { type KconfigKind, kconfigKind } from './kconfig.ts';

interface ExternBase {
  /** ELF symbol index. */
  readonly symbol: number;
  readonly name: string;
  readonly weak: boolean;
  /** why no program may use it; null: it is well formed */
  readonly error: string | null;
}

/** A kernel configuration value, at `offset` in the `.kconfig` map. */
export interface KconfigExtern extends ExternBase {
  readonly kind: 'kconfig';
  readonly variable: VarType;
  readonly size: number;
  readonly align: number;
  readonly value: KconfigKind;
  readonly offset: number;
}

/** A kernel symbol or kfunc. */
export interface KsymExtern extends ExternBase {
  readonly kind: 'ksym';
  readonly declared: VarType | FuncType;
  /** its type in the object's BTF without modifiers; 0 for a symbol without type (`const void`) */
  readonly type: number;
}

/** An undefined symbol that the object's BTF does not explain. */
export interface UnknownExtern extends ExternBase {
  readonly kind: 'unknown';
}

export type Extern = KconfigExtern | KsymExtern | UnknownExtern;

const KSYMS = '.ksyms';
const KCONFIG = '.kconfig';

/** The DATASEC that lists each VAR or FUNC, the first one where several do. */
function sectionOf(btf: Btf | null): Map<number, string> {
  const sections = new Map<number, string>();
  if (btf === null) return sections;
  for (const type of btf.types()) {
    if (type.kind !== 'DATASEC') continue;
    for (const entry of type.vars) if (!sections.has(entry.type)) sections.set(entry.type, type.name);
  }
  return sections;
}

function declarationsByName(btf: Btf | null): Map<string, VarType | FuncType> {
  const found = new Map<string, VarType | FuncType>();
  if (btf === null) return found;
  for (const type of btf.types())
    if ((type.kind === 'VAR' || type.kind === 'FUNC') && !found.has(type.name)) found.set(type.name, type);
  return found;
}

/** The id of what a type means once typedefs and qualifiers are gone. */
export function bareTypeId(btf: Btf, id: number): number {
  let type: BtfType = btf.type(id);
  for (let steps = 0; isModifier(type) && steps < btf.count; steps++) type = btf.type(type.type);
  return type.id;
}

const byName = (a: Extern, b: Extern): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/**
 * The undefined symbols of an object in libbpf's order: configuration values by falling alignment, rising size and name, then
 * kernel symbols by name. The position in this list is what a poisoned call names.
 * Source: bpf_object__collect_externs and cmp_externs.
 */
export function collectExterns(elf: ElfFile, btf: Btf | null): Extern[] {
  const undefinedSymbols = elf.symbols.filter((symbol) => isExtern(symbol) && symbol.name !== '');
  if (undefinedSymbols.length === 0) return [];
  const sections = sectionOf(btf);
  const declarations = declarationsByName(btf);

  const unknown: UnknownExtern[] = [];
  const kconfig: KconfigExtern[] = [];
  const ksyms: KsymExtern[] = [];
  for (const symbol of undefinedSymbols) {
    const base = { symbol: symbol.index, name: symbol.name, weak: symbol.bind === STB.WEAK };
    const declared = declarations.get(symbol.name);
    if (btf === null || declared === undefined || declared.linkage !== 'extern') {
      const code = btf === null ? -3 : declared === undefined ? -2 : -22;
      unknown.push({ kind: 'unknown', ...base, error: `failed to find BTF for extern '${symbol.name}': ${code}` });
      continue;
    }
    const section = sections.get(declared.id);
    if (section === KSYMS) {
      const type = declared.kind === 'FUNC' ? declared.type : bareTypeId(btf, declared.type);
      ksyms.push({ kind: 'ksym', ...base, declared, type, error: null });
    } else if (section === KCONFIG && declared.kind === 'VAR') {
      const value = kconfigKind(btf, declared.type);
      const size = btf.sizeOf(declared.type) ?? 0;
      const error = value.word === 'unknown' || size === 0 ? `extern (kcfg) '${symbol.name}': type is unsupported` : null;
      const align = error === null ? Math.max(1, btf.alignOf(declared.type)) : 1;
      kconfig.push({ kind: 'kconfig', ...base, variable: declared, size, align, value, offset: 0, error });
    } else {
      const error =
        section === undefined
          ? `failed to find BTF for extern '${symbol.name}' [${declared.id}] section: -2`
          : section === KCONFIG
            ? `extern function ${symbol.name} is unsupported under ${KCONFIG} section`
            : `unrecognized extern section '${section}'`;
      unknown.push({ kind: 'unknown', ...base, error });
    }
  }
  kconfig.sort((a, b) => b.align - a.align || a.size - b.size || byName(a, b));
  ksyms.sort(byName);
  let end = 0;
  const placed = kconfig.map((extern) => {
    const offset = Math.ceil(end / extern.align) * extern.align;
    end = offset + extern.size;
    return { ...extern, offset };
  });
  return [...placed, ...ksyms, ...unknown.sort(byName)];
}

/** Bytes of the `.kconfig` map; 0: there is none. */
export function kconfigMapSize(externs: readonly Extern[]): number {
  let end = 0;
  for (const extern of externs) if (extern.kind === 'kconfig') end = extern.offset + extern.size;
  return end;
}
