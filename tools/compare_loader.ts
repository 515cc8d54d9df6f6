/**
 * Compares what our loader makes of the recorded objects with what libbpf gave to BPF_PROG_LOAD.
 *
 *   npx tsx tools/compare_loader.ts [--only SUBSTRING] [--list] [--limit N]
 *
 * The recordings are in $KERNEL_SUITE_DIR (default ~/.cache/kernel-suite); the BTF and configuration are this machine's.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Btf } from '../src/btf/btf.ts';
import { type LoaderProfile, loadObject } from '../src/elf/load.ts';
import { decodeProgram } from '../src/isa/codec.ts';
import type { Insn } from '../src/isa/insn.ts';
import { MAP_TYPES } from '../src/maps/types/index.ts';
import { FACTS } from '../src/profiles/linux_6_18/facts.ts';
import type { MapDef, ObjectImage, Program } from '../src/program/program.ts';
import { PROG_TYPES_BY_ID } from '../src/progtypes/index.ts';

interface RecordedMap {
  readonly fd: number;
  /** absent when the descriptor was no map */
  readonly type?: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  readonly name: string;
  readonly map_extra: number;
  readonly btf_key_type_id: number;
  readonly btf_value_type_id: number;
  readonly btf_vmlinux_value_type_id: number;
  readonly btf: string | null;
  readonly frozen: boolean;
  readonly value?: string;
  readonly inner?: RecordedMap;
}

interface Row {
  readonly object: string;
  readonly path: string;
  readonly program: string;
  readonly section: string;
  readonly loader: string;
  readonly class: string;
  readonly prog_type: number;
  readonly expected_attach_type: number;
  readonly prog_flags: number;
  readonly attach_btf_id: number;
  readonly license: string;
  readonly insns?: string;
  readonly maps: readonly RecordedMap[];
  readonly fd_array: readonly unknown[];
  readonly btf: string | null;
  readonly func_info: string;
  readonly line_info: string;
  readonly type_guessed?: boolean;
  readonly externs_weakened?: boolean;
  readonly maps_disabled?: string;
  readonly elf_relaxed?: boolean;
}

const directory = process.env['KERNEL_SUITE_DIR'] ?? join(homedir(), '.cache/kernel-suite');
const argument = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : process.argv[at + 1];
};
const only = argument('--only') ?? '';
const listing = process.argv.includes('--list');

const hostConfig = (): ReadonlyMap<string, string> => {
  const settings = new Map<string, string>();
  if (!existsSync('/proc/config.gz')) return settings;
  for (const line of gunzipSync(readFileSync('/proc/config.gz')).toString().split('\n')) {
    const equals = line.indexOf('=');
    if (line.startsWith('CONFIG_') && equals !== -1) settings.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return settings;
};

const release = existsSync('/proc/sys/kernel/osrelease') ? readFileSync('/proc/sys/kernel/osrelease', 'utf8') : '6.18.0';
const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(release) ?? ['', '6', '18', '0'];
const profile: LoaderProfile = {
  btf: Btf.parse(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux'))),
  version: [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])],
  progTypes: PROG_TYPES_BY_ID,
  mapTypes: MAP_TYPES,
  kconfig: hostConfig(),
  facts: FACTS,
};

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const words = (bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true));
};

const isAddress = (insn: Insn): boolean => insn.code === 0x18 && insn.src === 0;
const KERNEL_HIGH = -1;

/** The first way in which our instructions differ from the recorded ones, or null. */
function instructionDifference(ours: readonly Insn[], theirs: readonly Insn[], row: Row): string | null {
  if (ours.length !== theirs.length) return `${ours.length} instructions instead of ${theirs.length}`;
  const known = new Set(row.maps.filter((map) => map.type !== undefined).map((map) => map.fd));
  const mapOf = new Map<number, number>();
  for (let i = 0; i < ours.length; i++) {
    const a = ours[i]!;
    const b = theirs[i]!;
    if (a.code !== b.code || a.dst !== b.dst || a.src !== b.src || a.off !== b.off)
      return `insn ${i}: ${text(a)} instead of ${text(b)}`;
    if (b.code === 0x18) {
      const [high, recorded] = [ours[i + 1]!.imm, theirs[i + 1]!.imm];
      if (b.src === 1 || b.src === 2) {
        if (!known.has(b.imm)) {
          if (a.imm !== ~b.imm) return `insn ${i}: ${text(a)} instead of descriptor ${b.imm}`;
        } else if ((mapOf.get(b.imm) ?? a.imm) !== a.imm) {
          return `insn ${i}: map ${a.imm} where it was ${mapOf.get(b.imm)} before`;
        }
        mapOf.set(b.imm, a.imm);
        if (high !== recorded) return `insn ${i}: value offset ${high} instead of ${recorded}`;
        i++;
        continue;
      }
      // kernel addresses differ at every boot, and are hidden (0) from some readers of /proc/kallsyms
      if (isAddress(b) && high === KERNEL_HIGH && (recorded === KERNEL_HIGH || (recorded === 0 && b.imm === 0))) {
        i++;
        continue;
      }
    }
    if (a.imm !== b.imm) return `insn ${i}: ${text(a)} instead of ${text(b)}`;
  }
  return null;
}

