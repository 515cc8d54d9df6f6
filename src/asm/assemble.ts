import type { Btf } from '../btf/btf.ts';
import { BtfError } from '../btf/error.ts';
import { placeOf } from '../btf/place.ts';
import { decodeProgram } from '../isa/codec.ts';
import type { Insn } from '../isa/insn.ts';
import { parseWord64 } from '../isa/word64.ts';
import type { ExpectedCase } from '../program/expected_case.ts';
import type { Expectation, FuncInfo, LineInfo, MapDef, ObjectImage, Program } from '../program/program.ts';
import { CTypes } from './c_types.ts';
import { dataMapName, layOutData } from './data_sections.ts';
import { Diagnostics, type Position } from './diagnostics.ts';
import { type DialectName, recogniseDialect } from './dialect.ts';
import { readDirective } from './directive.ts';
import { readExpectation } from './expectations.ts';
import { readKernelStatement } from './kernel_dialect.ts';
import { type LinkedProgram, Linker } from './link.ts';
import { loadKind } from './load_kind.ts';
import { type MapDraft, readMap } from './map_table.ts';
import { Outline } from './outline.ts';
import { type Piece, Scanner } from './scan.ts';
import { type Draft, StatementError } from './statement.ts';
import { readStructOps, type StructOpsRole } from './struct_ops.ts';
import { type AsmProfile, readExterns, Symbols } from './symbols.ts';
import { readUbpfStatement } from './ubpf_dialect.ts';
import type { UnitFunction } from './unit.ts';

export type { AsmProfile } from './symbols.ts';

export interface AssembleOptions {
  /** names of helpers, kfuncs and sections; without it only what needs none of them can be assembled */
  readonly profile: AsmProfile | null;
  /** the dialect; by default told from the content */
  readonly dialect?: DialectName;
}

const OBJECT_NAME_CHARACTERS = 15;
const MAX_TEXT = 1 << 26;

/** Name of an object, as libbpf derives it from a file name. Source: bpf_object__new. */
const objectName = (file: string): string => {
  const base = file.slice(file.lastIndexOf('/') + 1).slice(0, OBJECT_NAME_CHARACTERS);
  const stem = base.split('.', 1)[0]!;
  return stem === '' ? 'prog' : stem;
};

/**
 * Turns a text program into programs that are each ready to be verified alone. `file` is its name as given: diagnostics and
 * the maps of global data carry it. Throws `Malformed` with all that is wrong, each with line, column and source line.
 */
export function assemble(text: string, file: string, options: AssembleOptions): ObjectImage {
  const lines = text.slice(0, MAX_TEXT).split(/\r?\n/);
  const diagnostics = new Diagnostics(file, lines);
  if (text.length > MAX_TEXT) diagnostics.add(`text is longer than ${MAX_TEXT} characters`, { line: 1, column: 1 });
  const image = new Assembly(new Scanner(lines, diagnostics).scan(), file, options, diagnostics).image();
  diagnostics.throwIfAny();
  return image;
}

class Assembly {
  readonly #pieces: readonly Piece[];
  readonly #file: string;
  readonly #options: AssembleOptions;
  readonly #diagnostics: Diagnostics;
  readonly #types: CTypes;
  readonly #outline: Outline;
  readonly #object: string;

  constructor(pieces: readonly Piece[], file: string, options: AssembleOptions, diagnostics: Diagnostics) {
    this.#pieces = pieces;
    this.#file = file;
    this.#options = options;
    this.#diagnostics = diagnostics;
    this.#types = new CTypes(diagnostics);
    this.#object = objectName(file);
    this.#outline = new Outline(this.#object.replace(/\W/g, '_'), diagnostics);
  }

