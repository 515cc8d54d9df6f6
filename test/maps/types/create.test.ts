import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { btfFromC } from '../../../src/btf/c_parser.ts';
import { ALL_CAPABILITIES, NO_CAPABILITIES } from '../../../src/contracts/subject.ts';
import { MAP_TYPES } from '../../../src/maps/types/index.ts';
import type { MapDef } from '../../../src/program/program.ts';
import { emptyMap } from './map_defs.ts';

/** The types that the recorded key and value BTF ids 1 to 4 stand for. */
const { btf } = btfFromC('struct key { unsigned long a; int b; }; struct lpm { int a; int b; };');
const BTF_IDS = [
  0,
  btf.findByName('int', 'INT')!.id,
  0,
  btf.findByName('key', 'STRUCT')!.id,
  btf.findByName('lpm', 'STRUCT')!.id,
];
BTF_IDS[2] = btf.findByName('unsigned long', 'INT')?.id ?? btf.findByName('long unsigned int', 'INT')!.id;

const INNER: Record<string, MapDef> = {
  array: emptyMap(2, 4, 4, 1),
  prog_array: emptyMap(3, 4, 4, 1),
  hash: emptyMap(1, 4, 4, 1),
  ringbuf: emptyMap(27, 0, 0, 4096),
};

interface Row {
  readonly line: string;
  readonly def: MapDef;
  readonly errno: string | null;
}

function parse(line: string): Row {
  const words = line.split(' ');
  const [type, keySize, valueSize, maxEntries, flags] = words.slice(0, 5).map(Number) as [number, number, number, number, number];
  const [innerName, extra, keyBtf, valueBtf, errno] = words.slice(5) as [string, string, string, string, string];
  const hasBtf = keyBtf !== '0' || valueBtf !== '0';
  const def: MapDef = {
    ...emptyMap(type, keySize, valueSize, maxEntries),
    flags,
    mapExtra: BigInt(extra),
    inner: INNER[innerName] ?? null,
    btf: hasBtf ? btf : null,
    btfKeyTypeId: BTF_IDS[Number(keyBtf)]!,
    btfValueTypeId: BTF_IDS[Number(valueBtf)]!,
  };
  return { line, def, errno: errno === 'ok' ? null : errno };
}

const rows = readFileSync(new URL('create.linux_6_18.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map(parse);

describe('BPF_MAP_CREATE answers as Linux 6.18', () => {
  const types = [...new Set(rows.map((row) => row.def.type))];
  test.each(types.map((type) => [MAP_TYPES.get(type)?.kernelName ?? `type ${type}`, type] as const))('%s', (_name, type) => {
    const wrong = rows
      .filter((row) => row.def.type === type)
      .map((row) => {
        const entry = MAP_TYPES.get(row.def.type);
        const ours = entry === undefined ? 'EINVAL' : entry.checkCreate(row.def, ALL_CAPABILITIES);
        return ours === row.errno ? null : `${row.line}: ours ${ours ?? 'ok'}`;
      });
    expect(wrong.filter((line) => line !== null)).toEqual([]);
  });

  test('the recording covers every map type', () => {
    const recorded = new Set(rows.map((row) => row.def.type));
    expect([...MAP_TYPES.keys()].filter((id) => !recorded.has(id))).toEqual([]);
  });
});

describe('capabilities', () => {
  test.each([
    ['hash', 1, 4, 4, 1, 0, null],
    ['lru_hash', 9, 4, 4, 1, 0, 'EPERM'],
    ['queue', 22, 0, 4, 1, 0, 'EPERM'],
    ['devmap', 14, 4, 4, 1, 0, 'EPERM'],
    ['zero-seeded hash', 1, 4, 4, 1, 1 << 6, 'EPERM'],
    ['bad lru_hash: sizes come first', 9, 0, 4, 1, 0, 'EINVAL'],
    ['bad stack_trace: the capability comes first', 7, 4, 7, 1, 0, 'EPERM'],
  ])('%s without any', (_title, type, keySize, valueSize, maxEntries, flags, errno) => {
    const def = { ...emptyMap(type, keySize, valueSize, maxEntries), flags };
    expect(MAP_TYPES.get(type)!.checkCreate(def, NO_CAPABILITIES)).toBe(errno);
  });
});
