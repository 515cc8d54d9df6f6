import type { Btf } from '../btf.ts';
import {
  type ArrayType,
  BTF_INT_CHAR,
  BTF_INT_SIGNED,
  BTF_KINDS,
  type BtfType,
  type Enum64Type,
  type EnumType,
  type IntType,
  type Member,
  type StructType,
} from '../types.ts';

/** Flags of bpf_snprintf_btf and bpf_seq_printf_btf. */
export const BTF_F_COMPACT = 1;
export const BTF_F_NONAME = 2;
export const BTF_F_PTR_RAW = 4;
export const BTF_F_ZERO = 8;
export const BTF_F_ALL = 15;

/** The object that is shown, and how its pointers are written. */
export interface ShownObject {
  /** bytes `at` bytes behind the start of the object; a negative errno where they cannot be read */
  read(at: number, size: number): Uint8Array | number;
  /** hexadecimal digits of an address: as they are, or hashed */
  pointerDigits(lo: number, hi: number, raw: boolean): string;
}

export interface Shown {
  /** one character for each byte */
  readonly text: string;
  /** 0, or a negative errno: what went wrong last */
  readonly status: number;
}

/** Pointers, arrays and typedefs that a name is followed through. */
const MAX_NAME_STEPS = 10;
const MAX_NAME = 79;
const MAX_INDENT = 32;
/** Bytes of an aggregate that have to be readable before it is begun. */
const BASE_TYPE_BYTES = 16;

/** a type without a size */
const EINVAL = 22;

/** The kernel's isprint: Latin-1 with its upper half. */
const isPrintable = (byte: number): boolean => (byte >= 0x20 && byte < 0x7f) || byte >= 0xa0;

const sizeOfElement = (type: BtfType): number => ('size' in type ? type.size : 0);

/**
 * Writes an object as C shows an initialiser, as bpf_snprintf_btf does: members that are zero are left out unless `BTF_F_ZERO`
 * is given, and so is an aggregate that has no others. Elements of arrays have no names, nor have the members of those that are
 * structs; elements that are pointers or arrays all show the first of them, since the kernel takes their size for 0.
 *
 * Differs from the kernel: whether memory can be read is asked for each value, not for 32 bytes at once.
 * Source: btf_type_show, kernel/bpf/btf.c.
 */
export function showType(btf: Btf, id: number, object: ShownObject, flags: number): Shown {
  const shower = new Shower(btf, object, flags);
  shower.show(btf.type(id), id, 0, 0);
  return { text: shower.text, status: shower.status };
}

class Shower {
  text = '';
  status = 0;
  readonly #btf: Btf;
  readonly #object: ShownObject;
  readonly #flags: number;
  #depth = 0;
  /** depth below which nothing is written while it is found out whether there is something to write; 0: written */
  #checking = 0;
  /** deepest value that would be written */
  #deepest = 0;
  #type: BtfType | null = null;
  #typeId = 0;
  #member: Member | null = null;
  #isElement = false;
  #isText = false;
  #textHasEnded = false;

  constructor(btf: Btf, object: ShownObject, flags: number) {
    this.#btf = btf;
    this.#object = object;
    this.#flags = flags;
  }

  show(type: BtfType, id: number, at: number, bit: number): void {
    switch (type.kind) {
      case 'TYPEDEF':
      case 'VOLATILE':
      case 'CONST':
      case 'RESTRICT':
      case 'TYPE_TAG':
        return this.show(this.#btf.skipModifiers(id), id, at, bit);
      case 'VAR':
        return this.show(this.#btf.skipModifiers(type.type), type.type, at, bit);
      case 'STRUCT':
      case 'UNION':
        return this.#aggregate(() => this.#struct(type, id, at));
      case 'ARRAY':
        return this.#aggregate(() => this.#array(type, id, at, bit));
      case 'INT':
        return this.#value(type, id, at, Math.ceil((bit + type.offset + type.bits) / 8), (bytes) => this.#int(type, bytes, bit));
      case 'PTR':
        return this.#value(type, id, at, 8, (bytes) => this.#pointer(bytes));
      case 'ENUM':
        return this.#value(type, id, at, 4, (bytes) => this.#enum(type, bytes));
      case 'ENUM64':
        return this.#value(type, id, at, 8, (bytes) => this.#enum64(type, bytes));
      case 'DATASEC':
        this.status = -EINVAL;
        return;
      default:
        this.#write(`<unsupported kind:${BTF_KINDS.indexOf(type.kind)}>`);
    }
  }

  #write(text: string): void {
    if (this.#checking === 0) this.text += text;
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }

  get #indent(): string {
    return this.#has(BTF_F_COMPACT) ? '' : ' '.repeat(Math.min(this.#depth, MAX_INDENT));
  }

  get #newline(): string {
    return this.#has(BTF_F_COMPACT) ? '' : '\n';
  }

