/**
 * Pointer members whose trust is known without type tags: the BTF_TYPE_SAFE_* structs of kernel/bpf/verifier.c, which the
 * kernel keeps in its BTF under the same names (`task_struct__safe_rcu`).
 */
type SafeList = ReadonlyMap<string, readonly string[]>;

/** Trusted in an RCU section, never NULL. */
const safeRcu: SafeList = new Map([
  ['task_struct', ['cpus_ptr', 'cgroups', 'real_parent', 'group_leader']],
  ['cgroup', ['kn']],
  ['css_set', ['dfl_cgrp']],
  ['cgroup_subsys_state', ['cgroup']],
]);

/** Trusted in an RCU section, may be NULL. */
const safeRcuOrNull: SafeList = new Map([
  ['mm_struct', ['exe_file']],
  ['sk_buff', ['sk']],
  ['request_sock', ['sk']],
]);

/** Trusted everywhere, never NULL. */
const safeTrusted: SafeList = new Map([
  ['bpf_iter_meta', ['seq']],
  ['bpf_iter__task', ['meta', 'task']],
  ['linux_binprm', ['file']],
  ['file', ['f_inode']],
]);

/** Trusted everywhere, may be NULL. */
const safeTrustedOrNull: SafeList = new Map([
  ['dentry', ['d_inode']],
  ['socket', ['sk']],
]);

/** By the suffix of the struct in BTF. */
export const SAFE_FIELDS: ReadonlyMap<string, SafeList> = new Map([
  ['__safe_rcu', safeRcu],
  ['__safe_rcu_or_null', safeRcuOrNull],
  ['__safe_trusted', safeTrusted],
  ['__safe_trusted_or_null', safeTrustedOrNull],
]);

/** rcu_protected_types, kernel/bpf/verifier.c: kptrs to them may be used in an RCU section. */
export const RCU_PROTECTED_TYPES: ReadonlySet<string> = new Set([
  'prog_test_ref_kfunc',
  'cgroup',
  'bpf_cpumask',
  'task_struct',
  'bpf_crypto_ctx',
]);

/** register_btf_id_dtor_kfuncs: what a map calls to give a referenced kptr back. */
export const DESTRUCTORS: ReadonlyMap<string, string> = new Map([
  ['task_struct', 'bpf_task_release_dtor'],
  ['cgroup', 'bpf_cgroup_release_dtor'],
  ['bpf_cpumask', 'bpf_cpumask_release_dtor'],
  ['bpf_crypto_ctx', 'bpf_crypto_ctx_release_dtor'],
  ['prog_test_ref_kfunc', 'bpf_kfunc_call_test_release_dtor'],
  ['prog_test_member', 'bpf_kfunc_call_memb_release_dtor'],
]);
