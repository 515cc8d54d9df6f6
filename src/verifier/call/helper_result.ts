import { FIELD_BITS, recordHas } from '../../btf/special.ts';
import { isStruct } from '../../btf/types.ts';
import { Bug, never } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import { checkRegBounds } from '../insn/bounds_check.ts';
import { acquireReference } from '../objects/references.ts';
import { type Scalar, UNKNOWN } from '../scalar/scalar.ts';
import { sync } from '../scalar/sync.ts';
import { setRegTo } from '../state/access.ts';
import { NOT_INIT_REG, pointerReg, type Reg, scalarReg, UNKNOWN_REG } from '../state/reg.ts';
import {
  isMaybeNull,
  MEM_ALLOC,
  MEM_PERCPU,
  MEM_RCU,
  MEM_RDONLY,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_SOCK_COMMON,
  PTR_TO_SOCKET,
  PTR_TO_TCP_SOCK,
} from '../state/reg_types.ts';
import type { PreparedHelper } from './arg_types.ts';
import type { CallMeta } from './meta.ts';

/** What R0 is after a helper. Source: check_helper_call from the caller-saved registers on, kernel/bpf/verifier.c. */

const MAX_ERRNO = 4095;
const LOCKS = FIELD_BITS.BPF_SPIN_LOCK | FIELD_BITS.BPF_RES_SPIN_LOCK;

/** The lookup cannot fail: the key is a constant that every array of this size has. */
function findsConstantKey({ helper }: PreparedHelper, meta: CallMeta): boolean {
  const { map, constMapKey } = meta;
  const names: readonly string[] = helper.effects?.neverNullForConstantKey ?? [];
  return map !== null && names.includes(map.type.name) && constMapKey >= 0 && constMapKey < map.def.maxEntries;
}

function mapValue(env: Env, prepared: PreparedHelper, meta: CallMeta): Reg {
  const { map } = meta;
  if (!map) throw new Bug('unexpected null map_ptr');
  let flags = prepared.retFlags;
  if (findsConstantKey(prepared, meta)) flags &= ~PTR_MAYBE_NULL;
  const reg = pointerReg(PTR_TO_MAP_VALUE | flags, map, meta.mapUid);
  if (!isMaybeNull(flags) && recordHas(map.record, LOCKS)) reg.id = env.newId();
  return reg;
}

/** A per-CPU variable or object on one CPU; `allocated`: the program allocated it. */
function perCpuObject(env: Env, retFlags: number, meta: CallMeta, allocated: boolean): Reg {
  const { retBtf, retBtfId } = meta;
  if (!retBtf) throw new Bug('per-CPU pointer without a type');
  const type = retBtf.skipModifiers(retBtfId);
  if (isStruct(type)) {
    const flags = allocated ? MEM_ALLOC | MEM_RCU : retFlags & ~MEM_RDONLY;
    return pointerReg(PTR_TO_BTF_ID | flags, retBtf, retBtfId);
  }
  const size = retBtf.sizeOf(type.id);
  if (size === undefined) return env.reject('EINVAL', `unable to resolve the size of type '${type.name}': -22`);
  return pointerReg(PTR_TO_MEM | retFlags, null, size);
}

function kernelObject(env: Env, prepared: PreparedHelper, meta: CallMeta): Reg {
  const { helper, retFlags, retBtfId } = prepared;
  const { btf } = env.profile;
  if (helper.effects?.rule !== 'kptr_xchg') return pointerReg(PTR_TO_BTF_ID | retFlags, btf, retBtfId);
  const field = meta.kptrField;
  if (!field?.kptr) throw new Bug('kptr exchange without a field');
  let type = PTR_TO_BTF_ID | retFlags;
  if (field.kptr.btf !== btf) {
    type |= MEM_ALLOC;
    if (field.type === 'BPF_KPTR_PERCPU') type |= MEM_PERCPU;
  }
  return pointerReg(type, field.kptr.btf, field.kptr.typeId);
}

