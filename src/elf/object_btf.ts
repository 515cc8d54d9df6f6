import { Btf } from '../btf/btf.ts';
import type { DatasecType, SecVar } from '../btf/types.ts';
import { Malformed } from '../contracts/errors.ts';
import { appendVar, BtfPatch } from './btf_patch.ts';
import { type ElfFile, type ElfSymbol, isHidden, STB, STT } from './elf_file.ts';
import { collectExterns, type Extern, kconfigMapSize } from './externs.ts';

/** An object's BTF as the kernel gets it, and the externs that it describes. */
export interface ObjectBtf {
  readonly btf: Btf;
  readonly bytes: Uint8Array;
  readonly externs: readonly Extern[];
}

const EXTERN_INT_BYTES = 4;
const DUMMY_NAME = 'dummy_ksym';

/** The first 32-bit integer, which stands for the type of every kernel symbol. Source: find_int_btf_id. */
function findInt(btf: Btf): number {
  for (const type of btf.types()) if (type.kind === 'INT' && type.bits === 32) return type.id;
  return 0;
}

/** Type ids of the FUNCs that a DATASEC `.ksyms` lists. */
function kfuncIds(btf: Btf): Set<number> {
  const section = btf.findByName('.ksyms', 'DATASEC');
  return new Set((section?.vars ?? []).map((v) => v.type).filter((id) => btf.kindOf(id) === 'FUNC'));
}

/**
 * Parameters without a name get their function's name.
 *
 * Differs from libbpf: clang drops the parameter names of some naked functions, the kernel then refuses the BTF ("Invalid arg#1")
 * and libbpf loads every program of the object without BTF. With this repair the programs keep their types and source lines.
 */
function nameArguments(patch: BtfPatch): void {
  for (const type of patch.btf.types()) {
    if (type.kind !== 'FUNC') continue;
    const proto = patch.btf.typeOf(type.type, 'FUNC_PROTO');
    proto?.params.forEach((param, i) => {
      if (param.name === '' && param.type !== 0) patch.setParamName(proto.id, i, patch.nameOffset(type.id));
    });
  }
}

/**
 * Kernel symbols become 4-byte variables, so that the kernel accepts their DATASEC; functions are listed as one dummy variable.
 * Source: the second half of bpf_object__collect_externs.
 */
function patchKsyms(patch: BtfPatch, section: DatasecType, names: ReadonlySet<string>, dummy: number, file: string): void {
  const int = findInt(patch.btf);
  const vars: SecVar[] = section.vars.map((entry, i) => {
    const type = patch.btf.type(entry.type);
    if (!names.has(type.name)) throw new Malformed(`failed to find extern definition for BTF '${type.name}'`, file);
    const place = { offset: i * EXTERN_INT_BYTES, size: EXTERN_INT_BYTES };
    if (type.kind === 'FUNC') {
      patch.setFuncLinkage(type.id, 'global');
      return { type: dummy, ...place };
    }
    if (type.kind !== 'VAR') throw new Malformed(`'.ksyms' lists a ${type.kind}`, file);
    patch.setVarLinkage(type.id, 'global');
    patch.setType(type.id, int);
    return { type: type.id, ...place };
  });
  patch.setSize(section.id, vars.length * EXTERN_INT_BYTES);
  patch.setSecVars(section.id, vars);
}

function patchKconfig(patch: BtfPatch, section: DatasecType, externs: readonly Extern[], file: string): void {
  const offsets = new Map(
    externs.flatMap((extern) => (extern.kind === 'kconfig' ? [[extern.name, extern.offset] as const] : [])),
  );
  const vars = section.vars.map((entry) => {
    const name = patch.btf.type(entry.type).name;
    const offset = offsets.get(name);
    if (offset === undefined) throw new Malformed(`failed to find extern definition for BTF var '${name}'`, file);
    patch.setVarLinkage(entry.type, 'global');
    return { ...entry, offset };
  });
  patch.setSize(section.id, kconfigMapSize(externs));
  patch.setSecVars(section.id, sorted(vars));
}

