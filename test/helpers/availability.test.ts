import { describe, expect, it } from 'vitest';
import { ATTACH_TYPES } from '../../src/contracts/attach_types.ts';
import { ALL_CAPABILITIES, NO_CAPABILITIES } from '../../src/contracts/subject.ts';
import type { ProgTypeName } from '../../src/contracts/uapi_numbers.ts';
import { helpers, selectProto, selectProtoWith } from '../../src/helpers/index.ts';
import recorded from './host_6_18_helpers.json' with { type: 'json' };
import { type SubjectFacts, subjectOf } from './subject.ts';

const idsOf = (ranges: string): Set<number> => {
  const ids = new Set<number>();
  for (const range of ranges.split(',')) {
    const [from, to = from] = range.split('-').map(Number);
    for (let id = from!; id <= to!; id++) ids.add(id);
  }
  return ids;
};

const byName = (name: string) => helpers.find((helper) => helper?.name === name)!;
const chosen = (name: string, facts: SubjectFacts) => selectProto(byName(name), subjectOf(facts))?.name ?? null;

describe('availability against the recorded kernel', () => {
  it('covers 66 contexts and 211 helpers', () => {
    expect(recorded.contexts.length).toBe(66);
    expect(helpers.filter((helper) => helper !== undefined).length).toBe(211);
  });

  it.each(recorded.contexts)('$context', (row) => {
    const subject = subjectOf({ ...row, type: row.type as ProgTypeName });
    const expected = idsOf(row.helpers);
    const differing: string[] = [];
    for (const helper of helpers) {
      if (helper === undefined) continue;
      const ours = selectProto(helper, subject) !== null;
      if (ours !== expected.has(helper.id)) differing.push(`${helper.name}: ours ${ours}, kernel ${!ours}`);
    }
    expect(differing).toEqual([]);
  });

  /** Contexts that the recording could not load (host policy, or not built): answered from the source alone. */
  it.each([
    ['lsm', 'BPF_LSM_MAC', 'bpf_inode_storage_get', 'bpf_inode_storage_get_proto'],
    ['lsm', 'BPF_LSM_MAC', 'bpf_get_attach_cookie', 'bpf_get_attach_cookie_proto'],
    ['lsm', 'BPF_LSM_CGROUP', 'bpf_get_attach_cookie', null],
    ['lsm', 'BPF_LSM_CGROUP', 'bpf_get_local_storage', 'bpf_get_local_storage_proto'],
    ['lsm', 'BPF_LSM_MAC', 'bpf_get_local_storage', null],
    ['lsm', 'BPF_LSM_MAC', 'bpf_task_storage_get', 'bpf_task_storage_get_proto'],
    ['lsm', 'BPF_LSM_MAC', 'bpf_perf_event_output', 'bpf_perf_event_output_proto_raw_tp'],
    ['tracing', 'BPF_TRACE_FENTRY', 'bpf_get_func_arg', 'bpf_get_func_arg_proto'],
    ['tracing', 'BPF_TRACE_FEXIT', 'bpf_get_func_ret', 'bpf_get_func_ret_proto'],
    ['tracing', 'BPF_TRACE_FENTRY', 'bpf_task_storage_get', 'bpf_task_storage_get_recur_proto'],
    ['tracing', 'BPF_TRACE_ITER', 'bpf_task_storage_get', 'bpf_task_storage_get_proto'],
    ['lirc_mode2', 'BPF_LIRC_MODE2', 'bpf_rc_keydown', 'rc_keydown_proto'],
    ['lirc_mode2', 'BPF_LIRC_MODE2', 'bpf_spin_lock', null],
  ] as const)('%s %s: %s', (type, attach, name, proto) => {
    expect(chosen(name, { type, attachType: ATTACH_TYPES[attach], target: 'bpf_lsm_file_open' })).toBe(proto);
  });

  it('gives socket options to LSM programs by the kind of hook', () => {
    const at = (target: string) => chosen('bpf_setsockopt', { type: 'lsm', attachType: ATTACH_TYPES.BPF_LSM_CGROUP, target });
    expect(at('bpf_lsm_sock_graft')).toBe('bpf_sk_setsockopt_proto');
    expect(at('socket_post_create')).toBe('bpf_unlocked_sk_setsockopt_proto');
    expect(at('bpf_lsm_file_open')).toBeNull();
  });

  it('chooses the prototype by the kind of probe', () => {
    const at = (attachType: number, sleepable = false) => ({ type: 'kprobe', attachType, sleepable }) as const;
    expect(chosen('bpf_get_func_ip', at(0))).toBe('bpf_get_func_ip_proto_kprobe');
    expect(chosen('bpf_get_func_ip', at(ATTACH_TYPES.BPF_TRACE_KPROBE_SESSION))).toBe('bpf_get_func_ip_proto_kprobe_multi');
    expect(chosen('bpf_get_func_ip', at(ATTACH_TYPES.BPF_TRACE_UPROBE_MULTI))).toBe('bpf_get_func_ip_proto_uprobe_multi');
    expect(chosen('bpf_get_stack', at(0, true))).toBe('bpf_get_stack_sleepable_proto');
    expect(chosen('bpf_get_stack', at(0))).toBe('bpf_get_stack_proto');
  });
});

describe('capabilities', () => {
  const withCaps = (name: string, caps: Partial<typeof ALL_CAPABILITIES>) =>
    chosen(name, { type: 'socket_filter', caps: { ...NO_CAPABILITIES, ...caps } }) !== null;

  it.each([
    ['bpf_map_lookup_elem', true, true, true],
    ['bpf_ktime_get_coarse_ns', true, true, true],
    ['bpf_spin_lock', false, true, true],
    ['bpf_trace_printk', false, false, true],
    ['bpf_skc_to_tcp_sock', false, false, true],
  ])('%s: none %s, CAP_BPF %s, CAP_BPF and CAP_PERFMON %s', (name, none, bpf, both) => {
    expect([withCaps(name, {}), withCaps(name, { bpf: true }), withCaps(name, { bpf: true, perfmon: true })]).toEqual([
      none,
      bpf,
      both,
    ]);
  });

  it('gives the write to user memory only to an administrator of a kernel that is not locked down', () => {
    const helper = byName('bpf_probe_write_user');
    const open = selectProtoWith(new Set(['LOCKDOWN_BPF_WRITE_USER']));
    const admin = subjectOf({ type: 'kprobe' });
    const other = subjectOf({ type: 'kprobe', caps: { ...ALL_CAPABILITIES, sysAdmin: false } });
    expect([selectProto(helper, admin), open(helper, other)]).toEqual([null, null]);
    expect(open(helper, admin)?.name).toBe('bpf_probe_write_user_proto');
  });
});
