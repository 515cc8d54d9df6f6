/** Functions that tracing programs may not attach to, kernel/bpf/verifier.c, as this kernel is configured. */

/**
 * btf_id_deny: no tracing program at all. With preemptible RCU and without preemption debugging.
 */
const btfIdDeny: ReadonlySet<string> = new Set([
  '___migrate_enable',
  'migrate_disable',
  'migrate_enable',
  '__rcu_read_lock',
  '__rcu_read_unlock',
]);

/** noreturn_deny: no fexit and no fmod_ret, as the functions never return. */
const noreturnDeny: ReadonlySet<string> = new Set([
  '__ia32_sys_exit',
  '__ia32_sys_exit_group',
  '__x64_sys_exit',
  '__x64_sys_exit_group',
  'do_exit',
  'do_group_exit',
  'kthread_complete_and_exit',
  'make_task_dead',
]);

/** btf_non_sleepable_error_inject: on the error injection list, yet not for sleepable programs. */
const nonSleepableErrorInject: ReadonlySet<string> = new Set(['__filemap_add_folio']);

/** By the kernel's name of the set. */
export const DENIED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['btf_id_deny', btfIdDeny],
  ['noreturn_deny', noreturnDeny],
  ['btf_non_sleepable_error_inject', nonSleepableErrorInject],
]);

/** ALLOW_ERROR_INJECTION: none, as this kernel is built without CONFIG_FUNCTION_ERROR_INJECTION. */
export const ERROR_INJECTION: ReadonlySet<string> = new Set();
