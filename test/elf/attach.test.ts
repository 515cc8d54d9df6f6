import { describe, expect, test } from 'vitest';
import { ATTACH_TYPES } from '../../src/contracts/attach_types.ts';
import { PROG_TYPES } from '../../src/contracts/uapi_numbers.ts';
import { PROG_FLAGS } from '../../src/program/program.ts';
import { kernelBtf, loadFixture, programOf } from './fixture.ts';

const { BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS } = PROG_FLAGS;

describe('what a section name says', () => {
  const image = loadFixture('sections');

  test.each([
    ['xdp_frags', PROG_TYPES.xdp, ATTACH_TYPES.BPF_XDP_DEVMAP, BPF_F_XDP_HAS_FRAGS],
    ['optional', PROG_TYPES.sched_cls, 0, 0],
    ['sleepable_lsm', PROG_TYPES.lsm, ATTACH_TYPES.BPF_LSM_MAC, BPF_F_SLEEPABLE],
    ['iterator', PROG_TYPES.tracing, ATTACH_TYPES.BPF_TRACE_ITER, 0],
    ['raw', PROG_TYPES.tracing, ATTACH_TYPES.BPF_TRACE_RAW_TP, 0],
    ['entry', PROG_TYPES.tracing, ATTACH_TYPES.BPF_TRACE_FENTRY, 0],
    ['tracing_point', PROG_TYPES.kprobe, ATTACH_TYPES.BPF_TRACE_UPROBE_MULTI, 0],
    ['multi', PROG_TYPES.kprobe, ATTACH_TYPES.BPF_TRACE_KPROBE_MULTI, 0],
    ['ingress', PROG_TYPES.cgroup_skb, ATTACH_TYPES.BPF_CGROUP_INET_INGRESS, 0],
    ['call', PROG_TYPES.syscall, 0, BPF_F_SLEEPABLE],
  ])('%s', (name, type, expectedAttachType, flags) => {
    expect(programOf(image, name)).toMatchObject({ type, expectedAttachType, flags, loadError: null });
  });

  test.each([
    ['sleepable_lsm', 'bpf_lsm_file_open', 'bpf_lsm_file_open', 'FUNC'],
    ['iterator', 'bpf_iter_task', 'bpf_iter_task', 'FUNC'],
    ['raw', 'sched_switch', 'btf_trace_sched_switch', 'TYPEDEF'],
    ['entry', 'do_unlinkat', 'do_unlinkat', 'FUNC'],
    ['entry_of_vmlinux', 'do_unlinkat', 'do_unlinkat', 'FUNC'],
  ] as const)('%s attaches to %s', (program, name, type, kind) => {
    expect(programOf(image, program).attach).toEqual({ name, btfId: kernelBtf.findByName(type, kind)!.id, program: null });
  });

  test.each([
    ['missing_lsm', "failed to find kernel BTF type ID of 'no_such_hook'"],
    ['entry_of_module', "failed to find kernel BTF type ID of 'other:do_unlinkat'"],
    ['no_target', 'no BTF-based attach target is specified, use bpf_program__set_attach_target()'],
    ['replacing', 'attach program FD is not set'],
    ['unnamed', "missing BPF prog type, check ELF section name 'nonsense'"],
  ])('%s is not loaded', (name, message) => {
    expect(programOf(image, name).loadError).toBe(`prog '${name}': ${message}`);
  });

  test('the question mark is no part of the section', () => {
    expect(programOf(image, 'optional').section).toBe('tc');
  });
});

describe('a target program', () => {
  const target = loadFixture('calls');

  test('freplace is bound to the program that contains the function', () => {
    const replacing = programOf(loadFixture('sections', { target: { image: target, func: 'shared' } }), 'replacing');
    expect(replacing.loadError).toBeNull();
    expect(replacing.attach).toMatchObject({ name: 'shared', btfId: target.btf!.findByName('shared', 'FUNC')!.id });
    expect(replacing.attach!.program).toBe(programOf(target, 'chain'));
  });

  test('tracing without a target in its section takes it too', () => {
    const image = loadFixture('sections', { target: { image: target, func: 'alone' } });
    expect(programOf(image, 'no_target').attach!.program).toBe(programOf(target, 'alone'));
    expect(programOf(image, 'entry').attach!.program).toBeNull();
  });

  test('a function that the target lacks', () => {
    const image = loadFixture('sections', { target: { image: target, func: 'nothing' } });
    expect(programOf(image, 'replacing').loadError).toBe("prog 'replacing': failed to find BPF program BTF ID for 'nothing'");
  });
});
