import { describe, expect, test } from 'vitest';
import type { ErrnoName } from '../../src/contracts/errors.ts';
import type { LoaderProfile } from '../../src/elf/load.ts';
import { dataMapName, objectName } from '../../src/elf/maps.ts';
import { MAP_TYPES } from '../../src/maps/types/index.ts';
import type { MapDef } from '../../src/program/program.ts';
import { loadFixture, mapOf, profile, programOf, references } from './fixture.ts';

describe('maps declared in .maps', () => {
  const image = loadFixture('maps');
  const brief = image.maps.map(({ name, type, keySize, valueSize, maxEntries, flags }) => [
    name,
    type,
    keySize,
    valueSize,
    maxEntries,
    flags,
  ]);

  test.each([
    ['counters', 1, 8, 16, 100, 1],
    ['a ring buffer grows to a power of two of pages', 27, 0, 0, 8192, 0],
    ['outer', 12, 4, 4, 4, 0],
    ['jumps', 3, 4, 4, 2, 0],
    ['an unset size becomes one', 4, 4, 4, 1, 0],
    ['local storage takes no entries', 29, 4, 8, 0, 1],
  ])('%s', (_name, ...attributes) => {
    expect(brief.map((row) => row.slice(1))).toContainEqual(attributes);
  });

  test('key and value carry their types where the map takes BTF', () => {
    const counters = mapOf(image, 'counters');
    expect(image.btf!.type(counters.btfKeyTypeId).name).toBe('key');
    expect(image.btf!.type(counters.btfValueTypeId).name).toBe('value');
    expect(counters.btf).toBe(image.btf);
    expect(mapOf(image, 'samples')).toMatchObject({ btf: null, btfKeyTypeId: 0, btfValueTypeId: 0 });
  });

  test('slots of a map-in-map and of a program array', () => {
    expect(mapOf(image, 'outer')).toMatchObject({
      inner: { name: 'outer.inner', type: 2, keySize: 4, valueSize: 8, maxEntries: 2 },
      slots: [
        { index: 1, name: 'left', kind: 'map' },
        { index: 3, name: 'right', kind: 'map' },
      ],
    });
    expect(mapOf(image, 'jumps').slots).toEqual([{ index: 1, name: 'target', kind: 'program' }]);
  });

  test('an inner map without a size gets the smallest', () => {
    expect(mapOf(image, 'rings').inner).toMatchObject({ type: 27, maxEntries: 4096 });
  });

  test('a 64-bit attribute', () => {
    expect(mapOf(image, 'extra').mapExtra).toBe(0x123456789abn);
  });

  test('instructions carry the index of the map', () => {
    const used = references(programOf(image, 'lookup'));
    expect(used.filter((text) => !text.startsWith('number'))).toEqual(['map counters', 'helper 1', 'map outer', 'helper 1']);
    expect(references(programOf(image, 'jump'))).toEqual(['map jumps', 'helper 12']);
  });
});

describe('global data', () => {
  const image = loadFixture('globals');

  test.each([
    ['globals.data', '.data', 12, 0x400, false],
    ['globals.rodata', '.rodata', 24, 0x480, true],
    ['globals.bss', '.bss', 68, 0x400, false],
    ['.data.mine', '.data.mine', 4, 0x400, false],
    ['.rodata.table_o', '.rodata.table_of_bytes', 3, 0x480, true],
    ['.data.hidden', '.data.hidden', 4, 0, false],
  ])('%s', (name, section, valueSize, flags, frozen) => {
    expect(mapOf(image, name)).toMatchObject({ type: 2, keySize: 4, maxEntries: 1, section, valueSize, flags, frozen });
    expect(image.btf!.type(mapOf(image, name).btfValueTypeId)).toMatchObject({ kind: 'DATASEC', name: section, size: valueSize });
  });

  test('the value begins as the object says, .bss as zeroes that are not spelled out', () => {
    expect([...mapOf(image, '.rodata.table_o').initial!]).toEqual([1, 2, 3]);
    expect(mapOf(image, 'globals.bss').initial).toHaveLength(0);
  });

  test('the BTF that the kernel gets has sizes, ordered offsets and the linkage of hidden variables', () => {
    const btf = image.btf!;
    const data = btf.findByName('.bss', 'DATASEC')!;
    expect(data.vars.map((entry) => [btf.type(entry.type).name, entry.offset])).toEqual([
      ['counter', 0],
      ['grid', 4],
    ]);
    expect(btf.findByName('hidden_custom', 'VAR')!.linkage).toBe('static');
  });

  test('instructions carry map and offset', () => {
    const used = references(programOf(image, 'read_all'));
    expect(used).toContain('value .rodata.table_o+0');
    expect(used).toContain('value globals.bss+0');
    expect(references(programOf(image, 'read_none'))).toEqual([]);
  });
});

