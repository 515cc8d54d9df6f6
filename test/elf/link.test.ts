import { describe, expect, test } from 'vitest';
import type { Program } from '../../src/program/program.ts';
import { loadFixture, programOf, references } from './fixture.ts';

/** Names of the functions of a program with the slot at which each begins. */
const layout = (program: Program): [string, number][] =>
  program.funcInfo.map(({ insn, typeId }) => [program.btf!.type(typeId).name, insn]);

describe('subprograms', () => {
  const image = loadFixture('calls');

  test('functions of .text are no programs', () => {
    expect(image.programs.map((program) => program.name)).toEqual(['alone', 'chain', 'others', 'looping']);
  });

  test('a program without calls stays alone', () => {
    expect(layout(programOf(image, 'alone'))).toEqual([['alone', 0]]);
  });

  test('subprograms follow in the order of the first call, depth first', () => {
    const chain = programOf(image, 'chain');
    expect(layout(chain).map(([name]) => name)).toEqual(['chain', 'shared', 'middle', 'leaf']);
    const starts = new Map(layout(chain));
    expect(references(chain).filter((text) => text.startsWith('call'))).toEqual(
      ['shared', 'middle', 'middle', 'leaf', 'leaf'].map((name) => `call ${starts.get(name)}`),
    );
  });

  test('the address of a callback', () => {
    const looping = programOf(image, 'looping');
    const starts = new Map(layout(looping));
    expect(references(looping)[0]).toBe(`func ${starts.get('visit')}`);
  });

  test('line records move with their function and stay ordered', () => {
    const { lineInfo, insns } = programOf(image, 'chain');
    const slots = lineInfo.map((line) => line.insn);
    expect(slots).toEqual([...slots].sort((a, b) => a - b));
    expect(Math.max(...slots)).toBeLessThan(insns.length);
    for (const [, start] of layout(programOf(image, 'chain'))) expect(slots).toContain(start);
  });

  test('a hidden subprogram is static for the verifier, a weak one stays global', () => {
    expect(image.btf!.findByName('concealed', 'FUNC')!.linkage).toBe('static');
    expect(image.btf!.findByName('replaceable', 'FUNC')!.linkage).toBe('global');
    expect(image.btf!.findByName('shared', 'FUNC')!.linkage).toBe('global');
  });
});

describe('exception callbacks', () => {
  const image = loadFixture('exceptions');

  test('the callback of a tag is appended though nothing calls it', () => {
    expect(layout(programOf(image, 'throwing')).map(([name]) => name)).toEqual(['throwing', 'used', 'handler']);
    expect(layout(programOf(image, 'plain')).map(([name]) => name)).toEqual(['plain']);
  });

  test('a tag that names no function keeps only its program from loading', () => {
    expect(programOf(image, 'misguided').loadError).toBe("prog 'misguided': cannot find exception callback 'nowhere'");
    expect(programOf(image, 'plain').loadError).toBeNull();
  });
});

test('nameless arguments get the name of their function, so that the kernel takes the BTF', () => {
  const { btf } = loadFixture('naked');
  const naked = btf!.findByName('naked', 'FUNC')!;
  expect(btf!.typeOf(naked.type, 'FUNC_PROTO')!.params.map((param) => param.name)).toEqual(['naked']);
});
