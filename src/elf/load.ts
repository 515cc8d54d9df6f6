import type { Btf } from '../btf/btf.ts';
import { checkBtf } from '../btf/check/check.ts';
import { typesAreCompatible } from '../btf/core/compat.ts';
import { BtfError } from '../btf/error.ts';
import { Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { ALL_CAPABILITIES } from '../contracts/subject.ts';
import type { Expectation, ExternDef, MapDef, ObjectImage, Program } from '../program/program.ts';
import { programKind, type TargetProgram } from './attach.ts';
import { type BtfExt, readBtfExt } from './btf_ext.ts';
import { coreRelocator } from './core_relos.ts';
import { type ElfFile, readElf } from './elf_file.ts';
import { exceptionCallbacks } from './exception_callback.ts';
import { type Annotation, readAnnotations } from './expectations.ts';
import { collectExterns, type Extern } from './externs.ts';
import { collectFunctions, type ObjectFunction } from './functions.ts';
import { type KernelSymbols, type Resolution, resolveExterns, symbolsOfBtf } from './ksyms.ts';
import { linkProgram } from './link.ts';
import { collectMaps, type MapDraft, toMapDef } from './maps.ts';
import { type ObjectBtf, prepareBtf } from './object_btf.ts';
import { type FunctionBody, patchFunction } from './patch.ts';
import { applyPresets, type Preset } from './presets.ts';
import { collectRelocations } from './relocations.ts';
import { classifySections, type ObjectSections, sectionTable } from './sections.ts';
import { fillSlots } from './slots.ts';
import { collectStructOps } from './struct_ops.ts';

/** What the loader asks of a kernel. */
export type LoaderProfile = Pick<Profile, 'btf' | 'version' | 'progTypes' | 'mapTypes' | 'kconfig' | 'dataAddresses'> & {
  readonly facts: Pick<Profile['facts'], 'destructors'>;
};

export interface LoadOptions {
  readonly profile: LoaderProfile;
  /** values for global variables, as `-G` gives them */
  readonly presets?: readonly Preset[];
  /** what an freplace program replaces, or a tracing program without a target in its section name attaches to */
  readonly target?: TargetProgram;
  /** addresses of kernel symbols; by default those that the kernel's BTF names */
  readonly symbolAddress?: KernelSymbols['address'];
}

/** All programs of an object together may have as many slots, and as many records of functions and lines. */
const IMAGE_SLOTS = 1 << 24;
const IMAGE_RECORDS = 1 << 24;

/**
 * Turns a clang object into programs that are each ready to be verified alone, as libbpf does before BPF_PROG_LOAD. A reference
 * that cannot be resolved is a `loadError` of the programs that have it; an object that libbpf would not open is `Malformed`.
 *
 * `name` is the file name as given; maps of global data are named after it. A map's descriptor is its index in `maps`.
 */
export function loadObject(bytes: Uint8Array, name: string, options: LoadOptions): ObjectImage {
  try {
    return load(readElf(bytes, name), options);
  } catch (error) {
    if (error instanceof Malformed) throw new Malformed(oneLine(error.message), name);
    if (!(error instanceof BtfError)) throw error;
    const where = error.typeId === undefined ? '' : ` (type ${error.typeId})`;
    throw new Malformed(oneLine(`.BTF: ${error.message}${where}`), name);
  }
}

const LONGEST_LINE = 500;

/** Names in an object can hold anything; a message is one line of readable length. */
function oneLine(text: string): string {
  const escaped = text.replace(/[\0-\x1f\x7f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return escaped.length > LONGEST_LINE ? `${escaped.slice(0, LONGEST_LINE)}…` : escaped;
}

function load(elf: ElfFile, options: LoadOptions): ObjectImage {
  const { profile } = options;
  const sections = classifySections(elf);
  const prepared = sections.btf === null ? null : prepareBtf(elf, sections.btf.data, sections.text?.index ?? -1);
  const btf = prepared?.btf ?? null;
  const externs = prepared?.externs ?? collectExterns(elf, null);
  const functions = collectFunctions(elf, sections.code, sections.text);
  const ext = readExt(elf, sections, prepared);
  const maps = collectMaps(elf, sections, btf, externs);
  applyPresets(options.presets ?? [], maps, btf, elf.file);
  const structOps = collectStructOps(elf, sections.structOps, sections.relocations, btf, profile.btf, functions);
  maps.push(...structOps.maps);
  collectRelocations({ elf, sections, functions, maps, externs });
  fillSlots(elf, sections, maps, functions);

  const kconfigMap = maps.findIndex((map) => map.data === 'kconfig');
  const resolutions: Resolution[] = resolveExterns(
    externs,
    btf,
    {
      btf: profile.btf,
      version: profile.version,
      kconfig: profile.kconfig,
      isCompatible: (local, localId, kernelId) => isCompatible(local, localId, profile.btf, kernelId),
      address: options.symbolAddress ?? symbolsOfBtf(profile.btf, profile.dataAddresses),
    },
    maps[kconfigMap]?.initial ?? null,
  );
  const loaded = prepared !== null && isLoadable(prepared.bytes, profile) ? btf : null;
  const mapDefs = maps.map((map) => createMap(map, loaded, profile));

  const bodies = new Map<ObjectFunction, FunctionBody>();
  const patching = {
    functions,
    text: sections.text?.index ?? 0,
    maps,
    kconfigMap,
    externs,
    resolutions,
    relocateCore: coreRelocator(ext, btf, profile.btf),
  };
  const bodyOf = (fn: ObjectFunction): FunctionBody => {
    let body = bodies.get(fn);
    if (body === undefined) bodies.set(fn, (body = patchFunction(fn, patching)));
    return body;
  };

  const rules = sectionTable(profile.progTypes);
  const callbacks = exceptionCallbacks(btf, functions);
  const expectations = new Map<string, Expectation>();
  const programs: Program[] = [];
  const annotations = new Map<string, Annotation>();
  let slots = 0;
  let records = 0;
  for (const fn of functions.list) {
    if (fn.isSubprogram) continue;
    const section = fn.section.name.startsWith('?') ? fn.section.name.slice(1) : fn.section.name;
    const kind = programKind(
      fn,
      section,
      rules.find(section),
      profile.btf,
      structOps.members.get(fn) ?? null,
      options.target ?? null,
    );
    const callback = callbacks.of(fn);
    const linked = linkProgram(fn, bodyOf, ext, typeof callback === 'string' ? null : callback);
    slots += linked.insns.length;
    if (slots > IMAGE_SLOTS) throw new Malformed(`its programs have more than ${IMAGE_SLOTS} instructions together`, elf.file);
    records += linked.funcInfo.length + linked.lineInfo.length;
    if (records > IMAGE_RECORDS)
      throw new Malformed(`its programs have more than ${IMAGE_RECORDS} line records together`, elf.file);
    const annotation = annotations.get(fn.name) ?? readAnnotations(btf, fn.name);
    annotations.set(fn.name, annotation);
    if (annotation.expectation !== null) expectations.set(fn.name, annotation.expectation);
    const loadError = linked.error ?? (typeof callback === 'string' ? callback : null) ?? kind.error;
    programs.push({
      name: fn.name,
      section,
      type: kind.type,
      expectedAttachType: kind.expectedAttachType,
      hasAttachType: kind.hasAttachType,
      attach: kind.attach,
      flags: kind.flags | annotation.setFlags,
      license: sections.license,
      insns: linked.insns,
      maps: mapDefs,
      btf: loaded,
      funcInfo: loaded === null ? [] : linked.funcInfo,
      lineInfo: loaded === null ? [] : linked.lineInfo,
      loadError: loadError === null ? null : oneLine(loadError),
    });
  }
  const described = externs.map((extern, i) => describe(extern, resolutions[i]!));
  return { name: elf.file, programs, maps: mapDefs, btf, license: sections.license, expectations, externs: described };
}

function readExt(elf: ElfFile, sections: ObjectSections, prepared: ObjectBtf | null): BtfExt | null {
  if (sections.btfExt === null || prepared === null) return null;
  return readBtfExt(sections.btfExt.data, elf, (offset) => prepared.btf.stringAt(offset));
}

/** Whether the kernel takes the BTF; without it the object goes on, as BTF is optional (bpf_object__sanitize_and_load_btf). */
function isLoadable(bytes: Uint8Array, profile: LoaderProfile): boolean {
  try {
    checkBtf(bytes, { btf: profile.btf, destructors: profile.facts.destructors });
    return true;
  } catch (error) {
    if (error instanceof BtfError) return false;
    throw error;
  }
}

/**
 * The map as the kernel would create it: without BTF if it refuses it with, and with an error if it refuses it, or its inner map,
 * altogether. Source: bpf_object__create_map.
 */
function createMap(map: MapDraft, btf: Btf | null, profile: LoaderProfile): MapDef {
  const declared = toMapDef(map, btf);
  const inner = declared.inner === null ? null : creatable(declared.inner, profile);
  if (inner !== null && typeof inner === 'string') {
    map.error ??= `map '${map.name}': failed to create inner map: -${inner}`;
    return declared;
  }
  const def = creatable({ ...declared, inner }, profile);
  if (typeof def !== 'string') return def;
  map.error ??= `map '${map.name}': failed to create: -${def}`;
  return declared;
}

/** The map with BTF or without, as the kernel takes it, or the errno of its refusal. */
function creatable(def: MapDef, profile: LoaderProfile): MapDef | string {
  const check = (candidate: MapDef): string | null =>
    profile.mapTypes.get(candidate.type)?.checkCreate(candidate, ALL_CAPABILITIES) ?? null;
  const errno = check(def);
  if (errno === null) return def;
  const plain = { ...def, btf: null, btfKeyTypeId: 0, btfValueTypeId: 0 };
  return def.btf !== null && check(plain) === null ? plain : errno;
}

/** Types that cannot be compared to the end are not compatible. */
function isCompatible(local: Btf, localId: number, kernel: Btf, kernelId: number): boolean {
  try {
    return typesAreCompatible(local, localId, kernel, kernelId);
  } catch (error) {
    if (error instanceof BtfError) return false;
    throw error;
  }
}

function describe(extern: Extern, resolution: Resolution): ExternDef {
  const { name, weak } = extern;
  const { kind, error } = resolution;
  const isAbsent = kind === 'missing' || (kind === 'address' && resolution.address === 0n);
  const words = { kconfig: 'kconfig', unknown: 'unknown', ksym: 'variable' } as const;
  const isFunction = extern.kind === 'ksym' && extern.declared.kind === 'FUNC';
  return { name, weak, kind: isFunction ? 'function' : words[extern.kind], found: !isAbsent && error === null, error };
}