const sorted = (vars: readonly SecVar[]): SecVar[] => [...vars].sort((a, b) => a.offset - b.offset);

/** Sizes and offsets of global variables, which clang leaves zero. Source: btf_fixup_datasec. */
function patchData(
  patch: BtfPatch,
  section: DatasecType,
  file: string,
  sizes: ReadonlyMap<string, number>,
  symbols: ReadonlyMap<string, ElfSymbol>,
): void {
  const refuse = (message: string): never => {
    throw new Malformed(`sec '${section.name}': ${message}`, file);
  };
  const isOpen = section.size === 0;
  if (isOpen) {
    const size = sizes.get(section.name) ?? 0;
    if (size === 0) refuse('failed to determine size from ELF');
    if (size > 0xffffffff) refuse(`size ${size} is too large`);
    patch.setSize(section.id, size);
  }
  const vars = section.vars.map((entry) => {
    const variable = patch.btf.typeOf(entry.type, 'VAR') ?? refuse('unexpected non-VAR type found');
    if (variable.linkage !== 'global') return entry;
    const symbol = symbols.get(variable.name) ?? refuse(`failed to find ELF symbol for VAR '${variable.name}'`);
    if (isHidden(symbol)) patch.setVarLinkage(variable.id, 'static');
    return isOpen ? { ...entry, offset: symbol.value } : entry;
  });
  patch.setSecVars(section.id, sorted(vars));
}

/** Global functions of `.text` that are hidden are verified as static ones. Source: bpf_object__sanitize_and_load_btf. */
function hideSubprograms(patch: BtfPatch, elf: ElfFile, text: number): void {
  const hidden = new Set<string>();
  for (const symbol of elf.symbols) {
    if (symbol.section === text && symbol.type === STT.FUNC && symbol.bind !== STB.LOCAL && isHidden(symbol))
      hidden.add(symbol.name);
  }
  if (hidden.size === 0) return;
  for (const type of patch.btf.types()) {
    if (type.kind !== 'FUNC' || type.linkage !== 'global' || !hidden.delete(type.name)) continue;
    patch.setFuncLinkage(type.id, 'static');
  }
}

/**
 * The BTF of an object as it is given to BPF_BTF_LOAD. On a 6.18 kernel nothing of it has to be sanitised: it knows every kind.
 * `text` is the index of `.text`, -1 without one. Source: bpf_object__collect_externs, bpf_object_fixup_btf.
 */
export function prepareBtf(elf: ElfFile, raw: Uint8Array, text: number): ObjectBtf {
  const original = Btf.parse(raw);
  const kfuncs = kfuncIds(original);
  const dummy = kfuncs.size > 0 ? original.count : 0;
  const patch = new BtfPatch(kfuncs.size > 0 ? appendVar(raw, DUMMY_NAME, findInt(original)) : raw);
  const { btf } = patch;

  const externs = collectExterns(elf, original);
  nameArguments(patch);

  const symbols = new Map<string, ElfSymbol>();
  for (const symbol of elf.symbols) {
    const isVariable = symbol.type === STT.OBJECT && (symbol.bind === STB.GLOBAL || symbol.bind === STB.WEAK);
    if (isVariable && !symbols.has(symbol.name)) symbols.set(symbol.name, symbol);
  }
  const sizes = new Map<string, number>();
  for (const section of elf.sections) if (!sizes.has(section.name)) sizes.set(section.name, section.size);
  const names = new Set(externs.map((extern) => extern.name));
  const used = new Set(externs.map((extern) => extern.kind));
  for (const type of btf.types()) {
    if (type.kind !== 'DATASEC') continue;
    if (type.name === '.ksyms') {
      if (used.has('ksym')) patchKsyms(patch, type, names, dummy, elf.file);
    } else if (type.name === '.kconfig') {
      if (used.has('kconfig')) patchKconfig(patch, type, externs, elf.file);
    } else {
      patchData(patch, type, elf.file, sizes, symbols);
    }
  }
  hideSubprograms(patch, elf, text);
  const bytes = patch.finish();
  return { btf: Btf.parse(bytes), bytes, externs };
}
