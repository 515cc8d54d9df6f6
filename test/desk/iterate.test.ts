import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { type IterateOver, iterate } from '../../src/desk/iterate.ts';
import { openWorld } from '../../src/world/build.ts';
import { profileWith } from '../kernel/program.ts';

const sample = (name: string): string => readFileSync(new URL(`../../programs/${name}`, import.meta.url), 'utf8');

/** What `drybpf iter` prints for a sample over a world. */
function read(program: string, world: string, over: IterateOver = {}, size?: number, ...revisions: string[]): string {
  const profile = profileWith(...revisions);
  const image = assemble(sample(program), program, { profile });
  const { system } = openWorld(sample(world), world, profile);
  const result = iterate(system, image.programs[0]!, image, over, size === undefined ? {} : { size });
  if ('refused' in result) throw new Error(result.refused.message ?? 'refused');
  if ('step' in result) return `${result.step}: ${result.error}`;
  const text = result.pieces.map((piece) => new TextDecoder().decode(piece)).join('');
  return result.error === null ? text : `${text}!${result.error}`;
}

const WORLD = 'task_iter/two_processes.world.yaml';

describe.each([undefined, 1, 7])('samples over two processes, reads of %s bytes', (size) => {
  it('tasks', () => {
    expect(read('task_iter/tasks.bpf.s', WORLD, {}, size)).toBe(
      'tgid pid comm\n1 1 init\n2 2 kthreadd\n100 100 sh\n200 200 worker\n200 201 worker/1\n200 202 worker/2\n',
    );
  });

  it('files', () => {
    expect(read('task_iter/files.bpf.s', WORLD, { pid: 200 }, size)).toBe(
      '200 200 0 /dev/pts/0\n200 200 1 /tmp/log\n200 200 3 /tmp/scratch (deleted)\n200 202 0 /dev/null\n',
    );
  });

  it('areas', () => {
    expect(read('task_iter/areas.bpf.s', WORLD, {}, size)).toBe(
      [
        '100 55d0c0000000-55d0c0020000 05 0',
        '100 55d0c0020000-55d0c0024000 03 20',
        '100 7ffd10000000-7ffd10021000 03 ffffffde',
        ...[200, 202].flatMap((pid) => [`${pid} 00400000-00401000 05 0`, `${pid} 7f0000000000-7f0000010000 83 0`]),
        '',
      ].join('\n'),
    );
  });
});

describe('what is walked', () => {
  it('is named by thread', () => {
    expect(read('task_iter/tasks.bpf.s', WORLD, { tid: 202 })).toBe('tgid pid comm\n200 202 worker/2\n');
  });

  it('has to exist', () => {
    expect(() => read('io_uring/files.bpf.s', WORLD, { ioUring: { pid: 200, fd: 9 } }, undefined, 'io_uring_file=v2')).toThrow(
      'process 200 has no descriptor 9',
    );
    expect(read('io_uring/files.bpf.s', WORLD, { ioUring: { pid: 200, fd: 0 } }, undefined, 'io_uring_file=v2')).toBe(
      'attach: EOPNOTSUPP',
    );
  });
});
