import { expect, test } from 'vitest';
import { kernelBtf, loadFixture, mapOf, programOf } from './fixture.ts';

const image = loadFixture('struct_ops');
const ops = kernelBtf.findByName('sample_ops', 'STRUCT')!;
const value = kernelBtf.findByName('bpf_struct_ops_sample_ops', 'STRUCT')!;

test.each([
  ['first', 0, 0],
  ['second', 3, 16],
])('%s implements member %i of the kernel struct', (name, member, flags) => {
  expect(programOf(image, name)).toMatchObject({ type: 27, expectedAttachType: member, flags, loadError: null });
  expect(programOf(image, name).attach).toEqual({ name: 'sample_ops', btfId: ops.id, program: null });
});

test('the map holds the kernel value: fields by name, programs by member', () => {
  const map = mapOf(image, 'sample');
  expect(map).toMatchObject({
    type: 26,
    keySize: 4,
    valueSize: value.size,
    maxEntries: 1,
    flags: 1 << 13,
    btf: null,
    btfVmlinuxValueTypeId: value.id,
    slots: [
      { index: 0, name: 'first', kind: 'program' },
      { index: 3, name: 'second', kind: 'program' },
    ],
  });
  const at = (name: string): number => 8 + ops.members.find((member) => member.name === name)!.bitOffset / 8;
  expect(map.initial![at('flags')]).toBe(6);
  expect(Buffer.from(map.initial!.subarray(at('name'), at('name') + 6)).toString()).toBe('sample');
});

test.each([
  ['unused', "prog 'unused': SEC(\"struct_ops\") program isn't referenced anywhere, did you forget to use it?"],
  ['lost', 'struct_ops init_kern: struct bpf_struct_ops_absent_ops is not found in kernel BTF'],
  ['unfit', 'struct_ops init_kern wrong: Error in size of member flags: 8 != 4(kernel)'],
])('%s is not loaded', (name, message) => {
  expect(programOf(image, name).loadError).toBe(message);
});
