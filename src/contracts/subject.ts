import type { Program } from '../program/program.ts';

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
