import type { Env } from '../env.ts';
import { checkBounds } from '../insn/bounds_check.ts';
import { verboseLineInfo } from '../log/insn_lines.ts';
import { findReference } from '../objects/references.ts';
import { lsmReturnRange } from '../program/lsm_hooks.ts';
import { UNKNOWN } from '../scalar/scalar.ts';
import { sync } from '../scalar/sync.ts';
import { markRegUnknown, setRegTo } from '../state/access.ts';
import { pointerReg, type Reg, type RegObject, scalarReg } from '../state/reg.ts';
import { baseOf, isMaybeNull, PTR_TO_BTF_ID, regTypeOf, SCALAR_VALUE } from '../state/reg_types.ts';
import { isPointerValue } from '../state/trust.ts';
import { btfContextAccess } from './btf_context.ts';
import { checkPtrOffReg } from './region.ts';

/** Loads from and stores to the context. Source: check_ctx_access and the PTR_TO_CTX arm of check_mem_access. */

/** What a permitted access yields (struct bpf_insn_access_aux). */
export interface ContextField {
  readonly regType: number;
  readonly obj: RegObject | null;
  readonly btfId: number;
  readonly refObjId: number;
  readonly isReturnValue: boolean;
}

export const SCALAR_FIELD: ContextField = {
  regType: SCALAR_VALUE,
  obj: null,
  btfId: 0,
  refObjId: 0,
  isReturnValue: false,
};

function fieldAt(env: Env, off: number, size: number, write: boolean, signExtend: boolean): ContextField | null {
  const answer = env.progType.access({ off, size, write, signExtend }, env.subject);
  if (!answer) return null;
  if (env.progType.contextKind === 'btf-args') return btfContextAccess(env, off, size);
  const regType = regTypeOf(answer.reg);
  const isReturnValue = answer.isReturnValue ?? false;
  if (baseOf(regType) !== PTR_TO_BTF_ID) return { ...SCALAR_FIELD, regType, isReturnValue };
  const { btf } = env.profile;
  const type = answer.btfType === undefined ? undefined : btf.findByName(answer.btfType, 'STRUCT');
  return { regType, obj: btf, btfId: type?.id ?? 0, refObjId: 0, isReturnValue };
}

/** The return value of the attached hook, as far as the hook bounds it. */
function putReturnValue(env: Env, regno: number): void {
  const range = env.progType.returnRange(env.subject) === 'lsm' ? lsmReturnRange(env) : null;
  if (range === null) {
    markRegUnknown(env, env.cur.writableTop(), regno);
    return;
  }
  // the kernel narrows whatever the register held before, not an unknown number
  const before = env.cur.top.regs[regno] as Reg;
  const scalar = (before.type === SCALAR_VALUE ? before.scalar : UNKNOWN).clone();
  scalar.s32min = Math.max(scalar.s32min, range.min);
  scalar.s32max = Math.min(scalar.s32max, range.max);
  if (scalar.sminHi < range.min >> 31 || (scalar.sminHi === range.min >> 31 && scalar.sminLo >>> 0 < range.min >>> 0)) {
    scalar.sminLo = range.min;
    scalar.sminHi = range.min >> 31;
  }
  if (scalar.smaxHi > range.max >> 31 || (scalar.smaxHi === range.max >> 31 && scalar.smaxLo >>> 0 > range.max >>> 0)) {
    scalar.smaxLo = range.max;
    scalar.smaxHi = range.max >> 31;
  }
  setRegTo(env, env.cur.writableTop(), regno, scalarReg(checkBounds(env, sync(scalar), 's32_range')));
}

function putField(env: Env, regno: number, field: ContextField): void {
  if (field.regType === SCALAR_VALUE) {
    if (field.isReturnValue) putReturnValue(env, regno);
    else markRegUnknown(env, env.cur.writableTop(), regno);
    return;
  }
  const reg = pointerReg(field.regType, field.obj, field.btfId);
  if (isMaybeNull(field.regType)) reg.id = env.newId();
  if (baseOf(field.regType) === PTR_TO_BTF_ID) reg.refObjId = field.refObjId;
  setRegTo(env, env.cur.writableTop(), regno, reg);
}

/** A load or store through a context pointer; `off` includes the fixed offset of the pointer. */
export function checkContextAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
  insnIdx: number,
  signExtend: boolean,
): void {
  if (write && valueRegno >= 0 && isPointerValue(env, valueRegno)) env.reject('EACCES', `R${valueRegno} leaks addr into ctx`);
  checkPtrOffReg(env, env.cur.top.regs[regno] as Reg, regno, false);
  const field = fieldAt(env, off, size, write, signExtend);
  if (!field || !isStillHeld(env, field, off)) {
    if (!field) env.verbose(`invalid bpf_context access off=${off} size=${size}\n`);
    verboseLineInfo(env, insnIdx, '; ');
    env.refuse('EACCES');
  }
  env.maxContextAccess = Math.max(env.maxContextAccess, off + size);
  if (!write && valueRegno >= 0) putField(env, valueRegno, field as ContextField);
}

/** An argument that came with a reference is gone once the program released it. */
function isStillHeld(env: Env, field: ContextField, off: number): boolean {
  if (baseOf(field.regType) !== PTR_TO_BTF_ID || field.refObjId === 0 || findReference(env.cur, field.refObjId)) return true;
  env.verbose(`invalid bpf_context access off=${off}. Reference may already be released\n`);
  return false;
}
