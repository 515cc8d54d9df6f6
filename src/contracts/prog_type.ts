import type { KernelFacts } from './profile.ts';
import type { Subject } from './subject.ts';
import type { RegBase, RegTypeWords } from './type_words.ts';

/** A load or store on the context, as is_valid_access() is asked. Offsets and sizes in bytes. */
export interface ContextQuery {
  readonly off: number;
  readonly size: number;
  readonly write: boolean;
  /** the load sign-extends (ldsx) */
  readonly signExtend: boolean;
}

/** What a permitted context access yields (struct bpf_insn_access_aux). */
export interface ContextAnswer {
  readonly reg: RegTypeWords;
  /** struct in the kernel's BTF, for PTR_TO_BTF_ID */
  readonly btfType?: string;
  /** ctx_field_size: width of the field for narrow loads, 0 for a full-width one */
  readonly fieldSize: number;
  /** the access reads the return value of the attached function (is_retval) */
  readonly isReturnValue?: boolean;
}

/** Flags of a section definition: enum sec_def_flags, tools/lib/bpf/libbpf.c. */
export type SectionFlag =
  | 'SEC_EXP_ATTACH_OPT'
  | 'SEC_ATTACHABLE'
  | 'SEC_ATTACH_BTF'
  | 'SEC_SLEEPABLE'
  | 'SEC_XDP_FRAGS'
  | 'SEC_USDT';

/** One row of libbpf's section_defs. */
export interface SectionRule {
  /** section name without `?`, without the `+` of libbpf's table: `kprobe`, `uprobe.multi.s` */
  readonly section: string;
  /** libbpf's `+`: the bare name or `name/extras` */
  readonly extras: boolean;
  /** attach type name (BPF_XDP), or null where the table has 0 for "none" */
  readonly attachType: string | null;
  readonly attachTypeValue: number;
  readonly flags: readonly SectionFlag[];
  readonly sleepable: boolean;
  /** first libbpf release that knows the name, for names that are newer than the one of Linux 6.18 */
  readonly since?: string;
}

export type ContextKind =
  /** a C struct whose fields `access` knows */
  | 'struct'
  /**
   * an array of 8-byte arguments described by the BTF of the attach target; `access` answers only what
   * bpf_tracing_ctx_access() checks, btf_ctx_access() decides the rest
   */
  | 'btf-args'
  /** an array of untyped 8-byte slots */
  | 'slots'
  /** bytes of user-defined layout (BPF_PROG_TYPE_SYSCALL, BPF_PROG_TYPE_TRACEPOINT) */
  | 'buffer';

/** Allowed values of R0 at exit. */
export interface ReturnRange {
  readonly min: number;
  readonly max: number;
  /** compare as 32-bit value */
  readonly is32?: boolean;
}

/**
 * Return values that depend on the prototype of the attach target (check_return_code).
 *
 * - `lsm`: void hook: R0 is not looked at; else bool hooks 0 to 1, other hooks -MAX_ERRNO to 0, both as 32-bit values
 * - `lsm-cgroup`: void hook 1 to 1, else 0 to 1
 * - `struct-ops`: void member: R0 is not looked at; member returning a pointer: 0, or the owned object of that type;
 *   otherwise any readable scalar
 * - `unsupported`: ENOTSUPP
 */
export type ReturnRule = 'lsm' | 'lsm-cgroup' | 'struct-ops' | 'unsupported';

/** What the BTF type of a global subprogram's context argument may be (btf_validate_prog_ctx_type), besides `void *`. */
export interface ContextArgRule {
  readonly anything?: boolean;
  readonly typedefs?: readonly string[];
  readonly structs?: readonly string[];
  readonly structPrefix?: string;
  /** pointer to an 8-byte integer */
  readonly u64?: boolean;
}

export type LoadCapability = 'net_admin' | 'perfmon';

