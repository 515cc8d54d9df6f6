import { describe, expect, it } from 'vitest';
import type { KernelModel } from '../../../src/kernel/kernel_model.ts';
import { outsider } from '../../../src/kernel/objects/locks.ts';
import { areaFlags } from '../../../src/kernel/objects/mm.ts';
import { PF_KTHREAD } from '../../../src/kernel/objects/task.ts';
import type { Machine } from '../../../src/vm/machine.ts';
import { addProcess, fieldOf, runKernelText, verdictOf } from '../../kernel/program.ts';

const [ENOENT, EBUSY, ENOMEM] = [-2n, -16n, -12n];
const AREAS = ['1000-3000 r-xp', '7000-9000 rw-p', '9000-a000 r--s'];
const REVISIONS = ['v3', '6.7', '2026'] as const;
type Revision = (typeof REVISIONS)[number];

interface Shape {
  readonly address?: number;
  /** runs between two steps */
  readonly inside?: string;
  readonly before?: string;
  readonly after?: string;
}

/** Prints start, end and flags & 15 of each area of process 40; the result is what `new` answered. */
const walk = ({ address = 0, inside = '', before = '', after = '' }: Shape = {}): string => `
  .license "GPL"
  .section "tp_btf/sched_switch"
  .rodata "char format[14]" = "%llx-%llx %d"
  .program p
  r1 = 40; call bpf_task_from_pid; if r0 == 0 goto out; r7 = r0
  ${before}
  r1 = r10; r1 += -8; r2 = r7; r3 = ${address}; call bpf_iter_task_vma_new
  r6 = r0
  next: r1 = r10; r1 += -8; call bpf_iter_task_vma_next
  if r0 == 0 goto done
  r1 = *(u64 *)(r0 + 0)
  *(u64 *)(r10 - 48) = r1
  r1 = *(u64 *)(r0 + 8)
  *(u64 *)(r10 - 40) = r1
  r1 = *(u64 *)(r0 + 32)
  r1 &= 15
  *(u64 *)(r10 - 32) = r1
  r8 = r0
  r1 = format ll; w2 = 14; r3 = r10; r3 += -48; w4 = 24
  call bpf_trace_vprintk
  ${inside}
  goto next
  done: r1 = r10; r1 += -8; call bpf_iter_task_vma_destroy
  ${after}
  r1 = r7; call bpf_task_release
  r0 = r6
  r0 <<= 32
  r0 s>>= 32
  out: exit`;

const process = (kernel: KernelModel) => addProcess(kernel, 40, AREAS);
const run = (
  revision: Revision,
  shape: Shape = {},
  world: (kernel: KernelModel, machine: Machine) => void = process,
  failing = false,
) => {
  const machine = failing ? { failAllocation: (attempt: number) => attempt > 0 } : {};
  const done = runKernelText(walk(shape), { revisions: [`task_vma=${revision}`], world, machine });
  return { ...done, answer: [done.signed, ...done.printk] };
};
const ALL = ['1000-3000 5', '7000-9000 3', '9000-a000 9'];

describe.each(REVISIONS)('task_vma of %s', (revision) => {
  it('gives every area, lowest first', () => {
    expect(run(revision).answer).toEqual([0n, ...ALL]);
  });

  it.each([
    ['I.6 #7: inside the second area', 0x8000, ALL.slice(1)],
    ['between two areas', 0x5000, ALL.slice(1)],
    ['at the end of one', 0x9000, ALL.slice(2)],
    ['behind the last', 0xa000, []],
  ])('begins with the area at or above an address %s', (_where, address, expected) => {
    expect(run(revision, { address }).answer).toEqual([0n, ...expected]);
  });

  it('I.6 #1: has nothing to walk in a kernel thread', () => {
    expect(run(revision, {}, (kernel) => addProcess(kernel, 40, [], PF_KTHREAD)).answer).toEqual([ENOENT]);
  });

  it('I.6 #6: needs memory', () => {
    expect(run(revision, {}, process, true).answer).toEqual([ENOMEM]);
  });

  it('gives back what it took', () => {
    const { kernel } = run(revision);
    const task = kernel.tasks.byPid(40)!;
    expect([task.references, task.mm!.users, task.mm!.lock.readers, task.mm!.areas.some(({ lock }) => lock.isHeld)]).toEqual([
      2,
      1,
      0,
      false,
    ]);
  });

  it('I.6 #8: can be nested', () => {
    const inner = `r1 = r10; r1 += -16; r2 = r7; r3 = 0x9000; call bpf_iter_task_vma_new
      r9 = r0
      r1 = r10; r1 += -16; call bpf_iter_task_vma_destroy
      r9 <<= 32; r9 s>>= 32
      if r9 == 0 goto +1
      r6 = r9`;
    expect(run(revision, { inside: inner }).answer).toEqual([0n, ...ALL]);
  });
});

describe('I.6 #2: while mmap_lock is held for writing', () => {
  const lockedBy = (kernel: KernelModel): void => {
    const { mm } = process(kernel);
    mm!.lock.tryWriteLock(outsider('a writer'));
    mm!.areas[1]!.lock.tryLock(outsider('a writer'));
  };

  it.each([
    ['v3', [EBUSY]],
    ['6.7', [EBUSY]],
    ['2026', [0n, ALL[0], ALL[2]]],
  ] as const)('%s', (revision, expected) => {
    expect(run(revision, {}, lockedBy).answer).toEqual(expected);
  });
});

