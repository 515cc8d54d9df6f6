import type { Btf } from '../btf/btf.ts';
import type { BtfType, SecVar } from '../btf/types.ts';
import { MAP_FLAGS, MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { parseWord64, toBigIntSigned } from '../isa/word64.ts';
import type { CTypes } from './c_types.ts';
import type { Diagnostics, Position } from './diagnostics.ts';
import type { Value } from './directive.ts';
import { type MapDraft, readHex } from './map_table.ts';
import type { VariableOutline } from './outline.ts';

/** A global variable: where it lies in which section's map. */
export interface Variable {
  readonly name: string;
  readonly section: string;
  readonly offset: number;
}

interface Declared {
  readonly outline: VariableOutline;
  readonly name: string;
  /** id of the VAR, 0 for a variable without a type */
  readonly id: number;
  readonly isStatic: boolean;
}

const MAX_SECTION_BYTES = 1 << 26;
const utf8 = new TextEncoder();

/** The numbers of an initial value, written over the scalars of a type in the order of its declaration. */
class Image {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #values: readonly bigint[];
  #next = 0;

  constructor(size: number, values: readonly bigint[]) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    this.#values = values;
  }

  get hasRest(): boolean {
    return this.#next < this.#values.length;
  }

  scalar(offset: number, size: number): void {
    if (!this.hasRest) return;
    const value = this.#values[this.#next++]!;
    for (let i = 0; i < size; i++) this.#view.setUint8(offset + i, Number(BigInt.asUintN(8, value >> BigInt(8 * i))));
  }

  type(btf: Btf, type: BtfType, offset: number): void {
    if (!this.hasRest) return;
    switch (type.kind) {
      case 'ARRAY': {
        const elem = btf.skipModifiers(type.elem);
        const size = btf.sizeOf(type.elem) ?? 0;
        for (let i = 0; i < type.nelems && this.hasRest; i++) this.type(btf, elem, offset + i * size);
        return;
      }
      case 'STRUCT':
        for (const member of type.members) this.type(btf, btf.skipModifiers(member.type), offset + (member.bitOffset >> 3));
        return;
      case 'UNION': {
        const first = type.members[0];
        if (first !== undefined) this.type(btf, btf.skipModifiers(first.type), offset);
        return;
      }
      case 'PTR':
        this.scalar(offset, 8);
        return;
      default:
        this.scalar(offset, 'size' in type ? type.size : 0);
    }
  }
}

/** The initial bytes of one variable; a string means what is wrong. */
const initialBytes = (btf: Btf | null, typeId: number, size: number, values: readonly Value[]): Uint8Array | string => {
  if (values.length === 0) return new Uint8Array(size);
  const [first] = values;
  if (first!.hex || first!.quoted) {
    if (values.length > 1) return 'a string is the whole value';
    const bytes = first!.hex ? readHex(first!.text) : utf8.encode(`${first!.text}`);
    if (bytes === null) return 'expected hexadecimal bytes';
    if (bytes.length > size) return `the value has ${bytes.length} bytes, the variable ${size}`;
    const image = new Uint8Array(size);
    image.set(bytes);
    return image;
  }
  const numbers: bigint[] = [];
  for (const value of values) {
    const word = parseWord64(value.text);
    if (word === null) return `'${value.text}' is not a number`;
    numbers.push(toBigIntSigned(word.lo, word.hi));
  }
  const image = new Image(size, numbers);
  if (typeId === 0 || btf === null) {
    if (![1, 2, 4, 8].includes(size)) return 'write the bytes of a variable of this size as hex "…"';
    image.scalar(0, size);
  } else {
    image.type(btf, btf.skipModifiers(typeId), 0);
  }
  return image.hasRest ? 'more values than the variable has places' : image.bytes;
};

/** Reads the declarations of `.data`, `.rodata` and `.bss` lines into the C types. */
const declare = (outlines: readonly VariableOutline[], types: CTypes): Declared[] =>
  outlines.flatMap((outline): Declared[] => {
    if (outline.declaration === null) return [{ outline, name: outline.name!.text, id: 0, isStatic: false }];
    const found = types.variable(outline.declaration.text, outline.declaration.at);
    return found === null ? [] : [{ outline, name: found.name, id: found.id, isStatic: found.storage === 'static' }];
  });

