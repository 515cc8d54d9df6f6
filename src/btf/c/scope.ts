import { BtfBuilder, type NewMember, structOf } from '../builder.ts';
import { BASE_TYPES, type BaseType, KNOWN_TYPEDEFS } from './known_types.ts';
import type { Layout } from './layout.ts';

const NO_SIZE: Layout = { size: undefined, align: 1 };

interface Tag {
  readonly id: number;
  readonly kind: 'struct' | 'union' | 'enum';
  defined: boolean;
}

/** The names that C declarations have introduced so far, over the BTF they become. */
export class CScope {
  readonly builder: BtfBuilder;
  readonly #tags = new Map<string, Tag>();
  readonly #typedefs = new Map<string, number>();
  readonly #enumerators = new Map<string, bigint>();
  /** Array types with their element types. */
  readonly #arrays = new Map<number, number>();
  readonly #functions = new Set<number>();
  readonly #aliases = new Map<number, { readonly type: number; readonly align: number }>();
  readonly #layouts = new Map<number, Layout>([[0, NO_SIZE]]);

  constructor(builder = new BtfBuilder()) {
    this.builder = builder;
  }

  /** A typedef's or qualified type's is that of what it stands for at the time it is asked for. */
  layout(id: number): Layout {
    let align = 1;
    let bare = id;
    for (let alias = this.#aliases.get(bare); alias !== undefined; alias = this.#aliases.get(bare)) {
      align = Math.max(align, alias.align);
      bare = alias.type;
    }
    const layout = this.#layouts.get(bare) ?? NO_SIZE;
    return align > layout.align ? { size: layout.size, align } : layout;
  }

  #alias(id: number, type: number, align = 1): number {
    this.#aliases.set(id, { type, align });
    return id;
  }

  /** Records the layout of a type and gives its id back. */
  #laidOut(id: number, layout: Layout): number {
    this.#layouts.set(id, layout);
    return id;
  }

  base(type: BaseType): number {
    const { name, size, encoding } = type;
    const id = type.float === true ? this.builder.share({ kind: 'FLOAT', name, size }) : this.builder.int(name, size, encoding);
    return this.#laidOut(id, { size, align: Math.min(size, type.float === true ? 16 : size) });
  }

  pointer(to: number): number {
    return this.#laidOut(this.builder.ptr(to), { size: 8, align: 8 });
  }

  array(elem: number, nelems: number): number {
    const { size, align } = this.layout(elem);
    const index = this.builder.share({ kind: 'INT', name: '__ARRAY_SIZE_TYPE__', size: 4, bits: 32, offset: 0, encoding: 0 });
    const id = this.#laidOut(this.builder.array(elem, nelems, index), { size: (size ?? 0) * nelems, align });
    this.#arrays.set(id, elem);
    return id;
  }

  qualified(kind: 'CONST' | 'VOLATILE' | 'RESTRICT', type: number): number {
    return this.#alias(this.builder.share({ kind, name: '', type }), type);
  }

  typeTag(value: string, type: number): number {
    return this.#alias(this.builder.typeTag(value, type), type);
  }

  /** A parameter's type as C adjusts it: arrays and functions become pointers. */
  decayed(type: number): number {
    const elem = this.#arrays.get(type);
    if (elem !== undefined) return this.pointer(elem);
    return this.isFunction(type) ? this.pointer(type) : type;
  }

  isFunction(type: number): boolean {
    return this.#functions.has(type);
  }

  functionType(ret: number, params: readonly { readonly name: string; readonly type: number }[]): number {
    const id = this.builder.share({ kind: 'FUNC_PROTO', name: '', ret, params });
    this.#functions.add(id);
    return id;
  }

  typedef(name: string, type: number, align = 1): number {
    const id = this.#alias(this.builder.typedef(name, type), type, align);
    this.#typedefs.set(name, id);
    return id;
  }

  /** The type that a name stands for: one declared before, or one that every C for BPF knows. */
  typedefNamed(name: string): number | undefined {
    const known = this.#typedefs.get(name);
    if (known !== undefined) return known;
    const meaning = Object.hasOwn(KNOWN_TYPEDEFS, name) ? KNOWN_TYPEDEFS[name] : undefined;
    if (meaning === undefined) return undefined;
    return this.typedef(name, this.typedefNamed(meaning) ?? this.base(BASE_TYPES[baseKey(meaning)]!));
  }

  hasTypedef(name: string): boolean {
    return this.#typedefs.has(name) || Object.hasOwn(KNOWN_TYPEDEFS, name);
  }

  /** The struct, union or enum of this name, declared here if it is new; undefined when the name is of another kind. */
  tag(kind: Tag['kind'], name: string): Tag | undefined {
    const known = this.#tags.get(name);
    if (known !== undefined) return known.kind === kind ? known : undefined;
    const tag: Tag = { id: this.builder.reserve(), kind, defined: false };
    this.#tags.set(name, tag);
    if (kind === 'enum') this.#layouts.set(tag.id, { size: 4, align: 4 });
    return tag;
  }

  defineStruct(id: number, kind: 'STRUCT' | 'UNION', name: string, members: readonly NewMember[], layout: Layout): void {
    this.builder.replace(id, structOf(name, layout.size ?? 0, members, kind));
    this.#laidOut(id, layout);
  }

  /** Takes `least` bytes (an int's unless attributes say otherwise), or as many as the values need; with 8 it is an `ENUM64`. */
  defineEnum(
    id: number,
    name: string,
    values: readonly { readonly name: string; readonly value: bigint }[],
    least: number,
  ): void {
    const signed = values.some(({ value }) => value < 0n);
    const fits = (bytes: number): boolean =>
      values.every(({ value }) => value === (signed ? BigInt.asIntN(bytes * 8, value) : BigInt.asUintN(bytes * 8, value)));
    const size = [1, 2, 4, 8].find((bytes) => bytes >= least && fits(bytes)) ?? 8;
    this.builder.replace(
      id,
      size === 8
        ? { kind: 'ENUM64', name, size, signed, values }
        : { kind: 'ENUM', name, size, signed, values: values.map((entry) => ({ name: entry.name, value: Number(entry.value) })) },
    );
    this.#laidOut(id, { size, align: size });
  }

  enumerator(name: string): bigint | undefined {
    return this.#enumerators.get(name);
  }

  setEnumerator(name: string, value: bigint): void {
    this.#enumerators.set(name, value);
  }

  /** Makes forward declarations of what was named and never defined. */
  close(): void {
    for (const [name, tag] of this.#tags) {
      if (tag.defined) continue;
      if (tag.kind === 'enum') this.builder.replace(tag.id, { kind: 'ENUM', name, size: 4, signed: false, values: [] });
      else this.builder.replace(tag.id, { kind: 'FWD', name, of: tag.kind });
    }
  }
}

/** The key of `BASE_TYPES` for specifiers in any order. */
const baseKey = (words: string): string => {
  const list = words.split(' ');
  const kept = list.filter((word) => word !== 'int' || list.length === 1);
  return kept.sort().join(' ');
};