test('variables in the arena address space are the first bytes of the arena', () => {
  const image = loadFixture('arena');
  expect(mapOf(image, 'arena')).toMatchObject({ type: 33, maxEntries: 100, mapExtra: 1n << 44n, btf: null });
  expect([...mapOf(image, 'arena').initial!]).toEqual([42, 0, 0, 0, 43, 0, 0, 0]);
  expect(references(programOf(image, 'use')).filter((text) => text.startsWith('value'))).toEqual([
    'value arena+0',
    'value arena+4',
  ]);
});

test.each([
  ['my_object_name', '.rodata', 'my_objec.rodata'],
  ['my_object_name', '.bss', 'my_objec.bss'],
  ['my_object_name', '.kconfig', 'my_obje.kconfig'],
  ['my_object_name', '.rodata.abracadabra', '.rodata.abracad'],
  ['a-b', '.data', 'a_b.data'],
])('global data of %s in %s is the map %s', (object, section, name) => {
  expect(dataMapName(object, section)).toBe(name);
});

test.each([
  ['dir/prog.bpf.o', 'prog'],
  ['a_very_long_object_name.o', 'a_very_long_obj'],
])('the object of %s is %s', (file, name) => {
  expect(objectName(file)).toBe(name);
});

test('a descriptor that hand-written code names is no map of the object', () => {
  const image = loadFixture('handmade');
  const immediates = programOf(image, 'descriptors')
    .insns.filter(({ code }) => code === 0x18)
    .map(({ imm }) => imm);
  expect(immediates).toEqual([~0, ~5, 0]);
  expect(mapOf(image, 'only')).toBe(image.maps[0]);
});

describe('what the kernel answers to BPF_MAP_CREATE', () => {
  const HASH = 1;
  const withHash = (checkCreate: (def: MapDef) => ErrnoName | null): LoaderProfile => ({
    ...profile,
    mapTypes: new Map([...MAP_TYPES, [HASH, { ...MAP_TYPES.get(HASH)!, checkCreate }]]),
  });

  test('a map that it refuses keeps the programs that use it from loading, no others', () => {
    const image = loadFixture('maps', { profile: withHash(() => 'EINVAL') });
    const index = image.maps.indexOf(mapOf(image, 'counters'));
    expect(programOf(image, 'lookup').loadError).toBe("map 'counters': failed to create: -EINVAL");
    expect(references(programOf(image, 'lookup'))).toContain(`helper ${2_001_000_000 + index}`);
    expect(programOf(image, 'jump').loadError).toBeNull();
  });

  test('an inner map that it refuses keeps the programs that use the outer one from loading', () => {
    const ARRAY = 2;
    const checkCreate = () => 'E2BIG' as const;
    const mapTypes = new Map([...MAP_TYPES, [ARRAY, { ...MAP_TYPES.get(ARRAY)!, checkCreate }]]);
    const image = loadFixture('maps', { profile: { ...profile, mapTypes } });
    expect(programOf(image, 'lookup').loadError).toBe("map 'outer': failed to create inner map: -E2BIG");
    expect(programOf(image, 'jump').loadError).toBeNull();
  });

  test('a map that it refuses only with BTF is created without', () => {
    const image = loadFixture('maps', { profile: withHash((def) => (def.btf === null ? null : 'EINVAL')) });
    expect(mapOf(image, 'counters')).toMatchObject({ btf: null, btfKeyTypeId: 0, btfValueTypeId: 0 });
    expect(programOf(image, 'lookup').loadError).toBeNull();
  });

  test('it takes every map of the fixtures', () => {
    for (const name of ['maps', 'globals', 'arena', 'struct_ops', 'externs']) {
      const image = loadFixture(name, { profile: { ...profile, mapTypes: MAP_TYPES } });
      const errors = image.programs.flatMap((program) => program.loadError ?? []);
      expect(errors.filter((error) => error.includes('failed to create'))).toEqual([]);
    }
  });
});
