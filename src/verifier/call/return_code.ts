import { Bug } from '../../contracts/errors.ts';
import type { ReturnRange, ReturnRule } from '../../contracts/prog_type.ts';
import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import { checkPtrOffReg } from '../memory/region.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { checkReadable } from '../state/access.ts';
import { btfOf, type Reg } from '../state/reg.ts';
import { baseOf, PTR_TO_BTF_ID, SCALAR_VALUE } from '../state/reg_types.ts';
import { isPointerValue } from '../state/trust.ts';
import { invalidScalarText, isInReturnRange } from './return_range.ts';

/** What programs, asynchronous callbacks and global functions return. Source: check_return_code, kernel/bpf/verifier.c. */

const MAX_ERRNO = 4095;
const ZERO_OR_ONE: ReturnRange = { min: 0, max: 1 };
const BPF_PROG_TYPE_EXT = 28;

const ruleOf = (env: Env): ReturnRange | ReturnRule | null => env.progType.returnRange(env.subject);

/** Type id of what the attach target returns, 0 for void. */
function targetReturn(env: Env): number {
  const target = env.attachProto;
  const proto = target?.btf.typeOf(target.protoId, 'FUNC_PROTO');
  if (!proto) throw new Bug('program without the prototype of its attach target');
  return proto.ret;
}

/** The register holds an owned object of the type that the member of a table of functions returns. */
function returnsOwnedObject(env: Env, reg: Reg): boolean {
  if (reg.refObjId === 0 || baseOf(reg.type) !== PTR_TO_BTF_ID) return false;
  const wanted = env.attachProto?.btf.resolvePtr(targetReturn(env));
  return wanted !== undefined && btfOf(reg).type(reg.aux) === wanted;
}

/** The LSM hook returns a truth value, not an error number. */
function isBoolHook(env: Env): boolean {
  const { boolLsmHooks } = env.profile.facts;
  const { attachName } = env.subject;
  return attachName !== null && (boolLsmHooks.has(attachName) || boolLsmHooks.has(`bpf_lsm_${attachName}`));
}

/** Values that the main program may return; null for any (`inException`: it ends through its exception callback). */
function mainRange(env: Env, rule: ReturnRange | ReturnRule | null, inException: boolean): ReturnRange | null {
  if (rule === null || typeof rule === 'object') return rule;
  switch (rule) {
    case 'unsupported':
      return env.refuse('ENOTSUPP');
    case 'lsm':
      if (env.program.type === BPF_PROG_TYPE_EXT) return null;
      return { ...(isBoolHook(env) ? ZERO_OR_ONE : { min: -MAX_ERRNO, max: 0 }), is32: true };
    case 'lsm-cgroup':
      return targetReturn(env) === 0 ? { min: 1, max: 1 } : ZERO_OR_ONE;
    case 'struct-ops':
      return inException || !env.attachProto?.btf.resolvePtr(targetReturn(env)) ? null : { min: 0, max: 0 };
  }
}

/** Refuses what the current function returns to the kernel in register `regno`, which the log calls `regName`. */
export function checkReturnCode(env: Env, regno: number, regName: string): void {
  const frame = env.cur.frame(0);
  const isSubprog = frame.subprogno !== 0;
  const endsProgram = !isSubprog || frame.inExceptionCallback;
  const rule = ruleOf(env);
  if (endsProgram && (rule === 'lsm' || rule === 'struct-ops')) {
    if (targetReturn(env) === 0) return;
    const reg = env.cur.top.regs[regno] as Reg;
    if (rule === 'struct-ops' && !frame.inExceptionCallback && returnsOwnedObject(env, reg)) {
      checkPtrOffReg(env, reg, regno, false);
      return;
    }
  }
  checkReadable(env, regno);
  if (isPointerValue(env, regno)) env.reject('EACCES', `R${regno} leaks addr as return value`);
  if (frame.inAsyncCallback) {
    const range = { min: frame.callbackReturnMin, max: frame.callbackReturnMax };
    checkRange(env, regno, regName, range, 'At async callback return');
    return;
  }
  const { type } = env.cur.top.regs[regno] as Reg;
  if (!endsProgram) {
    if (type === SCALAR_VALUE) return;
    env.reject('EINVAL', `At subprogram exit the register R${regno} is not a scalar value (${regTypeText(type)})`);
  }
  const range = mainRange(env, rule, frame.inExceptionCallback);
  if (range) checkRange(env, regno, regName, range, 'At program exit');
}

function checkRange(env: Env, regno: number, regName: string, range: ReturnRange, context: string): void {
  const { type } = env.cur.top.regs[regno] as Reg;
  if (type !== SCALAR_VALUE)
    env.reject('EINVAL', `${context} the register R${regno} is not a known value (${regTypeText(type)})`);
  markChainPrecision(env, regno);
  const { scalar } = env.cur.top.regs[regno] as Reg;
  if (isInReturnRange(range, scalar)) return;
  const text = invalidScalarText(scalar, range, context, regName);
  const isVoidHook = env.cur.frame(0).subprogno === 0 && ruleOf(env) === 'lsm-cgroup' && targetReturn(env) === 0;
  const note = "\nNote, BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!";
  env.reject('EINVAL', isVoidHook ? text + note : text);
}
