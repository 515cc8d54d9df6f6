import type { Btf } from '../btf/btf.ts';
import { BTF_INT_SIGNED, type BtfType, isAnyEnum, isStruct, type StructType } from '../btf/types.ts';
import { Malformed } from '../contracts/errors.ts';
import type { MapDraft } from './maps.ts';

/** A number, or the name of an enumerator. */
type PresetValue = bigint | string;

/** `name.field[2] = value`: a value for a global variable before the object is loaded. */
export interface Preset {
  readonly text: string;
  readonly variable: string;
  readonly path: readonly ({ readonly field: string } | { readonly index: PresetValue })[];
  readonly value: PresetValue;
}

const NAME = '[A-Za-z_][A-Za-z0-9_]*';
const PRESET = new RegExp(`^\\s*(${NAME})((?:\\s*\\.\\s*${NAME}|\\s*\\[\\s*[A-Za-z0-9_]+\\s*\\])*)\\s*=\\s*(\\S+)\\s*$`);
const STEP = new RegExp(`\\.\\s*(${NAME})|\\[\\s*([A-Za-z0-9_]+)\\s*\\]`, 'g');

function readValue(text: string): PresetValue | null {
  const negative = text.startsWith('-');
  const digits = negative ? text.slice(1) : text;
  if (/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(digits)) {
    const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
    if (/^0[0-9]+$/.test(digits) && octal === digits) return null;
    return negative ? -BigInt(octal) : BigInt(octal);
  }
  return new RegExp(`^${NAME}$`).test(text) ? text : null;
}

/**
 * Reads `name = value`, as veristat's `-G` takes it: the variable may go on with `.field` and `[index]`, the value is a number or
 * an enumerator. `Malformed` for anything else. Source: append_var_preset, tools/testing/selftests/bpf/veristat.c.
 */
export function parsePreset(text: string): Preset {
  const match = PRESET.exec(text);
  const value = match === null ? null : readValue(match[3]!);
  if (match === null || value === null) throw new Malformed(`cannot read the preset '${text}': expected name = value`);
  const path = [...match[2]!.matchAll(STEP)].map((step) => {
    if (step[1] !== undefined) return { field: step[1] };
    const index = readValue(step[2]!);
    if (index === null) throw new Malformed(`cannot read the index [${step[2]}] in the preset '${text}'`);
    return { index };
  });
  return { text: text.trim(), variable: match[1]!, path, value };
}

interface Place {
  readonly type: BtfType;
  readonly offset: number;
  readonly size: number;
}

/**
 * Writes presets into the initial bytes of global data maps. Source: set_global_vars.
 * A preset that names no variable, leaves its array or does not fit is `Malformed`.
 */
export function applyPresets(presets: readonly Preset[], maps: readonly MapDraft[], btf: Btf | null, file: string): void {
  if (presets.length === 0) return;
  const variables = new Map<string, { map: MapDraft; offset: number; type: number }>();
  for (const map of maps) {
    const section = map.data === null || map.sectionName === null ? undefined : btf?.findByName(map.sectionName, 'DATASEC');
    for (const entry of section?.vars ?? []) {
      const variable = btf!.typeOf(entry.type, 'VAR');
      if (variable !== undefined) variables.set(variable.name, { map, offset: entry.offset, type: variable.type });
    }
  }
  const done = new Set<string>();
  for (const preset of presets) {
    const refuse = (message: string): never => {
      throw new Malformed(`preset '${preset.text}': ${message}`, file);
    };
    const variable = variables.get(preset.variable) ?? refuse(`there is no global variable ${preset.variable}`);
    const where = preset.text.slice(0, preset.text.indexOf('=')).replace(/\s/g, '');
    if (done.has(where)) refuse(`${where} is set more than once`);
    done.add(where);
    write(preset, variable.map, locate(btf!, preset, variable, refuse), refuse);
  }
}

