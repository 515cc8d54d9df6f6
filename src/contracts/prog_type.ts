import type { Subject } from './subject.ts';
import type { RegTypeWords } from './type_words.ts';

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

export interface SectionRule {
  /** section name as libbpf spells it, a trailing `+` allows `/extras`, a trailing `?`-free form */
  readonly section: string;
  readonly extras: boolean;
  /** attach type name (BPF_XDP) or null */
  readonly attachType: string | null;
  readonly attachTypeValue: number;
  /** libbpf's SEC_* flags */
  readonly flags: readonly string[];
  readonly sleepable: boolean;
}

export type ContextKind =
  /** a C struct whose fields `access` knows */
  | 'struct'
  /** an array of 8-byte arguments described by the BTF of the attach target (btf_ctx_access) */
  | 'btf-args'
  /** an array of untyped 8-byte slots */
  | 'slots'
  /** bytes of user-defined layout (BPF_PROG_TYPE_SYSCALL) */
  | 'buffer';

/** Allowed values of R0 at exit, or null for any. `why` completes the message as the kernel words it. */
export interface ReturnRange {
  readonly min: number;
  readonly max: number;
  /** compare as 32-bit value */
  readonly is32?: boolean;
}

export interface ProgType {
  /** BPF_PROG_TYPE_* */
  readonly id: number;
  /** `xdp`, `sched_cls` */
  readonly name: string;
  readonly kernelName: string;
  readonly sections: readonly SectionRule[];
  readonly contextKind: ContextKind;
  /** C struct of the context as programs see it; null for none */
  readonly contextStruct: string | null;
  /** C struct of the kernel-side context (bpf_cast_to_kern_ctx) */
  readonly kernelContextStruct: string | null;
  /** is_valid_access: null refuses */
  readonly access: (query: ContextQuery, subject: Subject) => ContextAnswer | null;
  /** may_access_direct_pkt_data for plain loads and stores; `helper` true when the access is a helper argument */
  readonly packetAccess: (write: boolean, subject: Subject) => boolean;
  /** check_return_code's table for the main program; null: unrestricted; 'none': return value not checked at all */
  readonly returnRange: (subject: Subject) => ReturnRange | null;
  /** expected_attach_type check of BPF_PROG_LOAD (bpf_prog_load_check_attach); false: EINVAL */
  readonly attachTypeOk: (attachType: number) => boolean;
  /** can_be_sleepable */
  readonly sleepableOk: (subject: Subject) => boolean;
  /** capability classes of bpf_prog_load: is_net_admin_prog_type, is_perfmon_prog_type */
  readonly needs: 'none' | 'net_admin' | 'perfmon' | 'sys_admin';
  readonly unprivilegedOk: boolean;
  readonly summary: string;
}