export interface ProgType {
  /** BPF_PROG_TYPE_* */
  readonly id: number;
  /** `xdp`, `sched_cls` */
  readonly name: string;
  readonly kernelName: string;
  /** kernel option without which BPF_PROG_LOAD answers EINVAL; absent: always there */
  readonly config?: string;
  readonly sections: readonly SectionRule[];
  readonly contextKind: ContextKind;
  /** C struct of the context as programs see it (prog_ctx_type of bpf_types.h); null for none or a plain integer */
  readonly contextStruct: string | null;
  /** bytes of that struct; 0 where it has no fixed size */
  readonly contextSize: number;
  /** C type of the kernel-side context (kern_ctx_type, bpf_cast_to_kern_ctx); null for `void *` */
  readonly kernelContextStruct: string | null;
  /** the fields of the context, for printing and for building contexts; empty where the layout is not a struct */
  readonly contextFields: readonly ContextField[];
  /** types of an `__arg_ctx` argument that are accepted without matching `contextStruct` */
  readonly contextArg: (attachType: number) => ContextArgRule;
  /** is_valid_access: null refuses */
  readonly access: (query: ContextQuery, subject: Subject) => ContextAnswer | null;
  /** may_access_direct_pkt_data for plain loads and stores */
  readonly packetAccess: (write: boolean, subject: Subject) => boolean;
  /** packet pointers go to any helper, whatever its `packetAccess` says (CGROUP_SOCKOPT) */
  readonly packetToAnyHelper?: boolean;
  /** writes to the packet need a prologue that unclones the skb (gen_prologue) */
  readonly unclonePrologue?: boolean;
  /** BPF_ABS and BPF_IND loads (may_access_skb) */
  readonly legacyPacketLoads?: boolean;
  /** check_return_code's table for the main program; null: unrestricted */
  readonly returnRange: (subject: Subject) => ReturnRange | ReturnRule | null;
  /** BPF_PROG_LOAD puts this where it is given 0 (bpf_prog_load_fixup_attach_type) */
  readonly defaultAttachType?: number;
  /** expected_attach_type check of BPF_PROG_LOAD (bpf_prog_load_check_attach); false: EINVAL */
  readonly attachTypeOk: (attachType: number) => boolean;
  /** BPF_PROG_LOAD takes an attach_btf_id (bpf_prog_load_check_attach) */
  readonly takesBtfTarget: boolean;
  /** can_be_sleepable */
  readonly sleepableOk: (subject: Subject) => boolean;
  /** the program must be sleepable (BPF_PROG_TYPE_SYSCALL) */
  readonly sleepableRequired?: boolean;
  /** capability classes of bpf_prog_load: is_net_admin_prog_type, is_perfmon_prog_type */
  readonly needs: readonly LoadCapability[];
  readonly unprivilegedOk: boolean;
  /** loads of context fields are rewritten (convert_ctx_access): a helper cannot be given the context as plain memory */
  readonly rewritesContext?: boolean;
  /** functions may get a stack of their own (bpf_enable_priv_stack) */
  readonly privateStack?: (subject: Subject) => boolean;
  /** pointer arguments stay valid while the program runs (prog_args_trusted) */
  readonly trustedArgs?: (subject: Subject, facts: KernelFacts) => boolean;
  /** what programs may write through BTF pointers (btf_struct_access); absent: nothing */
  readonly structWrites?: StructWriteRule;
  /** name of the kernel's bpf_verifier_ops */
  readonly ops: string;
  readonly summary: string;
}

/**
 * One row of a context's table: bytes `off` to `off + size`, what may be done with them, and when. A field whose rules
 * differ by access or by attach type has several rows; the first row that permits an access answers it.
 */
export interface ContextField {
  readonly name: string;
  readonly off: number;
  readonly size: number;
  readonly read?: AccessRule;
  readonly write?: AccessRule;
  /** register that a read gives; absent: a scalar */
  readonly reg?: RegTypeWords;
  /** struct in the kernel's BTF, for PTR_TO_BTF_ID */
  readonly btfType?: string;
  /** the row holds only for these attach types */
  readonly attachTypes?: readonly number[];
  /** the row holds only for a loader with CAP_BPF */
  readonly needsCapBpf?: boolean;
}

/** Which accesses a row permits. Every access is aligned to its own size, counted from the start of the context. */
export interface AccessRule {
  /** permitted sizes in bytes */
  readonly sizes: readonly number[];
  /** only at the field's first byte */
  readonly atStart?: boolean;
  /** ctx_field_size recorded for the rewriting of narrow loads; absent: 0 */
  readonly fieldSize?: number;
  /** sign-extending loads are refused */
  readonly noSignExtend?: boolean;
}

/** Registers whose loads have a table of their own. */
export type PointerStructBase =
  | 'PTR_TO_SOCK_COMMON'
  | 'PTR_TO_SOCKET'
  | 'PTR_TO_TCP_SOCK'
  | 'PTR_TO_XDP_SOCK'
  | 'PTR_TO_FLOW_KEYS';

/**
 * Whether a load or store through a pointer to a socket, or to flow keys, is permitted (check_sock_access,
 * check_flow_keys_access); null refuses, as it does for registers that are neither.
 */
export type PointerStructAccess = (base: RegBase, query: ContextQuery) => ContextAnswer | null;

/** A member of a struct in the kernel's BTF that programs may write. */
export interface WritableField {
  readonly struct: string;
  /** from the struct on, `icsk_ack.pending`; anonymous members are passed through */
  readonly path: string;
  /** a write may begin anywhere inside; absent: at the member's first byte */
  readonly anywhere?: boolean;
}

/** Writes through pointers to kernel structs: a btf_struct_access operation as data. */
export interface StructWriteRule {
  /** the pointer's type must be one of these */
  readonly structs: readonly string[];
  /** log line for pointers to other structs */
  readonly otherStruct: string;
  /** `whole`: any byte of the struct */
  readonly fields: 'whole' | readonly WritableField[];
  /** how messages call the struct */
  readonly label: string;
}
