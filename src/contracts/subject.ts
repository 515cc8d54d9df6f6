import type { Btf } from '../btf/btf.ts';
import { PROG_FLAGS, type Program } from '../program/program.ts';

/** Capabilities of the loader (token-free). */
export interface Capabilities {
  /** CAP_BPF (or CAP_SYS_ADMIN) */
  readonly bpf: boolean;
  readonly perfmon: boolean;
  readonly netAdmin: boolean;
  readonly sysAdmin: boolean;
}

export const ALL_CAPABILITIES: Capabilities = { bpf: true, perfmon: true, netAdmin: true, sysAdmin: true };
export const NO_CAPABILITIES: Capabilities = { bpf: false, perfmon: false, netAdmin: false, sysAdmin: false };

/**
 * The program as tables see it when they are asked who may do what. For freplace programs `type`, `attachType` and
 * `attachName` are those of the program that is replaced (resolve_prog_type, include/linux/bpf_verifier.h).
 */
export interface Subject {
  /** BPF_PROG_TYPE_* after resolving freplace */
  readonly type: number;
  /** BPF_* expected attach type */
  readonly attachType: number;
  /** kernel function, LSM hook, raw tracepoint, `struct_ops` type name; null without a target */
  readonly attachName: string | null;
  /** struct_ops only: the member whose prototype the program has */
  readonly structOpsMember: string | null;
  readonly sleepable: boolean;
  readonly caps: Capabilities;
  readonly program: Program;
}

const STRUCT_OPS = 27;
const EXT = 28;

/** What tables are told about a program. `kernel` is the BTF that names struct_ops types. */
export function subjectOf(program: Program, kernel: Btf, caps: Capabilities = ALL_CAPABILITIES): Subject {
  const sleepable = (program.flags & PROG_FLAGS.BPF_F_SLEEPABLE) !== 0;
  const replaced = program.type === EXT ? (program.attach?.program ?? null) : null;
  if (replaced !== null) return { ...subjectOf(replaced, kernel, caps), sleepable, program };
  const struct =
    program.type === STRUCT_OPS && program.attach !== null ? kernel.typeOf(program.attach.btfId, 'STRUCT') : undefined;
  return {
    type: program.type,
    attachType: program.expectedAttachType,
    attachName: program.attach?.name ?? null,
    structOpsMember: struct?.members[program.expectedAttachType]?.name ?? null,
    sleepable,
    caps,
    program,
  };
}
