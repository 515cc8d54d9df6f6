import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseOracles, parseShard, parseTime } from '../../src/cli/fuzz_options.ts';
import { drybpf, useBuiltCommand } from './drybpf.ts';

useBuiltCommand();

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fuzz = (...args: string[]) => drybpf(['fuzz', ...args]);

describe('options', () => {
  it('read times, parts and oracles', () => {
    expect([parseTime('90s'), parseTime('10m'), parseTime('250ms'), parseTime('3')]).toEqual([90_000, 600_000, 250, 3000]);
    expect(parseShard('2/8')).toEqual({ index: 1, count: 8 });
    expect(parseOracles('runs,pruning')).toEqual(['runs', 'pruning']);
    for (const bad of [() => parseTime('soon'), () => parseShard('9/8'), () => parseOracles('oracle of Delphi')])
      expect(bad).toThrow();
  });
});

describe('drybpf fuzz', () => {
  it('runs the parts of a campaign, goes on where one ended, and merges them', async () => {
    const part = async (index: number, runs: number) =>
      JSON.parse(
        (
          await fuzz(
            ...['--seed', '4', '--runs', String(runs), '--shard', `${index}/2`, '--jobs', '1', '--size', '8'],
            ...['--out', join(folder, `part${index}`), '--format', 'json'],
          )
        ).stdout,
      );
    expect((await part(1, 60)).programs).toBe(30);
    expect((await part(1, 40)).programs).toBe(50);
    expect((await part(2, 100)).programs).toBe(50);
    const merged = await fuzz('merge', join(folder, 'part1'), join(folder, 'part2'));
    expect(merged.stdout).toMatch(/^seed 4: 100 programs for linux-6\.18/);
    expect(merged.status).toBe(0);
    expect(readdirSync(join(folder, 'part1', 'findings'))).toEqual([]);
    expect(JSON.parse(readFileSync(join(folder, 'part1', 'report.json'), 'utf8')).next).toBe(50);
  });

  it('reports the same whatever the number of workers', async () => {
    const told = async (jobs: number) => {
      const { stdout } = await fuzz(
        ...['--seed', '12', '--runs', '1500', '--jobs', String(jobs), '--size', '6', '--wrong', '0.3'],
        ...['--oracle', 'runs', '--format', 'json'],
      );
      return { ...JSON.parse(stdout), milliseconds: 0 };
    };
    expect(await told(3)).toEqual(await told(1));
  });

  it('checks one program', async () => {
    const file = join(folder, 'one.bpf.s');
    writeFileSync(file, '.section "xdp"\n.program one\nr0 = 2\nexit\n');
    const { stdout, status } = await fuzz('--check', file);
    expect(stdout).toBe('one: accept, 10 runs, 0 findings\n');
    expect(status).toBe(0);
  });

  it('answers a bad question in one line', async () => {
    const other = await fuzz('merge', 'package.json');
    expect(other.stderr).toContain('package.json: no report of a campaign');
    expect(other.status).toBe(2);
    const { stderr, status } = await fuzz('--shard', '3/2');
    expect(stderr).toContain('A part such as 2/8');
    expect(status).toBe(2);
  });
});
