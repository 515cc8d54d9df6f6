import type { Btf } from '../btf/btf.ts';
import { BtfBuilder } from '../btf/builder.ts';
import { FlatSource } from '../btf/source.ts';
import { ATTACH_TYPE_NAMES } from '../contracts/attach_types.ts';
import { MAP_FLAGS, MAP_TYPE_NAMES, PROG_TYPE_NAMES } from '../contracts/uapi_numbers.ts';
import { type Expectation, type MapDef, type ObjectImage, PROG_FLAGS, type Program } from '../program/program.ts';
import type { AsmProfile } from './assemble.ts';
import { sectionKind } from './attach.ts';
import { bytesToBase64 } from './base64.ts';
import type { DialectName } from './dialect.ts';
import { quote } from './directive.ts';
import { type InsnContext, isName, isWide, kernelText, rawText, targetsOf, ubpfText } from './disassemble_insn.ts';
import { caseLines } from './expected_cases.ts';

export interface DisassembleOptions {
  readonly profile: AsmProfile | null;
  readonly dialect?: DialectName;
}

const BASE64_COLUMNS = 100;

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const flagsText = (value: number, names: Readonly<Record<string, number>>): string => {
  const known = Object.entries(names).filter(([, bit]) => (value & bit) !== 0);
  const rest = known.reduce((left, [, bit]) => left & ~bit, value) >>> 0;
  return [...known.map(([name]) => name), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])].join('|');
};

const blobOf = (btf: Btf): Uint8Array => {
  const { source } = btf;
  return source instanceof FlatSource ? source.bytes : BtfBuilder.from(btf).encode();
};

const btfLines = (btf: Btf): string[] => {
  const text = bytesToBase64(blobOf(btf));
  const rows = text.match(new RegExp(`.{1,${BASE64_COLUMNS}}`, 'g')) ?? [];
  return ['.btf {', ...rows, '}'];
};

/** The `.map` lines of maps; templates of inner maps come first, once each, under names that no other map has. */
function mapLines(maps: readonly MapDef[], known: ReadonlySet<string>): string[] {
  const names = new Map<MapDef, string>(maps.map((map) => [map, map.name]));
  const taken = new Set(names.values());
  const lines: string[] = [];
  const declare = (map: MapDef, isTemplate: boolean): void => {
    if (map.inner !== null && !names.has(map.inner)) {
      let name = map.inner.name;
      for (let i = 2; taken.has(name); i++) name = `${map.inner.name}_${i}`;
      taken.add(name);
      names.set(map.inner, name);
      declare(map.inner, true);
    }
    lines.push(mapLine(map, names, isTemplate, known));
  };
  for (const map of maps) declare(map, false);
  return lines;
}

function mapLine(map: MapDef, names: ReadonlyMap<MapDef, string>, isTemplate: boolean, known: ReadonlySet<string>): string {
  const slots = map.slots.filter(({ name }) => known.has(name));
  const own = names.get(map) ?? map.name;
  const words: string[] = ['.map', isName(own) ? own : quote(own), MAP_TYPE_NAMES[map.type] ?? String(map.type)];
  const attribute = (key: string, value: string | number | bigint): void => void words.push(`${key}=${value}`);
  attribute('key_size', map.keySize);
  attribute('value_size', map.valueSize);
  attribute('max_entries', map.maxEntries);
  if (map.flags !== 0) attribute('flags', flagsText(map.flags, MAP_FLAGS));
  if (map.mapExtra !== 0n) attribute('map_extra', map.mapExtra);
  if (map.btfKeyTypeId !== 0) attribute('key_btf', map.btfKeyTypeId);
  if (map.btfValueTypeId !== 0) attribute('value_btf', map.btfValueTypeId);
  if (map.btfVmlinuxValueTypeId !== 0) attribute('vmlinux_value', map.btfVmlinuxValueTypeId);
  if (map.inner !== null) attribute('inner', quote(names.get(map.inner) ?? map.inner.name));
  if (slots.length > 0) attribute('slots', quote(slots.map(({ index, name }) => `${index}:${name}`).join(',')));
  if (map.section !== null) attribute('section', quote(map.section));
  if (map.initial !== null) attribute('initial', quote(hexOf(map.initial)));
  if (map.frozen) words.push('frozen');
  if (isTemplate) words.push('template');
  return words.join(' ');
}

