import { expect, test } from 'vitest';
import { POISON_CORE } from '../../src/btf/core/patch.ts';
import type { Insn } from '../../src/isa/insn.ts';
import { kernelBtf, loadFixture, programOf } from './fixture.ts';

const image = loadFixture('core');
const task = kernelBtf.findByName('task_struct', 'STRUCT')!;
const offsetOf = (name: string): number => task.members.find((member) => member.name === name)!.bitOffset / 8;
const loads = (insns: readonly Insn[]): number[] => insns.filter(({ code }) => (code & 0x07) === 0x01).map(({ off }) => off);

test('fields move to where the kernel has them, in subprograms too', () => {
  const { insns, loadError } = programOf(image, 'offsets');
  expect(loadError).toBeNull();
  expect(loads(insns).sort((a, b) => a - b)).toEqual(['flags', 'pid', 'pid', 'parent'].map(offsetOf).sort((a, b) => a - b));
});

test('a flavour stands for the type without it', () => {
  expect(loads(programOf(image, 'flavour').insns)).toEqual([offsetOf('pid')]);
});

test('a missing field: its existence is 0, an access to it a call of no helper', () => {
  expect(programOf(image, 'poisoned').insns[0]).toEqual({ code: 0x85, dst: 0, src: 0, off: 0, imm: POISON_CORE });
  const { insns, loadError } = programOf(image, 'exists');
  expect(loadError).toBeNull();
  expect(insns.some(({ imm }) => imm === POISON_CORE)).toBe(true);
  expect(insns.find(({ code }) => code === 0xb7 || code === 0xb4)!.imm).toBe(0);
});

test('enumerators take the kernel value, absent ones do not exist', () => {
  const values = programOf(image, 'values')
    .insns.filter(({ code }) => code === 0x18)
    .map(({ imm }) => imm);
  expect(values).toContain(3);
  expect(values).not.toContain(1);
});

test('type ids are those of the kernel', () => {
  expect(programOf(image, 'types').insns.map(({ imm }) => imm)).toContain(task.id);
});
