import type { Diagnostics, Position } from './diagnostics.ts';
import type { DialectName } from './dialect.ts';
import type { Directive, Value, Word } from './directive.ts';
import { Unit } from './unit.ts';

/** A text in C that stands in a line, without its quotes. */
export interface CText {
  readonly text: string;
  readonly at: Position;
}

/** The lines `.expect KEY …` of one program or of the whole file. */
export interface ExpectLine {
  readonly key: string;
  readonly values: readonly Word[];
  readonly isUnprivileged: boolean;
  readonly at: Position;
}

export interface ProgramOutline {
  readonly unit: Unit;
  readonly section: string;
  readonly sectionAt: Position;
  readonly attributes: ReadonlyMap<string, Word>;
  readonly at: Position;
  readonly expects: ExpectLine[];
}

export interface MapOutline {
  readonly name: string;
  readonly type: Word;
  readonly words: readonly Word[];
  readonly attributes: ReadonlyMap<string, Word>;
  readonly at: Position;
}

export interface VariableOutline {
  /** `.data`, `.rodata`, `.bss`, or one of them with a suffix */
  readonly section: string;
  /** C declaration; null where only a name and a size are given */
  readonly declaration: CText | null;
  readonly name: Word | null;
  readonly size: Word | null;
  readonly offset: Word | null;
  readonly values: readonly Value[];
  readonly at: Position;
}

export interface ExternOutline {
  readonly declaration: CText | null;
  readonly name: Word | null;
  readonly isWeak: boolean;
  readonly address: Word | null;
  readonly at: Position;
}

export interface StructOpsOutline {
  readonly name: string;
  readonly type: Word;
  readonly members: ReadonlyMap<string, Word>;
  readonly at: Position;
}

const START: Position = { line: 1, column: 1 };
const DATA_SECTION = /^(?:data|rodata|bss)(?:\..+)?$/;

/**
 * The whole text by what it declares; names are not resolved yet. One directive a line:
 *
 *     .dialect kernel|ubpf                      .license "GPL"                .equ NAME NUMBER
 *     .section "xdp"                            what follows belongs to it; ".text" holds functions that programs share
 *     .program NAME | "int f(struct xdp_md *ctx)"  [type= attach_type= flags= target= btf_id= btf=]
 *     .func NAME | "static int f(int x)"  [btf=]   inside a program: in place; else linked to each program that calls it
 *     .map NAME TYPE  key_size= value_size= | key="C type" value="C type"  max_entries= flags= map_extra= inner=MAP
 *                     slots=INDEX:NAME,… initial="hex" section= key_btf= value_btf= vmlinux_value=  [frozen] [template]
 *     .data | .rodata | .bss  "C declaration" | NAME SIZE  [at=OFFSET]  [= 1, {2, 3}, "text" or hex "00ff"]
 *     .extern "C declaration" | NAME  [weak] [address=]
 *     .struct_ops NAME TYPE  MEMBER=PROGRAM …
 *     .c { … }   .struct NAME { … }             C types, over several lines
 *     .btf { … }                                a BTF blob in base64, whose ids key_btf=, value_btf= and btf= name
 *     .expect [unprivileged] verdict|message|not_message|errno|return|log_level|flags|test_flags|caps|unchecked|skip|description  VALUE
 *     .expect case NAME, and behind it what becomes of the program in a world: see expected_cases.ts
 *     .raw 0x…                                  whole slots as 64-bit numbers
 *     ; TEXT @ FILE:LINE[:COLUMN]               source line of the next instruction
 */
export class Outline {
  readonly programs: ProgramOutline[] = [];
  readonly shared: Unit[] = [];
  readonly maps: MapOutline[] = [];
  readonly variables: VariableOutline[] = [];
  readonly externs: ExternOutline[] = [];
  readonly structOps: StructOpsOutline[] = [];
  readonly expects: ExpectLine[] = [];
  readonly constants = new Map<string, bigint>();
  license = 'GPL';
  dialect: DialectName | null = null;
  readonly #defaultName: string;
  readonly #diagnostics: Diagnostics;
  #section: { readonly name: string; readonly at: Position } | null = null;
  #unit: Unit | null = null;

  constructor(defaultName: string, diagnostics: Diagnostics) {
    this.#defaultName = defaultName;
    this.#diagnostics = diagnostics;
  }

