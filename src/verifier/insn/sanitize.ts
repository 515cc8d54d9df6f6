import { BPF_X, opOf, sourceOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { tnumText } from '../log/scalar_text.ts';
import { mayAccessMap } from '../memory/map_value.ts';
import { pushStack } from '../paths.ts';
import { ADD } from '../scalar/opcodes.ts';
import { forgetLowBounds } from '../scalar/pointer_offset.ts';
import { isConst, type Scalar } from '../scalar/scalar.ts';
import { markRegUnknown } from '../state/access.ts';
import { mapOf, type Reg } from '../state/reg.ts';
import { PTR_TO_MAP_VALUE, PTR_TO_STACK } from '../state/reg_types.ts';

/**
 * Rules against speculative out-of-bounds accesses (Spectre v1), for loaders without CAP_PERFMON. What the kernel would mask at run
 * time must be the same on every path, and a mispredicted pointer is followed as a path of its own.
 * Source: sanitize_ptr_alu and around it, kernel/bpf/verifier.c.
 */

const MAX_BPF_STACK = 512;

const ALU_SANITIZE_SRC = 1;
const ALU_SANITIZE_DST = 2;
const ALU_NEG_VALUE = 4;
const ALU_NON_POINTER = 8;
const ALU_IMMEDIATE = 16;

type Reason = 'bounds' | 'type' | 'paths' | 'limit';

/** What is decided before the operation and compared after it (struct bpf_sanitize_info). */
export interface SanitizeWindow {
  readonly state: number;
  readonly limit: number;
  readonly maskToLeft: boolean;
}

const canSkip = (env: Env, insn: Insn): boolean =>
  env.bypassSpecV1 || sourceOf(insn.code) !== BPF_X || env.facts.nospec[env.insnIdx] !== 0;

const PROHIBITED = 'pointer arithmetic with it prohibited for !root';

function refuse(env: Env, insn: Insn, reason: Reason, reversed: boolean): never {
  const { dst, src } = insn;
  const verb = opOf(insn.code) === ADD ? 'add' : 'sub';
  switch (reason) {
    case 'bounds':
      return env.reject('EACCES', `R${reversed ? dst : src} has unknown scalar with mixed signed bounds, ${PROHIBITED}`);
    case 'type':
      return env.reject('EACCES', `R${reversed ? src : dst} has pointer with unsupported alu operation, ${PROHIBITED}`);
    case 'paths':
      return env.reject('EACCES', `R${dst} tried to ${verb} from different maps, paths or scalars, ${PROHIBITED}`);
    case 'limit':
      return env.reject('EACCES', `R${dst} tried to ${verb} beyond pointer bounds, ${PROHIBITED}`);
  }
}

/** The mask of an instruction must be the same on all paths (update_alu_sanitation_state). */
function remember(env: Env, insn: Insn, state: number, limit: number, reversed: boolean): void {
  const { aluState, aluLimit } = env.facts;
  const index = env.insnIdx;
  if (aluState[index] !== 0 && (aluState[index] !== state || aluLimit[index] !== limit)) refuse(env, insn, 'paths', reversed);
  aluState[index] = state;
  aluLimit[index] = limit;
}

/** Arithmetic of numbers at an instruction that was pointer arithmetic on another path. */
export function sanitizeValue(env: Env, insn: Insn): void {
  if (!canSkip(env, insn)) remember(env, insn, ALU_NON_POINTER, 0, false);
}

/** Bytes by which the pointer may move before it leaves its object (retrieve_ptr_limit). */
function pointerLimit(env: Env, insn: Insn, pointer: Reg, maskToLeft: boolean, reversed: boolean): number {
  let max: number;
  let limit: number;
  if (pointer.type === PTR_TO_STACK) {
    max = MAX_BPF_STACK + (maskToLeft ? 1 : 0);
    limit = -(pointer.scalar.valueLo + pointer.off) >>> 0;
  } else if (pointer.type === PTR_TO_MAP_VALUE) {
    max = mapOf(pointer).def.valueSize;
    limit = ((maskToLeft ? pointer.scalar.sminLo : pointer.scalar.umaxLo) + pointer.off) >>> 0;
  } else return refuse(env, insn, 'type', reversed);
  if (limit >= max) refuse(env, insn, 'limit', reversed);
  return limit;
}

/** Before the operation. Null when nothing has to be compared afterwards. */
export function sanitizePointer(env: Env, insn: Insn, pointer: Reg, off: Scalar, reversed: boolean): SanitizeWindow | null {
  if (canSkip(env, insn)) return null;
  const isImmediate = isConst(off);
  const isNegative = off.sminHi < 0;
  if (env.cur.speculative) {
    if (!isImmediate) simulate(env, insn, pointer, reversed);
    return { state: 0, limit: 0, maskToLeft: false };
  }
  if (!isImmediate && isNegative !== off.smaxHi < 0) refuse(env, insn, 'bounds', reversed);
  const maskToLeft = (opOf(insn.code) === ADD) === isNegative;
  const limit = pointerLimit(env, insn, pointer, maskToLeft, reversed);
  const state =
    (isNegative ? ALU_NEG_VALUE : 0) | (isImmediate ? ALU_IMMEDIATE : 0) | (reversed ? ALU_SANITIZE_DST : ALU_SANITIZE_SRC);
  if (!isImmediate) {
    env.exploreAluLimits = true;
    simulate(env, insn, pointer, reversed);
  }
  return { state, limit, maskToLeft };
}

/** After the operation: the distance between the two limits is what the mask allows. */
export function sanitizePointerResult(
  env: Env,
  insn: Insn,
  result: Reg,
  _off: Scalar,
  window: SanitizeWindow,
  reversed: boolean,
): void {
  if (canSkip(env, insn) || env.cur.speculative) return;
  const limit = pointerLimit(env, insn, result, window.maskToLeft, reversed);
  remember(env, insn, window.state, Math.abs(window.limit - limit) | 0, reversed);
}

/**
 * Follows the path on which the masked number is 0, so the register holds the pointer as it was. The kernel has forgotten the
 * 32-bit bounds of a pointer in its own register by then.
 */
function simulate(env: Env, insn: Insn, pointer: Reg, reversed: boolean): void {
  const branch = pushStack(env, env.insnIdx + 1, env.insnIdx, true);
  if (reversed) return branch.writableTop().setReg(insn.dst, pointer);
  const unmoved = pointer.clone();
  unmoved.scalar = forgetLowBounds(pointer.scalar);
  branch.writableTop().setReg(insn.dst, unmoved);
}

/** Follows the side of a decided branch that a processor may mispredict; its operands are anything there. */
export function pushSpeculativePath(env: Env, insn: Insn, insnIdx: number, prevInsnIdx: number): void {
  const branch = pushStack(env, insnIdx, prevInsnIdx, true);
  markRegUnknown(env, branch.writableTop(), insn.dst);
  if (sourceOf(insn.code) === BPF_X) markRegUnknown(env, branch.writableTop(), insn.src);
}

/** The result must stay inside its object, or masking could not keep it there (sanitize_check_bounds). */
export function checkSanitizedBounds(env: Env, insn: Insn, result: Reg): void {
  if (env.bypassSpecV1) return;
  const { dst } = insn;
  if (result.type === PTR_TO_STACK) {
    const off = result.off + result.scalar.valueLo;
    if (!isConst(result.scalar))
      env.reject('EACCES', `R${dst} variable stack access prohibited for !root, var_off=${tnumText(result.scalar)} off=${off}`);
    if (off >= 0 || off < -MAX_BPF_STACK)
      env.reject('EACCES', `R${dst} stack pointer arithmetic goes out of range, prohibited for !root; off=${off}`);
  } else if (result.type === PTR_TO_MAP_VALUE) {
    if (!mayAccessMap(env, dst, result.off, 1, 'helper'))
      env.reject('EACCES', `R${dst} pointer arithmetic of map value goes out of range, prohibited for !root`);
  }
}
