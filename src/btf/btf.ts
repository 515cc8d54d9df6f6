import { decodeType } from './decode.ts';
import { BtfError } from './error.ts';
import { essentialName, nameHash } from './names.ts';
import { type BtfSource, FlatSource } from './source.ts';
import { BTF_KINDS, type BtfKind, type BtfType, type BtfTypeOf, type DeclTagType, isModifier, type VoidType } from './types.ts';

const VOID: VoidType = { kind: 'VOID', id: 0, name: '' };

/** More modifiers in a row than any compiler makes: the graph has a loop. */
const MODIFIER_LIMIT = 4096;

/** Nesting at which the kernel stops to resolve a size. Source: MAX_RESOLVE_DEPTH, kernel/bpf/btf.c. */
const MAX_RESOLVE_DEPTH = 32;

const U32_MAX = 0xffffffff;

/**
 * One BTF blob: types by id, names, sizes. Types are decoded when asked for and then shared, so the same id gives the same
 * object. Whether the kernel would take the blob is the business of `checkBtf`; here a broken spot is a `BtfError` when it is
 * reached.
 */
export class Btf {
  /** The BTF whose ids and strings this one continues (a module's BTF on top of vmlinux). */
  readonly base: Btf | undefined;
  /** First id of this blob: 1, or the base's count. */
  readonly startId: number;
  readonly source: BtfSource;
  readonly #startStr: number;
  readonly #types: (BtfType | undefined)[] = [];
  readonly #aligns = new Map<number, number>();
  /** Ids of the tags of each tagged type. */
  #tags: Map<number, number[]> | undefined;

  constructor(source: BtfSource, base?: Btf) {
    this.source = source;
    this.base = base;
    this.startId = base === undefined ? 1 : base.count;
    this.#startStr = base === undefined ? 0 : base.strLen;
  }

  /** Opens a blob in memory, a program's or a plain vmlinux file. */
  static parse(bytes: Uint8Array, base?: Btf): Btf {
    return new Btf(new FlatSource(bytes, base === undefined ? 0 : base.strLen), base);
  }

  /** Number of ids, `void` included: the highest id is one less. */
  get count(): number {
    return this.startId + this.source.count;
  }

  /** Total bytes of strings, the base's included. */
  get strLen(): number {
    return this.#startStr + this.source.strLen;
  }

  get isSplit(): boolean {
    return this.base !== undefined;
  }

