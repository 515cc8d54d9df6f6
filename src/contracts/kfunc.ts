import type { CallbackSpec } from './helper.ts';
import type { HostCall } from './host_call.ts';
import type { Subject } from './subject.ts';
import type { ProgTypeName } from './uapi_numbers.ts';

/** KF_* flags, include/linux/btf.h. */
export const KFUNC_FLAGS = {
  KF_ACQUIRE: 1 << 0,
  KF_RELEASE: 1 << 1,
  KF_RET_NULL: 1 << 2,
  KF_TRUSTED_ARGS: 1 << 4,
  KF_SLEEPABLE: 1 << 5,
  KF_DESTRUCTIVE: 1 << 6,
  KF_RCU: 1 << 7,
  KF_ITER_NEW: 1 << 8,
  KF_ITER_NEXT: 1 << 9,
  KF_ITER_DESTROY: 1 << 10,
  KF_RCU_PROTECTED: 1 << 11,
  KF_FASTCALL: 1 << 12,
  KF_ARENA_RET: 1 << 13,
  KF_ARENA_ARG1: 1 << 14,
  KF_ARENA_ARG2: 1 << 15,
} as const;
export type KfuncFlag = keyof typeof KFUNC_FLAGS;

/**
 * What the verifier knows about a kfunc beyond its C declaration and flags: the kernel's special_kfunc_list, as roles.
 * A role names a rule of the verifier's kfunc room; several kfuncs may share one.
 *
 * `list_pop` takes, `list_peek` only looks; `rbtree_child` is left and right. `iter_num` iterators leave the state of locks
 * alone. `device_bound` kfuncs need a program that is bound to a device (bpf_dev_bound_kfunc_check). `trap` refuses the path
 * that calls it (__bpf_trap). `session_cookie` returns 8 writable bytes.
 */
export type KfuncRole =
  | 'obj_new'
  | 'obj_drop'
  | 'percpu_obj_new'
  | 'percpu_obj_drop'
  | 'refcount_acquire'
  | 'list_push_front'
  | 'list_push_back'
  | 'list_pop'
  | 'list_peek'
  | 'rbtree_remove'
  | 'rbtree_add'
  | 'rbtree_first'
  | 'rbtree_root'
  | 'rbtree_child'
  | 'cast_to_kern_ctx'
  | 'rdonly_cast'
  | 'rcu_read_lock'
  | 'rcu_read_unlock'
  | 'preempt_disable'
  | 'preempt_enable'
  | 'local_irq_save'
  | 'local_irq_restore'
  | 'res_spin_lock'
  | 'res_spin_unlock'
  | 'res_spin_lock_irqsave'
  | 'res_spin_unlock_irqrestore'
  | 'dynptr_from_skb'
  | 'dynptr_from_xdp'
  | 'dynptr_from_skb_meta'
  | 'dynptr_slice'
  | 'dynptr_slice_rdwr'
  | 'dynptr_clone'
  | 'throw'
  | 'wq_set_callback'
  | 'task_work_schedule'
  | 'iter_css_task_new'
  | 'iter_num'
  | 'get_kmem_cache'
  | 'changes_packet_data'
  | 'device_bound'
  | 'session_cookie'
  | 'trap';

export interface Kfunc {
  readonly name: string;
  /** C declaration with the kernel's parameter names, whose suffixes (`__sz`, `__k`, `__ign`, …) the verifier reads */
  readonly declaration: string;
  readonly flags: readonly KfuncFlag[];
  /** who may call it: registrations with register_btf_kfunc_id_set(); one that matches suffices, none: only attached to */
  readonly available: readonly KfuncAvailability[];
  readonly roles?: readonly KfuncRole[];
  readonly callback?: CallbackSpec;
  /** may be called while a bpf_spin_lock or bpf_res_spin_lock is held (kfunc_spin_allowed) */
  readonly allowedInLocks?: boolean;
  /** fmod_ret programs may attach to it (register_btf_fmodret_id_set) */
  readonly modifiesReturn?: boolean;
  /** runs the kfunc; absent: checked only */
  readonly run?: (call: HostCall) => void;
  /** drops the reference that a map held (the kfunc's destructor, NAME_dtor), by the object's offset */
  readonly destroy?: (call: HostCall, object: number) => void;
  readonly summary: string;
}

export interface KfuncAvailability {
  /** `*`: every program type (BTF_KFUNC_HOOK_COMMON) */
  readonly types: readonly (ProgTypeName | '*')[];
  /** the kernel's filter callback: true when this program may call it */
  readonly filter?: (subject: Subject) => boolean;
}
