import type { Btf } from '../btf/btf.ts';
import type { StructType } from '../btf/types.ts';
import type { Helper, SelectProto } from './helper.ts';
import type { IterTarget } from './iter_target.ts';
import type { Kfunc } from './kfunc.ts';
import type { CheckMapProgCompatibility, MapType } from './map_type.ts';
import type { PointerStructAccess, ProgType, StructWriteRule } from './prog_type.ts';
import type { StructOpsType } from './struct_ops_type.ts';
import type { Subject } from './subject.ts';

/** A named kernel: which entries exist, in which revision, over which BTF. */
export interface Profile {
  readonly name: string;
  readonly version: readonly [major: number, minor: number, patch: number];
  /** possible CPUs of the machine (nr_cpu_ids): bounds the number that a program is told */
  readonly cpuCount: number;
  /** revision by the name of the entry, where one was chosen that is not the kernel's own */
  readonly revisions?: ReadonlyMap<string, string>;
  /** addresses of kernel variables that programs may ask for by a typeless `__ksym` extern, beside those that the BTF knows */
  readonly dataAddresses?: ReadonlyMap<string, bigint>;
  /** why an accepted program may still do harm under the chosen revisions */
  readonly unsound?: readonly string[];
  /** the kernel's own BTF */
  readonly btf: Btf;
  /** by id; index 0 is empty */
  readonly helpers: readonly (Helper | undefined)[];
  readonly selectProto: SelectProto;
  readonly kfuncs: ReadonlyMap<string, Kfunc>;
  /** whether a registered kfunc may be called by this program (kfunc set registration plus filters) */
  readonly kfuncAllowed: (kfunc: Kfunc, subject: Subject) => boolean;
  readonly mapTypes: ReadonlyMap<number, MapType>;
  /** whether a program may use a map at all (check_map_prog_compatibility) */
  readonly checkMapProgCompatibility: CheckMapProgCompatibility;
  /** every program type that libbpf has a section for, also those that this kernel is built without (see `isBuilt`) */
  readonly progTypes: ReadonlyMap<number, ProgType>;
  /** loads through socket and flow key pointers (check_sock_access, check_flow_keys_access) */
  readonly pointerStructAccess: PointerStructAccess;
  /** writes through BTF pointers: the log line of the refusal, or null */
  readonly checkStructWrite: (rule: StructWriteRule, struct: StructType, off: number, size: number) => string | null;
  readonly iterTargets: ReadonlyMap<string, IterTarget>;
  readonly structOps: ReadonlyMap<string, StructOpsType>;
  /** facts about kernel symbols and hook sets that are not in BTF */
  readonly facts: KernelFacts;
  /** configuration of the kernel by full option name, as objects can ask for by `.kconfig` externs */
  readonly kconfig: ReadonlyMap<string, string>;
  /** whether this kernel is built with the option that an entry names (`config`); without: the call answers EINVAL */
  readonly isBuilt: (entry: { readonly config?: string }) => boolean;
}

/**
 * Sets the verifier consults by kernel function name; each is named after the set in the kernel's source. LSM hooks go by
 * the functions that programs attach to (`bpf_lsm_file_open`).
 */
export interface KernelFacts {
  readonly sleepableLsmHooks: ReadonlySet<string>;
  readonly untrustedLsmHooks: ReadonlySet<string>;
  readonly boolLsmHooks: ReadonlySet<string>;
  readonly disabledLsmHooks: ReadonlySet<string>;
  readonly currentLsmHooks: ReadonlySet<string>;
  /** ALLOW_ERROR_INJECTION functions */
  readonly errorInjection: ReadonlySet<string>;
  /** btf_id_deny, noreturn_deny and btf_non_sleepable_error_inject, by set name */
  readonly denied: ReadonlyMap<string, ReadonlySet<string>>;
  /** raw tracepoint arguments that may be NULL: tracepoint → four bits an argument, as in raw_tp_null_args */
  readonly rawTpNullArgs: ReadonlyMap<string, bigint>;
  /** BTF_TYPE_SAFE_* lists: suffix of the list (`__safe_rcu`) → struct → fields */
  readonly safeFields: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly rcuProtectedTypes: ReadonlySet<string>;
  /** structs with a destructor (dtor_kfuncs): struct → function */
  readonly destructors: ReadonlyMap<string, string>;
  /** symbols of /proc/kallsyms that are not functions; every other variable has no address there */
  readonly dataSymbols: ReadonlySet<string>;
  /** functions of the BTF that /proc/kallsyms has not */
  readonly functionsWithoutAddress: ReadonlySet<string>;
}
