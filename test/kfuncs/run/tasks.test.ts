import { describe, expect, it } from 'vitest';
import type { KernelModel } from '../../../src/kernel/kernel_model.ts';
import { addProcess, addThread, fieldOf, runKernelText } from '../../kernel/program.ts';

const EINVAL = -22n;
const PID = fieldOf('task_struct', 'pid');
const HEADER = '.license "GPL"\n.section "tp_btf/sched_switch"\n.program p\n';

/** Prints the pid of every task of a walk; answers what `new` did. */
const walk = (family: string, slots: number, setup: string, field = PID): string => `
  ${setup}
  r6 = r0
  next: r1 = r10; r1 += -${8 * slots}; call bpf_iter_${family}_next
  if r0 == 0 goto done
  r3 = *(u32 *)(r0 + ${field})
  r1 = 0x000a6425 ll
  *(u64 *)(r10 - 40) = r1
  r1 = r10; r1 += -40; w2 = 4
  call bpf_trace_printk
  goto next
  done: r1 = r10; r1 += -${8 * slots}; call bpf_iter_${family}_destroy
  r0 = r6
  r0 <<= 32
  r0 s>>= 32
  `;

const family = (kernel: KernelModel): void => {
  const first = addProcess(kernel, 40);
  addThread(kernel, first, 42);
  addThread(kernel, first, 41);
  addProcess(kernel, 10);
};

const printed = (text: string, world = family): string => runKernelText(HEADER + text, { world }).printk.join(' ');

describe('C.7 task: a walk over tasks', () => {
  it.each([
    ['processes begins at process 0, in the order of the list', 0, '0 40 10'],
    ['threads', 1, '0 40 42 41 10'],
  ])('%s', (_rule, flags, expected) => {
    const setup = `r1 = r10; r1 += -24; r2 = 0; w3 = ${flags}; call bpf_iter_task_new`;
    expect(printed(`${walk('task', 3, setup)}\nexit`)).toBe(expected);
  });

  const threads = (pid: number): string => `
    r1 = ${pid}; call bpf_task_from_pid; if r0 == 0 goto out; r7 = r0
    ${walk('task', 3, 'r1 = r10; r1 += -24; r2 = r7; w3 = 2; call bpf_iter_task_new')}
    r1 = r7; call bpf_task_release
    out: r0 = 0; exit`;

  it('the threads of one begins at that thread', () => {
    expect([printed(threads(40)), printed(threads(42)), printed(threads(10)), printed(threads(99))]).toEqual([
      '40 42 41',
      '42 41',
      '10',
      '',
    ]);
  });

  it.each([
    ['unknown flags', 3],
    ['the threads of no task', 2],
  ])('%s are refused', (_what, flags) => {
    const text = walk('task', 3, `r1 = r10; r1 += -24; r2 = 0; w3 = ${flags}; call bpf_iter_task_new`);
    const run = runKernelText(`${HEADER}${text}\nexit`, { world: family });
    expect([run.signed, run.printk]).toEqual([EINVAL, []]);
  });
});

describe('C.7 css: a walk over control groups', () => {
  const LEVEL = fieldOf('cgroup_subsys_state', 'nr_descendants');
  const groups = (kernel: KernelModel): void => {
    let number = 0;
    for (const path of ['/a/x', '/a/y', '/b']) kernel.cgroups.at(path);
    for (const path of ['/', '/a', '/a/x', '/a/y', '/b']) {
      kernel.objects.field('cgroup', 'self.nr_descendants').set(kernel.cgroups.find(path)!.offset, number++);
    }
  };
  const text = (id: number, flags: number): string => `
    r1 = ${id} ll; call bpf_cgroup_from_id; if r0 == 0 goto out; r7 = r0
    ${walk('css', 3, `r1 = r10; r1 += -24; r2 = r7; w3 = ${flags}; call bpf_iter_css_new`, LEVEL)}
    r8 = r0
    r1 = r7; call bpf_cgroup_release
    r0 = r8; exit
    out: r0 = 1; exit`;

  it.each([
    ['parents first', 1, 2, '0 1 2 3 4'],
    ['children first', 1, 3, '2 3 1 4 0'],
    ['upwards', 4, 4, '3 1 0'],
    ['within a group', 2, 2, '1 2 3'],
  ])('%s', (_rule, id, flags, expected) => {
    expect(printed(text(id, flags), groups)).toBe(expected);
  });

  it.each([0, 1, 5])('in order %i is refused', (flags) => {
    const run = runKernelText(HEADER + text(1, flags), { world: groups });
    expect([run.signed, run.printk]).toEqual([EINVAL, []]);
  });
});

describe('C.7 css_task: a walk over the tasks of a group', () => {
  const text = (flags: number): string => `
    .license "GPL"
    .section "lsm.s/file_open"
    .program p
    r1 = 1 ll; call bpf_cgroup_from_id; if r0 == 0 goto out; r7 = r0
    ${walk('css_task', 1, `r1 = r10; r1 += -8; r2 = r7; w3 = ${flags}; call bpf_iter_css_task_new`)}
    r8 = r0
    r1 = r7; call bpf_cgroup_release
    r0 = r8
    if r0 s> 0 goto out
    if r0 s>= -4095 goto +1
    out: r0 = 0
    exit`;

  it.each([
    [0, ['0', '40', '42', '41', '10'], 0n],
    [1, ['0', '40', '10'], 0n],
    [3, ['0', '40', '10'], 0n],
    [2, [], EINVAL],
  ])('with flags %i', (flags, pids, result) => {
    const run = runKernelText(text(flags), { world: family });
    expect([run.printk, run.signed]).toEqual([pids, result]);
  });

  it('may lack memory', () => {
    expect(runKernelText(text(0), { world: family, machine: { failAllocation: () => true } }).signed).toBe(-12n);
  });
});