  image(): ObjectImage {
    for (const piece of this.#pieces) if (piece.kind === 'btf') this.#types.blob(piece.text, piece.at);
    for (const piece of this.#pieces) if (piece.kind === 'c') this.#types.block(piece.text, piece.at);
    this.#read();
    const outline = this.#outline;
    outline.close();
    const hasOther = outline.maps.length > 0 || outline.variables.length > 0 || !this.#types.isEmpty;
    if (outline.programs.length === 0 && (outline.shared.length > 0 || !hasOther)) {
      this.#diagnostics.add('there is no program', { line: 1, column: 1 });
    }

    const roles = new Map<string, StructOpsRole>();
    const drafts = this.#maps(roles);
    const functionIds = this.#prototypes();
    const data = layOutData(outline.variables, this.#object, this.#types, this.#diagnostics);
    if (this.#types.isBroken) this.#diagnostics.throwIfAny();
    const all = [...drafts, ...data.maps];
    const own = all.filter(({ isTemplate }) => !isTemplate);
    const symbols = new Symbols({
      mapIndex: new Map(own.map(({ def }, index) => [def.name, index])),
      sectionIndex: new Map(own.flatMap(({ def }, index) => (def.section === null ? [] : [[def.section, index]]))),
      variables: data.variables,
      shared: new Map(outline.shared.map((unit) => [unit.name, unit])),
      externs: readExterns(outline.externs, this.#types, this.#diagnostics),
      profile: this.#options.profile,
    });
    this.#checkNames(all, symbols);

    const owner = new Map(outline.programs.flatMap(({ unit }) => unit.functions.map(({ name }) => [name, unit.name] as const)));
    const linked = outline.programs.map(({ unit }) => new Linker(symbols, owner, this.#diagnostics).link(unit));
    const lineInfo = linked.map((program) => this.#lineInfo(program));
    const funcInfo = linked.map((program) => this.#funcInfo(program, functionIds));
    const btf = this.#btf(lineInfo.some((list) => list.length > 0));
    const maps = this.#mapDefs(own, all, btf);
    const expectations = new Map<string, Expectation>();
    const cases = new Map<string, readonly ExpectedCase[]>();
    const programs = outline.programs.map((program, index): Program => {
      const kind = loadKind(program, this.#options.profile, roles.get(program.unit.name), this.#diagnostics);
      const lines = program.expects.length > 0 ? program.expects : outline.expects;
      const { expectation, flags, cases: ofProgram } = readExpectation(lines, this.#diagnostics);
      if (expectation !== null) expectations.set(program.unit.name, expectation);
      if (ofProgram.length > 0) cases.set(program.unit.name, ofProgram);
      return {
        name: program.unit.name,
        section: program.section,
        type: kind.type,
        expectedAttachType: kind.expectedAttachType,
        hasAttachType: kind.hasAttachType,
        attach: kind.attach,
        flags: kind.flags | flags,
        license: outline.license,
        insns: linked[index]!.insns,
        maps,
        btf,
        funcInfo: funcInfo[index]!,
        lineInfo: lineInfo[index]!,
        loadError: kind.error ?? linked[index]!.loadError,
      };
    });
    return {
      name: this.#file,
      programs,
      maps,
      btf,
      license: outline.license,
      expectations,
      ...(cases.size === 0 ? {} : { cases }),
    };
  }

  /** Fills the outline: directives, labels, notes and instructions in the order of the text. */
  #read(): void {
    const outline = this.#outline;
    const reader = this.#reader();
    for (const piece of this.#pieces) {
      switch (piece.kind) {
        case 'c':
        case 'btf':
          break;
        case 'directive':
          this.#guard(piece.at, () => this.#directive(piece.text, piece.at));
          break;
        case 'label':
          outline.unit(piece.at)?.label(piece.name, piece.at);
          break;
        case 'note':
          outline.unit(piece.at)?.note(piece.note);
          break;
        case 'statement': {
          const unit = outline.unit(piece.at);
          this.#guard(piece.at, () => {
            const draft = reader(piece.text, piece.codeByte);
            if (piece.codeByte !== null && draft.insn.code !== piece.codeByte) {
              throw new StatementError(`this is code ${hex2(draft.insn.code)}, not ${hex2(piece.codeByte)}`, 0);
            }
            if (reader.isUbpf && draft.insn.code === EXIT_CODE) unit?.imply('exit');
            unit?.add(draft, piece.text, piece.at, piece.slot);
          });
          break;
        }
        default:
          piece satisfies never;
      }
    }
  }

  #directive(text: string, at: Position): void {
    const directive = readDirective(text);
    if (directive.name !== 'raw') {
      this.#outline.take(directive, at);
      return;
    }
    const unit = this.#outline.unit(at);
    for (const word of directive.words) {
      const insn = rawInsn(word.text);
      if (insn === null) throw new StatementError(`'${word.text}' is not a 64-bit word`, word.column);
      unit?.raw(insn, at);
    }
  }

  /** The dialect's reader. Statements recur, and a grammar is slow: each text is read once. */
  #reader(): ((text: string, codeByte: number | null) => Draft) & { readonly isUbpf: boolean } {
    const statements = this.#pieces.flatMap((piece) => (piece.kind === 'statement' ? [piece.text] : []));
    const named = this.#pieces.flatMap((piece) =>
      piece.kind === 'directive' ? [/^\.dialect\s+(kernel|ubpf)\b/.exec(piece.text)?.[1]] : [],
    );
    const chosen = named.find((name) => name !== undefined) as DialectName | undefined;
    const dialect = this.#options.dialect ?? chosen ?? recogniseDialect(statements);
    const read = dialect === 'ubpf' ? readUbpfStatement : readKernelStatement;
    const helpers = new Map(
      this.#options.profile?.helpers.flatMap((helper) => (helper === undefined ? [] : [[helper.name, helper.id]])),
    );
    const scope = {
      constant: (name: string) => this.#outline.constants.get(name) ?? this.#types.enumerator(name),
      helperId: (name: string) => helpers.get(name) ?? null,
      fieldOffset: (struct: string, path: string) => this.#fieldOffset(struct, path),
    };
    const known = new Map<string, Draft>();
    const memoized = (text: string, codeByte: number | null): Draft => {
      const key = codeByte === null ? text : `${codeByte} ${text}`;
      const draft = known.get(key) ?? read(text, { ...scope, codeByte });
      known.set(key, draft);
      return draft;
    };
    return Object.assign(memoized, { isUbpf: dialect === 'ubpf' });
  }

  #fieldOffset(name: string, path: string): number | null {
    const kernel = this.#options.profile?.btf;
    const struct = kernel?.findByName(name, 'STRUCT') ?? kernel?.findByName(name, 'UNION');
    return kernel === undefined || struct === undefined ? null : (placeOf(kernel, struct, path)?.offset ?? null);
  }

  #guard(at: Position, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      this.#diagnostics.add(error.message, { line: at.line, column: at.column + error.column });
    }
  }

  #maps(roles: Map<string, StructOpsRole>): MapDraft[] {
    const outline = this.#outline;
    const maps = outline.maps.flatMap((map) => readMap(map, this.#types, this.#diagnostics) ?? []);
    const kernel = this.#options.profile?.btf;
    const programs = new Set(outline.programs.map(({ unit }) => unit.name));
    for (const ops of outline.structOps) {
      if (kernel === undefined) this.#diagnostics.add('struct_ops needs the types of a kernel', ops.at);
      else maps.push(...[readStructOps(ops, kernel, programs, roles, this.#diagnostics)].filter((map) => map !== null));
    }
    return maps;
  }

  /** FUNC ids of the functions that have a prototype. */
  #prototypes(): Map<UnitFunction, number> {
    const ids = new Map<UnitFunction, number>();
    const units = [...this.#outline.programs.map(({ unit }) => unit), ...this.#outline.shared];
    for (const declared of units.flatMap(({ functions }) => functions)) {
      if (declared.typeId !== null) ids.set(declared, declared.typeId);
      if (declared.prototype === null) continue;
      const found = this.#types.prototype(declared.prototype.text, declared.prototype.at);
      if (found !== null) ids.set(declared, found.id);
    }
    return ids;
  }

  #checkNames(maps: readonly MapDraft[], symbols: Symbols): void {
    const seen = new Map<string, string>();
    const claim = (name: string, what: string, at: Position): void => {
      const known = seen.get(name);
      if (known === undefined) seen.set(name, what);
      else this.#diagnostics.add(`'${name}' is already a ${known}`, at);
    };
    for (const { def, at } of maps) claim(def.name, 'map', at);
    for (const { unit, at } of this.#outline.programs) claim(unit.name, 'program', at);
    for (const { name, at } of this.#outline.shared) claim(name, 'function', at);
    for (const { name, section } of symbols.variables.values()) {
      const at = maps.find(({ def }) => def.name === dataMapName(this.#object, section))?.at ?? { line: 1, column: 1 };
      claim(name, 'variable', at);
    }
  }

  #lineInfo({ notes }: LinkedProgram): LineInfo[] {
    const { strings } = this.#types.scope.builder;
    return notes.map(({ slot, note }) => ({
      insn: slot,
      fileOff: strings.intern(note.file),
      lineOff: strings.intern(note.text),
      lineCol: ((note.line << 10) | (note.column & 0x3ff)) >>> 0,
    }));
  }

  /** Where one function has a prototype the kernel wants to know of all; the others get a plain one. */
  #funcInfo({ functions }: LinkedProgram, ids: Map<UnitFunction, number>): FuncInfo[] {
    if (!functions.some(({ declared }) => ids.has(declared))) return [];
    return functions.map(({ slot, declared }) => {
      const typeId = ids.get(declared) ?? this.#plainFunction(declared.name, slot === 0);
      ids.set(declared, typeId);
      return { insn: slot, typeId };
    });
  }

  #plainFunction(name: string, isMain: boolean): number {
    const { builder } = this.#types.scope;
    const params = isMain ? [{ name: 'ctx', type: builder.ptr(0) }] : [];
    return builder.func(name, builder.funcProto(builder.int('int', 4), params), isMain ? 'global' : 'static');
  }

  #btf(hasLines: boolean): Btf | null {
    const { scope } = this.#types;
    if (this.#types.isEmpty && !hasLines) return null;
    if (this.#types.isEmpty) scope.builder.int('int', 4);
    scope.close();
    try {
      return scope.builder.build();
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      this.#diagnostics.add(error.message, { line: 1, column: 1 });
      return null;
    }
  }

  #mapDefs(own: readonly MapDraft[], all: readonly MapDraft[], btf: Btf | null): MapDef[] {
    const define = (draft: MapDraft, depth: number): MapDef => {
      const { def, at } = draft;
      const template = draft.inner === null ? undefined : all.find((other) => other.def.name === draft.inner);
      if (draft.inner !== null && template === undefined) this.#diagnostics.add(`no map '${draft.inner}'`, at);
      if (depth > 1) this.#diagnostics.add('an inner map cannot have an inner map', at);
      const inner = template === undefined || depth > 1 ? null : define(template, depth + 1);
      const isTyped = def.btfKeyTypeId !== 0 || def.btfValueTypeId !== 0;
      return { ...def, btf: isTyped ? btf : null, inner };
    };
    for (const { def, at } of own) {
      for (const { name, kind } of def.slots) {
        const known =
          kind === 'map'
            ? own.some((other) => other.def.name === name)
            : this.#outline.programs.some(({ unit }) => unit.name === name);
        if (!known) this.#diagnostics.add(`no ${kind} '${name}' for a slot of '${def.name}'`, at);
      }
    }
    return own.map((draft) => define(draft, 0));
  }
}

const EXIT_CODE = 0x95;
const hex2 = (code: number): string => code.toString(16).padStart(2, '0');

/** A 64-bit number as one slot: its lowest byte is the code. */
const rawInsn = (text: string): Insn | null => {
  const word = parseWord64(text);
  if (word === null) return null;
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, word.lo, true);
  view.setInt32(4, word.hi, true);
  return decodeProgram(bytes)[0]!;
};
