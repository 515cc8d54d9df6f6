import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../rolldown.config.ts';
import type { Walk } from './walk_speed.ts';

const ROOT = join(import.meta.dirname, '../..');
/** The walk as users have it: built; packages are found from there as from dist/. */
const BUILT = join(ROOT, 'node_modules', `.drybpf-walk-${process.pid}`);
/** Milliseconds of CPU for a walk over all areas. */
const LIMIT = 2000;
const MEMORY = 300e6;

beforeAll(async () => {
  const input = { walk: 'test/sys/walk_speed.ts' };
  await build({ ...config, cwd: ROOT, input, plugins: [], output: { ...config.output, dir: BUILT } });
  cpSync(join(ROOT, 'src/profiles/linux_6_18/btf'), join(BUILT, 'btf/linux-6.18'), { recursive: true });
});
afterAll(() => rmSync(BUILT, { recursive: true, force: true }));

function walk(kind: string): Walk {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(BUILT, 'walk.js'), kind], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('a walk over 1,000 tasks with 200 areas each', () => {
  it.each([
    ['seq-file', 200_000],
    ['open-coded', 1000],
  ])('in %s form takes less than 2 seconds and 300 MB', (kind, expected) => {
    const { lines, milliseconds, bytes } = walk(kind);
    expect(lines).toBe(expected);
    expect(bytes).toBeLessThan(MEMORY);
    expect(milliseconds).toBeLessThan(LIMIT);
  });
});
