import { kernelContextId } from '../../btf/register_structs.ts';
import { kindWord } from '../../btf/types.ts';
import { isNocastAlias, structIdsMatch } from '../../btf/walk.ts';
import { ATTACH_TYPES } from '../../contracts/attach_types.ts';
import { Bug, Unmodelled } from '../../contracts/errors.ts';
import { PROG_TYPES } from '../../contracts/uapi_numbers.ts';
import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import { checkDynptrArg, DYNPTR_INVALID, dynptrOf, dynptrTypeFlag, isRefcountedDynptr } from '../objects/dynptr.ts';
import { IRQ_LOCK, IRQ_NATIVE, restoreIrqFlag, saveIrqFlag } from '../objects/irq_flag.ts';
import { processIterArg } from '../objects/iterator.ts';
import { processSpinLock } from '../objects/lock.ts';
import { isSleepable } from '../objects/rcu.ts';
import { btfOf, type Reg } from '../state/reg.ts';
import {
  baseOf,
  CONST_PTR_TO_DYNPTR,
  CONST_PTR_TO_MAP,
  DYNPTR_TYPE_SKB,
  DYNPTR_TYPE_SKB_META,
  DYNPTR_TYPE_XDP,
  flagsOf,
  MEM_ALLOC,
  MEM_RDONLY,
  MEM_UNINIT,
  PTR_TO_BTF_ID,
  PTR_TO_CTX,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_STACK,
  TRUSTED_MODIFIERS,
} from '../state/reg_types.ts';
import { hasUnsafeModifiers, isRcuReg, standsForStruct } from '../state/trust.ts';
import { ARG_PTR_TO_DYNPTR } from './arg_types.ts';
import { PROJECTIONS } from './context_arg.ts';
import { structOfBase } from './kfunc_classify.ts';
import type { KfuncMeta } from './kfunc_meta.ts';
import { hasFlag, hasRole, type KfuncParam } from './kfunc_shape.ts';

/** Arguments of kfuncs that are objects: kernel structs, maps, dynptrs, iterators. Source: check_kfunc_args, kernel/bpf/verifier.c. */

const regAt = (env: Env, index: number): Reg => env.cur.top.regs[index + 1] as Reg;

/** The context; a cast of it gives the kernel's own. */
export function checkContextArg(env: Env, index: number, meta: KfuncMeta): void {
  const { type } = regAt(env, index);
  if (type !== PTR_TO_CTX) env.reject('EINVAL', `arg#${index} expected pointer to ctx, but got ${regTypeText(type)}`);
  if (!hasRole(meta.shape, 'cast_to_kern_ctx')) return;
  const { btf, progTypes } = env.profile;
  const id = kernelContextId(btf, progTypes.get(env.subject.type)?.kernelName ?? '');
  if (id === undefined) throw new Unmodelled('context of the program type', String(env.subject.type));
  const { kind } = btf.type(id);
  if (kind !== 'STRUCT' && kind !== 'UNION') env.reject('EINVAL', `kern ctx type id ${id} is not a struct`);
  meta.resultBtfId = id;
}

const isMapPointer = (base: number): boolean => base === CONST_PTR_TO_MAP || base === PTR_TO_MAP_VALUE || base === PTR_TO_MAP_KEY;

/**
 * A map, which must be the one that holds the work that an argument before it pointed to: maps inside of maps are told apart by
 * the lookup that found them.
 */
export function noteMapArg(env: Env, index: number, meta: KfuncMeta): void {
  const reg = regAt(env, index);
  // whatever stands in the kernel's register where a map would
  if (reg.obj === null && (reg.aux | reg.aux2) === 0) env.reject('EINVAL', `pointer in R${index + 1} isn't map pointer`);
  const map = isMapPointer(baseOf(reg.type)) && reg.obj !== null && 'def' in reg.obj ? reg.obj : null;
  if (meta.map) {
    const record = map?.record;
    if (!record) throw new Unmodelled('map argument without special fields');
    const hasWork = record.wqOff !== undefined || record.taskWorkOff !== undefined;
    if (hasWork && (meta.map !== map || meta.mapUid !== reg.aux)) {
      const mismatch = (at: number): string =>
        `pointer in R${at} map_uid=${meta.mapUid} doesn't match map pointer in R${at + 1} map_uid=${reg.aux}`;
      env.reject('EINVAL', record.taskWorkOff !== undefined ? `bpf_task_work ${mismatch(2)}` : `workqueue ${mismatch(1)}`);
    }
  }
  meta.map = map;
  meta.mapUid = map ? reg.aux : 0;
}

