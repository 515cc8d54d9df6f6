import { Malformed } from '../contracts/errors.ts';
import { decodeProgram } from '../isa/codec.ts';
import { type Insn, SLOT_BYTES } from '../isa/insn.ts';
import { type ElfFile, type ElfSection, type ElfSymbol, isHidden, STB, STT } from './elf_file.ts';
import type { Relocation } from './relocations.ts';

/** A function of the object: an entry program, or a subprogram when it lies in `.text`. */
export interface ObjectFunction {
  readonly name: string;
  readonly section: ElfSection;
  /** first slot in its section */
  readonly start: number;
  readonly slots: number;
  readonly isSubprogram: boolean;
  /** global symbol that is visible outside the object */
  readonly isExported: boolean;
  /** its instructions before relocation */
  readonly original: readonly Insn[];
  readonly relocations: Relocation[];
  /** relocations of the function that make no sense; programs that contain it are not loaded */
  error: string | null;
}

/** The functions of an object, by section and slot. */
export class FunctionTable {
  readonly list: readonly ObjectFunction[];
  readonly #bySection = new Map<number, ObjectFunction[]>();

  constructor(functions: readonly ObjectFunction[]) {
    this.list = [...functions].sort((a, b) => a.section.index - b.section.index || a.start - b.start);
    for (const fn of this.list) {
      const known = this.#bySection.get(fn.section.index);
      if (known === undefined) this.#bySection.set(fn.section.index, [fn]);
      else known.push(fn);
    }
  }

  /** The function that contains a slot of a section. Source: find_prog_by_sec_insn. */
  at(section: number, slot: number): ObjectFunction | null {
    const functions = this.#bySection.get(section) ?? [];
    let low = 0;
    let high = functions.length - 1;
    while (low < high) {
      const middle = low + ((high - low + 1) >> 1);
      if (functions[middle]!.start <= slot) low = middle;
      else high = middle - 1;
    }
    const found = functions[low];
    return found !== undefined && slot >= found.start && slot < found.start + found.slots ? found : null;
  }
}

/** All functions may together have as many slots as their sections, several times over. */
const OVERLAP_LIMIT = 4;

/**
 * The functions that the symbol table names in the object's code sections. Source: bpf_object__add_programs, which refuses
 * static functions outside `.text`.
 */
export function collectFunctions(elf: ElfFile, code: readonly ElfSection[], text: ElfSection | null): FunctionTable {
  const refuse = (section: ElfSection, message: string): never => {
    throw new Malformed(`sec '${section.name}': ${message}`, elf.file);
  };
  const sections = new Map<number, { section: ElfSection; insns: Insn[] }>();
  let room = 0;
  for (const section of code) {
    if (section.data.length % SLOT_BYTES !== 0) refuse(section, `size ${section.data.length} is not a multiple of ${SLOT_BYTES}`);
    const insns = decodeProgram(section.data);
    sections.set(section.index, { section, insns });
    room += insns.length * OVERLAP_LIMIT;
  }
  const functions: ObjectFunction[] = [];
  for (const symbol of elf.symbols) {
    const place = symbol.type === STT.FUNC ? sections.get(symbol.section) : undefined;
    if (place === undefined) continue;
    const fn = functionOf(symbol, place.section, place.insns, place.section === text, refuse);
    room -= fn.slots;
    if (room < 0) refuse(place.section, 'functions overlap');
    functions.push(fn);
  }
  return new FunctionTable(functions);
}

function functionOf(
  symbol: ElfSymbol,
  section: ElfSection,
  insns: readonly Insn[],
  isSubprogram: boolean,
  refuse: (section: ElfSection, message: string) => never,
): ObjectFunction {
  const { name, value, size } = symbol;
  if (value > section.data.length || size > section.data.length - value)
    refuse(section, `program at offset ${value} crosses section boundary`);
  if (!isSubprogram && symbol.bind === STB.LOCAL) refuse(section, `program '${name}' is static and not supported`);
  if (size === 0 || size % SLOT_BYTES !== 0 || value % SLOT_BYTES !== 0)
    refuse(section, `corrupted program '${name}', offset ${value}, size ${size}`);
  const start = value / SLOT_BYTES;
  return {
    name,
    section,
    start,
    slots: size / SLOT_BYTES,
    isSubprogram,
    isExported: symbol.bind !== STB.LOCAL && !isHidden(symbol),
    original: insns.slice(start, start + size / SLOT_BYTES),
    relocations: [],
    error: null,
  };
}
