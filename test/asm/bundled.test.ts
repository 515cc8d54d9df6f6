import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { disassemble } from '../../src/asm/disassemble.ts';
import { loadObject } from '../../src/elf/load.ts';
import { openProfile } from '../../src/profiles/index.ts';
import type { MapDef, ObjectImage } from '../../src/program/program.ts';
import { FIXTURES } from '../elf/fixture.ts';
import { readVmlinuxPart } from '../profiles/packed_vmlinux.ts';

const profile = openProfile('linux-6.18', readVmlinuxPart);

/** Files of a folder of this repository, at any depth, by their ending. */
const filesIn = (folder: string, ending: string): string[] => {
  const root = new URL(`../../${folder}/`, import.meta.url);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => `${folder}/${file}`);
};

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url));

/** What text keeps of an object; an attached program and a load error are not part of it. */
const essence = (image: ObjectImage) => {
  const bare = ({ btf: _, ...map }: MapDef): object => ({ ...map, inner: map.inner === null ? null : bare(map.inner) });
  return {
    license: image.license,
    maps: image.maps.map(bare),
    expectations: [...image.expectations],
    programs: image.programs.map(({ btf: _, maps: _maps, loadError: _error, attach, lineInfo, ...program }) => ({
      ...program,
      target: attach?.btfId ?? null,
      lines: lineInfo.length,
    })),
  };
};

const comesBack = (image: ObjectImage): void => {
  const text = disassemble(image, { profile });
  expect(essence(assemble(text, image.name, { profile }))).toEqual(essence(image));
};

describe('text of every object comes back as the same programs', () => {
  const objects = [...filesIn('programs', '.o'), ...FIXTURES.map((name) => `test/elf/fixtures/${name}.o`)];
  it.each(objects)('%s', (file) => {
    comesBack(loadObject(new Uint8Array(read(file)), file, { profile }));
  });
});

const texts = filesIn('programs', '.bpf.s');

describe.skipIf(texts.length === 0)('every text program comes back as itself', () => {
  it.for(texts)('%s', (file) => {
    comesBack(assemble(read(file).toString(), file, { profile }));
  });
});
