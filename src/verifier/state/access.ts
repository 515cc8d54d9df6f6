import type { Env } from '../env.ts';
import { isZero, type Scalar } from '../scalar/scalar.ts';
import type { Frame } from './frame.ts';
import { NOT_INIT_REG, type Reg, UNKNOWN_REG, ZERO_REG } from './reg.ts';
import { NOT_INIT, SCALAR_VALUE } from './reg_types.ts';

/**
 * Reading and writing whole registers of a frame. A fresh scalar is imprecise for a loader with CAP_BPF and precise for
 * everybody else (`reg->precise = !env->bpf_capable`); that rule lives here alone.
 */

export const MAX_REG = 11;
export const FRAME_POINTER = 10;
/** r0 to r5 do not survive a call */
export const CALLER_SAVED = 6;

/** Puts a fresh value. */
export const setRegTo = (env: Env, frame: Frame, regno: number, reg: Reg): void => {
  if (env.bpfCapable) frame.setReg(regno, reg);
  else frame.setRegPrecise(regno, reg, true);
};

/** Copies a value with its precision mark, as copy_register_state does. */
export const copyRegTo = (frame: Frame, regno: number, reg: Reg, precise: boolean): void => {
  frame.setRegPrecise(regno, reg, precise);
};

/** mark_reg_unknown: any scalar */
export const markRegUnknown = (env: Env, frame: Frame, regno: number): void => setRegTo(env, frame, regno, UNKNOWN_REG);

/** mark_reg_known_zero for a scalar */
export const markRegKnownZero = (env: Env, frame: Frame, regno: number): void => setRegTo(env, frame, regno, ZERO_REG);

/** mark_reg_not_init: not readable */
export const markRegNotInit = (frame: Frame, regno: number): void => frame.setReg(regno, NOT_INIT_REG);

/** A refined scalar in the place of the old one; everything else of the register stays. */
export const withScalar = (reg: Reg, scalar: Scalar): Reg => {
  if (reg.scalar === scalar) return reg;
  const copy = reg.clone();
  copy.scalar = scalar;
  return copy;
};

/** r0 to r5 become unreadable (clear_caller_saved_regs). */
export const clearCallerSavedRegs = (env: Env, frame: Frame): void => {
  for (let regno = 0; regno < CALLER_SAVED; regno++) {
    markRegNotInit(frame, regno);
    env.scratchReg(regno);
  }
};

/** register_is_null: a scalar known to be 0 */
export const isNullReg = (reg: Reg): boolean => reg.type === SCALAR_VALUE && isZero(reg.scalar);

/** Refuses to read a register that was never written (check_reg_arg with SRC_OP). */
export const checkReadable = (env: Env, regno: number): void => checkReadableIn(env, env.cur.top, regno);

/** As `checkReadable`, for the registers of a given frame. */
export const checkReadableIn = (env: Env, frame: Frame, regno: number): void => {
  if (regno >= MAX_REG) env.reject('EINVAL', `R${regno} is invalid`);
  env.scratchReg(regno);
  if ((frame.regs[regno] as Reg).type === NOT_INIT) env.reject('EACCES', `R${regno} !read_ok`);
};

/** Refuses to write the frame pointer (check_reg_arg with DST_OP_NO_MARK). */
export const checkWritable = (env: Env, regno: number): void => {
  if (regno >= MAX_REG) env.reject('EINVAL', `R${regno} is invalid`);
  env.scratchReg(regno);
  if (regno === FRAME_POINTER) env.reject('EACCES', 'frame pointer is read only');
};

/** check_reg_arg with DST_OP: writable, and unknown from now on */
export const checkOverwritten = (env: Env, regno: number): void => {
  checkWritable(env, regno);
  markRegUnknown(env, env.cur.writableTop(), regno);
};
