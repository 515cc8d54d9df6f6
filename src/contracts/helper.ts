import type { AttachTypeName } from './attach_types.ts';
import type { HostCall } from './host_call.ts';
import type { KernelFacts } from './profile.ts';
import type { Subject } from './subject.ts';
import type { ArgBase, RetBase, TypeFlag } from './type_words.ts';
import type { MapTypeName, ProgTypeName } from './uapi_numbers.ts';

export interface ArgSpec {
  /** name in traces, logs of ours, `explain` and documentation */
  readonly name: string;
  readonly base: ArgBase;
  readonly flags?: readonly TypeFlag[];
  /** bytes, for MEM_FIXED_SIZE (argN_size) */
  readonly size?: number;
  /** struct in the kernel's BTF, for ARG_PTR_TO_BTF_ID and kin (argN_btf_id); absent where a rule decides (kptr_xchg) */
  readonly btfType?: string;
}

export interface RetSpec {
  readonly base: RetBase;
  readonly flags?: readonly TypeFlag[];
  readonly btfType?: string;
}

/** How the verifier enters a function that is passed to a helper or kfunc. */
export interface CallbackSpec {
  /** index of the ARG_PTR_TO_FUNC argument, 0-based */
  readonly arg: number;
  /** `sync`: runs as a loop body during the call; `async`: verified on its own, later */
  readonly kind: 'sync' | 'async';
  /** name of the rule that sets the callee's registers (table of the verifier's callback room) */
  readonly enter: CallbackEntry;
  readonly returns: readonly [min: number, max: number];
  /** async only: the callback may sleep (is_async_cb_sleepable) */
  readonly sleepable?: boolean;
  /** sync only: explored once, as a plain call would be (Linux 6.1 to 6.7), instead of as a loop body */
  readonly explored?: 'once';
  /** the dynptr in R1 is a PTR_TO_DYNPTR, which uninitialised dynptr arguments take as well (proposed in 2022, merged in 6.1) */
  readonly dynptr?: 'PTR_TO_DYNPTR';
}

/**
 * What R1 to R5 of a callback are, as rules: `for_each_map_elem` (map, key, value, ctx), `loop` (index, ctx), `timer`
 * (map, key, value), `find_vma` (task, vma, ctx), `user_ringbuf_drain` (dynptr, ctx), `rbtree_add_less` (node, node).
 */
export type CallbackEntry =
  | 'for_each_map_elem'
  | 'loop'
  | 'timer'
  | 'task_work'
  | 'find_vma'
  | 'user_ringbuf_drain'
  | 'rbtree_add_less';

/**
 * Everything the verifier does for one helper beyond its prototype. One field, one rule; a field that is absent means
 * that the rule does not apply. Sources: the helper classes at the top of kernel/bpf/verifier.c and check_helper_call().
 */
export interface HelperEffects {
  /** clears all packet pointers (bpf_helper_changes_pkt_data); argument 1 is then the context */
  readonly changesPacketData?: boolean;
  /** returns a reference that must be released (is_acquire_function); map type names: only for these maps */
  readonly acquires?: 'always' | readonly MapTypeName[];
  /** result carries the reference of its argument (is_ptr_cast_function) */
  readonly pointerCast?: boolean;
  /** result lives as long as the dynptr argument: gets its dynptr id and reference (is_dynptr_ref_function) */
  readonly dynptrReference?: boolean;
  /** the function argument and how it is entered (is_callback_calling_function) */
  readonly callback?: CallbackSpec;
  /** local storage lookup that may allocate (is_storage_get_function) */
  readonly storageGet?: boolean;
  /** records the map of the call (record_func_map) */
  readonly recordsMap?: boolean;
  /** refused on a map with BPF_F_RDONLY_PROG: "write into map forbidden" (record_func_map) */
  readonly writesMap?: boolean;
  /** index in R3 is recorded when constant, and marked precise (record_func_key) */
  readonly recordsKey?: boolean;
  /** a constant key below max_entries makes the result non-NULL for these maps (can_elide_value_nullness) */
  readonly neverNullForConstantKey?: readonly MapTypeName[];
  /** the value argument is the value (not the key) of a bloom filter (resolve_map_arg_type) */
  readonly bloomFilterValue?: boolean;
  /** how it changes a sockmap or sockhash, which only some programs may (may_update_sockmap) */
  readonly changesSockmap?: 'update' | 'delete';
  /** released argument may be a struct that starts with the expected one (strict_type_match in check_reg_type) */
  readonly looseRelease?: boolean;
  /** PTR_TO_BTF_ID with MEM_ALLOC may be passed (check_reg_type) */
  readonly acceptsAllocated?: boolean;
  /** named rule of the verifier's call room that runs between argument checks and the result */
  readonly rule?: HelperRule;
  /** refines the result (do_refine_retval_range); `size-bound`: -MAX_ERRNO to the size argument's maximum */
  readonly refinesReturn?: 'size-bound' | 'cpu-id';
  /** takes or drops a lock (process_spin_lock) */
  readonly lock?: 'lock' | 'unlock';
  /** bpf_timer operation (process_timer_func) */
  readonly timer?: 'init' | 'set_callback' | 'start' | 'cancel';
  /** may be called while a bpf_spin_lock is held (do_check_insn) */
  readonly allowedInLocks?: boolean;
  /** replaced by instructions, so that `allowFastcall` takes effect (verifier_inlines_helper_call, x86-64) */
  readonly inlined?: boolean;
}

