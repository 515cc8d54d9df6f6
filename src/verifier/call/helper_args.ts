import { Bug, never } from '../../contracts/errors.ts';
import { MAP_FLAGS, type MapTypeName } from '../../contracts/uapi_numbers.ts';
import type { Env } from '../env.ts';
import { checkHelperMemAccess, checkMemSizeReg } from '../memory/helper_memory.ts';
import { checkPtrAlignment } from '../memory/region.ts';
import { checkDynptrArg, dynptrSpi, isMutableDynptr } from '../objects/dynptr.ts';
import { processKptrXchg } from '../objects/kptr.ts';
import { processSpinLock } from '../objects/lock.ts';
import { processTimer } from '../objects/timer.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { isConst } from '../scalar/scalar.ts';
import { checkReadable, isNullReg } from '../state/access.ts';
import { btfOf, mapOf, type Reg } from '../state/reg.ts';
import {
  BASE_MASK,
  isMaybeNull,
  isPacketPointer,
  MEM_ALIGNED,
  MEM_FIXED_SIZE,
  MEM_UNINIT,
  MEM_WRITE,
  OBJ_RELEASE,
  PTR_TO_STACK,
} from '../state/reg_types.ts';
import { isPointerValue } from '../state/trust.ts';
import {
  ARG_ANYTHING,
  ARG_DONTCARE,
  ARG_KPTR_XCHG_DEST,
  ARG_PTR_TO_BTF_ID,
  ARG_PTR_TO_BTF_ID_SOCK_COMMON,
  ARG_PTR_TO_DYNPTR,
  ARG_PTR_TO_MAP_VALUE,
  argBase,
  type PreparedHelper,
} from './arg_types.ts';
import { isInRbtreeCallback } from './callback.ts';
import { constantMapKey } from './const_key.ts';
import { checkConstString } from './const_string.ts';
import type { CallMeta } from './meta.ts';
import { checkArgOffset, checkRegType } from './reg_match.ts';

/** Arguments of helpers. Source: check_func_arg, kernel/bpf/verifier.c. */

const mapOfCall = (meta: CallMeta) => {
  if (!meta.map) throw new Bug('map key or value without a map before it');
  return meta.map;
};

const isMapOf = (meta: CallMeta, names: readonly MapTypeName[]): boolean =>
  names.includes(mapOfCall(meta).type.name as MapTypeName);

/** Packet pointers go to a helper that reads packets, in a program that may (may_access_direct_pkt_data). */
const maySeePacket = (env: Env, meta: CallMeta): boolean =>
  env.progType.packetToAnyHelper === true || (meta.packetAccess && env.progType.packetAccess(false, env.subject));

const SOCKET_MAPS: readonly MapTypeName[] = ['sockmap', 'sockhash'];
const BLOOM_FILTERS: readonly MapTypeName[] = ['bloom_filter'];

/** What a map value argument means for the map at hand (resolve_map_arg_type). */
function resolveMapArg(env: Env, prepared: PreparedHelper, argType: number, meta: CallMeta): number {
  if (isMapOf(meta, SOCKET_MAPS)) {
    if (argType !== ARG_PTR_TO_MAP_VALUE) env.reject('EINVAL', 'invalid arg_type for sockmap/sockhash');
    return ARG_PTR_TO_BTF_ID_SOCK_COMMON;
  }
  return isMapOf(meta, BLOOM_FILTERS) && prepared.helper.effects?.bloomFilterValue ? ARG_PTR_TO_MAP_VALUE : argType;
}

/** A released argument holds a reference, or is NULL. */
function checkReleasedArg(env: Env, reg: Reg, regno: number, argType: number, meta: CallMeta): void {
  if ((argType & BASE_MASK) === ARG_PTR_TO_DYNPTR) {
    if (isMutableDynptr(reg)) env.reject('EINVAL', `arg ${regno} is an unacquired reference`);
    if (reg.type !== PTR_TO_STACK) env.reject('EINVAL', 'cannot release unowned const bpf_dynptr');
    const spi = dynptrSpi(env, reg);
    if (spi < 0 || env.cur.frame(reg.frameno).slot(spi).reg.refObjId === 0)
      env.reject('EINVAL', `arg ${regno} is an unacquired reference`);
  } else if (reg.refObjId === 0 && !isNullReg(reg))
    env.reject('EINVAL', `R${regno} must be referenced when passed to release function`);
  if (meta.releaseRegno !== 0) throw new Bug('more than one release argument');
  meta.releaseRegno = regno;
}