/** A kernel struct: the one that is declared, or one that begins with it (process_kf_arg_ptr_to_btf_id). */
function checkStructType(env: Env, index: number, meta: KfuncMeta, needId: number): void {
  const reg = regAt(env, index);
  const { btf } = env.profile;
  const isTyped = baseOf(reg.type) === PTR_TO_BTF_ID;
  const regBtf = isTyped ? btfOf(reg) : btf;
  const regId = isTyped ? reg.aux : structOfBase(env, baseOf(reg.type));
  const strict = (hasFlag(meta.shape, 'KF_RELEASE') && reg.refObjId !== 0) || isNocastAlias(regBtf, regId, btf, needId);
  const regType = regBtf.skipModifiers(regId);
  const { match, message } = structIdsMatch(regBtf, regType.id, reg.off, btf, needId, strict);
  if (message !== undefined) env.verbose(`${message}\n`);
  const need = btf.type(needId);
  if (match || PROJECTIONS[need.name] === regType.name) return;
  env.reject(
    'EINVAL',
    `kernel function ${meta.shape.desc.name} args#${index} expected pointer to ${kindWord(need.kind)} ${need.name} ` +
      `but R${index + 1} has a pointer to ${kindWord(regType.kind)} ${regType.name}`,
  );
}

/** A pointer to a kernel struct, or a register that stands for one; `needId` is the declared struct. */
export function checkStructArg(env: Env, index: number, meta: KfuncMeta, needId: number): void {
  const { type } = regAt(env, index);
  const base = baseOf(type);
  const isUsable = base === PTR_TO_BTF_ID ? !hasUnsafeModifiers(type) || isRcuReg(regAt(env, index)) : standsForStruct(base);
  if (!isUsable) {
    const expected = regTypeText(base | (flagsOf(type) & TRUSTED_MODIFIERS));
    env.reject('EINVAL', `arg#${index} is ${regTypeText(type)} expected ${expected} or socket`);
  }
  checkStructType(env, index, meta, needId);
}

/** An argument that the suffix `__map` declares is a struct of maps, whatever its C type. */
export const checkMapArg = (env: Env, index: number, meta: KfuncMeta): void =>
  checkStructArg(env, index, meta, structOfBase(env, CONST_PTR_TO_MAP));

/** Flags of the dynptr that the call makes, and the reference that a clone shares. */
function newDynptr(meta: KfuncMeta, uninit: boolean): { readonly flags: number; readonly refObjId: number } {
  const { shape } = meta;
  if (hasRole(shape, 'dynptr_from_skb')) return { flags: DYNPTR_TYPE_SKB, refObjId: 0 };
  if (hasRole(shape, 'dynptr_from_xdp')) return { flags: DYNPTR_TYPE_XDP, refObjId: 0 };
  if (hasRole(shape, 'dynptr_from_skb_meta')) return { flags: DYNPTR_TYPE_SKB_META, refObjId: 0 };
  if (!hasRole(shape, 'dynptr_clone') || !uninit) return { flags: 0, refObjId: 0 };
  const { dynptrType, dynptrRefObjId } = meta;
  if (dynptrType === DYNPTR_INVALID) throw new Bug('no dynptr type for parent of clone');
  if (isRefcountedDynptr(dynptrType) && dynptrRefObjId === 0) throw new Bug('missing ref obj id for parent of clone');
  return { flags: dynptrTypeFlag(dynptrType), refObjId: dynptrRefObjId };
}

