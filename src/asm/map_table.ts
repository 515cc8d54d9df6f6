import { MAP_FLAGS, MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { parseWord64, toBigIntUnsigned } from '../isa/word64.ts';
import type { MapDef, MapSlot } from '../program/program.ts';
import type { CTypes } from './c_types.ts';
import type { Diagnostics, Position } from './diagnostics.ts';
import type { Word } from './directive.ts';
import type { MapOutline } from './outline.ts';

/** A sum of named bits and numbers joined by `|`; the unknown name, or null. */
export const readFlags = (text: string, names: Readonly<Record<string, number>>): { value: number; unknown: string | null } => {
  let value = 0;
  for (const part of text.split('|')) {
    const bits = Object.hasOwn(names, part) ? names[part]! : parseWord64(part)?.lo;
    if (bits === undefined) return { value, unknown: part };
    value |= bits;
  }
  return { value: value >>> 0, unknown: null };
};

/** A map as declared, with BTF ids that the program's BTF will have. */
export interface MapDraft {
  readonly def: Omit<MapDef, 'btf' | 'inner'>;
  readonly inner: string | null;
  readonly isTemplate: boolean;
  readonly at: Position;
}

const ATTRIBUTES = [
  'key_size',
  'value_size',
  'key',
  'value',
  'key_btf',
  'value_btf',
  'max_entries',
  'flags',
  'map_extra',
  'inner',
  'slots',
  'section',
  'initial',
  'vmlinux_value',
];
const U32_MAX = 0xffffffffn;

/** Reads one `.map` line. */
export function readMap(outline: MapOutline, types: CTypes, diagnostics: Diagnostics): MapDraft | null {
  const { name, type, words, attributes, at } = outline;
  const place = (word: Word): Position => ({ line: at.line, column: at.column + word.column });
  let isBad = false;
  const fail = (message: string, where: Position): void => {
    diagnostics.add(message, where);
    isBad = true;
  };
  const typeName = type.text.replace(/^BPF_MAP_TYPE_/, '').toLowerCase();
  const typeId = Object.hasOwn(MAP_TYPES, typeName) ? MAP_TYPES[typeName as keyof typeof MAP_TYPES] : parseWord64(type.text)?.lo;
  if (typeId === undefined) fail(`no map type '${type.text}'`, place(type));
  for (const [key, word] of attributes) if (!ATTRIBUTES.includes(key)) fail(`.map has no attribute '${key}'`, place(word));
  for (const word of words)
    if (word.text !== 'frozen' && word.text !== 'template') fail(`unknown word '${word.text}'`, place(word));

  const number = (key: string, limit: bigint): bigint => {
    const word = attributes.get(key);
    if (word === undefined) return 0n;
    const parsed = parseWord64(word.text);
    const value = parsed === null ? -1n : toBigIntUnsigned(parsed.lo, parsed.hi);
    if (value >= 0n && value <= limit && !word.text.startsWith('-')) return value;
    fail(`${key} must be a number from 0 to ${limit}`, place(word));
    return 0n;
  };
  const typed = (key: 'key' | 'value'): { id: number; size: number } => {
    const word = attributes.get(key);
    const size = Number(number(`${key}_size`, U32_MAX));
    if (word === undefined) return { id: Number(number(`${key}_btf`, U32_MAX)), size };
    const found = types.typeName(word.text, { line: at.line, column: at.column + word.column + 1 });
    if (found === null) isBad = true;
    else if (found.size === undefined) fail(`the ${key} type has no size`, place(word));
    else if (attributes.has(`${key}_size`) && size !== found.size) {
      fail(`the ${key} type has ${found.size} bytes, not ${size}`, place(word));
    }
    return { id: found?.id ?? 0, size: found?.size ?? 0 };
  };
  const flagsWord = attributes.get('flags');
  const flags = flagsWord === undefined ? { value: 0, unknown: null } : readFlags(flagsWord.text, MAP_FLAGS);
  if (flags.unknown !== null) fail(`no map flag '${flags.unknown}'`, place(flagsWord!));
  const initialWord = attributes.get('initial');
  const initial = initialWord === undefined ? null : readHex(initialWord.text);
  if (initialWord !== undefined && initial === null) fail('initial must be hexadecimal bytes', place(initialWord));
  const key = typed('key');
  const value = typed('value');
  const slots = readSlots(attributes.get('slots'), typeId ?? 0, (message, word) => fail(message, place(word)));
  const def = {
    name,
    type: typeId ?? 0,
    keySize: key.size,
    valueSize: value.size,
    maxEntries: Number(number('max_entries', U32_MAX)),
    flags: flags.value,
    mapExtra: number('map_extra', 0xffffffffffffffffn),
    btfKeyTypeId: key.id,
    btfValueTypeId: value.id,
    btfVmlinuxValueTypeId: Number(number('vmlinux_value', U32_MAX)),
    initial,
    frozen: words.some((word) => word.text === 'frozen'),
    slots,
    section: attributes.get('section')?.text ?? null,
  };
  const isTemplate = words.some((word) => word.text === 'template');
  return isBad ? null : { def, inner: attributes.get('inner')?.text ?? null, isTemplate, at };
}

/** The bytes of pairs of hexadecimal digits, blanks allowed between them; null for anything else. */
export const readHex = (text: string): Uint8Array | null => {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
};

/** `0:name,3:other`: inner maps of a map-in-map, programs of every other type. */
const readSlots = (word: Word | undefined, type: number, fail: (message: string, word: Word) => void): MapSlot[] => {
  if (word === undefined) return [];
  const kind = type === MAP_TYPES.array_of_maps || type === MAP_TYPES.hash_of_maps ? 'map' : 'program';
  return word.text.split(',').flatMap((part): MapSlot[] => {
    const match = /^(\d+):([A-Za-z_.][\w.]*)$/.exec(part);
    if (match !== null) return [{ index: Number(match[1]), name: match[2]!, kind }];
    fail(`'${part}' is not INDEX:NAME`, word);
    return [];
  });
};