function noteReference(env: Env, reg: Reg, regno: number, argType: number, meta: CallMeta): void {
  if (reg.refObjId === 0 || (argType & BASE_MASK) === ARG_KPTR_XCHG_DEST) return;
  if (meta.refObjId !== 0) {
    env.verbose(`more than one arg with ref_obj_id R${regno} ${reg.refObjId} ${meta.refObjId}`);
    env.refuse('EACCES');
  }
  meta.refObjId = reg.refObjId;
}

/** Argument `index` (0-based) fits its type; what it says about the call goes into `meta`. */
export function checkHelperArg(env: Env, prepared: PreparedHelper, index: number, meta: CallMeta, insnIdx: number): void {
  let argType = prepared.argTypes[index] ?? ARG_DONTCARE;
  if (argType === ARG_DONTCARE) return;
  const regno = index + 1;
  checkReadable(env, regno);
  const reg = env.cur.top.regs[regno] as Reg;
  if (argType === ARG_ANYTHING) {
    if (isPointerValue(env, regno)) env.reject('EACCES', `R${regno} leaks addr into helper function`);
    return;
  }
  if (isPacketPointer(reg.type) && !maySeePacket(env, meta)) env.reject('EACCES', 'helper access to the packet is not allowed');
  if ((argType & BASE_MASK) === ARG_PTR_TO_MAP_VALUE) argType = resolveMapArg(env, prepared, argType, meta);
  if (!(isNullReg(reg) && isMaybeNull(argType))) {
    const btfId = (argType & BASE_MASK) === ARG_PTR_TO_BTF_ID ? (prepared.argBtfIds[index] ?? 0) : 0;
    checkRegType(env, regno, argType, btfId, meta);
    checkArgOffset(env, reg, regno, argType);
  }
  if ((argType & OBJ_RELEASE) !== 0) checkReleasedArg(env, reg, regno, argType, meta);
  noteReference(env, reg, regno, argType, meta);
  checkArgValue(env, prepared, index, argType, meta, insnIdx);
}

function noteMap(env: Env, reg: Reg, meta: CallMeta): void {
  const map = mapOf(reg);
  if (meta.map && (meta.map !== map || meta.mapUid !== reg.aux))
    env.reject('EINVAL', `timer pointer in R1 map_uid=${meta.mapUid} doesn't match map pointer in R2 map_uid=${reg.aux}`);
  meta.map = map;
  meta.mapUid = reg.aux;
}

/**
 * Arrays: every key below the number of elements has a value, unless an array of another size may stand in this one's place
 * (can_elide_value_nullness of 6.18.44).
 */
const CONSTANT_KEY_MAPS: readonly MapTypeName[] = ['array', 'percpu_array'];

/** A constant key becomes precise whatever the helper does with it. */
function checkMapKey(env: Env, reg: Reg, regno: number, meta: CallMeta): void {
  const { keySize, flags } = mapOfCall(meta).def;
  checkHelperMemAccess(env, regno, keySize, false, false, null);
  const isOfKnownSize = (flags & MAP_FLAGS.BPF_F_INNER_MAP) === 0;
  if (isOfKnownSize && isMapOf(meta, CONSTANT_KEY_MAPS)) meta.constMapKey = constantMapKey(env, reg, keySize);
}

function checkLockArg(env: Env, prepared: PreparedHelper, regno: number): void {
  if (isInRbtreeCallback(env)) env.reject('EACCES', "can't spin_{lock,unlock} in rbtree cb");
  const lock = prepared.helper.effects?.lock;
  if (!lock) throw new Bug('spin lock arg on unexpected helper');
  processSpinLock(env, regno, { lock: lock === 'lock', resilient: false, irq: false });
}

