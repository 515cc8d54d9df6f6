import type { CallbackSpec, Helper } from './helper.ts';
import type { IterTarget } from './iter_target.ts';
import type { Kfunc } from './kfunc.ts';

/**
 * One state of an entry in its history: as it was proposed on the mailing list (`v3`), as it was merged (`6.1`), as it was
 * rewritten (`2026`). A revision replaces entries of the same name and adds those that the kernel does not have.
 */
export interface Revision {
  readonly name: string;
  /** one line for `explain` and `compare` */
  readonly summary: string;
  readonly helpers?: readonly Helper[];
  readonly kfuncs?: readonly Kfunc[];
  readonly iterTargets?: readonly IterTarget[];
  /** C declarations that join the kernel's BTF; structs and functions take the place of those of the same name. Texts are shared */
  readonly declarations?: readonly string[];
  /** kernel variables whose addresses programs may ask for */
  readonly dataAddresses?: ReadonlyMap<string, bigint>;
  /** what becomes of every callback of a helper or kfunc */
  readonly callbacks?: (spec: CallbackSpec) => CallbackSpec;
  /** why a program that is accepted under this revision may still do harm */
  readonly unsound?: string;
}

export interface RevisedEntry {
  /** as `--with NAME=REVISION` names it */
  readonly name: string;
  /** what the base kernel has; null: nothing of the kind */
  readonly base: string | null;
  /** oldest first */
  readonly revisions: readonly Revision[];
}