  /** The string at an offset; undefined outside the string section. */
  stringAt(offset: number): string | undefined {
    if (offset < this.#startStr) return this.base!.stringAt(offset);
    return offset === 0 && this.source.strLen === 0 ? '' : this.source.text(offset - this.#startStr);
  }

  /** The type with this id, or a `BtfError` where there is none. Id 0 is `void`. */
  type(id: number): BtfType {
    if (id === 0) return VOID;
    if (id < this.startId) return this.base!.type(id);
    const index = id - this.startId;
    const known = this.#types[index];
    if (known !== undefined) return known;
    if (!(index < this.source.count)) throw new BtfError(`no type ${id}`, { typeId: id });
    const { view, at } = this.source.locate(index);
    const type = decodeType(view, at, id, (offset) => {
      const text = this.stringAt(offset);
      if (text === undefined) throw new BtfError(`Invalid name_offset:${offset}`, { typeId: id, offset: at });
      return text;
    });
    this.#types[index] = type;
    return type;
  }

  /** The type with this id; undefined where there is none. */
  typeOrUndefined(id: number): BtfType | undefined {
    return id >= 0 && id < this.count ? this.type(id) : undefined;
  }

  /** The type with this id if it is of this kind. */
  typeOf<K extends BtfKind>(id: number, kind: K): BtfTypeOf<K> | undefined {
    const type = this.typeOrUndefined(id);
    return type?.kind === kind ? (type as BtfTypeOf<K>) : undefined;
  }

  /** The kind of a type without decoding the rest of it. */
  kindOf(id: number): BtfKind {
    if (id === 0) return 'VOID';
    if (id < this.startId) return this.base!.kindOf(id);
    if (!(id < this.count)) throw new BtfError(`no type ${id}`, { typeId: id });
    return BTF_KINDS[this.source.kindOf(id - this.startId)] ?? 'VOID';
  }

  /** The first type of this name and kind, the base's first. Source: btf_find_by_name_kind. */
  findByName<K extends BtfKind>(name: string, kind: K): BtfTypeOf<K> | undefined {
    const inBase = this.base?.findByName(name, kind);
    if (inBase !== undefined) return inBase;
    if (name === '') return undefined;
    for (const index of this.source.named(nameHash(name), BTF_KINDS.indexOf(kind))) {
      const type = this.type(this.startId + index);
      if (type.kind === kind && type.name === name) return type as BtfTypeOf<K>;
    }
    return undefined;
  }

  /** All types whose name without `___flavor` is this one, by ascending id. */
  findEssential(essential: string): BtfType[] {
    const found = this.base?.findEssential(essential) ?? [];
    for (const index of this.source.named(nameHash(essential))) {
      const type = this.type(this.startId + index);
      if (type.name !== '' && essentialName(type.name) === essential) found.push(type);
    }
    return found;
  }

  /** Follows typedefs, qualifiers and type tags. Source: btf_type_skip_modifiers. */
  skipModifiers(id: number): BtfType {
    let type = this.type(id);
    for (let steps = 0; isModifier(type); steps++) {
      if (steps > MODIFIER_LIMIT) throw new BtfError('Loop detected', { typeId: id });
      type = this.type(type.type);
    }
    return type;
  }

  /** Follows qualifiers and type tags, but not typedefs. Source: btf_type_skip_qualifiers. */
  skipQualifiers(id: number): BtfType {
    let type = this.type(id);
    for (let steps = 0; isModifier(type) && type.kind !== 'TYPEDEF'; steps++) {
      if (steps > MODIFIER_LIMIT) throw new BtfError('Loop detected', { typeId: id });
      type = this.type(type.type);
    }
    return type;
  }

  /** What a pointer type points to, modifiers skipped on both levels; undefined for other types. Source: btf_type_resolve_ptr. */
  resolvePtr(id: number): BtfType | undefined {
    const type = this.skipModifiers(id);
    return type.kind === 'PTR' ? this.skipModifiers(type.type) : undefined;
  }

  /**
   * Size in bytes; undefined for a type without one (void, forward declarations, functions, …), an array beyond 4 GiB or
   * nesting deeper than the kernel follows. Source: __btf_resolve_size.
   */
  sizeOf(id: number): number | undefined {
    let nelems = 1;
    let current = id;
    for (let depth = 0; depth < MAX_RESOLVE_DEPTH; depth++) {
      const type = this.typeOrUndefined(current);
      if (type === undefined) return undefined;
      switch (type.kind) {
        case 'INT':
        case 'STRUCT':
        case 'UNION':
        case 'ENUM':
        case 'ENUM64':
        case 'FLOAT':
          return nelems * type.size > U32_MAX ? undefined : nelems * type.size;
        case 'PTR':
          return nelems * 8 > U32_MAX ? undefined : nelems * 8;
        case 'TYPEDEF':
        case 'VOLATILE':
        case 'CONST':
        case 'RESTRICT':
        case 'TYPE_TAG':
          current = type.type;
          break;
        case 'ARRAY':
          if (nelems * type.nelems > U32_MAX) return undefined;
          nelems *= type.nelems;
          current = type.elem;
          break;
        default:
          return undefined;
      }
    }
    return undefined;
  }

  /** Alignment in bytes as C has it (a packed struct: 1); 0 for a type without one. Source: btf__align_of, tools/lib/bpf/btf.c. */
  alignOf(id: number, depth = 0): number {
    const known = this.#aligns.get(id);
    if (known !== undefined) return known;
    const align = depth > MAX_RESOLVE_DEPTH ? 0 : this.#computeAlign(this.skipModifiers(id), depth);
    this.#aligns.set(id, align);
    return align;
  }

  #computeAlign(type: BtfType, depth: number): number {
    switch (type.kind) {
      case 'INT':
      case 'ENUM':
      case 'ENUM64':
      case 'FLOAT':
        return Math.min(8, type.size);
      case 'PTR':
        return 8;
      case 'ARRAY':
        return this.alignOf(type.elem, depth + 1);
      case 'STRUCT':
      case 'UNION': {
        let largest = 1;
        for (const member of type.members) {
          const align = this.alignOf(member.type, depth + 1);
          if (align === 0) return 0;
          largest = Math.max(largest, align);
          if (member.bitfieldSize === 0 && member.bitOffset % (8 * align) !== 0) return 1;
        }
        return type.size % largest === 0 ? largest : 1;
      }
      default:
        return 0;
    }
  }

  /** The DECL_TAG types that tag this type or a component of it, by ascending id. */
  declTags(id: number): readonly DeclTagType[] {
    if (this.#tags === undefined) {
      this.#tags = new Map();
      for (const [index, target] of this.source.declTags) {
        const known = this.#tags.get(target);
        if (known === undefined) this.#tags.set(target, [this.startId + index]);
        else known.push(this.startId + index);
      }
    }
    const own = (this.#tags.get(id) ?? []).map((tagId) => this.type(tagId)).filter((tag) => tag.kind === 'DECL_TAG');
    return this.base === undefined || id >= this.startId ? own : [...this.base.declTags(id), ...own];
  }

  /** Every type from id 1 on, the base's included. Decodes them all. */
  *types(): Generator<BtfType> {
    for (let id = 1; id < this.count; id++) yield this.type(id);
  }
}
