import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { readConformanceVector } from '../../src/asm/conformance_vector.ts';
import { Malformed } from '../../src/contracts/errors.ts';
import { decodeProgram, encodeProgram } from '../../src/isa/codec.ts';
import { checkEncoding } from '../../src/isa/fields.ts';

const FOLDER = process.env['DRYBPF_CONFORMANCE'] ?? join(import.meta.dirname, '../../../shared/conformance');
const VECTORS = 313;
const UNUSED_FIELDS = 45;

const vectors = (folder: string) =>
  existsSync(join(FOLDER, folder))
    ? readdirSync(join(FOLDER, folder)).map(
        (file) => [file, readConformanceVector(readFileSync(join(FOLDER, folder, file), 'utf8'))] as const,
      )
    : [];

const codeOf = (text: string) => assemble(text, 'vector', { profile: null }).programs[0]!.insns;

const accepted = vectors('tests');
const negative = new Map(vectors('negative'));
const isPresent = accepted.length > 0;

describe.skipIf(!isPresent)(
  `the public conformance vectors${isPresent ? '' : ` (${VECTORS} skipped: DRYBPF_CONFORMANCE is not set)`}`,
  () => {
    it(`are ${VECTORS}`, () => expect(accepted.length).toBe(VECTORS));

    it.each(accepted)('%s', (_, { asm, raw }) => {
      const insns = codeOf(asm!);
      expect(checkEncoding(insns)).toBeNull();
      if (raw !== null) expect(encodeProgram(insns)).toEqual(raw);
    });

    it(`with a used unused field are refused, all ${UNUSED_FIELDS}`, () => {
      const programs = [...negative].filter(([file]) => file.startsWith('unused-'));
      expect(programs.length).toBe(UNUSED_FIELDS);
      for (const [file, { raw }] of programs)
        expect([file, checkEncoding(decodeProgram(raw!))]).toMatchObject([file, { insn: 0 }]);
    });

    it.each([
      ['invalid_imm32_dec_range.data', 'immediate 2147483648 does not fit 32 bits'],
      ['invalid_imm32_hex_range.data', 'immediate 0x100000000 does not fit 32 bits'],
      ['invalid_label.data', "no label 'NOT_A_LABEL'"],
      ['invalid_lock.data', 'Invalid number of operands for lock'],
      ['invalid_lock2.data', 'Invalid number of operands for lock'],
      ['invalid_mnemonic.data', "no instruction 'ldxq'"],
      ['invalid_offset.data', 'operand 2 of ldxb must be a memory operand such as [%r1+8]'],
      ['invalid_offset_range.data', 'offset +0x10000 does not fit 16 bits'],
      ['invalid_operand_count.data', 'Invalid number of operands for lddw'],
      ['invalid_register.data', 'Invalid register'],
    ])('%s does not assemble', (file, message) => {
      const vector = negative.get(file)!;
      try {
        codeOf(vector.asm!);
        expect.fail('was assembled');
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed);
        expect((error as Malformed).diagnostics.map((diagnostic) => diagnostic.message)).toEqual([message]);
      }
    });
  },
);

describe('readConformanceVector', () => {
  it('reads sections line by line', () => {
    const text = '# header\n-- asm\nmov %r0, 1 # one\nexit\n-- mem\naa bb\ncc\n-- result\n0x10\n-- c\nint x;\n';
    expect(readConformanceVector(text)).toEqual({
      asm: 'mov %r0, 1\nexit',
      raw: null,
      mem: Uint8Array.of(0xaa, 0xbb, 0xcc),
      result: 16n,
      error: null,
    });
  });

  it('reads raw programs by instruction and by byte', () => {
    const whole = readConformanceVector('-- raw\n0x5566778800000018\n0x1122334400000000\n');
    expect([...whole.raw!]).toEqual([0x18, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11]);
    expect([...readConformanceVector('-- raw\n95 01 00 00 00 00 00 00\n-- error\n').raw!]).toEqual([0x95, 1, 0, 0, 0, 0, 0, 0]);
  });
});