/** Messages in the order in which the log is to have them, and between them what it must not have. */
const messageLines = ({ messages, notMessages, notMessagesAfter }: Expectation, prefix: string): string[] => {
  const lines: string[] = [];
  for (let at = 0; at <= messages.length; at++) {
    if (at > 0) lines.push(`${prefix} message ${quote(messages[at - 1]!)}`);
    notMessages.forEach((message, i) => {
      if (notMessagesAfter[i] === at) lines.push(`${prefix} not_message ${quote(message)}`);
    });
  }
  return lines;
};

const expectLines = (expectation: Expectation, prefix = '.expect'): string[] => [
  ...(expectation.verdict === null ? [] : [`${prefix} verdict ${expectation.verdict}`]),
  ...(expectation.errno === null ? [] : [`${prefix} errno ${expectation.errno}`]),
  ...messageLines(expectation, prefix),
  ...(expectation.caps.length === 0 ? [] : [`${prefix} caps ${quote(expectation.caps.join('|'))}`]),
  ...(expectation.returns === null ? [] : [`${prefix} return ${expectation.returns}`]),
  ...(expectation.logLevel === 0 ? [] : [`${prefix} log_level ${expectation.logLevel}`]),
  ...(expectation.flags === 0 ? [] : [`${prefix} test_flags ${flagsText(expectation.flags, PROG_FLAGS)}`]),
  ...expectation.unchecked.map((name) => `${prefix} unchecked ${quote(name)}`),
  ...(expectation.skip === null ? [] : [`${prefix} skip ${quote(expectation.skip)}`]),
  ...(expectation.description === '' ? [] : [`${prefix} description ${quote(expectation.description)}`]),
  ...(expectation.unprivileged === null ? [] : expectLines(expectation.unprivileged, '.expect unprivileged')),
];

const bareName = (name: string): string => name.replace(/[^\w.$]/g, '_') || 'prog';

/** The `.section` and `.program` lines: what the section does not say stands in attributes. */
const headerLines = (program: Program, profile: AsmProfile | null, typeId: number | undefined): string[] => {
  const words = ['.program', bareName(program.name)];
  const kind = profile === null ? null : sectionKind(profile.progTypes, profile.btf, program.section);
  const isSame =
    kind !== null &&
    kind.type === program.type &&
    kind.expectedAttachType === program.expectedAttachType &&
    kind.hasAttachType === program.hasAttachType &&
    kind.attach?.btfId === program.attach?.btfId;
  if (!isSame) {
    words.push(`type=${PROG_TYPE_NAMES[program.type] ?? program.type}`);
    const attachType = ATTACH_TYPE_NAMES[program.expectedAttachType] ?? program.expectedAttachType;
    words.push(`attach_type=${program.hasAttachType ? attachType : program.expectedAttachType === 0 ? 'none' : attachType}`);
    if (program.attach !== null) words.push(`target=${quote(program.attach.name)}`, `btf_id=${program.attach.btfId}`);
  }
  if (program.flags !== (kind?.type === program.type ? kind.flags : 0))
    words.push(`flags=${flagsText(program.flags, PROG_FLAGS) || '0'}`);
  if (typeId !== undefined) words.push(`btf=${typeId}`);
  return [`.section ${quote(program.section)}`, words.join(' ')];
};

/** Source notes by slot; one that a note line cannot hold is left out. */
const notesOf = (program: Program): Map<number, string> => {
  const notes = new Map<number, string>();
  for (const { insn, fileOff, lineOff, lineCol } of program.lineInfo) {
    const text = program.btf?.stringAt(lineOff);
    const file = program.btf?.stringAt(fileOff);
    if (text === undefined || file === undefined || file === '' || /[\r\n]/.test(text + file)) continue;
    const column = lineCol & 0x3ff;
    notes.set(insn, `; ${text} @ ${file}:${lineCol >>> 10}${column === 0 ? '' : `:${column}`}`);
  }
  return notes;
};

