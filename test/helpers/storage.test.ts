import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import type { KernelModel } from '../../src/kernel/kernel_model.ts';
import { verify } from '../../src/verifier/verify.ts';
import { Machine } from '../../src/vm/machine.ts';
import { runIn } from '../../src/vm/run.ts';
import { addProcess, profileWith, runKernelText } from '../kernel/program.ts';
import { print } from '../kfuncs/run/print.ts';
import { TestHost } from './host.ts';

const [ENOENT, EFAULT, EINVAL] = [-2n, -14n, -22n];

const MAPS = `
.map values task_storage key="int" value="__u64" flags=BPF_F_NO_PREALLOC
.map groups cgrp_storage key="int" value="__u64" flags=BPF_F_NO_PREALLOC
.section "tp_btf/sched_switch"
.program "int p(void *ctx)"
`;

/** Asks for the value of the object in r6; the address goes to r0. */
const get = (kind: 'task' | 'cgrp', flags: number, init = 'r3 = 0'): string =>
  `r1 = ${kind === 'task' ? 'values' : 'groups'} ll; r2 = r6; ${init}; r4 = ${flags}; call bpf_${kind}_storage_get`;
const add = (label: string, number: number): string => `
  r7 = -1
  if r0 == 0 goto ${label}
  r7 = *(u64 *)(r0 + 0)
  r7 += ${number}
  *(u64 *)(r0 + 0) = r7
  ${label}:
  ${print('r7')}`;
const remove = (kind: 'task' | 'cgrp'): string =>
  `r1 = ${kind === 'task' ? 'values' : 'groups'} ll; r2 = r6; call bpf_${kind}_storage_delete; r7 = r0; ${print('r7')}`;

const world = (kernel: KernelModel): void => void addProcess(kernel, 40);
const run = (kind: 'task' | 'cgrp', ...steps: string[]): string => {
  const find = kind === 'task' ? 'r1 = 40; call bpf_task_from_pid' : 'r1 = 1; call bpf_cgroup_from_id';
  const release = `r1 = r6; call bpf_${kind === 'task' ? 'task' : 'cgroup'}_release`;
  const text = `${MAPS}${find}\nif r0 == 0 goto out\nr6 = r0\n${steps.join('\n')}\n${release}\nout:\nr0 = 0\nexit`;
  return runKernelText(text, { world }).printk.join(' ');
};

describe.each(['task', 'cgrp'] as const)('storage of a %s', (kind) => {
  it.each([
    ['is not there at first', [get(kind, 0), add('a', 5)], '-1'],
    ['is made on request, with zeros', [get(kind, 1), add('a', 5), get(kind, 0), add('b', 1)], '5 6'],
    [
      'begins with a value of the program',
      [
        '*(u64 *)(r10 - 8) = 30',
        get(kind, 1, 'r3 = r10; r3 += -8'),
        add('a', 1),
        get(kind, 1, 'r3 = r10; r3 += -8'),
        add('b', 1),
      ],
      '31 32',
    ],
    ['knows no other flags', [get(kind, 2), add('a', 5)], '-1'],
    ['is removed', [get(kind, 1), add('a', 5), remove(kind), get(kind, 0), add('b', 1)], '5 0 -1'],
    ['is removed once', [remove(kind)], '-2'],
  ])('%s', (_rule, steps, expected) => {
    expect(run(kind, ...steps)).toBe(expected);
  });
});

it('a task that is gone gets no storage', () => {
  const gone = (kernel: KernelModel, machine: Machine): void => {
    world(kernel);
    const task = kernel.tasks.byPid(40)!;
    machine.task.offset = task.offset;
    while (task.references > 0) task.put();
  };
  const text = `${MAPS}call bpf_get_current_task_btf\nr6 = r0\n${get('task', 1)}\n${add('a', 5)}\nr0 = 0\nexit`;
  expect(runKernelText(text, { world: gone }).printk).toEqual(['-1']);
});

it.each(['cgroup_storage', 'percpu_cgroup_storage'])('%s has one value, which is always there', (type) => {
  const text = `
    .map local ${type} key="__u64" value="__u64"
    .section "cgroup_skb/egress"
    .program "int p(struct __sk_buff *skb)"
    r1 = local ll; r2 = 0; call bpf_get_local_storage
    r1 = *(u64 *)(r0 + 0)
    r1 += 1
    *(u64 *)(r0 + 0) = r1
    r1 = local ll; r2 = 0; call bpf_get_local_storage
    r0 = *(u64 *)(r0 + 0)
    r0 &= 1
    exit`;
  expect(runKernelText(text, { machine: { failAllocation: (attempt) => attempt > 0 } }).signed).toBe(1n);
});

describe('call chains', () => {
  const chain = [0xffffffff81000010n, 0xffffffff81000020n, 0xffffffff81000030n];
  const bench = (): TestHost => {
    const host = new TestHost();
    host.attach = { ...host.attach, kernelStack: chain as never[], userStack: [0x1000n] as never[] };
    return host;
  };

  it.each([
    ['is copied whole', 40, 0n, 24n, [...chain, 0n, 0n]],
    ['is cut', 16, 0n, 16n, chain.slice(0, 2)],
    ['is copied without the first', 16, 1n, 16n, chain.slice(1)],
    ['may be of the user', 16, 0x100n, 8n, [0x1000n, 0n]],
    ['is not as long as what is skipped', 16, 4n, EFAULT, [0n, 0n]],
    ['is of whole addresses', 12, 0n, EINVAL, []],
    ['has no build ids in the kernel', 32, 0x800n, EINVAL, []],
    ['has no other flags', 16, 0x1000n, EINVAL, [0n, 0n]],
  ])('a chain %s', (_rule, size, flags, result, words) => {
    const host = bench();
    const to = host.room(40);
    expect(host.run('bpf_get_stack', [0, to, size, flags], 'bpf_get_stack_proto')).toBe(result);
    expect([...new BigUint64Array(host.at(to, 8 * words.length).buffer)]).toEqual(words);
  });

  it('there are no branch records', () => {
    const host = bench();
    const asked = [0, 1].map((flags) => host.run('bpf_get_branch_snapshot', [host.room(24), 24, flags]));
    expect([
      ...asked,
      host.run('bpf_read_branch_records', [0, 0, 0, 1]),
      host.run('bpf_read_branch_records', [0, 0, 0, 2]),
    ]).toEqual([ENOENT, EINVAL, ENOENT, EINVAL]);
  });
});

it('storage of the socket of a test run goes with it', () => {
  const text = `
    .map sockets sk_storage key="int" value="__u64" flags=BPF_F_NO_PREALLOC
    .section "tc"
    .program "int p(struct __sk_buff *skb)"
    r2 = *(u64 *)(r1 + 168)
    if r2 == 0 goto out
    r1 = r2
    call bpf_sk_fullsock
    if r0 == 0 goto out
    r2 = r0; r1 = sockets ll; r3 = 0; r4 = 1; call bpf_sk_storage_get
    if r0 == 0 goto out
    r1 = *(u64 *)(r0 + 0)
    r1 += 1
    *(u64 *)(r0 + 0) = r1
    r0 = r1
    exit
    out:
    r0 = 0
    exit`;
  const program = assemble(text, 'sample.bpf.s', { profile: profileWith() }).programs[0]!;
  const machine = new Machine(profileWith());
  const { loaded } = verify(program, profileWith());
  expect([1, 2].map(() => runIn(machine, program, loaded).result)).toEqual([1n, 1n]);
  machine.advance(1n);
  expect([...machine.memory.live()].some(({ what }) => what === 'value of map sockets')).toBe(false);
});
