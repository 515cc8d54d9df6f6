import type { HostCall } from './host_call.ts';
import type { Subject } from './subject.ts';
import type { ArgBase, RetBase, TypeFlag } from './type_words.ts';

export interface ArgSpec {
  /** name in traces, logs of ours, `explain` and documentation */
  readonly name: string;
  readonly base: ArgBase;
  readonly flags?: readonly TypeFlag[];
  /** bytes, for MEM_FIXED_SIZE (argN_size) */
  readonly size?: number;
  /** struct in the kernel's BTF, for ARG_PTR_TO_BTF_ID and kin (argN_btf_id) */
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
  /** clears all packet pointers (bpf_helper_changes_pkt_data) */
  readonly changesPacketData?: boolean;
  /** returns a reference that must be released (is_acquire_function); `map-types`: only for these maps */
  readonly acquires?: 'always' | readonly string[];
  /** result points to the same object as its argument (is_ptr_cast_function) */
  readonly pointerCast?: boolean;
  /** result lives as long as the dynptr argument (is_dynptr_ref_function) */
  readonly dynptrReference?: boolean;
  /** releases the reference that the argument with OBJ_RELEASE carries */
  readonly callback?: CallbackSpec;
  /** element storage lookup that allocates (is_storage_get_function) */
  readonly storageGet?: boolean;
  /** records the map for the rewriting of the call; constant map needed (record_func_map) */
  readonly recordsMap?: boolean;
  /** records constant keys (record_func_key: tail_call) */
  readonly recordsKey?: boolean;
  /** named rule of the verifier's call room that runs between argument checks and the result */
  readonly rule?: HelperRule;
  /** refines the signed 32-bit range of the result (do_refine_retval_range); `size`: at most the size argument read */
  readonly refinesReturn?: 'size-bound' | 'cpu-id';
  /** takes or drops a lock: process_spin_lock */
  readonly lock?: 'lock' | 'unlock';
  readonly timer?: 'init' | 'set_callback' | 'start' | 'cancel';
  /** result register type under MEM_RCU rules: bpf_{this,per}_cpu_ptr, kptr_xchg, ... are found by their return spec */
  readonly allowedInLocks?: boolean;
}

export type HelperRule =
  | 'tail_call'
  | 'get_local_storage'
  | 'snprintf'
  | 'set_retval'
  | 'dynptr_from_mem'
  | 'dynptr_data'
  | 'dynptr_write'
  | 'per_cpu_ptr'
  | 'kptr_xchg'
  | 'ringbuf_output'
  | 'get_stack'
  | 'override_return'
  | 'get_func_ip'
  | 'get_branch_snapshot'
  | 'get_func_arg'
  | 'trace_printk';

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
  readonly maps?: readonly string[];
  /** one line for `explain` */
  readonly summary: string;
}

/** Who may call: all conditions of a row must hold; the first row that holds decides the prototype. */
export interface AvailabilityRow {
  /** BPF_PROG_TYPE_* names without the prefix, in lower case (`xdp`, `sched_cls`) */
  readonly types: readonly string[];
  readonly when?: readonly AvailabilityCondition[];
  /** name of the prototype */
  readonly proto: string;
}

export type AvailabilityCondition =
  | { readonly attachIn: readonly string[] }
  | { readonly attachNotIn: readonly string[] }
  | { readonly cap: 'bpf' | 'perfmon' | 'net_admin' | 'sys_admin' }
  | { readonly sleepable: boolean }
  | { readonly targetIn: readonly string[] }
  | { readonly targetNotIn: readonly string[] }
  | { readonly iterTargetIn: readonly string[] }
  | { readonly structOps: string; readonly memberNotIn?: readonly string[]; readonly memberIn?: readonly string[] }
  | { readonly lsmHookSet: string; readonly negated?: boolean };

/** Decides availability; lives with the tables so that every consumer asks the same way. */
export type SelectProto = (helper: Helper, subject: Subject) => HelperProto | null;
