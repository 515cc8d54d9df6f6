import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drybpf, useBuiltCommand } from './drybpf.ts';

useBuiltCommand();

describe('snapshot', () => {
  it.runIf(process.platform === 'linux')('of a process is a world that iterators walk', async () => {
    const { pid } = process;
    const { status, stdout, stderr } = await drybpf(['snapshot', '--pid', String(pid)]);
    expect([status, stderr]).toEqual([0, expect.stringContaining('drybpf: 1 processes with ')]);
    const tasks = await drybpf(['iter', 'programs/task_iter/tasks.bpf.s', '--world', '-'], stdout);
    expect(tasks.status).toBe(0);
    expect(tasks.stdout).toContain(`\n${pid} ${pid} ${readFileSync('/proc/self/comm', 'utf8')}`);
  });

  it.skipIf(process.platform === 'linux')('needs Linux', async () => {
    const { status, stderr } = await drybpf(['snapshot']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('a snapshot needs the /proc of Linux')]);
  });

  it.runIf(process.platform === 'linux')('says that there is no such process', async () => {
    const { status, stderr } = await drybpf(['snapshot', '--pid', '4194304']);
    expect([status, stderr]).toEqual([2, 'drybpf: there is no process 4194304\n']);
  });
});
