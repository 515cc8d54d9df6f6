import { kindWord } from '../../btf/types.ts';
import { never } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { checkKfuncMemSizeReg, checkMemReg } from '../memory/helper_memory.ts';
import { unsignedNumber, withMessage } from '../memory/region.ts';
import { processTaskWork, processWorkqueue } from '../objects/timer.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { isConst } from '../scalar/scalar.ts';
import { isNullReg } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';
import { isMaybeNull, OBJ_RELEASE, PTR_TO_FUNC, PTR_TO_MAP_VALUE, SCALAR_VALUE } from '../state/reg_types.ts';
import { isRcuReg, isTrustedReg } from '../state/trust.ts';
import { ARG_DONTCARE } from './arg_types.ts';
import { checkConstString } from './const_string.ts';
import { type ArgKind, classifyArg } from './kfunc_classify.ts';
import {
  checkAllocatedArg,
  checkListNodeArg,
  checkRefcountedArg,
  checkRootArg,
  checkTreeNodeArg,
} from './kfunc_local_objects.ts';
import type { KfuncMeta } from './kfunc_meta.ts';
import {
  checkContextArg,
  checkDynptrParam,
  checkIrqFlagArg,
  checkIterParam,
  checkMapArg,
  checkResSpinLockArg,
  checkStructArg,
  noteMapArg,
} from './kfunc_objects.ts';
import { hasFlag, type KfuncParam } from './kfunc_shape.ts';
import { checkArgOffset } from './reg_match.ts';

/** Arguments of kfuncs. Source: check_kfunc_args, kernel/bpf/verifier.c. */

/** Arguments that travel in registers. */
const MAX_ARGS = 5;

const regAt = (env: Env, index: number): Reg => env.cur.top.regs[index + 1] as Reg;

/** The one argument whose value the call depends on. */
function noteConstant(env: Env, regno: number, meta: KfuncMeta): void {
  const { scalar } = env.cur.top.regs[regno] as Reg;
  if (meta.constant) env.reject('EFAULT', 'verifier bug: only one constant argument permitted');
  if (!isConst(scalar)) env.reject('EINVAL', `R${regno} must be a known constant`);
  meta.constant = { lo: scalar.valueLo, hi: scalar.valueHi };
}

function noteResultSize(env: Env, regno: number, meta: KfuncMeta): void {
  const { scalar } = env.cur.top.regs[regno] as Reg;
  if (meta.resultSize !== 0) {
    env.verbose('2 or more rdonly/rdwr_buf_size parameters for kfunc');
    env.refuse('EINVAL');
  }
  if (!isConst(scalar)) env.reject('EINVAL', `R${regno} is not a const`);
  meta.resultSize = unsignedNumber(scalar.valueLo, scalar.valueHi);
  markChainPrecision(env, regno);
}

function checkScalarArg(env: Env, index: number, param: KfuncParam, meta: KfuncMeta): void {
  const regno = index + 1;
  if (regAt(env, index).type !== SCALAR_VALUE) env.reject('EINVAL', `R${regno} is not a scalar`);
  if (param.isConstant) {
    noteConstant(env, regno, meta);
    markChainPrecision(env, regno);
  } else if (param.resultSize !== null) {
    if (param.resultSize === 'read-only') meta.resultReadOnly = true;
    noteResultSize(env, regno, meta);
  }
}

const takesTrusted = ({ shape }: KfuncMeta): boolean => hasFlag(shape, 'KF_TRUSTED_ARGS') || hasFlag(shape, 'KF_RELEASE');

/** Remembers the reference of an argument: the one that a releasing kfunc releases. */
function noteReference(env: Env, regno: number, reg: Reg, meta: KfuncMeta): void {
  if (reg.refObjId === 0) return;
  const releases = hasFlag(meta.shape, 'KF_RELEASE');
  if (releases && meta.refObjId !== 0)
    env.reject('EFAULT', `verifier bug: more than one arg with ref_obj_id R${regno} ${reg.refObjId} ${meta.refObjId}`);
  meta.refObjId = reg.refObjId;
  if (releases) meta.releaseRegno = regno;
}

/** An object that the kfunc relies on must be sure to exist. */
function checkTrust(env: Env, regno: number, reg: Reg, meta: KfuncMeta): void {
  const takesRcu = hasFlag(meta.shape, 'KF_RCU');
  if ((!takesTrusted(meta) && !takesRcu) || isTrustedReg(reg)) return;
  if (!takesRcu) env.reject('EINVAL', `R${regno} must be referenced or trusted`);
  if (!isRcuReg(reg)) env.reject('EINVAL', `R${regno} must be a rcu pointer`);
}

function checkMemArg(env: Env, index: number, param: KfuncParam): void {
  const { pointee } = param;
  const size = env.profile.btf.sizeOf(pointee.id);
  if (size === undefined)
    env.reject(
      'EINVAL',
      `arg#${index} reference type('${kindWord(pointee.kind)} ${pointee.name}') size cannot be determined: -22`,
    );
  checkMemReg(env, index + 1, size);
}