  /** The unit that code goes into; begins a program when none is open. */
  unit(at: Position): Unit | null {
    if (this.#unit !== null) return this.#unit;
    if (this.#section?.name === '.text') {
      this.#diagnostics.add('code in section .text belongs to a .func', at);
      return null;
    }
    return this.#program(this.#defaultName, null, new Map(), at);
  }

  /** Settles what is open at the end of the text. */
  close(): void {
    for (const { unit } of this.programs) unit.close();
    for (const unit of this.shared) unit.close();
  }

  get hasOpenUnit(): boolean {
    return this.#unit !== null;
  }

  #program(name: string, prototype: CText | null, attributes: ProgramOutline['attributes'], at: Position): Unit {
    const unit = new Unit('program', name, at, this.#diagnostics);
    unit.function(name, prototype, typeIdOf(attributes), at);
    const section = this.#section ?? { name: 'socket', at: START };
    this.programs.push({ unit, section: section.name, sectionAt: section.at, attributes, at, expects: [] });
    this.#unit = unit;
    return unit;
  }

  /** Takes one directive; `at` is where its dot stands. */
  take(directive: Directive, at: Position): void {
    const { name } = directive;
    const atWord = (word: Word): Position => ({ line: at.line, column: at.column + word.column });
    const fail = (message: string, place: Position = at): void => this.#diagnostics.add(message, place);
    const { words, attributes, initial } = directive;
    if (initial !== null && !DATA_SECTION.test(name)) {
      fail(`.${name} takes no value`, { line: at.line, column: at.column + initial.column });
      return;
    }
    const cText = (word: Word): CText => ({ text: word.text, at: { line: at.line, column: at.column + word.column + 1 } });
    const only = (what: string): Word | null => {
      if (words.length === 1) return words[0]!;
      fail(`.${name} takes ${what}`);
      return null;
    };
    if (DATA_SECTION.test(name)) {
      this.#variable(directive, at, cText, fail);
      return;
    }
    switch (name) {
      case 'license': {
        const word = only('one string');
        if (word !== null) this.license = word.text;
        return;
      }
      case 'dialect': {
        const word = only('kernel or ubpf');
        if (word?.text === 'kernel' || word?.text === 'ubpf') this.dialect = word.text;
        else if (word !== null) fail(`no dialect '${word.text}': kernel or ubpf`, atWord(word));
        return;
      }
      case 'section': {
        const word = only('one name');
        if (word === null) return;
        this.#section = { name: word.text, at: atWord(word) };
        this.#unit = null;
        return;
      }
      case 'program':
      case 'func': {
        const word = only('a name or a C prototype in quotes');
        if (word === null) return;
        const prototype = word.quoted ? cText(word) : null;
        const title = prototype === null ? word.text : functionName(word.text);
        if (title === null) fail('expected a C prototype such as "int name(void *ctx)"', atWord(word));
        else if (name === 'program') this.#program(title, prototype, attributes, at);
        else this.#function(title, prototype, attributes, at);
        return;
      }
      case 'map': {
        const [title, type, ...rest] = words;
        if (title === undefined || type === undefined) fail('.map takes a name and a type');
        else this.maps.push({ name: title.text, type, words: rest, attributes, at });
        return;
      }
      case 'struct_ops': {
        const [title, type] = words;
        if (title === undefined || type === undefined || words.length > 2) fail('.struct_ops takes a name and a type');
        else this.structOps.push({ name: title.text, type, members: attributes, at });
        return;
      }
      case 'extern': {
        const [first, ...rest] = words;
        const bad = rest.find((word) => word.text !== 'weak');
        if (first === undefined) fail('.extern takes a name or a C declaration in quotes');
        else if (bad !== undefined) fail(`unknown word '${bad.text}'`, atWord(bad));
        else {
          const address = attributes.get('address') ?? null;
          const declaration = first.quoted ? cText(first) : null;
          this.externs.push({ declaration, name: first.quoted ? null : first, isWeak: rest.length > 0, address, at });
        }
        return;
      }
      case 'expect': {
        const [first, second] = words;
        const isUnprivileged = first?.text === 'unprivileged';
        const key = isUnprivileged ? second : first;
        if (key === undefined) return fail('.expect takes a key and its value');
        const line = { key: key.text, values: words.slice(isUnprivileged ? 2 : 1), isUnprivileged, at: atWord(key) };
        const program = this.#unit === null ? undefined : this.programs.find(({ unit }) => unit === this.#unit);
        (program?.expects ?? this.expects).push(line);
        return;
      }
      case 'equ': {
        const [title, value] = words;
        if (title === undefined || value === undefined || !/^-?(?:0x[0-9a-fA-F]+|\d+)$/.test(value.text)) {
          return fail('.equ takes a name and a number');
        }
        const magnitude = BigInt(value.text.replace(/^-/, ''));
        this.constants.set(title.text, value.text.startsWith('-') ? -magnitude : magnitude);
        return;
      }
      default:
        fail(`no directive '.${name}'`);
    }
  }

  #function(name: string, prototype: CText | null, attributes: ProgramOutline['attributes'], at: Position): void {
    const typeId = typeIdOf(attributes);
    if (this.#unit?.kind === 'program') {
      this.#unit.function(name, prototype, typeId, at);
      return;
    }
    const unit = new Unit('shared', name, at, this.#diagnostics);
    unit.function(name, prototype, typeId, at);
    this.shared.push(unit);
    this.#unit = unit;
  }

  #variable(
    { name, words, attributes, initial }: Directive,
    at: Position,
    cText: (word: Word) => CText,
    fail: (message: string) => void,
  ): void {
    const [first, second] = words;
    const offset = attributes.get('at') ?? null;
    const values = initial?.values ?? [];
    const section = `.${name}`;
    if (first?.quoted === true && words.length === 1) {
      this.variables.push({ section, declaration: cText(first), name: null, size: null, offset, values, at });
    } else if (first !== undefined && second !== undefined && words.length === 2 && !first.quoted) {
      this.variables.push({ section, declaration: null, name: first, size: second, offset, values, at });
    } else {
      fail(`.${name} takes a C declaration in quotes, or a name and a size in bytes`);
    }
  }
}

/** The attribute `btf=ID`. */
const typeIdOf = (attributes: ProgramOutline['attributes']): number | null => {
  const id = Number(attributes.get('btf')?.text ?? Number.NaN);
  return Number.isInteger(id) && id > 0 ? id : null;
};

/** The declared name of a C prototype: the last word in front of its parameters. */
const functionName = (prototype: string): string | null =>
  /([A-Za-z_]\w*)\s*\(/.exec(prototype.replace(/__attribute__\s*\(\(.*?\)\)/g, ''))?.[1] ?? null;
