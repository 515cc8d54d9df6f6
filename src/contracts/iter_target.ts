import type { RegTypeWords } from './type_words.ts';

/** A seq-file iterator target (bpf_iter_reg). Context slots are 8 bytes each; slot 0 is the meta pointer. */
export interface IterTarget {
  readonly name: string;
  /** attach function in the kernel's BTF: `bpf_iter_task` */
  readonly attachFunction: string;
  /** register types of context fields that differ from plain BTF pointers: offset in bytes → type */
  readonly contextArgs: readonly { readonly off: number; readonly reg: RegTypeWords; readonly btfType?: string }[];
  readonly features: readonly string[];
  readonly summary: string;
}
