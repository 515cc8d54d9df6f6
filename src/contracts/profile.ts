import type { Btf } from '../btf/btf.ts';
import type { Helper, SelectProto } from './helper.ts';
import type { IterTarget } from './iter_target.ts';
import type { Kfunc } from './kfunc.ts';
import type { MapType } from './map_type.ts';
import type { ProgType } from './prog_type.ts';
import type { Subject } from './subject.ts';

/** A named kernel: which entries exist, in which revision, over which BTF. */
export interface Profile {
  readonly name: string;
  readonly version: readonly [major: number, minor: number, patch: number];
  /** the kernel's own BTF */
  readonly btf: Btf;
  /** by id; index 0 is empty */
  readonly helpers: readonly (Helper | undefined)[];
  readonly selectProto: SelectProto;
  readonly kfuncs: ReadonlyMap<string, Kfunc>;
  /** whether a registered kfunc may be called by this program (kfunc set registration plus filters) */
  readonly kfuncAllowed: (kfunc: Kfunc, subject: Subject) => boolean;
  readonly mapTypes: ReadonlyMap<number, MapType>;
  readonly progTypes: ReadonlyMap<number, ProgType>;
  readonly iterTargets: ReadonlyMap<string, IterTarget>;
  /** facts about kernel symbols and hook sets that are not in BTF */
  readonly facts: KernelFacts;
  /** host configuration that objects can ask for by `.kconfig` externs */
  readonly kconfig: ReadonlyMap<string, string>;
}

/** Sets the verifier consults by kernel function name; each is named after the set in the kernel's source. */
export interface KernelFacts {
  readonly sleepableLsmHooks: ReadonlySet<string>;
  readonly untrustedLsmHooks: ReadonlySet<string>;
  readonly boolLsmHooks: ReadonlySet<string>;
  readonly disabledLsmHooks: ReadonlySet<string>;
  /** ALLOW_ERROR_INJECTION functions */
  readonly errorInjection: ReadonlySet<string>;
  /** btf_id_deny, noreturn_deny and kin, by set name */
  readonly denied: ReadonlyMap<string, ReadonlySet<string>>;
  /** raw tracepoint arguments that may be NULL: tracepoint → bit masks as in raw_tp_null_args */
  readonly rawTpNullArgs: ReadonlyMap<string, bigint>;
  /** BTF_TYPE_SAFE_* lists: list name → struct → fields */
  readonly safeFields: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly rcuProtectedTypes: ReadonlySet<string>;
  /** structs with a destructor (dtor_kfuncs): struct → kfunc */
  readonly destructors: ReadonlyMap<string, string>;
}
