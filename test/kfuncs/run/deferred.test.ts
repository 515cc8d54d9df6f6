import { describe, expect, it } from 'vitest';
import type { KernelModel } from '../../../src/kernel/kernel_model.ts';
import { addProcess, runKernelText } from '../../kernel/program.ts';
import { func, lookup, OUT, tc, tracepoint } from '../../verifier/objects/prelude.ts';
import { print } from './print.ts';

const EINVAL = '-22';
const EBUSY = '-16';
const ENOMEM = '-12';

const work = 'r1 = r6; r1 += 8';
const init = (flags = 0): string => `${work}; r2 = queues ll; r3 = ${flags}; call bpf_wq_init; r8 = r0`;
const setCallback = (flags = 0): string =>
  `${work}; r2 = later ll; r3 = ${flags}; r4 = 0; call bpf_wq_set_callback_impl; r8 = r0`;
const start = (flags = 0): string => `${work}; r2 = ${flags}; call bpf_wq_start; r8 = r0`;
const tell = print('r8');
const LATER = func(
  'static int later(void *map, int *key, void *value)',
  `r6 = r3; r9 = *(u32 *)(r2 + 0); r7 = *(u64 *)(r6 + 0); r7 += 100; *(u64 *)(r6 + 0) = r7; r7 += r9; ${print('r7')}; r0 = 0; exit`,
);

const run = (steps: readonly string[], options: Parameters<typeof runKernelText>[1] = {}): string => {
  const text = steps.join('\n');
  const program = tc(`${lookup('queues', 'r6')}; ${text}; ${OUT}`, text.includes('later ll') ? LATER : '');
  return runKernelText(program, { wait: 10_000n, ...options }).printk.join(' ');
};

describe('a work queue', () => {
  it.each([
    ['is prepared once', [init(), tell, init(), tell], `0 ${EBUSY}`],
    ['is prepared without flags', [init(1), tell], EINVAL],
    ['gets no function before it is prepared', [setCallback(), tell], EINVAL],
    ['gets a function without flags', [init(), setCallback(1), tell], EINVAL],
    ['is not started before it is prepared', [start(), tell], EINVAL],
    ['is not started without a function', [init(), start(), tell], EINVAL],
    ['is started without flags', [init(), setCallback(), start(1), tell], EINVAL],
    ['runs after the program', [init(), setCallback(), start(), tell], '0 100'],
    ['runs once however often it is started before', [init(), setCallback(), start(), start(), tell], '0 100'],
  ])('%s', (_rule, steps, expected) => {
    expect(run(steps)).toBe(expected);
  });

  it('needs memory', () => {
    expect(run([init(), tell], { machine: { failAllocation: (attempt) => attempt > 0 } })).toBe(ENOMEM);
  });
});

describe('work for a task', () => {
  const WORK = func(
    'static int later(struct bpf_map *map, void *key, void *value)',
    `r6 = r3; r7 = *(u64 *)(r6 + 8); r7 += 100; *(u64 *)(r6 + 8) = r7; ${print('r7')}; r0 = 0; exit`,
  );
  const schedule = (mode: string): string =>
    `r1 = r7; r2 = r6; r3 = works ll; r4 = later ll; r5 = 0; call bpf_task_work_schedule_${mode}_impl; r8 = r0; ${tell}`;

  it.each(['signal', 'resume'])('%s: runs once, and may be asked for again when it has run', (mode) => {
    const text = tracepoint(
      `${lookup('works', 'r6')}; r1 = 40; call bpf_task_from_pid; if r0 == 0 goto out; r7 = r0
       ${schedule(mode)}; ${schedule(mode)}; r1 = r7; call bpf_task_release; ${OUT}`,
      WORK,
    );
    let before = 0;
    const world = (kernel: KernelModel): void => {
      before = addProcess(kernel, 40).references;
    };
    const { printk, kernel } = runKernelText(text, { wait: 10_000n, world });
    expect(printk.join(' ')).toBe(`0 ${EBUSY} 100`);
    expect(kernel.tasks.byPid(40)!.references).toBe(before);
  });
});
