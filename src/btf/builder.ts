import { Btf } from './btf.ts';
import { encodeBlob, encodeType, StringTable } from './encode.ts';
import { BtfError } from './error.ts';
import { FlatSource } from './source.ts';
import { BTF_INT_SIGNED, type BtfLinkage, type Member, type NewBtfType, type Param, type SecVar } from './types.ts';
import { BTF_MAX_TYPE } from './wire.ts';

/** A member as the builder takes it: offsets are computed by the caller, `bitfieldSize` defaults to 0. */
export type NewMember = Omit<Member, 'bitfieldSize'> & { readonly bitfieldSize?: number };

/**
 * Makes BTF: types get ids 1, 2, … in the order they are added. A type may refer to an id that is added later; `reserve`
 * hands out such an id for types that refer to themselves.
 */
export class BtfBuilder {
  readonly strings: StringTable;
  readonly #types: (NewBtfType | Uint8Array | undefined)[] = [];
  readonly #shared = new Map<string, number>();

  constructor(strings = new StringTable()) {
    this.strings = strings;
  }

  /** Continues a parsed blob: its ids, strings and bytes stay as they are unless replaced. */
  static from(btf: Btf): BtfBuilder {
    const { source } = btf;
    if (!(source instanceof FlatSource) || btf.base !== undefined) throw new BtfError('only a plain blob can be extended');
    const builder = new BtfBuilder(new StringTable(source.bytes.subarray(source.strings, source.strings + source.strLen)));
    const end = (index: number): number => source.offsets[index + 1] ?? source.end;
    for (let index = 0; index < source.count; index++) {
      builder.#types.push(source.bytes.subarray(source.offsets[index]!, end(index)));
    }
    return builder;
  }

  /** Number of ids, `void` included. */
  get count(): number {
    return this.#types.length + 1;
  }

  add(type: NewBtfType): number {
    if (this.#types.length >= BTF_MAX_TYPE) throw new BtfError('Exceeded max num of types');
    this.#types.push(type);
    return this.#types.length;
  }

  /** An id to be filled by `replace`. */
  reserve(): number {
    if (this.#types.length >= BTF_MAX_TYPE) throw new BtfError('Exceeded max num of types');
    this.#types.push(undefined);
    return this.#types.length;
  }

  replace(id: number, type: NewBtfType): void {
    if (id < 1 || id >= this.count) throw new BtfError(`no type ${id}`, { typeId: id });
    this.#types[id - 1] = type;
  }

  /** Adds the type unless an equal one was added through this method before. */
  share(type: NewBtfType): number {
    const key = JSON.stringify(type, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const id = this.add(type);
    this.#shared.set(key, id);
    return id;
  }

  int(name: string, size: number, encoding = BTF_INT_SIGNED): number {
    return this.share({ kind: 'INT', name, size, bits: size * 8, offset: 0, encoding });
  }

  ptr(type: number): number {
    return this.share({ kind: 'PTR', name: '', type });
  }

  const(type: number): number {
    return this.share({ kind: 'CONST', name: '', type });
  }

  volatile(type: number): number {
    return this.share({ kind: 'VOLATILE', name: '', type });
  }

  typedef(name: string, type: number): number {
    return this.share({ kind: 'TYPEDEF', name, type });
  }

  typeTag(value: string, type: number): number {
    return this.share({ kind: 'TYPE_TAG', name: value, type, kindFlag: false });
  }

  /** An array; its index type is `int` unless given. */
  array(elem: number, nelems: number, index = this.int('int', 4)): number {
    return this.share({ kind: 'ARRAY', name: '', elem, index, nelems });
  }

  struct(name: string, size: number, members: readonly NewMember[], kind: 'STRUCT' | 'UNION' = 'STRUCT'): number {
    return this.add(structOf(name, size, members, kind));
  }

  fwd(name: string, of: 'struct' | 'union' = 'struct'): number {
    return this.share({ kind: 'FWD', name, of });
  }

  funcProto(ret: number, params: readonly Param[]): number {
    return this.add({ kind: 'FUNC_PROTO', name: '', ret, params });
  }

  func(name: string, proto: number, linkage: BtfLinkage = 'global'): number {
    return this.add({ kind: 'FUNC', name, type: proto, linkage });
  }

  variable(name: string, type: number, linkage: BtfLinkage = 'global'): number {
    return this.add({ kind: 'VAR', name, type, linkage });
  }

  datasec(name: string, size: number, vars: readonly SecVar[]): number {
    return this.add({ kind: 'DATASEC', name, size, vars });
  }

  declTag(value: string, type: number, componentIdx = -1): number {
    return this.add({ kind: 'DECL_TAG', name: value, type, componentIdx, kindFlag: false });
  }

  /** The blob as bytes. */
  encode(): Uint8Array {
    const types = this.#types.map((type, index) => {
      if (type === undefined) throw new BtfError(`type ${index + 1} was reserved but never given`, { typeId: index + 1 });
      return type instanceof Uint8Array ? type : encodeType(type, this.strings);
    });
    return encodeBlob(types, this.strings.bytes);
  }

  build(): Btf {
    return Btf.parse(this.encode());
  }
}

/** A struct as clang writes it: `kind_flag` is set when a member is a bitfield. */
export const structOf = (name: string, size: number, members: readonly NewMember[], kind: 'STRUCT' | 'UNION'): NewBtfType => ({
  kind,
  name,
  size,
  members: members.map((member) => ({ ...member, bitfieldSize: member.bitfieldSize ?? 0 })),
  kindFlag: members.some((member) => (member.bitfieldSize ?? 0) > 0),
});
