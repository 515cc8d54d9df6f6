import { readFileSync } from 'node:fs';
import { Btf } from '../../src/btf/btf.ts';
import { readElf } from '../../src/elf/elf_file.ts';
import { type LoaderProfile, type LoadOptions, loadObject } from '../../src/elf/load.ts';
import type { MapDef, ObjectImage, Program } from '../../src/program/program.ts';
import { PROG_TYPES_BY_ID } from '../../src/progtypes/index.ts';

export const FIXTURES = [
  'annotated',
  'arena',
  'calls',
  'core',
  'exceptions',
  'externs',
  'globals',
  'handmade',
  'maps',
  'naked',
  'sections',
  'struct_ops',
];

/** Bytes of test/elf/fixtures/NAME.o, a private copy. */
export const fixtureBytes = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`./fixtures/${name}.o`, import.meta.url)));

/** The kernel of fixtures/kernel.c. */
export const kernelBtf: Btf = Btf.parse(
  readElf(fixtureBytes('kernel'), 'kernel.o').sections.find((section) => section.name === '.BTF')!.data,
);

export const profile: LoaderProfile = {
  btf: kernelBtf,
  version: [6, 18, 44],
  progTypes: PROG_TYPES_BY_ID,
  mapTypes: new Map(),
  facts: { destructors: new Map() },
  kconfig: new Map([
    ['CONFIG_BPF', 'y'],
    ['CONFIG_MODULE_THING', 'm'],
    ['CONFIG_NAME', '"abc"'],
    ['CONFIG_NUMBER', '0x123'],
  ]),
};

export const loadFixture = (name: string, options: Partial<LoadOptions> = {}): ObjectImage =>
  loadObject(fixtureBytes(name), `${name}.o`, { profile, ...options });

export function programOf(image: ObjectImage, name: string): Program {
  const found = image.programs.find((program) => program.name === name);
  if (found === undefined) throw new Error(`no program ${name} in ${image.name}`);
  return found;
}

export function mapOf(image: ObjectImage, name: string): MapDef {
  const found = image.maps.find((map) => map.name === name);
  if (found === undefined) throw new Error(`no map ${name} in ${image.name}`);
  return found;
}

/** `ld_imm64` and call instructions as text: what they refer to. */
export function references(program: Program): string[] {
  const found: string[] = [];
  const { insns } = program;
  for (let i = 0; i < insns.length; i++) {
    const { code, src, imm } = insns[i]!;
    if (code === 0x18) {
      const high = insns[++i]!.imm;
      if (src === 1) found.push(`map ${program.maps[imm]!.name}`);
      else if (src === 2) found.push(`value ${program.maps[imm]!.name}+${high}`);
      else if (src === 3) found.push(`btf ${imm}`);
      else if (src === 4) found.push(`func ${i - 1 + imm + 1}`);
      else found.push(`number ${(BigInt(high >>> 0) << 32n) | BigInt(imm >>> 0)}`);
    } else if (code === 0x85) {
      found.push(src === 1 ? `call ${i + imm + 1}` : src === 2 ? `kfunc ${imm}` : `helper ${imm}`);
    }
  }
  return found;
}
