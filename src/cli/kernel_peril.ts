import type { Profile } from '../contracts/profile.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';
import type { Program } from '../program/program.ts';
import type { Observer } from '../verifier/observer.ts';
import { isZero } from '../verifier/scalar/scalar.ts';
import { baseOf, isMaybeNull, NOT_INIT, PTR_TO_BTF_ID, SCALAR_VALUE } from '../verifier/state/reg_types.ts';
import type { LoadedFacts } from '../verifier/verdict.ts';
import { verify } from '../verifier/verify.ts';
import { exceptionCallback } from '../vm/exception_callback.ts';

const EXIT = 0x95;
const HARMLESS: ReadonlySet<number> = new Set([NOT_INIT, SCALAR_VALUE, PTR_TO_BTF_ID]);

/**
 * Functions that no path reaches are removed, and those behind them take lower numbers; the exception callback is looked up by its
 * old one. Source: adjust_subprog_starts_after_remove and the end of jit_subprogs, kernel/bpf/verifier.c.
 */
function losesExceptionCallback(program: Program, loaded: Pick<LoadedFacts, 'reached'> | undefined): boolean {
  const callback = loaded === undefined ? null : exceptionCallback(program);
  return callback !== null && program.funcInfo.some(({ insn }) => insn < callback && !loaded!.reached.has(insn));
}

/**
 * Of a register that a struct_ops program returns, the size of its memory or its map is read as if it were a pointer to BTF. A
 * pointer that turned out to be NULL is a number then, and still has them. Source: the struct_ops arm of check_return_code and
 * mark_ptr_or_null_reg, kernel/bpf/verifier.c.
 */
function returnsPointer(program: Program, profile: Profile): boolean {
  if (program.type !== PROG_TYPES.struct_ops) return false;
  let holdsNullable = false;
  let returnsZero = false;
  let found = false;
  const observer: Observer = {
    arrive: ({ curframe, top }, at) => {
      holdsNullable ||= top.regs.some(({ type }) => isMaybeNull(type) && baseOf(type) !== PTR_TO_BTF_ID);
      if (curframe > 0 || program.insns[at]?.code !== EXIT) return;
      const { type, scalar } = top.regs[0]!;
      found ||= !HARMLESS.has(baseOf(type));
      returnsZero ||= type === SCALAR_VALUE && isZero(scalar);
    },
    covered: () => {},
  };
  verify(program, profile, { observer });
  return found || (holdsNullable && returnsZero);
}

/**
 * Why a program must not be handed to a running Linux 6.18, which would fault while it loads it; null where nothing is known against
 * it. `loaded` is what our verdict says of the program if it is accepted.
 */
export function kernelPeril(program: Program, profile: Profile, loaded: Pick<LoadedFacts, 'reached'> | undefined): string | null {
  if (losesExceptionCallback(program, loaded)) {
    return 'an exception callback behind a function that is never reached takes Linux 6.18 down';
  }
  return returnsPointer(program, profile) ? 'a struct_ops program that returns a pointer takes Linux 6.18 down' : null;
}