describe('I.6 #8: while a writer waits', () => {
  const inner = `r1 = r10; r1 += -16; r2 = r7; r3 = 0; call bpf_iter_task_vma_new
    r6 = r0
    r1 = r10; r1 += -16; call bpf_iter_task_vma_destroy`;
  it.each([
    ['6.7', EBUSY],
    ['2026', 0n],
  ] as const)('a second iterator is answered by %s', (revision, expected) => {
    const contended = (kernel: KernelModel): void => {
      const { mm } = process(kernel);
      mm!.lock.tryReadLock();
      mm!.lock.queueWriter(() => {});
    };
    expect(run(revision, { before: inner }, contended).answer[0]).toBe(expected);
  });
});

describe('with interrupts off', () => {
  it.each([
    ['v3', [0n, ...ALL]],
    ['6.7', [0n, ...ALL]],
    ['2026', [EBUSY]],
  ] as const)('I.6 #3: %s', (revision, expected) => {
    const done = run(revision, {}, (kernel) => {
      process(kernel);
      kernel.interruption.irqsDisabled = true;
    });
    expect(done.answer).toEqual(expected);
    const { lock } = done.kernel.tasks.byPid(40)!.mm!;
    expect(lock.readers).toBe(revision === '2026' ? 0 : 1);
    done.machine.advance(1000n);
    expect(lock.readers).toBe(0);
  });

  it.each(REVISIONS)('I.6 #4: a second iterator finds the irq work busy: %s', (revision) => {
    const done = run(revision, {}, (kernel) => {
      process(kernel);
      kernel.interruption.nmi = true;
      kernel.unlockSlots.occupy(0);
    });
    expect(done.answer).toEqual([EBUSY]);
  });

  it('the program itself may turn them off', () => {
    const before = 'r1 = r10; r1 += -24; call bpf_local_irq_save';
    const after = 'r1 = r10; r1 += -24; call bpf_local_irq_restore';
    expect(run('2026', { before, after }).answer).toEqual([EBUSY]);
    expect(run('6.7', { before, after }).answer).toEqual([0n, ...ALL]);
  });
});

describe('I.6 #5: while alloc_lock is held', () => {
  it.each([
    ['v3', [0n, ...ALL]],
    ['6.7', [0n, ...ALL]],
    ['2026', [EBUSY]],
  ] as const)('%s', (revision, expected) => {
    const done = run(revision, {}, (kernel) => process(kernel).allocLock.tryLock(outsider('somebody')));
    expect(done.answer).toEqual(expected);
  });
});

describe('no task', () => {
  /** A pointer that may be NULL although the verifier does not say so. */
  const wakee = fieldOf('task_struct', 'last_wakee');
  const text = walk({ before: `r9 = *(u64 *)(r7 + ${wakee})` }).replace('r2 = r7', 'r2 = r9');

  it('I.6 #9: is answered by version 3 and refused by the verifier later', () => {
    expect(runKernelText(text, { revisions: ['task_vma=v3'], world: process }).signed).toBe(ENOENT);
    for (const revision of ['6.7', '2026']) {
      expect(verdictOf(text, [`task_vma=${revision}`])).toBe('reject: R2 must be a rcu pointer');
    }
  });
});

describe('what changes in between', () => {
  /** The first message unmaps the second area and puts another behind it. */
  const changing = (revision: Revision) => {
    let count = 0;
    const world = (kernel: KernelModel, machine: Machine): void => {
      const { mm } = process(kernel);
      const change = (): void => {
        mm!.remove(mm!.areas[1]!);
        mm!.add({ start: 0x5000, end: 0x6000, flags: areaFlags('r--p')! });
      };
      const { newReport } = machine;
      machine.newReport = (onPrintk) =>
        newReport.call(machine, (text) => {
          onPrintk?.(text);
          if (++count === 1) mm!.lock.queueWriter(change);
        });
    };
    return run(revision, {}, world).answer;
  };

  it('is seen by an iterator that holds no lock, and waits for one that does', () => {
    expect(changing('2026')).toEqual([0n, '1000-3000 5', '5000-6000 1', '9000-a000 9']);
    expect(changing('6.7')).toEqual([0n, ...ALL]);
  });
});

describe('the pointer', () => {
  const text = (revision: Revision): bigint =>
    runKernelText(
      walk({
        inside:
          'r1 = *(u64 *)(r10 - 56); if r1 != 0 goto +1; r1 = r8; *(u64 *)(r10 - 56) = r1; r1 -= r8; *(u64 *)(r10 - 64) = r1',
      })
        .replace('r6 = r0\n', 'r6 = r0; r1 = 0; *(u64 *)(r10 - 56) = r1; *(u64 *)(r10 - 64) = r1\n')
        .replace('r0 = r6\n', 'r0 = *(u64 *)(r10 - 64)\n'),
      { revisions: [`task_vma=${revision}`], world: process },
    ).signed;

  it('is that of one snapshot since 2026, that of the area before', () => {
    expect(text('2026')).toBe(0n);
    expect(text('6.7')).not.toBe(0n);
  });
});
