import { describe, expect, it } from 'vitest';
import { ATTACH_TYPES } from '../../src/contracts/attach_types.ts';
import type { KFUNC_FLAGS, Kfunc } from '../../src/contracts/kfunc.ts';
import type { ProgTypeName } from '../../src/contracts/uapi_numbers.ts';
import { kfuncAllowed, kfuncs } from '../../src/kfuncs/index.ts';
import { subjectOf } from '../helpers/subject.ts';
import recorded from './host_6_18_kfuncs.json' with { type: 'json' };

const all = [...kfuncs.values()];
const named = (test: (kfunc: Kfunc) => unknown) =>
  all
    .filter(test)
    .map((kfunc) => kfunc.name)
    .sort();
const has = (kfunc: Kfunc, flag: keyof typeof KFUNC_FLAGS) => kfunc.flags.includes(flag);

const allowedIn = new Map<string, ReadonlySet<string>>(
  recorded.groups.flatMap((group) =>
    group.kfuncs.map((name): [string, ReadonlySet<string>] => [
      name,
      new Set(group.contexts[0] === '*' ? recorded.contexts.map((row) => row.context) : group.contexts),
    ]),
  ),
);

describe('availability against the recorded kernel', () => {
  it('has an entry for each kfunc of the kernel', () => {
    expect([...kfuncs.keys()].sort()).toEqual([...allowedIn.keys()].sort());
    expect(kfuncs.size).toBe(203);
  });

  it.each(recorded.contexts)('$context', (row) => {
    const subject = subjectOf({ ...row, type: row.type as ProgTypeName });
    const differing = named((kfunc) => kfuncAllowed(kfunc, subject) !== allowedIn.get(kfunc.name)!.has(row.context));
    expect(differing).toEqual([]);
  });

  it('keeps files and attributes to LSM programs, which the recording could not load', () => {
    const lsm = subjectOf({ type: 'lsm', attachType: ATTACH_TYPES.BPF_LSM_MAC, target: 'bpf_lsm_file_open', sleepable: true });
    const tracing = subjectOf({ type: 'tracing', attachType: ATTACH_TYPES.BPF_TRACE_FENTRY, target: 'vfs_read' });
    const file = kfuncs.get('bpf_get_file_xattr')!;
    expect([kfuncAllowed(file, lsm), kfuncAllowed(file, tracing)]).toEqual([true, false]);
    expect(kfuncAllowed(kfuncs.get('bpf_task_acquire')!, lsm)).toBe(true);
  });

  it('lets nobody call functions that are only attached to', () => {
    expect(named((kfunc) => kfunc.modifiesReturn && kfunc.available.length === 0)).toEqual([
      'bpf_fentry_test1',
      'bpf_modify_return_test',
      'bpf_modify_return_test2',
    ]);
  });
});

describe('declarations', () => {
  it.each(all)('$name', (kfunc) => {
    const match = /^([\w ]+[ *])(\w+)\((.*)\)$/.exec(kfunc.declaration);
    expect(match?.[2]).toBe(kfunc.name);
    const parameters = match![3]!;
    expect(parameters.split('(').length).toBe(parameters.split(')').length);
  });

  it('give every iterator its three kfuncs over one struct', () => {
    for (const create of all.filter((kfunc) => has(kfunc, 'KF_ITER_NEW'))) {
      const kind = /^bpf_iter_(\w+)_new$/.exec(create.name)![1]!;
      for (const part of ['new', 'next', 'destroy']) {
        const kfunc = kfuncs.get(`bpf_iter_${kind}_${part}`)!;
        expect(has(kfunc, `KF_ITER_${part.toUpperCase()}` as keyof typeof KFUNC_FLAGS), kfunc.name).toBe(true);
        expect(kfunc.declaration).toContain(`(struct bpf_iter_${kind} *it`);
      }
      expect(has(kfuncs.get(`bpf_iter_${kind}_next`)!, 'KF_RET_NULL')).toBe(true);
    }
    expect(named((kfunc) => has(kfunc, 'KF_ITER_NEW')).length).toBe(8);
  });

  it('return a pointer where the result may be NULL or is a reference', () => {
    for (const kfunc of all.filter((entry) => has(entry, 'KF_ACQUIRE'))) {
      expect(kfunc.declaration, kfunc.name).toMatch(/^[\w ]+\*/);
    }
  });
});

describe('flags and roles', () => {
  it('are sleepable where the recorded kernel says so', () => {
    const sleepless = recorded.contexts.filter((row) => !row.sleepable).map((row) => row.context);
    const callable = named(
      (kfunc) => has(kfunc, 'KF_SLEEPABLE') && sleepless.some((context) => allowedIn.get(kfunc.name)!.has(context)),
    );
    expect(callable).toEqual(recorded.sleepable);
    expect(callable.length).toBeGreaterThan(10);
  });

  it.each<[string, (kfunc: Kfunc) => unknown, string[]]>([
    [
      'callbacks',
      (k) => k.callback,
      [
        'bpf_rbtree_add_impl',
        'bpf_task_work_schedule_resume_impl',
        'bpf_task_work_schedule_signal_impl',
        'bpf_wq_set_callback_impl',
      ],
    ],
    ['KF_FASTCALL', (k) => has(k, 'KF_FASTCALL'), ['bpf_cast_to_kern_ctx', 'bpf_rdonly_cast']],
    ['KF_RCU_PROTECTED', (k) => has(k, 'KF_RCU_PROTECTED'), ['bpf_iter_css_new', 'bpf_iter_task_new']],
    [
      'KF_ARENA_ARG2',
      (k) => has(k, 'KF_ARENA_ARG2'),
      ['bpf_arena_alloc_pages', 'bpf_arena_free_pages', 'bpf_arena_reserve_pages'],
    ],
    [
      'bpf_dev_bound_kfunc_id',
      (k) => k.roles?.includes('device_bound'),
      ['bpf_xdp_metadata_rx_hash', 'bpf_xdp_metadata_rx_timestamp', 'bpf_xdp_metadata_rx_vlan_tag'],
    ],
    ['is_kfunc_pkt_changing', (k) => k.roles?.includes('changes_packet_data'), ['bpf_xdp_pull_data']],
  ])('%s', (_rule, test, expected) => {
    expect(named(test)).toEqual(expected);
  });

  it('allow lists, trees, reference counts, numbers and resilient locks while a lock is held (kfunc_spin_allowed)', () => {
    const kinds = named((kfunc) => kfunc.allowedInLocks).map((name) =>
      name.replace(/^bpf_(list|rbtree|refcount|iter_num|res_spin).*/, '$1'),
    );
    expect([...new Set(kinds)].sort()).toEqual(['iter_num', 'list', 'rbtree', 'refcount', 'res_spin']);
    expect(kinds.length).toBe(6 + 6 + 1 + 3 + 4);
  });

  it('point callbacks at the parameter that is a function', () => {
    for (const kfunc of all.filter((entry) => entry.callback)) {
      const before = kfunc.declaration.slice(kfunc.declaration.indexOf('(') + 1, -1);
      const function_ = before.split(/,(?![^()]*\))/)[kfunc.callback!.arg]!;
      expect(function_, kfunc.name).toMatch(/\(\*\w+\)\(/);
    }
  });
});
