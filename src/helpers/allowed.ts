import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import type { KernelFacts } from '../contracts/profile.ts';
import type { Subject } from '../contracts/subject.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';

/** The `allowed` callbacks of prototypes: false refuses with "helper call is not allowed in probe". */

/** btf_allowlist_d_path, kernel/trace/bpf_trace.c */
const D_PATH_TARGETS: ReadonlySet<string> = new Set([
  'security_file_permission',
  'security_inode_getattr',
  'security_file_open',
  'security_path_truncate',
  'vfs_truncate',
  'vfs_fallocate',
  'dentry_open',
  'vfs_getattr',
  'filp_close',
]);

/** bpf_lsm_is_sleepable_hook(); the set has full function names, a target may be the bare hook */
export const isSleepableHook = (subject: Subject, facts: KernelFacts): boolean =>
  subject.attachName !== null &&
  (facts.sleepableLsmHooks.has(subject.attachName) || facts.sleepableLsmHooks.has(`bpf_lsm_${subject.attachName}`));

/** bpf_d_path_allowed() */
export function mayUseDPath(subject: Subject, facts: KernelFacts): boolean {
  if (subject.type === PROG_TYPES.tracing && subject.attachType === ATTACH_TYPES.BPF_TRACE_ITER) return true;
  if (subject.type === PROG_TYPES.lsm) return isSleepableHook(subject, facts);
  return subject.attachName !== null && D_PATH_TARGETS.has(subject.attachName);
}

/** bpf_sk_storage_tracing_allowed(): not in programs that trace the storage itself or another program */
export function mayTraceSocketStorage(subject: Subject): boolean {
  if (subject.program.attach?.program) return false;
  switch (subject.attachType) {
    case ATTACH_TYPES.BPF_TRACE_ITER:
    case ATTACH_TYPES.BPF_TRACE_RAW_TP:
      return true;
    case ATTACH_TYPES.BPF_TRACE_FENTRY:
    case ATTACH_TYPES.BPF_TRACE_FEXIT:
      return subject.attachName === null || !subject.attachName.startsWith('bpf_sk_storage');
    default:
      return false;
  }
}