  get #delimiter(): string {
    if (this.#depth === 0) return '';
    return this.#has(BTF_F_COMPACT) && this.#type?.kind === 'UNION' ? '|' : ',';
  }

  // values

  #value(type: BtfType, id: number, at: number, size: number, print: (bytes: Uint8Array) => void): void {
    const bytes = this.#begin(type, id, at, size);
    if (bytes === null) return;
    print(bytes);
    this.#end();
  }

  /** The bytes of what is shown next; null, with the status set, when they cannot be read. */
  #begin(type: BtfType, id: number, at: number, size: number): Uint8Array | null {
    this.#type = type;
    this.#typeId = id;
    const bytes = this.#object.read(at, size);
    this.status = typeof bytes === 'number' ? bytes : 0;
    return typeof bytes === 'number' ? null : bytes;
  }

  #end(): void {
    this.#type = null;
    this.#typeId = 0;
  }

  #print(text: string, isZero: boolean): void {
    if (isZero && !this.#has(BTF_F_ZERO) && this.#depth !== 0) return;
    this.#write(`${this.#indent}${this.#name()}${text}${this.#delimiter}${this.#newline}`);
    this.#deepest = Math.max(this.#deepest, this.#depth);
  }

  #int(type: IntType, bytes: Uint8Array, bit: number): void {
    if (bit !== 0 || type.offset !== 0 || ![8, 16, 32, 64, 128].includes(type.bits)) {
      return this.#bits(bytes, bit + type.offset, type.bits);
    }
    if (type.bits === 128) return this.#bits(bytes, 0, 128);
    if (type.bits === 8 && this.#isText) {
      if (this.#textHasEnded) return;
      const byte = bytes[0]!;
      if (byte === 0) {
        this.#textHasEnded = true;
        return;
      }
      if (isPrintable(byte)) return this.#print(`'${String.fromCharCode(byte)}'`, false);
    }
    const value = littleEndian(bytes.subarray(0, type.bits / 8));
    const shown = (type.encoding & BTF_INT_SIGNED) !== 0 ? BigInt.asIntN(type.bits, value) : value;
    this.#print(String(shown), shown === 0n);
  }

  /** Source: btf_bitfield_show, btf_int128_print. */
  #bits(bytes: Uint8Array, bit: number, width: number): void {
    const value = BigInt.asUintN(width, littleEndian(bytes) >> BigInt(bit));
    this.#print(`0x${value.toString(16)}`, value === 0n);
  }

  #pointer(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    const [lo, hi] = [view.getInt32(0, true), view.getInt32(4, true)];
    this.#print(`0x${this.#object.pointerDigits(lo, hi, this.#has(BTF_F_PTR_RAW))}`, (lo | hi) === 0);
  }

  #enum(type: EnumType, bytes: Uint8Array): void {
    const value = Number(BigInt.asIntN(32, littleEndian(bytes)));
    const known = type.values.find((each) => (each.value | 0) === value);
    // a name is never zero
    if (known !== undefined) this.#print(known.name, false);
    else this.#print(String(type.signed ? value : value >>> 0), value === 0);
  }

  #enum64(type: Enum64Type, bytes: Uint8Array): void {
    const value = littleEndian(bytes);
    const known = type.values.find((each) => BigInt.asUintN(64, each.value) === value);
    if (known !== undefined) this.#print(known.name, false);
    else this.#print(String(type.signed ? BigInt.asIntN(64, value) : value), value === 0n);
  }

  // aggregates

  /** Writes an aggregate if it is the whole object, if zeros are wanted, or if there is something in it. */
  #aggregate(write: () => void): void {
    const member = this.#member;
    if (this.#depth > 0 && !this.#has(BTF_F_ZERO)) {
      const isOutermost = this.#checking === 0;
      if (isOutermost) {
        this.#checking = this.#depth + 1;
        this.#deepest = 0;
      }
      write();
      this.#member = member;
      if (!isOutermost) return;
      this.#checking = 0;
      if (this.#deepest <= this.#depth) return;
    }
    write();
  }

  #open(type: BtfType, id: number, at: number): boolean {
    const size = this.#btf.sizeOf(type.id);
    if (size === undefined) {
      this.status = -EINVAL;
      return false;
    }
    if (this.#begin(type, id, at, Math.min(size, BASE_TYPE_BYTES)) === null) return false;
    this.#write(`${this.#indent}${this.#name()}${this.#newline}`);
    this.#depth++;
    return true;
  }

  #close(suffix: string): void {
    this.#depth--;
    this.#write(`${this.#indent}${suffix}${this.#delimiter}${this.#newline}`);
    this.#end();
  }

  #struct(type: StructType, id: number, at: number): void {
    if (!this.#open(type, id, at)) return;
    for (const member of type.members) {
      this.#member = member;
      const from = at + (member.bitOffset >>> 3);
      const bit = member.bitOffset & 7;
      const memberType = this.#btf.type(member.type);
      if (member.bitfieldSize === 0) this.show(memberType, member.type, from, bit);
      else {
        const bytes = this.#begin(memberType, member.type, from, Math.ceil((bit + member.bitfieldSize) / 8));
        if (bytes !== null) this.#bits(bytes, bit, member.bitfieldSize);
        this.#end();
      }
      this.#member = null;
    }
    this.#close('}');
  }

  #array(type: ArrayType, id: number, at: number, bit: number): void {
    const element = this.#btf.skipModifiers(type.elem);
    const size = sizeOfElement(element);
    this.#isText = element.kind === 'INT' && (size === 1 || element.encoding === BTF_INT_CHAR);
    this.#textHasEnded = false;
    if (!this.#open(type, id, at)) return;
    for (let index = 0; index < type.nelems && !this.#textHasEnded; index++) {
      this.#isElement = true;
      this.#member = null;
      this.show(element, type.elem, at + index * size, bit);
      this.#isElement = false;
      this.#member = null;
    }
    this.#isText = false;
    this.#textHasEnded = false;
    this.#close(']');
  }

  // names

  /** `.member = (struct name *[])` and what opens an aggregate. Source: btf_show_name. */
  #name(): string {
    if (this.#isElement) return '';
    let type = this.#btf.typeOrUndefined(this.#member?.type ?? this.#typeId);
    let name: string | null = null;
    let isTypedef = false;
    let [arrays, pointers] = [0, 0];
    for (let steps = 0; ; steps++) {
      if (type === undefined || steps === MAX_NAME_STEPS) return '';
      let next = 0;
      if (type.kind === 'ARRAY') {
        arrays++;
        next = type.elem;
      } else if (type.kind === 'PTR') {
        pointers++;
        next = type.type;
      } else if (type.kind === 'TYPEDEF') {
        name ??= type.name;
        isTypedef = true;
        next = type.type;
      }
      if (next === 0) break;
      type = this.#btf.skipQualifiers(next);
    }
    const isStruct = type.kind === 'STRUCT' || type.kind === 'UNION';
    const isEnum = type.kind === 'ENUM' || type.kind === 'ENUM64';
    const opening = pointers > 0 ? '' : arrays > 0 ? '[' : isStruct ? '{' : '';
    if (this.#has(BTF_F_NONAME)) return opening;
    const prefix = isTypedef ? '' : isStruct ? type.kind.toLowerCase() : isEnum ? 'enum' : '';
    const own = name ?? type.name;
    const member = this.#member === null || this.#member.name === '' ? '' : `.${this.#member.name} = `;
    const words = `${prefix}${prefix !== '' && own !== '' ? ' ' : ''}${own}${pointers > 0 ? ` ${'*'.repeat(pointers)}` : ''}`;
    return `${member}(${words}${'[]'.repeat(arrays)})${opening}`.slice(0, MAX_NAME);
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]!);
  return value;
}
