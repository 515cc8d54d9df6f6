import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verify } from '../src/library/verify_program.ts';
import { comparableLog } from '../src/report/comparable_log.ts';
import { profile, samples } from './samples.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const LOG_LEVEL = 6;
const LOG_LIMIT = 1 << 26;
const PROVENANCE = /^# Linux 6\.18\.\d+ x86-64, \d{4}-\d\d-\d\d: (?:accept|reject (E\w+))\n/;

const fileOf = (name: string, program: string): string => `${name}.${program}.log`;

/** What a real kernel logged, in test/golden; only tools/record_golden.ts writes there. */
describe('the level-2 log is that of Linux to the byte', () => {
  const recorded = samples.flatMap(([name, image]) =>
    image.programs
      .map((program) => [fileOf(name, program.name), program] as const)
      .filter(([file]) => existsSync(join(GOLDEN, file))),
  );

  it.each(recorded)('%s', (file, program) => {
    const golden = readFileSync(join(GOLDEN, file), 'utf8');
    const provenance = PROVENANCE.exec(golden);
    expect(provenance, 'the first line says which kernel spoke').not.toBeNull();
    const report = verify(program, profile, { logLevel: LOG_LEVEL, logLimit: LOG_LIMIT });
    expect(comparableLog(report.log ?? '')).toBe(golden.slice(provenance![0].length));
    expect(report.errno).toBe(provenance![1] ?? null);
  });

  it('is recorded for every sample that a kernel can be asked about', () => {
    const logs = readdirSync(GOLDEN, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.log'));
    expect(logs.length).toBeGreaterThan(130);
    expect(logs.map((file) => file.replaceAll('\\', '/')).sort()).toEqual(recorded.map(([file]) => file).sort());
  });
});
