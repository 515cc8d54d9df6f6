import type { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { type BtfType, type Enum64Type, type EnumType, isStruct, type StructType } from '../types.ts';
import { DEPTH_LIMIT, DefinitionOrder, mentioned } from './order.ts';
import { padding } from './padding.ts';

/** Members written in one print; anonymous structs, written out wherever they occur, could make it grow without end. */
const MEMBER_LIMIT = 2_000_000;

const QUALIFIER_WORDS = { VOLATILE: 'volatile', CONST: 'const', RESTRICT: 'restrict' } as const;
type Qualifier = keyof typeof QUALIFIER_WORDS;
const isQualifier = (type: BtfType): type is BtfType & { kind: Qualifier } => Object.hasOwn(QUALIFIER_WORDS, type.kind);

/** libbpf indents no deeper than this. */
const MAX_TABS = 13;

const tabs = (level: number): string => '\t'.repeat(Math.min(level, MAX_TABS));

/**
 * Prints types as C, each definition once and after what it needs, in the words of `bpftool btf dump format c unsorted`.
 * Equal names of one namespace are told apart by `___2`, `___3`, ….
 */
export class CPrinter {
  readonly btf: Btf;
  readonly #order: DefinitionOrder;
  readonly #emitted = new Map<number, 'open' | 'done'>();
  readonly #forward = new Set<number>();
  readonly #names = new Map<number, string>();
  readonly #tagNames = new Map<string, number>();
  readonly #identNames = new Map<string, number>();
  #referenced: Set<number> | undefined;
  #members = 0;
  #out: string[] = [];

  constructor(btf: Btf) {
    this.btf = btf;
    this.#order = new DefinitionOrder(btf, (id) => this.#isReferenced(id));
  }

  /** The definitions that a type needs, with its own, as far as this printer did not print them before. */
  define(id: number): string {
    this.#out = [];
    for (const definition of this.#order.of(id)) this.#emit(definition, 0, 0);
    return this.#out.join('');
  }

  /** A declaration of `name` with this type: `struct foo *(*name)[4]`. An empty name gives the type's own spelling. */
  declare(id: number, name: string, level = 0): string {
    return this.#chain(this.#spine(id), name, level);
  }

  #isReferenced(id: number): boolean {
    if (this.#referenced === undefined) {
      this.#referenced = new Set();
      for (const type of this.btf.types()) for (const other of mentioned(type)) this.#referenced.add(other);
    }
    return this.#referenced.has(id);
  }

  /** A name that its namespace does not have yet, fixed at first use. Source: btf_dump_resolve_name. */
  #nameOf(type: BtfType, space: Map<string, number>): string {
    if (type.name === '' || type.kind === 'FWD' || (type.kind === 'ENUM' && type.values.length === 0)) return type.name;
    const known = this.#names.get(type.id);
    if (known !== undefined) return known;
    const name = this.#unique(type.name, space);
    this.#names.set(type.id, name);
    return name;
  }

  #unique(name: string, space: Map<string, number>): string {
    const times = (space.get(name) ?? 0) + 1;
    space.set(name, times);
    return times > 1 ? `${name}___${times}` : name;
  }

  // definitions

  /**
   * Writes what must stand before or is a definition; `within` is the struct or typedef whose parts are looked at, 0 at the
   * top. Source: btf_dump_emit_type.
   */
  #emit(id: number, within: number, depth: number): void {
    if (depth > DEPTH_LIMIT) throw new BtfError('types nested too deeply', { typeId: id });
    const state = this.#emitted.get(id);
    if (state === 'done' || id === 0) return;
    const type = this.btf.type(id);
    if (state === 'open') {
      this.#emitOpen(type, within);
      return;
    }
    const into = (next: number, holder: number): void => this.#emit(next, holder, depth + 1);
    switch (type.kind) {
      case 'PTR':
      case 'VOLATILE':
      case 'CONST':
      case 'RESTRICT':
      case 'TYPE_TAG':
        into(type.type, within);
        return;
      case 'ARRAY':
        into(type.elem, within);
        return;
      case 'FUNC_PROTO':
        for (const part of [type.ret, ...type.params.map((param) => param.type)]) into(part, within);
        return;
      case 'INT':
        this.#emitted.set(id, 'done');
        return;
      case 'ENUM':
      case 'ENUM64':
        if (within === 0) this.#write(`${this.#enumDefinition(type, 0)};\n\n`);
        this.#emitted.set(id, 'done');
        return;
      case 'FWD':
        this.#write(`${type.of} ${type.name};\n\n`);
        this.#emitted.set(id, 'done');
        return;
      case 'TYPEDEF':
        this.#emitted.set(id, 'open');
        into(type.type, id);
        if (!this.#forward.has(id)) this.#writeTypedef(type);
        this.#emitted.set(id, 'done');
        return;
      case 'STRUCT':
      case 'UNION':
        this.#emitStruct(type, within, into);
        return;
      case 'VOID':
      case 'FLOAT':
      case 'FUNC':
      case 'VAR':
      case 'DATASEC':
      case 'DECL_TAG':
        return;
      default: {
        const never: never = type;
        return never;
      }
    }
  }

  /** A type that is being defined is referred to: by a forward declaration, for once. */
  #emitOpen(type: BtfType, within: number): void {
    if (this.#forward.has(type.id)) return;
    if (isStruct(type)) {
      if (type.id === within || type.name === '') return;
      this.#writeForward(type);
    } else if (type.kind === 'TYPEDEF') {
      this.#writeTypedef(type);
      this.#forward.add(type.id);
    }
  }

  #emitStruct(type: StructType, within: number, into: (next: number, holder: number) => void): void {
    this.#emitted.set(type.id, 'open');
    if (within === 0 || type.name === '') {
      for (const member of type.members) {
        this.#count(type.id);
        into(member.type, type.name === '' ? within : type.id);
      }
    } else if (!this.#forward.has(type.id) && type.id !== within) {
      this.#writeForward(type);
    }
    if (within === 0) {
      this.#write(`${this.#structDefinition(type, 0)};\n\n`);
      this.#emitted.set(type.id, 'done');
    } else {
      this.#emitted.delete(type.id);
    }
  }

  #count(typeId: number): void {
    if (++this.#members > MEMBER_LIMIT) throw new BtfError('types too large to print', { typeId });
  }

  #write(text: string): void {
    this.#out.push(text);
  }

  #writeForward(type: StructType): void {
    this.#write(`${type.kind.toLowerCase()} ${this.#nameOf(type, this.#tagNames)};\n\n`);
    this.#forward.add(type.id);
  }

  #writeTypedef(type: BtfType & { kind: 'TYPEDEF' | Qualifier }): void {
    if (type.name === '__builtin_va_list') return;
    const name = this.#nameOf(type, this.#identNames);
    const target = type.type === 0 && name === '__gnuc_va_list' ? `__builtin_va_list ${name}` : this.declare(type.type, name);
    this.#write(`typedef ${target};\n\n`);
  }

  #isPacked(type: StructType): boolean {
    let largest = 1;
    for (const member of type.members) {
      const align = this.btf.alignOf(member.type);
      if (align > 0 && member.bitfieldSize === 0 && member.bitOffset % (8 * align) !== 0) return true;
      largest = Math.max(largest, align);
    }
    return type.size % largest !== 0;
  }

  /** `struct foo { … }`, padding included. Source: btf_dump_emit_struct_def. */
  #structDefinition(type: StructType, level: number): string {
    if (level > DEPTH_LIMIT) throw new BtfError('types nested too deeply', { typeId: type.id });
    const isUnion = type.kind === 'UNION';
    const packed = !isUnion && this.#isPacked(type);
    const head = [type.kind.toLowerCase(), this.#nameOf(type, this.#tagNames)].filter((word) => word !== '').join(' ');
    const lines: string[] = [];
    let end = 0;
    let afterBitfield = false;
    for (const member of type.members) {
      this.#count(type.id);
      const bits = member.bitfieldSize;
      const align = packed ? 1 : this.btf.alignOf(member.type);
      for (const pad of padding(end, member.bitOffset, align, afterBitfield && bits > 0)) lines.push(pad);
      const declaration = this.declare(member.type, member.name, level + 1);
      lines.push(bits > 0 ? `${declaration}: ${bits};` : `${declaration};`);
      end = member.bitOffset + (bits > 0 ? bits : (this.btf.sizeOf(member.type) ?? 0) * 8);
      afterBitfield = bits > 0;
    }
    if (!isUnion) for (const pad of padding(end, type.size * 8, this.btf.alignOf(type.id), false)) lines.push(pad);
    const body = lines.map((line) => `\n${tabs(level + 1)}${line}`).join('');
    const close = type.members.length > 0 || type.size > 0 ? `\n${tabs(level)}}` : '}';
    return `${head} {${body}${close}${packed ? ' __attribute__((packed))' : ''}`;
  }

  /** `enum foo { … }`. Source: btf_dump_emit_enum_def. */
  #enumDefinition(type: EnumType | Enum64Type, level: number): string {
    const head = ['enum', this.#nameOf(type, this.#tagNames)].filter((word) => word !== '').join(' ');
    if (type.values.length === 0) return head;
    const suffix = type.kind === 'ENUM' ? '' : type.signed ? 'LL' : 'ULL';
    const lines = type.values.map(({ name, value }) => {
      this.#count(type.id);
      return `\n${tabs(level + 1)}${this.#unique(name, this.#identNames)} = ${value}${suffix},`;
    });
    const narrow = type.kind === 'ENUM' || type.values.every(({ value }) => BigInt.asUintN(64, value) >> 32n === 0n);
    const mode =
      type.size === 1 ? ' __attribute__((mode(byte)))' : type.size === 8 && narrow ? ' __attribute__((mode(word)))' : '';
    return `${head} {${lines.join('')}\n${tabs(level)}}${mode}`;
  }

  // declarations

  /** The types from the declared one down to the one that has a spelling of its own. */
  #spine(id: number): BtfType[] {
    const spine: BtfType[] = [];
    for (let next: number | undefined = id; next !== undefined; ) {
      if (spine.length > DEPTH_LIMIT) throw new BtfError('types nested too deeply', { typeId: id });
      const type: BtfType = this.btf.type(next);
      spine.push(type);
      if (type.kind === 'PTR' || isQualifier(type) || type.kind === 'TYPE_TAG') next = type.type;
      else if (type.kind === 'FUNC_PROTO') next = type.ret;
      else next = type.kind === 'ARRAY' ? type.elem : undefined;
    }
    return spine;
  }

  /** Qualifiers at the end of the spine, which C writes before the type they qualify; they are taken off. */
  #leading(spine: BtfType[]): string {
    let words = '';
    for (let top = spine.at(-1); top !== undefined && isQualifier(top); top = spine.at(-1)) {
      words += `${QUALIFIER_WORDS[top.kind]} `;
      spine.pop();
    }
    return words;
  }

  /** Takes qualifiers and tags off that C cannot write: those of arrays and functions. */
  #dropQualifiers(spine: BtfType[]): void {
    for (let top = spine.at(-1); top !== undefined && (isQualifier(top) || top.kind === 'TYPE_TAG'); top = spine.at(-1))
      spine.pop();
  }

  /** Spells a spine from its far end. Source: btf_dump_emit_type_chain. */
  #chain(spine: BtfType[], name: string, level: number): string {
    let text = '';
    let afterPointer = true;
    const named = (): string => (name !== '' && !afterPointer ? ` ${name}` : name);
    for (let type = spine.pop(); type !== undefined; type = spine.pop()) {
      switch (type.kind) {
        case 'PTR':
          text += afterPointer ? '*' : ' *';
          break;
        case 'VOLATILE':
        case 'CONST':
        case 'RESTRICT':
          text += ` ${QUALIFIER_WORDS[type.kind]}`;
          break;
        case 'TYPE_TAG':
          text += `${this.#leading(spine)} __attribute__((${type.kindFlag ? type.name : `btf_type_tag("${type.name}")`}))`;
          break;
        case 'ARRAY': {
          this.#dropQualifiers(spine);
          const next = spine.at(-1);
          if (next === undefined) return `${text}${named()}[${type.nelems}]`;
          const space = name !== '' && !afterPointer ? ' ' : '';
          const inner = this.#chain(spine, name, level);
          return `${text}${space}${next.kind === 'ARRAY' ? inner : `(${inner})`}[${type.nelems}]`;
        }
        case 'FUNC_PROTO': {
          this.#dropQualifiers(spine);
          const inner = spine.length > 0 ? ` (${this.#chain(spine, name, level)})` : named();
          return `${text}${inner}(${this.#params(type, level)})`;
        }
        default:
          text += this.#leading(spine) + this.#spelling(type, level);
      }
      afterPointer = type.kind === 'PTR';
    }
    return text + named();
  }

  #params(type: BtfType & { kind: 'FUNC_PROTO' }, level: number): string {
    const { params } = type;
    if (params.length === 0 || (params.length === 1 && params[0]!.type === 0)) return 'void';
    if (level > DEPTH_LIMIT) throw new BtfError('types nested too deeply', { typeId: type.id });
    return params
      .map((param, i) => {
        this.#count(type.id);
        return param.type === 0 && i === params.length - 1 ? '...' : this.declare(param.type, param.name, level);
      })
      .join(', ');
  }

  /** A type that ends a spine: its name, or its definition where it has none. */
  #spelling(type: BtfType, level: number): string {
    switch (type.kind) {
      case 'VOID':
        return 'void';
      case 'STRUCT':
      case 'UNION':
        return type.name === ''
          ? this.#structDefinition(type, level)
          : `${type.kind.toLowerCase()} ${this.#nameOf(type, this.#tagNames)}`;
      case 'ENUM':
      case 'ENUM64':
        return type.name === '' ? this.#enumDefinition(type, level) : `enum ${this.#nameOf(type, this.#tagNames)}`;
      case 'FWD':
        return `${type.of} ${type.name}`;
      case 'TYPEDEF':
        return this.#nameOf(type, this.#identNames);
      default:
        return type.name;
    }
  }
}

/** Every definition of a BTF as C. */
export const printC = (btf: Btf): string => {
  const printer = new CPrinter(btf);
  const parts: string[] = [];
  for (let id = 1; id < btf.count; id++) parts.push(printer.define(id));
  return parts.join('');
};
