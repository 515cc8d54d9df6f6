import { describe, expect, test } from 'vitest';
import type { SpecialField } from '../../../src/contracts/map_type.ts';
import { ALL_CAPABILITIES, type Subject } from '../../../src/contracts/subject.ts';
import { MAP_TYPES } from '../../../src/maps/types/index.ts';
import { checkMapProgCompatibility } from '../../../src/maps/types/prog_compatibility.ts';
import { PROG_TYPES_BY_NAME } from '../../../src/progtypes/index.ts';
import { subjectOf } from '../../progtypes/subjects.ts';
import facts from './facts.linux_6_18.json' with { type: 'json' };
import { emptyMap } from './map_defs.ts';

type Row = [number, string, string[] | null, boolean, boolean, boolean, boolean, string[]];

test.each(facts.rows as Row[])('map type %i is %s', (id, name, helpers, direct, inner, forEach, sleepable, fields) => {
  const entry = MAP_TYPES.get(id)!;
  expect(entry.kernelName).toBe(name);
  expect(entry.helpers === null ? null : [...entry.helpers].sort()).toEqual(helpers);
  expect([entry.directValue, entry.usableAsInner, entry.forEach, entry.sleepableOk]).toEqual([direct, inner, forEach, sleepable]);
  expect([...entry.specialFields].sort()).toEqual(fields);
});

test('ids run from 1 to 33', () => {
  expect([...MAP_TYPES.keys()]).toEqual(Array.from({ length: 33 }, (_, index) => index + 1));
});

describe('direct value access', () => {
  test.each([
    ['array of one, inside', 2, 1, 3, null],
    ['array of one, at the end', 2, 1, 4, 'EINVAL'],
    ['array of two', 2, 2, 0, 'ENOTSUPP'],
    ['hash', 1, 1, 0, 'EINVAL'],
    ['arena, at the end', 33, 1, 4096, null],
    ['arena, beyond', 33, 1, 4097, 'ERANGE'],
  ])('%s', (_title, type, entries, off, errno) => {
    expect(MAP_TYPES.get(type)!.checkDirectValue(emptyMap(type, 4, 4, entries), off)).toBe(errno);
  });
});

function subject(progType: string, changes: Partial<Subject> = {}): Subject {
  return { ...subjectOf(PROG_TYPES_BY_NAME.get(progType)!.id, ''), ...changes };
}

describe('sockmap updates', () => {
  test.each([
    ['xdp', 'bpf_map_update_elem', true],
    ['sched_cls', 'bpf_map_delete_elem', true],
    ['sock_ops', 'bpf_map_delete_elem', true],
    ['sock_ops', 'bpf_map_update_elem', false],
    ['sk_msg', 'bpf_map_update_elem', false],
    ['kprobe', 'bpf_map_delete_elem', false],
  ])('%s by %s: %s', (progType, helper, allowed) => {
    expect(MAP_TYPES.get(15)!.conditionalHelpers!.allowed(helper, subject(progType))).toBe(allowed);
  });

  test('an iterator may, other tracing programs may not', () => {
    const { allowed } = MAP_TYPES.get(18)!.conditionalHelpers!;
    expect(allowed('bpf_map_update_elem', { ...subjectOf(26, 'TRACING/iter') })).toBe(true);
    expect(allowed('bpf_map_update_elem', { ...subjectOf(26, 'TRACING/tp_btf') })).toBe(false);
  });
});

describe('maps that a program may not use', () => {
  const HASH = emptyMap(1, 4, 16, 1);
  const storage = [emptyMap(19, 8, 4, 0), emptyMap(19, 8, 4, 0)] as const;
  const arenas = [emptyMap(33, 0, 0, 1), emptyMap(33, 0, 0, 1)] as const;
  const sleepable = { sleepable: true };
  const noPerfmon = { caps: { ...ALL_CAPABILITIES, perfmon: false } };
  test.each([
    [
      'lock in a socket filter',
      HASH,
      ['BPF_SPIN_LOCK'],
      subject('socket_filter'),
      [],
      'socket filter progs cannot use bpf_spin_lock yet',
    ],
    ['lock in a kprobe', HASH, ['BPF_RES_SPIN_LOCK'], subject('kprobe'), [], 'tracing progs cannot use bpf_spin_lock yet'],
    [
      'list and lock: the list first',
      HASH,
      ['BPF_SPIN_LOCK', 'BPF_LIST_HEAD'],
      subject('kprobe'),
      [],
      'tracing progs cannot use bpf_{list_head,rb_root} yet',
    ],
    ['timer in a tracepoint', HASH, ['BPF_TIMER'], subject('tracepoint'), [], 'tracing progs cannot use bpf_timer yet'],
    [
      'workqueue in a raw tracepoint',
      HASH,
      ['BPF_WORKQUEUE'],
      subject('raw_tracepoint'),
      [],
      'tracing progs cannot use bpf_wq yet',
    ],
    ['timer in tc', HASH, ['BPF_TIMER'], subject('sched_cls'), [], null],
    ['lock in tracing with BTF', HASH, ['BPF_SPIN_LOCK'], subject('tracing'), [], null],
    ['struct_ops', emptyMap(26, 4, 64, 1), [], subject('xdp'), [], 'bpf_struct_ops map cannot be used in prog'],
    [
      'prog array, sleepable',
      emptyMap(3, 4, 4, 1),
      [],
      subject('syscall', sleepable),
      [],
      'Sleepable programs can only use array, hash, ringbuf and local storage maps',
    ],
    ['prog array', emptyMap(3, 4, 4, 1), [], subject('xdp'), [], null],
    [
      'second cgroup storage',
      storage[1],
      [],
      subject('cgroup_skb'),
      [storage[0]],
      'only one cgroup storage of each type is allowed',
    ],
    ['the same cgroup storage again', storage[0], [], subject('cgroup_skb'), [storage[0]], null],
    ['cgroup storage beside per-CPU storage', storage[0], [], subject('cgroup_skb'), [emptyMap(21, 8, 4, 0)], null],
    ['second arena', arenas[1], [], subject('syscall'), [arenas[0]], 'Only one arena per program'],
    [
      'arena without CAP_PERFMON',
      arenas[0],
      [],
      subject('syscall', noPerfmon),
      [],
      'CAP_BPF and CAP_PERFMON are required to use arena',
    ],
  ] as const)('%s', (_title, def, fields, who, before, message) => {
    const refusal = checkMapProgCompatibility(def, new Set<SpecialField>(fields), who, before);
    expect(refusal?.message ?? null).toBe(message);
  });
});
