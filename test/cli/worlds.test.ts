import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { drybpf, useBuiltCommand } from './drybpf.ts';

useBuiltCommand();

const folder = mkdtempSync(join(tmpdir(), 'drybpf-worlds-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const AREAS = 'programs/task_vma/three_areas.world.yaml';
const TASKS = 'programs/task_iter/two_processes.world.yaml';
const FILES = 'programs/task_iter/files.bpf.s';

describe.concurrent('run --world', () => {
  it('runs among the tasks of the world', async () => {
    const { status, stdout } = await drybpf(['run', 'programs/task_vma/walk.bpf.s', '--world', AREAS]);
    expect(status).toBe(0);
    expect(stdout).toContain('returned 3\n');
    expect(stdout).toContain('  printk: 400000-401000 5\n  printk: 500000-600000 3\n  printk: 7ffd10000000-7ffd10021000 3\n');
  });

  it('takes the revision that is asked for', async () => {
    const args = ['run', 'programs/user_ringbuf/drain.bpf.s', '--world', 'programs/user_ringbuf/odd_length.world.yaml'];
    expect((await drybpf(args)).stdout).toContain('returned 1\n');
    expect((await drybpf([...args, '--with', 'user_ringbuf_drain=v3'])).stdout).toContain('returned -22 (EINVAL)\n');
  });

  it('shows where a world is wrong', async () => {
    const { status, stderr } = await drybpf(['iter', FILES, '--world', file('bad.yaml', 'tasks: [{ pid: 0 }]\n')]);
    expect([status, stderr]).toEqual([2, expect.stringContaining('bad.yaml:1:16: expected >=1, not 0')]);
  });
});

describe.concurrent('iter', () => {
  it.each([[], ['--read-size', '1']])('prints what the program writes %s', async (...size) => {
    const { status, stdout } = await drybpf(['iter', FILES, '--world', TASKS, '--over', 'pid=200', ...size]);
    expect(status).toBe(0);
    expect(stdout).toBe('200 200 0 /dev/pts/0\n200 200 1 /tmp/log\n200 200 3 /tmp/scratch (deleted)\n200 202 0 /dev/null\n');
  });

  it.each([
    [['--over', 'colour=3'], "what is walked is KEY=VALUE with tid, pid, map, cgroup, order, io_uring or epoll, not 'colour=3'"],
    [['--over', 'tid=one'], "tid=N takes a number, not 'one'"],
    [['--over', 'order=any'], "no order 'any'"],
  ])('refuses %j', async (args, message) => {
    const { status, stderr } = await drybpf(['iter', FILES, ...args]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('shows its system calls', async () => {
    const { stderr } = await drybpf(['iter', FILES, '--world', TASKS, '--over', 'pid=200', '--strace', '--read-size', '4096']);
    expect(stderr.split('\n').map((line) => line.replace(/^\[pid \d+\] /, ''))).toEqual([
      'bpf(BPF_PROG_LOAD, {prog_name="dump_task_file"}) = 0',
      'bpf(BPF_LINK_CREATE, {prog_fd=0}) = 1',
      'bpf(BPF_ITER_CREATE, {link_fd=1}) = 2',
      'read(2, …, 4096) = 93',
      'read(2, …, 4096) = 0',
      '',
    ]);
  });

  it('wants an iterator program', async () => {
    const { status, stderr } = await drybpf(['iter', 'programs/loops/bounded.bpf.s']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('there is no iterator program')]);
  });
});

describe.concurrent('cr', () => {
  it('app, dump and restore --dry-run give the transcript of the sample', async () => {
    expect((await drybpf(['cr', 'app'])).stdout).toBe('PID: 318, Parent io_uring: 3, Dependent io_uring: 4\n');
    const image = await drybpf(['cr', 'dump', '318', '4']);
    expect([image.status, image.bytes.length, image.stderr]).toEqual([0, 320, '']);
    const { status, stdout } = await drybpf(['cr', 'restore', '--dry-run'], image.bytes);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^DUMP_SETUP:\n\tio_uring_fd: 3\n\tend: true\n\t\tflags: 14\n/);
    expect(stdout).toMatch(/\t\taddr: 140721288339216\n\t\tlen: 120\n\t\tindex: 1\nNothing to do, exiting...\n$/);
  });

  it('restore fails where the sample does, and shows its system calls', async () => {
    const { bytes } = await drybpf(['cr', 'dump', '318', '4']);
    const { status, stderr } = await drybpf(['cr', 'restore', '--strace'], bytes);
    expect(status).toBe(1);
    expect(stderr).toContain('], 2) = -1 EFAULT (Bad address)\n');
    expect(stderr).toMatch(/Failed to register buffers: Bad address\nFailed to execute restore action\n$/);
  });

  it('works in a world of the user', async () => {
    const world = file('ring.yaml', 'tasks:\n  - pid: 7\n    files: { 5: { io_uring: { entries: 4 } } }\n');
    const { status, bytes } = await drybpf(['cr', 'dump', '7', '5', '--world', world]);
    expect([status, bytes.length, bytes.readUInt32LE(20)]).toEqual([0, 40, 4]);
  });

  it.each([
    [['dump', '9', '4'], 1, 'Failed to open pidfd for PID 9: No such process'],
    [['dump', 'x', '4'], 2, "PID is a number, not 'x'"],
    [['dump', '318'], 2, "missing required argument 'fd'"],
    [['restore', '--order', 'any'], 2, 'Allowed choices are as-written, intended'],
  ])('%j answers %i', async (args, expected, message) => {
    const { status, stderr } = await drybpf(['cr', ...args]);
    expect([status, stderr]).toEqual([expected, expect.stringContaining(message)]);
  });
});
