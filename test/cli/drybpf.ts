import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import { afterAll, beforeAll } from 'vitest';
import config from '../../rolldown.config.ts';

const ROOT = join(import.meta.dirname, '../..');
/** The command, built for these tests; packages are found from there as from dist/. */
const BUILT = join(ROOT, 'node_modules', `.drybpf-test-${process.pid}`);

/** Builds the command before the tests of a file. */
export function useBuiltCommand(): void {
  beforeAll(async () => {
    await build({ ...config, cwd: ROOT, output: { ...config.output, dir: BUILT } });
  });
  afterAll(() => rmSync(BUILT, { recursive: true, force: true }));
}

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  /** standard output as it came */
  readonly bytes: Buffer;
  readonly stderr: string;
}

/** Runs the command in the root of the repository. */
export function drybpf(args: readonly string[], input: string | Uint8Array = ''): Promise<Answer> {
  const child = spawn(process.execPath, [join(BUILT, 'cli.js'), ...args], { cwd: ROOT });
  const collect = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    new Promise<number | null>((done) => child.on('close', done)),
  ]).then(([bytes, errors, status]) => ({ stdout: bytes.toString(), bytes, stderr: errors.toString(), status }));
}