const text = ({ code, dst, src, off, imm }: Insn): string =>
  `code ${code.toString(16)} dst ${dst} src ${src} off ${off} imm ${imm}`;

/** Differences that lie in the recording, not in the loader. */
function explanation(field: string, difference: string, row: Row): string | null {
  if (row.loader === 'legacy') return 'the recorder used its own loader for an object with legacy maps';
  if (row.elf_relaxed) return 'the recorder changed the object';
  if (row.maps_disabled !== undefined) return 'the recorder left out a map that the kernel did not create';
  if (row.type_guessed && field.endsWith('_type'))
    return 'the recorder guessed the type from the context argument, as veristat does';
  if (field === 'expected_attach_type' && row.section.startsWith('usdt'))
    return 'the recorder kept libbpf from probing for uprobe_multi links';
  if (field === 'maps' && difference.endsWith('.kconfig: other content'))
    return 'configuration and features of the recording host';
  if (field === 'maps' && difference.includes('flags 0 instead of 128'))
    return 'BPF_MAP_CREATE itself adds BPF_F_RDONLY_PROG to a devmap';
  return null;
}

function loadErrorExplanation(error: string, row: Row): string | null {
  if (row.externs_weakened) return 'a kfunc or ksym is missing, which the recorder made weak';
  if (row.type_guessed) return 'freplace without a target';
  if (row.maps_disabled) return 'the kernel does not create a map, which the recorder then left out';
  if (error.includes('/proc/kallsyms')) return 'addresses of kernel symbols are not known offline';
  return null;
}

function mapDifference(ours: MapDef, theirs: RecordedMap): string | null {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['type', ours.type, theirs.type],
    ['key_size', ours.keySize, theirs.key_size],
    ['value_size', ours.valueSize, theirs.value_size],
    ['max_entries', ours.maxEntries, theirs.max_entries],
    ['flags', ours.flags, theirs.flags],
    ['name', ours.name.slice(0, 15), theirs.name],
    ['map_extra', Number(ours.mapExtra), theirs.map_extra],
    ['btf_key_type_id', ours.btfKeyTypeId, theirs.btf_key_type_id],
    ['btf_value_type_id', ours.btfValueTypeId, theirs.btf_value_type_id],
    ['btf_vmlinux_value_type_id', ours.btfVmlinuxValueTypeId, theirs.btf_vmlinux_value_type_id],
    ['frozen', ours.frozen, theirs.frozen],
  ];
  for (const [what, a, b] of pairs) if (a !== b) return `map ${ours.name}: ${what} ${a} instead of ${b}`;
  if (theirs.value !== undefined && ours.initial !== null) {
    const value = Buffer.from(ours.initial).toString('hex').padEnd(theirs.value.length, '0');
    if (value !== theirs.value) return `map ${ours.name}: other content`;
  }
  if (theirs.inner !== undefined)
    return ours.inner === null ? `map ${ours.name}: no inner map` : mapDifference(ours.inner, theirs.inner);
  return null;
}

function mapsDifference(program: Program, row: Row, insns: readonly Insn[]): string | null {
  const byFd = new Map(row.maps.map((map) => [map.fd, map]));
  for (let i = 0; i < insns.length && i < program.insns.length; i++) {
    const theirs = insns[i]!;
    if (theirs.code !== 0x18) continue;
    if (theirs.src === 1 || theirs.src === 2) {
      const recorded = byFd.get(theirs.imm);
      if (recorded !== undefined && recorded.type === undefined) {
        i++;
        continue;
      }
      const ours = program.maps[program.insns[i]!.imm];
      if (recorded === undefined || ours === undefined) return `insn ${i}: no such map`;
      const difference = mapDifference(ours, recorded);
      if (difference !== null) return difference;
    }
    i++;
  }
  return null;
}

const btfBytes = new Map<string, Uint8Array>();
const recordedBtf = (file: string): Uint8Array => {
  let bytes = btfBytes.get(file);
  if (bytes === undefined) btfBytes.set(file, (bytes = new Uint8Array(readFileSync(join(directory, file)))));
  return bytes;
};

