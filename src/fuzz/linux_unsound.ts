import type { Program } from '../program/program.ts';
import type { RunFinding } from './oracle/run.ts';

/** A program that Linux 6.18 accepts although a run of it goes wrong. The verdict is Linux's; the run's fault is no finding of ours. */
export interface UnsoundRule {
  readonly rule: string;
  /** where the kernel errs */
  readonly source: string;
  readonly explains: (program: Program, finding: RunFinding) => boolean;
}

const BPF_PSEUDO_KFUNC_CALL = 2;

export const UNSOUND_RULES: readonly UnsoundRule[] = [
  {
    rule: 'an iterator or interrupt flag at the frame pointer itself is taken for the one in the slot below it',
    source: '__get_spi divides -1 by 8 towards zero (stack_slot_obj_get_spi, kernel/bpf/verifier.c)',
    explains: (program, { insn, message }) =>
      insn !== null &&
      program.insns[insn]?.code === 0x85 &&
      program.insns[insn]?.src === BPF_PSEUDO_KFUNC_CALL &&
      /0 bytes past the top of a stack frame/.test(message),
  },
  {
    rule: 'precision is not followed through an atomic that fetches from the stack, so that a path is covered wrongly',
    source: 'the BPF_STX arm of backtrack_insn, kernel/bpf/verifier.c, knows stores alone',
    explains: (_program, { behindFetch }) => behindFetch === true,
  },
  {
    rule: 'a constant NULL is taken for an argument that is declared never to be NULL',
    source: 'check_mem_reg lets NULL pass, and btf_check_func_arg_match looks for PTR_MAYBE_NULL alone (kernel/bpf/verifier.c)',
    explains: (program, { message }) =>
      /^(r[1-5] is 0x0, not mem\(|null: )/.test(message) &&
      program.funcInfo.some(({ typeId }) => program.btf?.declTags(typeId).some(({ name }) => name === 'arg:nonnull')),
  },
];

/** The rule of Linux that explains a finding about a run; null where there is none. */
export const unsoundRuleOf = (program: Program, finding: RunFinding): string | null =>
  UNSOUND_RULES.find(({ explains }) => explains(program, finding))?.rule ?? null;
