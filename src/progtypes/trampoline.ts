/**
 * Program types that stand in for a function of the kernel or of another program. Their arguments come from the BTF of
 * what they are attached to. Sources: kernel/bpf/bpf_lsm.c, kernel/bpf/bpf_struct_ops.c, kernel/bpf/verifier.c.
 */
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import { progType, section } from './define.ts';
import { slotAccess } from './tracing.ts';

const BTF_ARGS = {
  contextKind: 'btf-args',
  contextStruct: null,
  kernelContextStruct: null,
  takesBtfTarget: true,
} as const;

export const structOps = progType({
  ...BTF_ARGS,
  id: 27,
  name: 'struct_ops',
  sections: [section('struct_ops+'), section('struct_ops.s+', 0, 'SEC_SLEEPABLE')],
  contextArg: () => ({ u64: true }),
  access: slotAccess,
  returnRange: () => 'struct-ops',
  sleepableOk: () => true,
  needs: ['perfmon'],
  trustedArgs: () => true,
  ops: 'bpf_struct_ops_verifier_ops',
  summary: "implements a member of one of the kernel's tables of functions",
});

export const ext = progType({
  ...BTF_ARGS,
  id: 28,
  name: 'ext',
  sections: [section('freplace+', 0, 'SEC_ATTACH_BTF')],
  contextArg: () => ({ anything: true }),
  attachTypes: [0],
  needs: ['net_admin', 'perfmon'],
  ops: 'bpf_extension_verifier_ops',
  summary: 'replaces a global function of another program',
});

export const lsm = progType({
  ...BTF_ARGS,
  id: 29,
  name: 'lsm',
  sections: [
    section('lsm+', 'BPF_LSM_MAC', 'SEC_ATTACH_BTF'),
    section('lsm.s+', 'BPF_LSM_MAC', 'SEC_ATTACH_BTF', 'SEC_SLEEPABLE'),
    section('lsm_cgroup+', 'BPF_LSM_CGROUP', 'SEC_ATTACH_BTF'),
  ],
  contextArg: () => ({ u64: true }),
  access: slotAccess,
  returnRange: (subject) => (subject.attachType === ATTACH_TYPES.BPF_LSM_CGROUP ? 'lsm-cgroup' : 'lsm'),
  sleepableOk: () => true,
  needs: ['perfmon'],
  trustedArgs: (subject, facts) => !facts.untrustedLsmHooks.has(subject.attachName ?? ''),
  ops: 'lsm_verifier_ops',
  summary: 'allows or denies what a security hook guards',
});
