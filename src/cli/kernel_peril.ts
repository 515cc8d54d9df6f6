import type { Program } from '../program/program.ts';
import type { LoadedFacts } from '../verifier/verdict.ts';
import { exceptionCallback } from '../vm/exception_callback.ts';

/**
 * Why an accepted program must not be handed to a running Linux 6.18, which would fault while it loads it; null where nothing is
 * known against it.
 *
 * Functions that no path reaches are removed, and those behind them take lower numbers. Linux goes on to use the number that the
 * exception callback had before, which may lie beyond the last function. Source: adjust_subprog_starts_after_remove and the end of
 * jit_subprogs, kernel/bpf/verifier.c.
 */
export function kernelPeril(program: Program, { reached }: Pick<LoadedFacts, 'reached'>): string | null {
  const callback = exceptionCallback(program);
  if (callback === null) return null;
  const isMoved = program.funcInfo.some(({ insn }) => insn < callback && !reached.has(insn));
  return isMoved ? 'an exception callback behind a function that is never reached takes Linux 6.18 down' : null;
}