function btfDifference(program: Program, row: Row): string | null {
  if (row.btf === null || program.btf === null)
    return row.btf === program.btf ? null : row.btf === null ? 'BTF where there was none' : 'no BTF';
  const source = program.btf.source as unknown as { bytes: Uint8Array };
  const theirs = recordedBtf(row.btf);
  const ours = source.bytes;
  if (ours.length !== theirs.length) return `BTF of ${ours.length} bytes instead of ${theirs.length}`;
  const at = ours.findIndex((byte, i) => byte !== theirs[i]);
  return at === -1 ? null : `BTF differs at byte ${at}`;
}

function differences(program: Program, row: Row): Map<string, string> {
  const found = new Map<string, string>();
  const note = (what: string, difference: string | null): void => {
    if (difference !== null) found.set(what, difference);
  };
  const number = (what: string, ours: number, theirs: number): void => {
    if (ours !== theirs) note(what, `${ours} instead of ${theirs}`);
  };
  const theirs = decodeProgram(hex(row.insns!));
  note('insns', instructionDifference(program.insns, theirs, row));
  if (!found.has('insns')) note('maps', mapsDifference(program, row, theirs));
  number('prog_type', program.type, row.prog_type);
  number('expected_attach_type', program.expectedAttachType, row.expected_attach_type);
  number('prog_flags', program.flags, row.prog_flags);
  number('attach_btf_id', program.attach?.btfId ?? 0, row.attach_btf_id);
  if (program.license !== row.license) note('license', `${program.license} instead of ${row.license}`);
  const funcs = program.funcInfo.flatMap((info) => [info.insn, info.typeId]);
  const lines = program.lineInfo.flatMap((info) => [info.insn, info.fileOff, info.lineOff, info.lineCol]);
  if (row.btf !== null) {
    if (String(funcs) !== String(words(hex(row.func_info)))) note('func_info', 'differs');
    if (String(lines) !== String(words(hex(row.line_info)))) note('line_info', 'differs');
  }
  note('btf', btfDifference(program, row));
  return found;
}

const images = new Map<string, ObjectImage | string>();
let loadTime = 0;
function imageOf(path: string): ObjectImage | string {
  let image = images.get(path);
  if (image === undefined) {
    const bytes = new Uint8Array(readFileSync(path));
    const start = performance.now();
    try {
      image = loadObject(bytes, basename(path), { profile });
    } catch (error) {
      image =
        error instanceof Error
          ? `${error.name}: ${error.message}${error.name === 'Malformed' ? '' : `\n${error.stack}`}`
          : String(error);
    }
    loadTime += performance.now() - start;
    images.set(path, image);
  }
  return image;
}

const FIELDS = [
  'insns',
  'maps',
  'prog_type',
  'expected_attach_type',
  'prog_flags',
  'attach_btf_id',
  'license',
  'func_info',
  'line_info',
  'btf',
];
for (const suite of ['selftests.jsonl', 'selftests-v4.jsonl']) {
  const counts = new Map(FIELDS.map((field) => [field, 0]));
  const reasons = new Map<string, number>();
  let total = 0;
  for (const line of readFileSync(join(directory, suite), 'utf8').split('\n')) {
    if (line === '') continue;
    const row = JSON.parse(line) as Row;
    if (row.insns === undefined || row.insns === '' || !`${row.object}/${row.program}`.includes(only)) continue;
    total++;
    const image = imageOf(row.path);
    const program = typeof image === 'string' ? undefined : image.programs.find((candidate) => candidate.name === row.program);
    const found =
      program === undefined
        ? new Map(FIELDS.map((field) => [field, typeof image === 'string' ? image : 'no such program']))
        : differences(program, row);
    for (const field of FIELDS) if (!found.has(field)) counts.set(field, counts.get(field)! + 1);
    for (const [field, difference] of found) {
      const why = explanation(field, difference, row);
      const reason = `${field}: ${why ?? 'UNEXPLAINED'}`;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      const error = program?.loadError ? ` (${program.loadError})` : '';
      if (listing || why === null) console.log(`${row.object}/${row.program} ${field}: ${difference}${error}`);
    }
    const error = program?.loadError ?? null;
    if (error !== null && (row.class === 'ok' || row.class === 'rejected')) {
      const why = loadErrorExplanation(error, row) ?? 'UNEXPLAINED';
      reasons.set(`load error: ${why}`, (reasons.get(`load error: ${why}`) ?? 0) + 1);
      if (listing || why === 'UNEXPLAINED') console.log(`${row.object}/${row.program} load error: ${error}`);
    }
  }
  console.log(`${suite}: ${total} programs`);
  for (const [field, count] of counts) console.log(`  ${field} equal: ${count} (${((100 * count) / total).toFixed(2)} %)`);
  console.log('  the rest:');
  for (const [reason, count] of reasons) console.log(`    ${count} x ${reason}`);
}
console.log(`loading ${images.size} objects took ${loadTime.toFixed(0)} ms`);