function checkAllocSize(env: Env, reg: Reg, regno: number, meta: CallMeta): void {
  if (!isConst(reg.scalar)) env.reject('EACCES', `R${regno} is not a known constant'`);
  meta.memSize = reg.scalar.valueLo >>> 0;
  markChainPrecision(env, regno);
}

function checkMemoryArg(env: Env, prepared: PreparedHelper, index: number, argType: number, meta: CallMeta): void {
  meta.rawMode = (argType & MEM_UNINIT) !== 0;
  // memory with a size argument is checked together with that
  if ((argType & MEM_FIXED_SIZE) === 0) return;
  const size = prepared.argSizes[index] ?? 0;
  const regno = index + 1;
  checkHelperMemAccess(env, regno, size, (argType & MEM_WRITE) !== 0, false, meta);
  if ((argType & MEM_ALIGNED) !== 0) checkPtrAlignment(env, env.cur.top.regs[regno] as Reg, 0, size, true);
}

/** The part of the check that differs from type to type. */
function checkArgValue(
  env: Env,
  prepared: PreparedHelper,
  index: number,
  argType: number,
  meta: CallMeta,
  insnIdx: number,
): void {
  const regno = index + 1;
  const reg = env.cur.top.regs[regno] as Reg;
  const base = argBase(argType);
  switch (base) {
    case 'ARG_CONST_MAP_PTR':
      return noteMap(env, reg, meta);
    case 'ARG_PTR_TO_MAP_KEY':
      return checkMapKey(env, reg, regno, meta);
    case 'ARG_PTR_TO_MAP_VALUE': {
      if (isMaybeNull(argType) && isNullReg(reg)) return;
      meta.rawMode = (argType & MEM_UNINIT) !== 0;
      const { valueSize } = mapOfCall(meta).def;
      return checkHelperMemAccess(env, regno, valueSize, (argType & MEM_WRITE) !== 0, false, meta);
    }
    case 'ARG_PTR_TO_PERCPU_BTF_ID':
      if (reg.aux === 0) env.reject('EACCES', `Helper has invalid btf_id in R${regno}`);
      meta.retBtf = btfOf(reg);
      meta.retBtfId = reg.aux;
      return;
    case 'ARG_PTR_TO_SPIN_LOCK':
      return checkLockArg(env, prepared, regno);
    case 'ARG_PTR_TO_TIMER':
      return processTimer(env, regno, meta);
    case 'ARG_PTR_TO_FUNC':
      meta.subprogno = reg.aux;
      return;
    case 'ARG_PTR_TO_MEM':
      return checkMemoryArg(env, prepared, index, argType, meta);
    case 'ARG_CONST_SIZE':
    case 'ARG_CONST_SIZE_OR_ZERO': {
      const writes = ((prepared.argTypes[index - 1] ?? 0) & MEM_WRITE) !== 0;
      return checkMemSizeReg(env, regno, writes, base === 'ARG_CONST_SIZE_OR_ZERO', meta);
    }
    case 'ARG_PTR_TO_DYNPTR':
      return checkDynptrArg(env, regno, insnIdx, argType, 0);
    case 'ARG_CONST_ALLOC_SIZE_OR_ZERO':
      return checkAllocSize(env, reg, regno, meta);
    case 'ARG_PTR_TO_CONST_STR':
      return checkConstString(env, regno);
    case 'ARG_KPTR_XCHG_DEST':
      return processKptrXchg(env, regno, meta);
    case 'ARG_DONTCARE':
    case 'ARG_ANYTHING':
    case 'ARG_PTR_TO_CTX':
    case 'ARG_PTR_TO_SOCK_COMMON':
    case 'ARG_PTR_TO_SOCKET':
    case 'ARG_PTR_TO_BTF_ID':
    case 'ARG_PTR_TO_BTF_ID_SOCK_COMMON':
    case 'ARG_PTR_TO_RINGBUF_MEM':
    case 'ARG_PTR_TO_STACK':
    case 'ARG_PTR_TO_ARENA':
      return;
    default:
      never(base, 'checkArgValue');
  }
}