/**
 * Treatments in check_helper_call() that are one helper's own, each a function of the verifier's call room:
 *
 * - `tail_call`: no references, locks or sections may be held; needs a program array; in a subprogram the path also ends
 * - `get_local_storage`: flags (R2) must be the constant 0
 * - `snprintf`: the constant format string is checked against the number of arguments
 * - `loop`: R1 is marked precise; R4 constant 0 allows inlining; the callback is entered while R1's maximum allows
 * - `set_retval`: refused in BPF_LSM_CGROUP programs of hooks that return void
 * - `dynptr_from_mem`: R1 must be a map value
 * - `dynptr_data`: remembers id and reference of the dynptr
 * - `dynptr_write`: clears packet pointers when the dynptr is over an skb
 * - `per_cpu_ptr`: a MEM_RCU per-CPU object gives an allocated object of the struct in R1
 * - `kptr_xchg`: argument 2 and the result have the type of the kptr field; release keeps per-CPU objects as MEM_RCU
 * - `get_func_ip`: only fentry, fexit, fmod_ret and kprobe programs (check_get_func_ip)
 */
export type HelperRule =
  | 'tail_call'
  | 'get_local_storage'
  | 'snprintf'
  | 'loop'
  | 'set_retval'
  | 'dynptr_from_mem'
  | 'dynptr_data'
  | 'dynptr_write'
  | 'per_cpu_ptr'
  | 'kptr_xchg'
  | 'get_func_ip';

/** How the log calls helper 0, which does not exist. */
export const UNSPEC_HELPER_NAME = 'bpf_unspec';

export interface HelperProto {
  /** name of the kernel's bpf_func_proto; unique over all entries */
  readonly name: string;
  readonly args: readonly ArgSpec[];
  readonly ret: RetSpec;
  readonly gplOnly?: boolean;
  /** packet pointers may be passed (pkt_access) */
  readonly packetAccess?: boolean;
  readonly mightSleep?: boolean;
  /** bpf_fastcall */
  readonly allowFastcall?: boolean;
  /** the prototype's own `allowed` callback; false: "helper call is not allowed in probe" */
  readonly allowed?: (subject: Subject, facts: KernelFacts) => boolean;
  /** runs the helper; absent: checked only */
  readonly run?: (call: HostCall) => void;
}

/**
 * A helper: what it takes, who may call it, what it does to the caller's state, and the code that runs it.
 *
 * `select` answers get_func_proto(): the prototype this program gets, or null when it may not call the helper
 * ("program of this type cannot use helper"). Availability is data (`AvailabilityRow[]`) evaluated by one function.
 */
export interface Helper {
  /** 1 to 211, __BPF_FUNC_MAPPER */
  readonly id: number;
  /** with the `bpf_` prefix, as the log prints it */
  readonly name: string;
  readonly protos: readonly HelperProto[];
  readonly available: readonly AvailabilityRow[];
  readonly effects?: HelperEffects;
  /** map types this helper takes (function side of check_map_func_compatibility), names; absent: any that lists it */
  readonly maps?: readonly MapTypeName[];
  /** one line for `explain` */
  readonly summary: string;
}

/** Who may call: all conditions of a row must hold; the first row that holds decides the prototype. */
export interface AvailabilityRow {
  readonly types: readonly ProgTypeName[];
  readonly when?: readonly AvailabilityCondition[];
  /** name of the prototype */
  readonly proto: string;
}

/**
 * `targetIn` compares the attach target's name without its `bpf_lsm_` or `bpf_iter_` prefix; `config` holds when the
 * kernel was built with the option (or, for `LOCKDOWN_*` names, is not locked down so far).
 */
export type AvailabilityCondition =
  | { readonly attachIn: readonly AttachTypeName[] }
  | { readonly attachNotIn: readonly AttachTypeName[] }
  | { readonly cap: 'bpf' | 'perfmon' | 'net_admin' | 'sys_admin' }
  | { readonly sleepable: boolean }
  | { readonly targetIn: readonly string[] }
  | { readonly structOps: string; readonly memberNotIn: readonly string[] }
  | { readonly config: string };

/** Decides availability; lives with the tables so that every consumer asks the same way. */
export type SelectProto = (helper: Helper, subject: Subject) => HelperProto | null;