export interface DataSections {
  readonly maps: readonly MapDraft[];
  readonly variables: ReadonlyMap<string, Variable>;
}

const OBJECT_NAME_CHARACTERS = 15;
const SHORTEST_SUFFIX = 7;

/** Source: internal_map_name, tools/lib/bpf/libbpf.c. */
export function dataMapName(object: string, section: string): string {
  const suffix = Math.min(Math.max(SHORTEST_SUFFIX, section.length), OBJECT_NAME_CHARACTERS);
  const prefix = section.indexOf('.', 1) === -1 ? Math.min(OBJECT_NAME_CHARACTERS - suffix, object.length) : 0;
  return (object.slice(0, prefix) + section.slice(0, suffix)).replace(/[^\w.]/g, '_');
}

/**
 * Lays global variables out, one map per section in the order of first mention, each variable at its own alignment, and adds
 * their DATASEC types. All types of the file must have been read before.
 */
export function layOutData(
  outlines: readonly VariableOutline[],
  object: string,
  types: CTypes,
  diagnostics: Diagnostics,
): DataSections {
  const declared = declare(outlines, types);
  const variables = new Map<string, Variable>();
  if (declared.length === 0 || types.isBroken) return { maps: [], variables };
  types.scope.close();
  const btf = types.isEmpty ? null : types.scope.builder.build();
  const sections = new Map<string, { bytes: Uint8Array; vars: SecVar[]; isVisible: boolean; at: Position }>();
  for (const { outline, name, id, isStatic } of declared) {
    const { at } = outline;
    const column = (word: { column: number }): Position => ({ line: at.line, column: at.column + word.column });
    const typeId = btf?.typeOf(id, 'VAR')?.type ?? 0;
    const size = outline.size === null ? btf!.sizeOf(typeId) : (parseWord64(outline.size.text)?.lo ?? -1);
    if (size === undefined || size < 1 || size > MAX_SECTION_BYTES) {
      diagnostics.add(
        `'${name}' has no size, or one above ${MAX_SECTION_BYTES} bytes`,
        outline.size === null ? at : column(outline.size),
      );
      continue;
    }
    const section = sections.get(outline.section) ?? { bytes: new Uint8Array(0), vars: [], isVisible: false, at };
    const align = typeId === 0 ? Math.min(8, size & -size) : Math.max(1, btf!.alignOf(typeId));
    const next = Math.ceil(section.bytes.length / align) * align;
    const offset = outline.offset === null ? next : (parseWord64(outline.offset.text)?.lo ?? -1);
    if (offset < section.bytes.length || offset + size > MAX_SECTION_BYTES) {
      diagnostics.add(`'${name}' cannot lie at ${offset}`, outline.offset === null ? at : column(outline.offset));
      continue;
    }
    const image = initialBytes(btf, typeId, size, outline.values);
    if (typeof image === 'string') {
      diagnostics.add(image, column(outline.values[0]!));
      continue;
    }
    if (variables.has(name)) diagnostics.add(`'${name}' is declared twice`, at);
    const bytes = new Uint8Array(offset + size);
    bytes.set(section.bytes);
    bytes.set(image, offset);
    const vars = id === 0 ? section.vars : [...section.vars, { type: id, offset, size }];
    sections.set(outline.section, { bytes, vars, isVisible: section.isVisible || (id !== 0 && !isStatic), at: section.at });
    variables.set(name, { name, section: outline.section, offset });
  }
  const maps = [...sections].map(([section, { bytes, vars, isVisible, at }]): MapDraft => {
    const valueType = vars.length === 0 ? 0 : types.scope.builder.datasec(section, bytes.length, vars);
    const isReadOnly = section.startsWith('.rodata');
    return {
      def: {
        name: dataMapName(object, section),
        type: MAP_TYPES.array,
        keySize: 4,
        valueSize: bytes.length,
        maxEntries: 1,
        flags: (isReadOnly ? MAP_FLAGS.BPF_F_RDONLY_PROG : 0) | (isVisible ? MAP_FLAGS.BPF_F_MMAPABLE : 0),
        mapExtra: 0n,
        btfKeyTypeId: 0,
        btfValueTypeId: valueType,
        btfVmlinuxValueTypeId: 0,
        initial: bytes,
        frozen: isReadOnly,
        slots: [],
        section,
      },
      inner: null,
      isTemplate: false,
      at,
    };
  });
  return { maps, variables };
}
