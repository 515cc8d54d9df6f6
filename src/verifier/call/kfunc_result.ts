import { isScalar, isStruct, kindWord, type StructType } from '../../btf/types.ts';
import { Bug } from '../../contracts/errors.ts';
import { formatSigned } from '../../isa/word64.ts';
import { keptTypes } from '../../program/program.ts';
import type { Env } from '../env.ts';
import { dynptrTypeFlag } from '../objects/dynptr.ts';
import { graphNodeReg, nonOwning, rootOf } from '../objects/graph.ts';
import { isRcuIter } from '../objects/iterator.ts';
import { mayPointToSpinLock, structRecord } from '../objects/map_fields.ts';
import { acquireReference } from '../objects/references.ts';
import { setRegTo } from '../state/access.ts';
import { pointerReg, type Reg, UNKNOWN_REG, ZERO_REG } from '../state/reg.ts';
import {
  MEM_ALLOC,
  MEM_PERCPU,
  MEM_RCU,
  MEM_RDONLY,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MEM,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
} from '../state/reg_types.ts';
import { isScalarStruct } from './kfunc_classify.ts';
import type { KfuncMeta } from './kfunc_meta.ts';
import { hasFlag, hasRole, nodeKind } from './kfunc_shape.ts';

/** What R0 is after a kfunc. Source: check_kfunc_call and check_special_kfunc, kernel/bpf/verifier.c. */

/** Largest per-CPU object (BPF_GLOBAL_PERCPU_MA_MAX_SIZE), in bytes. */
const MAX_PERCPU_SIZE = 512;

/** The program's struct that an allocation is of. */
function allocatedStruct(env: Env, meta: KfuncMeta): StructType {
  const { lo, hi } = meta.constant ?? { lo: 0, hi: 0 };
  if (hi !== 0) env.reject('EINVAL', 'local type ID argument must be in range [0, U32_MAX]');
  const btf = keptTypes(env.program);
  if (!btf) env.reject('EINVAL', 'bpf_obj_new/bpf_percpu_obj_new requires prog BTF');
  const type = btf.typeOrUndefined(lo >>> 0);
  if (type?.kind !== 'STRUCT') env.reject('EINVAL', 'bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct');
  return type as StructType;
}

/** A new object, or one on every CPU, which holds scalars only. */
function newObject(env: Env, meta: KfuncMeta): Reg {
  const struct = allocatedStruct(env, meta);
  const { btf } = env.program;
  if (!btf) throw new Bug('object of a program without BTF');
  if (!hasRole(meta.shape, 'percpu_obj_new')) return pointerReg(PTR_TO_BTF_ID | MEM_ALLOC, btf, struct.id);
  if (struct.size > MAX_PERCPU_SIZE)
    env.reject('EINVAL', `bpf_percpu_obj_new type size (${struct.size}) is greater than ${MAX_PERCPU_SIZE}`);
  if (struct.size === 0) env.refuse('EINVAL');
  if (!isScalarStruct(env, btf, struct))
    env.reject('EINVAL', 'bpf_percpu_obj_new type ID argument must be of a struct of scalars');
  if (structRecord(env, btf, struct.id))
    env.reject('EINVAL', 'bpf_percpu_obj_new type ID argument must not contain special fields');
  return pointerReg(PTR_TO_BTF_ID | MEM_ALLOC | MEM_PERCPU, btf, struct.id);
}

/** An address, seen as a struct or as bytes: any load from it is fault-protected. */
function castObject(env: Env, meta: KfuncMeta): Reg {
  const { btf } = env.profile;
  const { lo, hi } = meta.constant ?? { lo: 0, hi: 0 };
  const type = btf.typeOrUndefined(lo >>> 0);
  if (!type) env.reject('EINVAL', `Unknown type ID ${formatSigned(lo, hi)} passed to kfunc bpf_rdonly_cast`);
  if (isStruct(type)) return pointerReg(PTR_TO_BTF_ID | PTR_UNTRUSTED, btf, type.id);
  if (type.kind !== 'VOID') env.reject('EINVAL', 'kfunc bpf_rdonly_cast type ID argument must be of a struct or void');
  return pointerReg(PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED);
}

/** A part of a dynptr; one that may be written is a write to the packet where the dynptr is over one. */
function sliceOf(env: Env, meta: KfuncMeta): Reg {
  if (!meta.constant) throw new Bug('bpf_dynptr_slice(_rdwr) no constant size');
  if (meta.dynptrId === 0) throw new Bug('no dynptr id');
  let type = PTR_TO_MEM | dynptrTypeFlag(meta.dynptrType);
  if (hasRole(meta.shape, 'dynptr_slice')) type |= MEM_RDONLY;
  else {
    if (!env.progType.packetAccess(true, env.subject)) env.reject('EINVAL', 'the prog does not allow writes to packet data');
    env.seenDirectWrite = true;
  }
  return pointerReg(type, null, meta.constant.lo, meta.dynptrId);
}