export function checkDynptrParam(env: Env, index: number, param: KfuncParam, meta: KfuncMeta, insnIdx: number): void {
  const isConst = regAt(env, index).type === CONST_PTR_TO_DYNPTR;
  const { flags, refObjId } = newDynptr(meta, param.uninit);
  const argType = ARG_PTR_TO_DYNPTR | (isConst ? MEM_RDONLY : 0) | (param.uninit ? MEM_UNINIT : 0) | flags;
  checkDynptrArg(env, index + 1, insnIdx, argType, refObjId);
  if (param.uninit) return;
  const dynptr = dynptrOf(env, regAt(env, index));
  meta.dynptrId = dynptr.id;
  meta.dynptrType = dynptr.aux;
  meta.dynptrRefObjId = dynptr.refObjId;
}

/** Iterators over the tasks of a control group take a lock that not every program may (check_css_task_iter_allowlist). */
function mayIterateCssTasks(env: Env): boolean {
  const { type } = env.subject;
  if (type === PROG_TYPES.lsm) return true;
  return (type === PROG_TYPES.tracing && env.program.expectedAttachType === ATTACH_TYPES.BPF_TRACE_ITER) || isSleepable(env);
}

export function checkIterParam(env: Env, index: number, param: KfuncParam, meta: KfuncMeta, insnIdx: number): void {
  const { shape } = meta;
  if (hasRole(shape, 'iter_css_task_new') && !mayIterateCssTasks(env))
    env.reject('EINVAL', 'css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs');
  if (regAt(env, index).type !== PTR_TO_STACK) env.reject('EINVAL', `arg#${index} expected pointer to an iterator on stack`);
  if (!param.iter) env.reject('EINVAL', `expected valid iter pointer as arg #${index}`);
  const existing = processIterArg(env, index + 1, insnIdx, {
    role: shape.iterRole,
    btf: env.profile.btf,
    btfId: param.iter.btfId,
    slots: param.iter.slots,
    rcuProtected: hasFlag(shape, 'KF_RCU_PROTECTED'),
    kfunc: shape.desc.name,
  });
  if (!existing) return;
  meta.iter = existing.place;
  meta.refObjId = existing.refObjId;
}

export function checkIrqFlagArg(env: Env, index: number, { shape }: KfuncMeta): void {
  if (regAt(env, index).type !== PTR_TO_STACK) env.reject('EINVAL', `arg#${index} doesn't point to an irq flag on stack`);
  if (hasRole(shape, 'local_irq_save')) saveIrqFlag(env, index + 1, IRQ_NATIVE);
  else if (hasRole(shape, 'res_spin_lock_irqsave')) saveIrqFlag(env, index + 1, IRQ_LOCK);
  else if (hasRole(shape, 'local_irq_restore')) restoreIrqFlag(env, index + 1, IRQ_NATIVE);
  else if (hasRole(shape, 'res_spin_unlock_irqrestore')) restoreIrqFlag(env, index + 1, IRQ_LOCK);
  else env.reject('EFAULT', 'verifier bug: unknown irq flags kfunc');
}

export function checkResSpinLockArg(env: Env, index: number, { shape }: KfuncMeta): void {
  const { type } = regAt(env, index);
  if (type !== PTR_TO_MAP_VALUE && type !== (PTR_TO_BTF_ID | MEM_ALLOC))
    env.reject('EINVAL', `arg#${index} doesn't point to map value or allocated object`);
  const lock = hasRole(shape, 'res_spin_lock') || hasRole(shape, 'res_spin_lock_irqsave');
  const unlock = hasRole(shape, 'res_spin_unlock') || hasRole(shape, 'res_spin_unlock_irqrestore');
  if (!lock && !unlock) env.refuse('EFAULT');
  const irq = hasRole(shape, 'res_spin_lock_irqsave') || hasRole(shape, 'res_spin_unlock_irqrestore');
  processSpinLock(env, index + 1, { lock, resilient: true, irq });
}
