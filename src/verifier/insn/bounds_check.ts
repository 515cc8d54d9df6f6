import { Reject } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import type { Scalar } from '../scalar/scalar.ts';
import { boundsViolation, violationText, withoutBounds } from '../scalar/sync.ts';
import { withScalar } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';

/**
 * Contradictory bounds are a verifier bug on the kernel's side, too: it says so, forgets the bounds and goes on, or refuses
 * the program when BPF_F_TEST_REG_INVARIANTS asks for that (reg_bounds_sanity_check).
 */
export function checkBounds(env: Env, scalar: Scalar, where: string): Scalar {
  const violation = boundsViolation(scalar);
  if (violation === undefined) return scalar;
  env.verbose(`verifier bug: ${violationText(where, violation, scalar)}\n`);
  if (env.flags.testRegInvariants) throw new Reject('EFAULT', '', env.insnIdx);
  return withoutBounds(scalar);
}

/** The same for a register of the current frame. */
export function checkRegBounds(env: Env, regno: number, where: string): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const checked = checkBounds(env, reg.scalar, where);
  if (checked !== reg.scalar) env.cur.writableTop().refineReg(regno, withScalar(reg, checked));
}
