import { describe, expect, it } from 'vitest';
import type { KernelModel } from '../../src/kernel/kernel_model.ts';
import { outsider } from '../../src/kernel/objects/locks.ts';
import { PF_KTHREAD } from '../../src/kernel/objects/task.ts';
import { addProcess, runKernelText, verdictOf } from '../kernel/program.ts';

const [ENOENT, EBUSY, EINVAL] = [-2n, -16n, -22n];
const REVISIONS = ['5.17', '2026'] as const;
type Revision = (typeof REVISIONS)[number];

/** The result, or flags & 15 of the area plus 100 times the number of calls. */
const text = (address: number, { flags = 0, twice = false, callback = '' } = {}): string => `
  .license "GPL"
  .section "tp_btf/sched_switch"
  .program "int p(void *ctx)"
  r1 = 0; *(u64 *)(r10 - 8) = r1
  r1 = 40; call bpf_task_from_pid; if r0 == 0 goto out; r7 = r0
  ${`r1 = r7; r2 = ${address}; r3 = seen ll; r4 = r10; r4 += -8; r5 = ${flags}; call bpf_find_vma\n`.repeat(twice ? 2 : 1)}
  r6 = r0
  r1 = r7; call bpf_task_release
  r0 = r6
  if r6 != 0 goto out
  r0 = *(u64 *)(r10 - 8)
  out: exit
  .func "static long seen(struct task_struct *task, struct vm_area_struct *vma, long *ctx)"
  r1 = *(u64 *)(r2 + 32)
  r1 &= 15
  r1 += 100
  r4 = *(u64 *)(r3 + 0)
  r4 += r1
  *(u64 *)(r3 + 0) = r4
  ${callback}
  r0 = 0
  exit`;

const process = (kernel: KernelModel) => addProcess(kernel, 40, ['1000-3000 r-xp', '7000-9000 rw-p']);
const find = (revision: Revision, source: string, world: (kernel: KernelModel) => unknown = process) =>
  runKernelText(source, { revisions: [`find_vma=${revision}`], world });

describe.each(REVISIONS)('bpf_find_vma of %s', (revision) => {
  it.each([
    ['the area that holds an address', 0x1000, 105n],
    ['another', 0x8fff, 103n],
    ['none in a gap', 0x5000, ENOENT],
    ['none at 0', 0, ENOENT],
    ['none behind the last', 0x9000, ENOENT],
  ])('finds %s', (_what, address, expected) => {
    expect(find(revision, text(address)).signed).toBe(expected);
  });

  it('refuses flags, kernel threads and a lock that cannot be had', () => {
    expect(find(revision, text(0x1000, { flags: 1 })).signed).toBe(EINVAL);
    expect(find(revision, text(0x1000), (kernel) => addProcess(kernel, 40, [], PF_KTHREAD)).signed).toBe(ENOENT);
    const locked = (kernel: KernelModel) => process(kernel).mm!.lock.tryWriteLock(outsider('somebody'));
    expect(find(revision, text(0x1000), locked).signed).toBe(EBUSY);
  });

  it('lets the callback write neither to the area nor to the task', () => {
    const write = (offset: string) => text(0x1000, { callback: `r1 = 1; ${offset} = r1` });
    expect(verdictOf(write('*(u64 *)(r2 + 0)'), [`find_vma=${revision}`])).toMatch(/^reject/);
  });
});

describe('with interrupts off', () => {
  const masked = (kernel: KernelModel): void => {
    process(kernel);
    kernel.interruption.nmi = true;
  };

  it('5.17 finds the area once and is busy the second time; 2026 does not touch another task', () => {
    expect(find('5.17', text(0x1000), masked).signed).toBe(105n);
    expect(find('5.17', text(0x1000, { twice: true }), masked).signed).toBe(EBUSY);
    expect(find('2026', text(0x1000), masked).signed).toBe(EBUSY);
  });

  it('mmap_lock is given back when they are on', () => {
    const done = find('5.17', text(0x1000), masked);
    const { lock } = done.kernel.tasks.byPid(40)!.mm!;
    expect(lock.readers).toBe(1);
    done.machine.advance(1000n);
    expect(lock.readers).toBe(0);
  });
});

it('alloc_lock matters to 2026 alone', () => {
  const locked = (kernel: KernelModel) => process(kernel).allocLock.tryLock(outsider('somebody'));
  expect([find('5.17', text(0x1000), locked).signed, find('2026', text(0x1000), locked).signed]).toEqual([105n, EBUSY]);
});