/** The register before ids and references. */
function resultReg(env: Env, prepared: PreparedHelper, meta: CallMeta, allocatedPerCpu: boolean): Reg {
  const { retBase, retFlags } = prepared;
  switch (retBase) {
    case 'RET_INTEGER':
      return UNKNOWN_REG;
    case 'RET_VOID':
      return NOT_INIT_REG;
    case 'RET_PTR_TO_MAP_VALUE':
      return mapValue(env, prepared, meta);
    case 'RET_PTR_TO_SOCKET':
      return pointerReg(PTR_TO_SOCKET | retFlags);
    case 'RET_PTR_TO_SOCK_COMMON':
      return pointerReg(PTR_TO_SOCK_COMMON | retFlags);
    case 'RET_PTR_TO_TCP_SOCK':
      return pointerReg(PTR_TO_TCP_SOCK | retFlags);
    case 'RET_PTR_TO_MEM':
      return pointerReg(PTR_TO_MEM | retFlags, null, meta.memSize);
    case 'RET_PTR_TO_MEM_OR_BTF_ID':
      return perCpuObject(env, retFlags, meta, allocatedPerCpu);
    case 'RET_PTR_TO_BTF_ID':
      return kernelObject(env, prepared, meta);
    default:
      return never(retBase, 'resultReg');
  }
}

/** Whether the call gives a reference; for some maps only (is_acquire_function). */
function acquires({ helper }: PreparedHelper, meta: CallMeta): boolean {
  const which = helper.effects?.acquires;
  if (which === undefined || which === 'always') return which === 'always';
  const names: readonly string[] = which;
  return meta.map !== null && names.includes(meta.map.type.name);
}

function linkReferences(env: Env, reg: Reg, prepared: PreparedHelper, meta: CallMeta, insnIdx: number): void {
  const { effects } = prepared.helper;
  if (isMaybeNull(reg.type)) reg.id = env.newId();
  if (effects?.dynptrReference) reg.aux2 = meta.dynptrId;
  if (effects?.pointerCast || effects?.dynptrReference) reg.refObjId = meta.refObjId;
  else if (acquires(prepared, meta)) {
    const id = acquireReference(env, insnIdx);
    reg.id = id;
    reg.refObjId = id;
  }
}

/** A number of bytes up to the size argument, or an error. */
function sizeBound(meta: CallMeta): Scalar {
  const s = UNKNOWN.clone();
  s.sminLo = -MAX_ERRNO;
  s.sminHi = -1;
  s.smaxLo = meta.msizeMaxLo;
  s.smaxHi = meta.msizeMaxHi;
  s.s32min = -MAX_ERRNO;
  s.s32max = meta.msizeMaxLo;
  return sync(s);
}

/** 0 to `max` in all eight bounds. */
function upTo(max: number): Scalar {
  const s = UNKNOWN.clone();
  s.sminLo = 0;
  s.sminHi = 0;
  s.smaxLo = max;
  s.smaxHi = 0;
  s.uminLo = 0;
  s.uminHi = 0;
  s.umaxLo = max;
  s.umaxHi = 0;
  s.s32min = 0;
  s.s32max = max;
  s.u32min = 0;
  s.u32max = max;
  return sync(s);
}

function refined(env: Env, { helper }: PreparedHelper, meta: CallMeta): Scalar {
  const how = helper.effects?.refinesReturn;
  switch (how) {
    case undefined:
      return UNKNOWN;
    case 'size-bound':
      return sizeBound(meta);
    case 'cpu-id':
      return upTo(env.profile.cpuCount - 1);
    default:
      return never(how, 'refinesReturn');
  }
}

/** Puts the result into R0; a reference that comes with it is held from instruction `insnIdx` on. */
export function setHelperResult(
  env: Env,
  prepared: PreparedHelper,
  meta: CallMeta,
  allocatedPerCpu: boolean,
  insnIdx: number,
): void {
  let reg = resultReg(env, prepared, meta, allocatedPerCpu);
  if (reg === UNKNOWN_REG) reg = scalarReg(refined(env, prepared, meta));
  else if (reg !== NOT_INIT_REG) linkReferences(env, reg, prepared, meta, insnIdx);
  setRegTo(env, env.cur.writableTop(), 0, reg);
  if (prepared.retBase === 'RET_INTEGER' && prepared.retFlags === 0) checkRegBounds(env, 0, 'retval');
}
