import type { ErrnoName } from './errors.ts';
import type { StructWriteRule } from './prog_type.ts';

/** A table of functions of the kernel that programs may implement (struct bpf_struct_ops). Its members are in BTF. */
export interface StructOpsType {
  /** name of the struct: `tcp_congestion_ops` */
  readonly name: string;
  /** struct that a map of this type holds: `bpf_struct_ops_tcp_congestion_ops` */
  readonly valueStruct: string;
  /** function members that programs may implement (those with a stub); the rest is refused with ENOTSUPP */
  readonly members: readonly string[];
  /**
   * Stub functions in BTF whose parameter names say more than the member's type: `__nullable` may be NULL, `__ref` is an
   * owned reference. By member.
   */
  readonly stubs: ReadonlyMap<string, string>;
  /** check_member: null or its errno, "attach to unsupported member %s of struct %s" */
  readonly checkMember: (member: string, sleepable: boolean) => ErrnoName | null;
  /** argument pointers to the first struct become pointers to the second (is_valid_access) */
  readonly promotes: ReadonlyMap<string, string>;
  /** what programs may write through BTF pointers */
  readonly structWrites: StructWriteRule;
  /** programs may call helpers at all (get_func_proto exists) */
  readonly hasHelpers: boolean;
  readonly summary: string;
}
