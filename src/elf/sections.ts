import { Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import type { ProgType, SectionRule } from '../contracts/prog_type.ts';
import { type ElfFile, type ElfSection, SHF_EXECINSTR, SHT } from './elf_file.ts';

/** Which kind of global data a section holds; `kconfig` has no section of its own. */
export type DataKind = 'data' | 'rodata' | 'bss' | 'kconfig';

/** The sections of an object by their role. Source: bpf_object__elf_collect, tools/lib/bpf/libbpf.c. */
export interface ObjectSections {
  readonly license: string;
  readonly btf: ElfSection | null;
  readonly btfExt: ElfSection | null;
  readonly maps: ElfSection | null;
  readonly arena: ElfSection | null;
  /** `.text`: the only section whose functions are subprograms; null where there is none */
  readonly text: ElfSection | null;
  readonly code: readonly ElfSection[];
  /** global data by section index */
  readonly data: ReadonlyMap<number, DataKind>;
  readonly structOps: ReadonlySet<number>;
  /** relocation sections whose targets matter */
  readonly relocations: readonly ElfSection[];
}

const LICENSE_BYTES = 63;
const STRUCT_OPS = ['.struct_ops', '.struct_ops.link', '?.struct_ops', '?.struct_ops.link'];

const isNamed = (name: string, base: string): boolean => name === base || name.startsWith(`${base}.`);

/** Sections that say nothing to the loader. Source: ignore_elf_section. */
const isIgnored = (section: ElfSection): boolean =>
  section.type === SHT.STRTAB ||
  section.type === SHT.LLVM_ADDRSIG ||
  (section.type === SHT.PROGBITS && section.size === 0 && section.name === '.text') ||
  section.name.startsWith('.debug_') ||
  section.name.startsWith('.rel.debug_') ||
  section.name === '.rel.BTF' ||
  section.name === '.rel.BTF.ext';

const ascii = new TextDecoder();

export function classifySections(elf: ElfFile): ObjectSections {
  const refuse = (message: string): never => {
    throw new Malformed(message, elf.file);
  };
  let license = '';
  let btf: ElfSection | null = null;
  let btfExt: ElfSection | null = null;
  let maps: ElfSection | null = null;
  let arena: ElfSection | null = null;
  let text: ElfSection | null = null;
  const code: ElfSection[] = [];
  const data = new Map<number, DataKind>();
  const structOps = new Set<number>();
  const relocations: ElfSection[] = [];

  for (const section of elf.sections) {
    const { name, type, index } = section;
    if (index === 0 || isIgnored(section)) continue;
    if (name === 'license') {
      const end = section.data.indexOf(0);
      license = ascii.decode(section.data.subarray(0, Math.min(end === -1 ? section.data.length : end, LICENSE_BYTES)));
    } else if (name === 'version') {
      if (section.data.length !== 4) refuse('invalid version section');
    } else if (name === 'maps') {
      refuse("legacy map definitions in 'maps' section are not supported by libbpf v1.0+");
    } else if (name === '.maps') {
      maps = section;
    } else if (name === '.BTF' || name === '.BTF.ext') {
      if (type !== SHT.PROGBITS) refuse(`section '${name}' has no content`);
      if (name === '.BTF') btf = section;
      else btfExt = section;
    } else if (type === SHT.PROGBITS && section.data.length > 0) {
      if ((section.flags & SHF_EXECINSTR) !== 0) {
        if (name === '.text') text = section;
        code.push(section);
      } else if (isNamed(name, '.data')) data.set(index, 'data');
      else if (isNamed(name, '.rodata')) data.set(index, 'rodata');
      else if (STRUCT_OPS.includes(name)) structOps.add(index);
      else if (name === '.addr_space.1') arena = section;
    } else if (type === SHT.REL) {
      const target = elf.sections[section.info];
      if (target === undefined) return refuse(`section '${name}' relocates section ${section.info}, which does not exist`);
      if ((target.flags & SHF_EXECINSTR) !== 0 || STRUCT_OPS.includes(target.name) || target.name === '.maps')
        relocations.push(section);
    } else if (type === SHT.NOBITS && isNamed(name, '.bss') && section.size > 0) {
      data.set(index, 'bss');
    }
  }
  return { license, btf, btfExt, maps, arena, text, code, data, structOps, relocations };
}

/** What a section name says of its programs. */
export interface SectionMeaning {
  readonly type: ProgType;
  readonly rule: SectionRule;
}

/** Finds the section definition of a name: the exact one, or a base with `+` before the first slash. */
export interface SectionTable {
  find(section: string): SectionMeaning | null;
}

/** The section definitions of all program types of a profile. Source: section_defs and sec_def_matches. */
export function sectionTable(progTypes: Profile['progTypes']): SectionTable {
  const exact = new Map<string, SectionMeaning>();
  const open = new Map<string, SectionMeaning>();
  for (const type of progTypes.values()) {
    for (const rule of type.sections) {
      const isOpen = rule.extras || rule.section.endsWith('+');
      const base = rule.section.endsWith('+') ? rule.section.slice(0, -1) : rule.section;
      (isOpen ? open : exact).set(base, { type, rule });
    }
  }
  return {
    find(section) {
      const slash = section.indexOf('/');
      return exact.get(section) ?? open.get(slash === -1 ? section : section.slice(0, slash)) ?? null;
    },
  };
}