/** Results that the declaration does not tell; null for those that it does. */
function specialResult(env: Env, meta: KfuncMeta): Reg | null {
  const { shape } = meta;
  if (hasRole(shape, 'obj_new') || hasRole(shape, 'percpu_obj_new')) return newObject(env, meta);
  if (hasRole(shape, 'refcount_acquire')) return pointerReg(PTR_TO_BTF_ID | MEM_ALLOC, meta.argBtf, meta.argBtfId);
  const node = nodeKind(env.profile.btf, shape.resultPointee);
  if (node !== null) return graphNodeReg(rootOf(node === 'list-node' ? meta.listHead : meta.treeRoot));
  if (hasRole(shape, 'cast_to_kern_ctx')) return pointerReg(PTR_TO_BTF_ID | PTR_TRUSTED, env.profile.btf, meta.resultBtfId);
  if (hasRole(shape, 'rdonly_cast')) return castObject(env, meta);
  return hasRole(shape, 'dynptr_slice') || hasRole(shape, 'dynptr_slice_rdwr') ? sliceOf(env, meta) : null;
}

/** Memory behind a pointer to something that is no struct: as large as its type, or as an argument says. */
function memoryResult(env: Env, meta: KfuncMeta): Reg {
  const { shape } = meta;
  const { resultPointee } = shape;
  let size = meta.resultSize;
  let readOnly = meta.resultReadOnly;
  if (size === 0) {
    size = env.profile.btf.sizeOf(resultPointee.id) ?? 0;
    readOnly = true;
  }
  if (size === 0) {
    const type = `${kindWord(resultPointee.kind)} ${resultPointee.name}`;
    env.reject('EINVAL', `kernel function ${shape.desc.name} returns pointer type ${type} is not supported`);
  }
  let type = PTR_TO_MEM;
  if (readOnly) type |= MEM_RDONLY;
  if (hasFlag(shape, 'KF_RCU_PROTECTED')) type |= MEM_RCU;
  const reg = pointerReg(type, null, size | 0);
  reg.refObjId = meta.refObjId;
  return reg;
}

/** A pointer to a kernel struct, as trusted as what it comes from. */
function structResult(env: Env, { shape, iter }: KfuncMeta): Reg {
  let type = PTR_TO_BTF_ID;
  if (hasRole(shape, 'get_kmem_cache')) type |= PTR_UNTRUSTED;
  else if (hasFlag(shape, 'KF_RCU_PROTECTED')) type |= MEM_RCU;
  if (shape.iterRole === 'next' && iter) type |= isRcuIter(env, iter) ? MEM_RCU : PTR_TRUSTED;
  return pointerReg(type, env.profile.btf, shape.resultPointee.id);
}

function pointerResult(env: Env, meta: KfuncMeta): Reg {
  const special = specialResult(env, meta);
  if (special) return special;
  const { kind } = meta.shape.resultPointee;
  if (kind === 'VOID') return UNKNOWN_REG.clone();
  return kind === 'STRUCT' ? structResult(env, meta) : memoryResult(env, meta);
}

/** A new reference to an object that the program owns cannot be refused (is_kfunc_ret_null). */
const mayBeNull = ({ shape, argIsOwner }: KfuncMeta): boolean =>
  hasFlag(shape, 'KF_RET_NULL') && !(argIsOwner && hasRole(shape, 'refcount_acquire'));

function setPointerResult(env: Env, meta: KfuncMeta, insnIdx: number): void {
  let reg = pointerResult(env, meta);
  const isNullable = mayBeNull(meta);
  if (isNullable) {
    reg.type |= PTR_MAYBE_NULL;
    reg.id = env.newId();
  }
  if (hasFlag(meta.shape, 'KF_ACQUIRE')) {
    const id = acquireReference(env, insnIdx);
    if (isNullable) reg.id = id;
    reg.refObjId = id;
  } else if (nodeKind(env.profile.btf, meta.shape.resultPointee) !== null) reg = nonOwning(env, reg);
  if (reg.id === 0 && mayPointToSpinLock(env, reg)) reg.id = env.newId();
  setRegTo(env, env.cur.writableTop(), 0, reg);
}

/** Kfuncs whose result is a reference although their declaration says `void *`. */
const returnsObject = ({ shape }: KfuncMeta): boolean =>
  hasRole(shape, 'obj_new') || hasRole(shape, 'percpu_obj_new') || hasRole(shape, 'refcount_acquire');

/** Gives R0 what the kfunc returns; R0 to R5 are unreadable before. */
export function setKfuncResult(env: Env, meta: KfuncMeta, insnIdx: number): void {
  const { shape } = meta;
  const { result, resultPointee } = shape;
  const returnsStruct = result.kind === 'PTR' && isStruct(resultPointee);
  if (hasFlag(shape, 'KF_ACQUIRE') && !returnsStruct && !returnsObject(meta))
    env.reject('EINVAL', 'acquire kernel function does not return PTR_TO_BTF_ID');
  if (result.kind === 'PTR') setPointerResult(env, meta, insnIdx);
  else if (isScalar(result)) {
    // the path on which the lock was not taken is queued
    const isLocked = hasRole(shape, 'res_spin_lock') || hasRole(shape, 'res_spin_lock_irqsave');
    setRegTo(env, env.cur.writableTop(), 0, isLocked ? ZERO_REG : UNKNOWN_REG);
  }
}