/** Memory, and its size in the next argument. */
function checkMemSizeArgs(env: Env, index: number, param: KfuncParam, meta: KfuncMeta): void {
  const message = `arg#${index} arg#${index + 1} memory, len pair leads to invalid memory access`;
  if (!isNullReg(regAt(env, index)) || !param.optional) withMessage(env, message, () => checkKfuncMemSizeReg(env, index + 2));
  if (meta.shape.params[index + 1]?.memSize === 'constant') noteConstant(env, index + 2, meta);
}

function checkMapValue(env: Env, index: number): void {
  if (regAt(env, index).type !== PTR_TO_MAP_VALUE) env.reject('EINVAL', `arg#${index} doesn't point to a map value`);
}

function checkByKind(env: Env, kind: ArgKind, index: number, param: KfuncParam, meta: KfuncMeta, insnIdx: number): void {
  switch (kind) {
    case 'null':
      return;
    case 'ctx':
      return checkContextArg(env, index, meta);
    case 'alloc':
      return checkAllocatedArg(env, index, meta);
    case 'refcounted-kptr':
      return checkRefcountedArg(env, index, meta);
    case 'dynptr':
      return checkDynptrParam(env, index, param, meta, insnIdx);
    case 'iter':
      return checkIterParam(env, index, param, meta, insnIdx);
    case 'list-head':
    case 'rb-root':
      return checkRootArg(env, index, kind, meta);
    case 'list-node':
      return checkListNodeArg(env, index, meta);
    case 'rb-node':
      return checkTreeNodeArg(env, index, meta);
    case 'map':
      return checkMapArg(env, index, meta);
    case 'btf-id':
      return checkStructArg(env, index, meta, param.pointee.id);
    case 'mem':
      return checkMemArg(env, index, param);
    case 'mem-size':
      return checkMemSizeArgs(env, index, param, meta);
    case 'callback': {
      const reg = regAt(env, index);
      if (reg.type !== PTR_TO_FUNC) env.reject('EINVAL', `arg${index} expected pointer to func`);
      meta.subprogno = reg.aux;
      return;
    }
    case 'const-str':
      if (regAt(env, index).type !== PTR_TO_MAP_VALUE) env.reject('EINVAL', `arg#${index} doesn't point to a const string`);
      return checkConstString(env, index + 1);
    case 'workqueue':
      checkMapValue(env, index);
      return processWorkqueue(env, index + 1, meta);
    case 'task-work':
      checkMapValue(env, index);
      return processTaskWork(env, index + 1, meta);
    case 'irq-flag':
      return checkIrqFlagArg(env, index, meta);
    case 'res-spin-lock':
      return checkResSpinLockArg(env, index, meta);
    default:
      never(kind, 'checkByKind');
  }
}

/** Checks a pointer argument; true when it takes the argument behind it as well. */
function checkPointerArg(env: Env, index: number, param: KfuncParam, meta: KfuncMeta, insnIdx: number): boolean {
  const regno = index + 1;
  const reg = regAt(env, index);
  const needsObject = takesTrusted(meta) || hasFlag(meta.shape, 'KF_RCU');
  if (needsObject && !param.nullable && (isNullReg(reg) || isMaybeNull(reg.type)))
    env.reject('EACCES', `Possibly NULL pointer passed to trusted arg${index}`);
  noteReference(env, regno, reg, meta);
  const kind = classifyArg(env, meta.shape, param, index);
  if (kind === 'null') return false;
  if (kind === 'map') noteMapArg(env, index, meta);
  if (kind === 'map' || kind === 'alloc' || kind === 'btf-id') checkTrust(env, regno, reg, meta);
  const isReleased = hasFlag(meta.shape, 'KF_RELEASE') && reg.refObjId !== 0;
  checkArgOffset(env, reg, regno, isReleased ? ARG_DONTCARE | OBJ_RELEASE : ARG_DONTCARE);
  checkByKind(env, kind, index, param, meta, insnIdx);
  return kind === 'mem-size';
}

function checkProgArg(env: Env, meta: KfuncMeta): void {
  if (meta.hasProgArg) env.reject('EFAULT', 'verifier bug: Only 1 prog->aux argument supported per-kfunc');
  meta.hasProgArg = true;
}

/** Checks R1 to R5 against the declaration and notes in `meta` what the rest of the call must know of them. */
export function checkKfuncArgs(env: Env, meta: KfuncMeta, insnIdx: number): void {
  const { params, desc } = meta.shape;
  if (params.length > MAX_ARGS) env.reject('EINVAL', `Function ${desc.name} has ${params.length} > ${MAX_ARGS} args`);
  for (let index = 0; index < params.length; index++) {
    const param = params[index] as KfuncParam;
    if (param.ignored) continue;
    if (param.isProg) checkProgArg(env, meta);
    else if (param.isScalar) checkScalarArg(env, index, param, meta);
    else if (param.type.kind !== 'PTR') env.reject('EINVAL', `Unrecognized arg#${index} type ${kindWord(param.type.kind)}`);
    else if (checkPointerArg(env, index, param, meta, insnIdx)) index++;
  }
  if (hasFlag(meta.shape, 'KF_RELEASE') && meta.releaseRegno === 0)
    env.reject('EINVAL', `release kernel function ${desc.name} expects refcounted PTR_TO_BTF_ID`);
}
