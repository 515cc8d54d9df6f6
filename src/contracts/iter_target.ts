import type { IterRun } from './iteration.ts';
import type { RegTypeWords } from './type_words.ts';

/** One slot of an iterator program's context. Slot 0 is always the meta pointer. */
export interface IterContextArg {
  /** name in `struct bpf_iter__<target>` */
  readonly name: string;
  /** bytes from the start of the context, a multiple of 8 */
  readonly off: number;
  readonly reg: RegTypeWords;
  /** struct in the kernel's BTF, for PTR_TO_BTF_ID */
  readonly btfType?: string;
}

/** What BPF_LINK_CREATE is told about the objects to walk (union bpf_iter_link_info). */
export type IterAttach =
  | { readonly kind: 'none' }
  /** a map of one of these BPF_MAP_TYPE_* */
  | { readonly kind: 'map'; readonly mapTypes: readonly number[] }
  /** one task or thread group; all without */
  | { readonly kind: 'task' }
  /** a cgroup and the order of the walk; the whole hierarchy without */
  | { readonly kind: 'cgroup' };

/** A seq-file iterator target (struct bpf_iter_reg). Context slots are 8 bytes each; slot 0 is the meta pointer. */
export interface IterTarget {
  readonly name: string;
  /** attach function in the kernel's BTF: `bpf_iter_task` */
  readonly attachFunction: string;
  /** kernel option without which the target is not registered; absent: always there */
  readonly config?: string;
  /** ctx_arg_info: register types of context fields that differ from plain BTF arguments */
  readonly contextArgs: readonly IterContextArg[];
  readonly features: readonly 'BPF_ITER_RESCHED'[];
  readonly attach: IterAttach;
  /** walks it; absent: checked only */
  readonly run?: IterRun;
  /** file that registers the target */
  readonly source: string;
  readonly summary: string;
}
