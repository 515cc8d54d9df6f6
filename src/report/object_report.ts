import { MAP_TYPE_NAMES, PROG_TYPE_NAMES } from '../contracts/uapi_numbers.ts';
import { type MapDef, type ObjectImage, PROG_FLAGS, type Program } from '../program/program.ts';
import { attachTypeName } from './program_report.ts';

/** What an object brings, as `inspect --format json` prints it. */
export interface ObjectReport {
  readonly object: string;
  readonly license: string;
  readonly programs: readonly {
    readonly name: string;
    readonly section: string;
    readonly progType: string;
    readonly attachType: string | null;
    readonly attachTarget: string | null;
    readonly flags: readonly string[];
    readonly insns: number;
    readonly functions: readonly string[];
    readonly maps: readonly string[];
    readonly loadError: string | null;
  }[];
  readonly maps: readonly MapReport[];
  readonly externs: readonly {
    readonly name: string;
    readonly kind: string;
    readonly weak: boolean;
    readonly found: boolean;
    readonly error: string | null;
  }[];
  /** number of BTF types; null without BTF */
  readonly btfTypes: number | null;
}

export interface MapReport {
  readonly name: string;
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly frozen: boolean;
  readonly section: string | null;
  readonly inner: MapReport | null;
}

const typeName = (map: MapDef, id: number): string | null => {
  const type = map.btf === null || id === 0 ? undefined : map.btf.typeOrUndefined(id);
  if (type === undefined) return null;
  const words: Readonly<Record<string, string>> = { STRUCT: 'struct ', UNION: 'union ', ENUM: 'enum ', ENUM64: 'enum ' };
  return `${words[type.kind] ?? ''}${type.name === '' ? type.kind.toLowerCase() : type.name}`;
};

const mapReport = (map: MapDef): MapReport => ({
  name: map.name,
  type: MAP_TYPE_NAMES[map.type] ?? String(map.type),
  keySize: map.keySize,
  valueSize: map.valueSize,
  maxEntries: map.maxEntries,
  flags: `0x${map.flags.toString(16)}`,
  key: typeName(map, map.btfKeyTypeId),
  value: typeName(map, map.btfValueTypeId),
  frozen: map.frozen,
  section: map.section,
  inner: map.inner === null ? null : mapReport(map.inner),
});

const LD_IMM64 = 0x18;
const PSEUDO_MAP_FD = 1;
const PSEUDO_MAP_VALUE = 2;

/** The maps that a program names, in the order of its code. */
function mapsOf(program: Program): string[] {
  const names = new Set<string>();
  for (let i = 0; i < program.insns.length; i++) {
    const { code, src, imm } = program.insns[i]!;
    if (code !== LD_IMM64) continue;
    const map = src === PSEUDO_MAP_FD || src === PSEUDO_MAP_VALUE ? program.maps[imm] : undefined;
    if (map !== undefined) names.add(map.name);
    i++;
  }
  return [...names];
}

const functionsOf = ({ btf, funcInfo }: Program): string[] =>
  funcInfo.map(({ typeId }) => btf?.typeOrUndefined(typeId)?.name ?? `type ${typeId}`);

export function objectReport(image: ObjectImage): ObjectReport {
  return {
    object: image.name,
    license: image.license,
    programs: image.programs.map((program) => ({
      name: program.name,
      section: program.section,
      progType: PROG_TYPE_NAMES[program.type] ?? String(program.type),
      attachType: attachTypeName(program),
      attachTarget: program.attach?.name ?? null,
      flags: Object.entries(PROG_FLAGS).flatMap(([name, bit]) => ((program.flags & bit) === 0 ? [] : [name])),
      insns: program.insns.length,
      functions: functionsOf(program),
      maps: mapsOf(program),
      loadError: program.loadError,
    })),
    maps: image.maps.map(mapReport),
    externs: (image.externs ?? []).map((extern) => ({ ...extern })),
    btfTypes: image.btf === null ? null : image.btf.count,
  };
}

function mapText(map: MapReport, indent = '  '): string[] {
  const { name, type, keySize, valueSize, maxEntries, key, value } = map;
  const typed = (size: number, text: string | null): string => (text === null ? `${size}` : `${size} (${text})`);
  const flags = map.flags === '0x0' ? '' : `, flags ${map.flags}`;
  const line =
    `${indent}${name}: ${type}, key ${typed(keySize, key)}, value ${typed(valueSize, value)}, ` +
    `${maxEntries} entries${flags}${map.frozen ? ', frozen' : ''}`;
  return map.inner === null ? [line] : [line, ...mapText(map.inner, `${indent}  inner `)];
}

/** The report for people; `types` is the BTF as C. */
export function objectText(report: ObjectReport, types: string | null): string {
  const lines = [`${report.object}: license ${JSON.stringify(report.license)}`, 'programs:'];
  for (const program of report.programs) {
    const attach = [program.attachType, program.attachTarget].filter((part) => part !== null).join(' ');
    const about = [program.progType, attach, program.flags.join('|'), `${program.insns} insns`].filter((part) => part !== '');
    lines.push(`  ${program.name} [${program.section}]: ${about.join(', ')}`);
    if (program.functions.length > 1) lines.push(`    functions: ${program.functions.join(', ')}`);
    if (program.maps.length > 0) lines.push(`    maps: ${program.maps.join(', ')}`);
    if (program.loadError !== null) lines.push(`    not loaded: ${program.loadError}`);
  }
  if (report.maps.length > 0) lines.push('maps:', ...report.maps.flatMap((map) => mapText(map)));
  if (report.externs.length > 0) {
    lines.push('externs:');
    for (const { name, kind, weak, found, error } of report.externs) {
      lines.push(`  ${name}: ${weak ? 'weak ' : ''}${kind}, ${found ? 'found' : 'missing'}${error === null ? '' : `: ${error}`}`);
    }
  }
  if (types !== null) lines.push('types:', types.trimEnd());
  return `${lines.join('\n')}\n`;
}
