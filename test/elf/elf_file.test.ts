import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Malformed } from '../../src/contracts/errors.ts';
import { readElf, SHT } from '../../src/elf/elf_file.ts';
import { loadObject } from '../../src/elf/load.ts';
import { cpuTime } from '../cpu_time.ts';
import { FIXTURES, fixtureBytes, loadFixture, profile } from './fixture.ts';

const patched = (name: string, patch: (view: DataView, bytes: Uint8Array) => void): Uint8Array => {
  const bytes = fixtureBytes(name);
  patch(new DataView(bytes.buffer), bytes);
  return bytes;
};

/** Where the header of the first section of a type or name begins. */
const headerOf = (bytes: Uint8Array, name: string): number => {
  const view = new DataView(bytes.buffer);
  const section = readElf(bytes, 'x').sections.find((candidate) => candidate.name === name)!;
  return Number(view.getBigUint64(40, true)) + section.index * 64;
};

test('sections and symbols of an object', () => {
  const elf = readElf(fixtureBytes('calls'), 'calls.o');
  expect(elf.sections.map((section) => section.name)).toEqual(
    expect.arrayContaining(['.text', 'tc', 'license', '.BTF', '.BTF.ext']),
  );
  expect(elf.sections.find((section) => section.type === SHT.SYMTAB)!.index).toBe(elf.symbolSection);
  expect(elf.symbols.find((symbol) => symbol.name === 'chain')).toMatchObject({ bind: 1, type: 2, value: 16 });
});

describe('what is no BPF object is Malformed', () => {
  const cases: [string, string, Uint8Array][] = [
    ['an empty file', 'not an ELF file', new Uint8Array(0)],
    ['text', 'not an ELF file', new TextEncoder().encode('r0 = 1\nexit\n')],
    ['only the magic', 'ELF header is truncated', fixtureBytes('calls').slice(0, 20)],
    ['a 32-bit file', 'not a 64-bit ELF object', patched('calls', (view) => view.setUint8(4, 1))],
    ['a big-endian file', 'big-endian objects are not supported', patched('calls', (view) => view.setUint8(5, 2))],
    ['an executable', 'not a relocatable BPF object file', patched('calls', (view) => view.setUint16(16, 2, true))],
    ['another machine', 'not a relocatable BPF object file', patched('calls', (view) => view.setUint16(18, 62, true))],
    ['a truncated file', 'section', fixtureBytes('calls').slice(0, 3000)],
    ['section headers outside', 'section headers lie outside the file', patched('calls', (view) => view.setUint32(44, 1, true))],
    ['too many sections', '65279 section headers do not fit', patched('calls', (view) => view.setUint16(60, 0xfeff, true))],
    ['no names', 'no section with the section names', patched('calls', (view) => view.setUint16(62, 0, true))],
  ];
  test.each(cases)('%s', (_name, message, bytes) => {
    const load = (): unknown => loadObject(bytes, 'bad.o', { profile });
    expect(load).toThrow(Malformed);
    expect(load).toThrow(message);
  });

  test('a section of 2 GiB', () => {
    const bytes = patched('calls', (view, all) => view.setUint32(headerOf(all, 'tc') + 32, 0x8000_0000, true));
    expect(() => loadObject(bytes, 'bad.o', { profile })).toThrow('lies outside the file');
  });

  test('sections on top of each other', () => {
    const headers = ['tc', '.text', '.BTF', '.BTF.ext'].map((name) => headerOf(fixtureBytes('calls'), name));
    const bytes = patched('calls', (view, all) => {
      for (const header of headers) {
        view.setBigUint64(header + 24, 0n, true);
        view.setBigUint64(header + 32, BigInt(all.length), true);
      }
    });
    expect(() => loadObject(bytes, 'bad.o', { profile })).toThrow('sections overlap');
  });

  test('a .bss of 2 GiB costs nothing, a larger one is refused', () => {
    const sized = (size: bigint): Uint8Array =>
      patched('globals', (view, all) => view.setBigUint64(headerOf(all, '.bss') + 32, size, true));
    expect(loadObject(sized(0x7fff_fff8n), 'big.o', { profile }).maps.find((map) => map.section === '.bss')!.valueSize).toBe(
      0x7fff_fff8,
    );
    expect(() => loadObject(sized(1n << 40n), 'big.o', { profile })).toThrow(Malformed);
  });

  test('legacy maps', () => {
    expect(() => loadFixture('legacy')).toThrow("legacy map definitions in 'maps' section are not supported by libbpf v1.0+");
  });
});

/** Bytes at random places, truncation, or a 32-bit word of an extreme value. */
const damage = fc.record({
  object: fc.constantFrom(...FIXTURES),
  length: fc.option(fc.nat({ max: 8000 }), { freq: 6 }),
  edits: fc.array(
    fc.record({
      at: fc.nat({ max: 8000 }),
      value: fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat({ max: 0xff }), fc.nat()),
      bytes: fc.constantFrom(1, 1, 2, 4, 4),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

test('a damaged object is loaded or Malformed, within a second', () => {
  let refused = 0;
  fc.assert(
    fc.property(damage, ({ object, length, edits }) => {
      const all = fixtureBytes(object);
      for (const { at, value, bytes } of edits) for (let i = 0; i < bytes; i++) all[(at % all.length) + i] = value >>> (8 * i);
      const start = cpuTime();
      try {
        loadObject(length === null ? all : all.subarray(0, length), `${object}.o`, { profile });
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        expect(error.message).not.toContain('\n');
        refused++;
      }
      expect(cpuTime() - start).toBeLessThan(1000);
    }),
    { numRuns: 3000 },
  );
  expect(refused).toBeGreaterThan(300);
});