/** Names of the functions that begin inside a program, each once. */
const functionNames = (
  program: Program,
  starts: ReadonlySet<number>,
): Map<number, { name: string; typeId: number | undefined }> => {
  const known = new Map(program.funcInfo.map(({ insn, typeId }) => [insn, typeId]));
  const used = new Set([program.name]);
  const names = new Map<number, { name: string; typeId: number | undefined }>();
  for (const slot of [...new Set([...known.keys(), ...starts])].sort((a, b) => a - b)) {
    const typeId = known.get(slot);
    const declared = slot === 0 ? program.name : typeId === undefined ? undefined : program.btf?.typeOf(typeId, 'FUNC')?.name;
    const wanted = declared !== undefined && isName(declared) && (slot === 0 || !used.has(declared)) ? declared : `func_${slot}`;
    used.add(wanted);
    names.set(slot, { name: wanted, typeId });
  }
  return names;
};

const programLines = (program: Program, maps: readonly MapDef[], options: DisassembleOptions): string[] => {
  const { insns } = program;
  const { profile } = options;
  const targets = targetsOf(insns);
  const functions = functionNames(program, targets.functions);
  const taken = new Set([...functions.values()].map(({ name }) => name));
  const label = (slot: number): string => {
    const name = `l${slot}`;
    return taken.has(name) ? `.L${slot}` : name;
  };
  const unambiguous = (name: string | undefined): string | null =>
    name === undefined || taken.has(name) || !isName(name) ? null : name;
  const context: InsnContext = {
    insns,
    label: (slot) => (targets.labels.has(slot) ? label(slot) : null),
    func(slot) {
      const found = targets.functions.has(slot) ? functions.get(slot) : undefined;
      return found === undefined || maps.some((map) => map.name === found.name) ? null : found.name;
    },
    map: (index) => (isName(maps[index]?.name ?? '') ? maps[index]!.name : null),
    helper: (id) => unambiguous(profile?.helpers[id]?.name),
    kfunc(id) {
      const name = profile?.btf.typeOf(id, 'FUNC')?.name;
      const isFound = name !== undefined && profile!.btf.findByName(name, 'FUNC')?.id === id;
      return isFound && !profile!.helpers.some((helper) => helper?.name === name) ? unambiguous(name) : null;
    },
  };
  const textOf = options.dialect === 'ubpf' ? ubpfText : kernelText;
  const notes = notesOf(program);
  const lines = headerLines(program, profile, functions.get(0)?.typeId);
  for (let pc = 0; pc < insns.length; pc++) {
    const func = pc === 0 ? undefined : functions.get(pc);
    if (func !== undefined) lines.push('', `.func ${func.name}${func.typeId === undefined ? '' : ` btf=${func.typeId}`}`);
    if (targets.labels.has(pc)) lines.push(`${label(pc)}:`);
    const note = notes.get(pc);
    if (note !== undefined) lines.push(note);
    const text = textOf(context, pc);
    if (text !== null) {
      lines.push(`  ${text}`);
      if (isWide(insns, pc)) pc++;
      continue;
    }
    lines.push(`  .raw ${rawText(insns[pc]!)}`);
    if (isWide(insns, pc)) lines.push(`  .raw ${rawText(insns[++pc]!)}`);
  }
  if (targets.labels.has(insns.length)) lines.push(`${label(insns.length)}:`);
  return lines;
};

/**
 * Text that `assemble` turns into the same instructions, maps and function starts, under the same file name. Names come from
 * the object and the profile; what has no name or no spelling in the dialect is a number or a `.raw` word.
 */
export function disassemble(image: ObjectImage, options: DisassembleOptions): string {
  const lines: string[] = [`.dialect ${options.dialect ?? 'kernel'}`, `.license ${quote(image.license)}`];
  const btf = image.btf ?? image.programs.find((program) => program.btf !== null)?.btf ?? null;
  if (btf !== null) lines.push(...btfLines(btf));
  const known = new Set([...image.maps, ...image.programs].map(({ name }) => name));
  lines.push(...mapLines(image.maps, known));
  for (const program of image.programs) {
    lines.push('', ...programLines(program, image.maps, options));
    const expectation = image.expectations.get(program.name);
    if (expectation !== undefined) lines.push(...expectLines(expectation));
    for (const expected of image.cases?.get(program.name) ?? []) lines.push(...caseLines(expected));
  }
  return `${lines.join('\n')}\n`;
}

/** A program alone, with the maps it can refer to. */
export const disassembleProgram = (program: Program, options: DisassembleOptions): string =>
  disassemble(
    {
      name: program.name,
      programs: [program],
      maps: program.maps,
      btf: program.btf,
      license: program.license,
      expectations: new Map(),
    },
    options,
  );