function locate(
  btf: Btf,
  preset: Preset,
  variable: { readonly offset: number; readonly type: number },
  refuse: (m: string) => never,
): Place {
  let type = btf.skipModifiers(variable.type);
  let offset = variable.offset;
  for (const step of preset.path) {
    if ('field' in step) {
      if (!isStruct(type)) return refuse(`there is no field ${step.field} in something that is no struct`);
      const found = memberOf(btf, type, step.field, 0) ?? refuse(`there is no field ${step.field}`);
      if (found.isBitfield) refuse(`the bitfield ${step.field} cannot be set`);
      offset += found.offset;
      type = btf.skipModifiers(found.type);
      continue;
    }
    if (type.kind !== 'ARRAY') return refuse('an index needs an array');
    const index =
      typeof step.index === 'string'
        ? (enumerator(btf, step.index) ?? refuse(`there is no enumerator ${step.index}`))
        : step.index;
    if (index < 0n || index >= BigInt(type.nelems)) refuse(`index ${index} is out of bounds [0, ${type.nelems})`);
    offset += Number(index) * (btf.sizeOf(type.elem) ?? 0);
    type = btf.skipModifiers(type.elem);
  }
  return { type, offset, size: btf.sizeOf(type.id) ?? 0 };
}

const NESTING = 32;

/** A member by name, also inside anonymous structs and unions; its offset in bytes. */
function memberOf(
  btf: Btf,
  type: StructType,
  name: string,
  depth: number,
): { readonly offset: number; readonly type: number; readonly isBitfield: boolean } | null {
  for (const member of type.members) {
    const offset = Math.floor(member.bitOffset / 8);
    if (member.name === name) return { offset, type: member.type, isBitfield: member.bitfieldSize !== 0 };
    const inside = member.name === '' && depth < NESTING ? btf.skipModifiers(member.type) : undefined;
    const found = inside !== undefined && isStruct(inside) ? memberOf(btf, inside, name, depth + 1) : null;
    if (found !== null) return { ...found, offset: offset + found.offset };
  }
  return null;
}

function enumeratorIn(type: BtfType, name: string): bigint | undefined {
  if (!isAnyEnum(type)) return undefined;
  for (const value of type.values) if (value.name === name) return BigInt(value.value);
  return undefined;
}

function enumerator(btf: Btf, name: string): bigint | undefined {
  for (const type of btf.types()) {
    const value = enumeratorIn(type, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function write(preset: Preset, map: MapDraft, { type, offset, size }: Place, refuse: (message: string) => never): void {
  if (type.kind !== 'INT' && !isAnyEnum(type)) return refuse('only integers and enums can be set');
  let value: bigint;
  if (typeof preset.value === 'string')
    value =
      enumeratorIn(type, preset.value) ??
      refuse(`${preset.value} is no value of ${type.name === '' ? type.kind.toLowerCase() : type.name}`);
  else value = preset.value;
  const signed = type.kind === 'INT' ? (type.encoding & BTF_INT_SIGNED) !== 0 : type.signed;
  if (size < 8) {
    const limit = 1n << BigInt(size * 8 - (signed ? 1 : 0));
    if (value >= limit || value < -limit) refuse(`${value} is out of range [${signed ? -limit : 0n}; ${limit - 1n}]`);
  }
  if (size > 8 || offset + size > map.declaration.valueSize) refuse('it lies outside its section');
  const old = map.initial ?? new Uint8Array(0);
  const bytes = old.length >= offset + size ? old : grown(old, offset + size, refuse);
  for (let i = 0; i < size; i++) bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  map.initial = bytes;
}

const GROW_LIMIT = 1 << 26;

/** A `.bss` has no bytes of its own; the part up to the variable becomes explicit. */
function grown(old: Uint8Array, length: number, refuse: (message: string) => never): Uint8Array {
  if (length > GROW_LIMIT) refuse(`offset ${length} is too far into its section`);
  const bytes = new Uint8Array(length);
  bytes.set(old);
  return bytes;
}
