import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { type ConformanceVector, readConformanceVector } from '../../src/asm/conformance_vector.ts';
import { Fault, Malformed } from '../../src/contracts/errors.ts';
import { decodeProgram } from '../../src/isa/codec.ts';
import type { Insn } from '../../src/isa/insn.ts';
import { runConformance } from '../../src/vm/conformance.ts';

const FOLDER = process.env['DRYBPF_CONFORMANCE'] ?? join(import.meta.dirname, '../../../shared/conformance');
const isPresent = existsSync(join(FOLDER, 'tests'));
const VECTORS = 373;

const read = (folder: string): (readonly [string, ConformanceVector])[] =>
  isPresent
    ? readdirSync(join(FOLDER, folder))
        .filter((file) => file.endsWith('.data'))
        .map((file) => [file, readConformanceVector(readFileSync(join(FOLDER, folder, file), 'utf8'))] as const)
    : [];

const insnsOf = (file: string, vector: ConformanceVector): readonly Insn[] => {
  if (vector.raw !== null) return decodeProgram(vector.raw);
  if (vector.asm === null) return [];
  return assemble(vector.asm, file, { profile: null, dialect: 'ubpf' }).programs[0]?.insns ?? [];
};

describe.skipIf(!isPresent)(
  `the public conformance vectors run${isPresent ? '' : ` (${VECTORS} skipped: DRYBPF_CONFORMANCE is not set)`}`,
  () => {
    it('are all there', () => {
      expect(read('tests').length).toBe(313);
      expect(read('negative').length).toBe(60);
    });

    it.each(read('tests'))('%s', (file, vector) => {
      expect(runConformance(insnsOf(file, vector), vector.mem)).toBe(vector.result);
    });

    it.each(read('negative').filter(([file]) => file.startsWith('unused-')))('%s is refused', (file, vector) => {
      expect(() => runConformance(insnsOf(file, vector), vector.mem)).toThrow(Malformed);
    });

    it.each(read('negative').filter(([file]) => !file.startsWith('unused-')))('%s is an error', (file, vector) => {
      let result: bigint | null = null;
      try {
        result = runConformance(insnsOf(file, vector), vector.mem);
      } catch (error) {
        expect(error instanceof Malformed || error instanceof Fault).toBe(true);
      }
      expect(result === null || result !== vector.result).toBe(true);
    });
  },
);
