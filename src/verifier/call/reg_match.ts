import { structIdsMatch } from '../../btf/walk.ts';
import { Bug, never } from '../../contracts/errors.ts';
import { UNSPEC_HELPER_NAME } from '../../contracts/helper.ts';
import type { ArgBase } from '../../contracts/type_words.ts';
import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import { checkPtrOffReg } from '../memory/region.ts';
import { mapKptrMatchType } from '../objects/kptr.ts';
import { btfOf, type Reg } from '../state/reg.ts';
import {
  BASE_MASK,
  baseOf,
  CONST_PTR_TO_DYNPTR,
  CONST_PTR_TO_MAP,
  DYNPTR_TYPE_LOCAL,
  DYNPTR_TYPE_RINGBUF,
  DYNPTR_TYPE_SKB,
  DYNPTR_TYPE_SKB_META,
  DYNPTR_TYPE_XDP,
  isMaybeNull,
  MEM_ALLOC,
  MEM_PERCPU,
  MEM_RCU,
  MEM_RDONLY,
  MEM_RINGBUF,
  NON_OWN_REF,
  OBJ_RELEASE,
  PTR_MAYBE_NULL,
  PTR_TO_ARENA,
  PTR_TO_BTF_ID,
  PTR_TO_BUF,
  PTR_TO_CTX,
  PTR_TO_FUNC,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_SOCK_COMMON,
  PTR_TO_SOCKET,
  PTR_TO_STACK,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
  PTR_TRUSTED,
  SCALAR_VALUE,
} from '../state/reg_types.ts';
import { ARG_PTR_TO_DYNPTR, argBase } from './arg_types.ts';
import type { CallMeta } from './meta.ts';

/** Whether a register may be passed where an argument type is declared. Source: check_reg_type, check_func_arg_reg_off. */

const SOCKETS = [PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK];
const MEMORY = [
  PTR_TO_STACK,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_MEM | MEM_RINGBUF,
  PTR_TO_BUF,
  PTR_TO_BTF_ID | PTR_TRUSTED,
];

/** Register types per argument type, in the order in which the log lists them; null where no register is compared. */
const COMPATIBLE: Readonly<Record<ArgBase, readonly number[] | null>> = {
  ARG_DONTCARE: null,
  ARG_CONST_MAP_PTR: [CONST_PTR_TO_MAP],
  ARG_PTR_TO_MAP_KEY: MEMORY,
  ARG_PTR_TO_MAP_VALUE: MEMORY,
  ARG_PTR_TO_MEM: MEMORY,
  ARG_PTR_TO_ARENA: null,
  ARG_CONST_SIZE: [SCALAR_VALUE],
  ARG_CONST_SIZE_OR_ZERO: [SCALAR_VALUE],
  ARG_PTR_TO_CTX: [PTR_TO_CTX],
  ARG_ANYTHING: null,
  ARG_PTR_TO_SPIN_LOCK: [PTR_TO_MAP_VALUE, PTR_TO_BTF_ID | MEM_ALLOC],
  ARG_PTR_TO_SOCK_COMMON: SOCKETS,
  ARG_PTR_TO_SOCKET: [PTR_TO_SOCKET],
  ARG_PTR_TO_BTF_ID: [PTR_TO_BTF_ID, PTR_TO_BTF_ID | PTR_TRUSTED, PTR_TO_BTF_ID | MEM_RCU],
  ARG_PTR_TO_RINGBUF_MEM: [PTR_TO_MEM | MEM_RINGBUF],
  ARG_CONST_ALLOC_SIZE_OR_ZERO: [SCALAR_VALUE],
  ARG_PTR_TO_BTF_ID_SOCK_COMMON: [...SOCKETS, PTR_TO_BTF_ID, PTR_TO_BTF_ID | PTR_TRUSTED],
  ARG_PTR_TO_PERCPU_BTF_ID: [
    PTR_TO_BTF_ID | MEM_PERCPU,
    PTR_TO_BTF_ID | MEM_PERCPU | MEM_RCU,
    PTR_TO_BTF_ID | MEM_PERCPU | PTR_TRUSTED,
  ],
  ARG_PTR_TO_FUNC: [PTR_TO_FUNC],
  ARG_PTR_TO_STACK: [PTR_TO_STACK],
  ARG_PTR_TO_CONST_STR: [PTR_TO_MAP_VALUE],
  ARG_PTR_TO_TIMER: [PTR_TO_MAP_VALUE],
  ARG_KPTR_XCHG_DEST: [PTR_TO_MAP_VALUE, PTR_TO_BTF_ID | MEM_ALLOC],
  ARG_PTR_TO_DYNPTR: [PTR_TO_STACK, CONST_PTR_TO_DYNPTR],
};

const DYNPTR_FLAGS = DYNPTR_TYPE_LOCAL | DYNPTR_TYPE_RINGBUF | DYNPTR_TYPE_SKB | DYNPTR_TYPE_XDP | DYNPTR_TYPE_SKB_META;

/** The argument that brings the new value of an exchanged kernel pointer. */
const EXCHANGED_REGNO = 2;

const effectsOf = (env: Env, meta: CallMeta) => env.profile.helpers[meta.helperId]?.effects;

/** The register's type without the flags that the argument type makes irrelevant. */
function foldedType(env: Env, reg: Reg, regno: number, argType: number, meta: CallMeta): number {
  let { type } = reg;
  if ((argType & MEM_RDONLY) !== 0) type &= ~MEM_RDONLY;
  if ((argType & PTR_MAYBE_NULL) !== 0) type &= ~PTR_MAYBE_NULL;
  if (argBase(argType) === 'ARG_PTR_TO_MEM') type &= ~DYNPTR_FLAGS;
  if ((type & MEM_ALLOC) !== 0 && regno === EXCHANGED_REGNO && effectsOf(env, meta)?.rule === 'kptr_xchg')
    type &= ~(MEM_ALLOC | MEM_PERCPU);
  return type;
}

/**
 * Refuses a register whose type does not fit the argument type; a kernel object must also be of the struct `btfId` of the
 * kernel's BTF (0: the one that the argument type implies).
 */
export function checkRegType(env: Env, regno: number, argType: number, btfId: number, meta: CallMeta): void {
  const reg = env.cur.top.regs[regno] as Reg;
  const compatible = COMPATIBLE[argBase(argType)];
  if (!compatible) throw new Bug(`unsupported arg type ${argType}`);
  if (!compatible.includes(foldedType(env, reg, regno, argType, meta))) {
    const expected = compatible.map(regTypeText).join(', ');
    env.reject('EACCES', `R${regno} type=${regTypeText(reg.type)} expected=${expected}`);
  }
  if (baseOf(reg.type) !== PTR_TO_BTF_ID) return;
  if (compatible === MEMORY) {
    if ((argType & MEM_RDONLY) !== 0) return;
    const name = env.profile.helpers[meta.helperId]?.name ?? UNSPEC_HELPER_NAME;
    env.reject('EACCES', `${name}() may write into memory pointed by R${regno} type=${regTypeText(reg.type)}`);
  }
  checkObject(env, reg, regno, argType, btfId, meta);
}

function checkObject(env: Env, reg: Reg, regno: number, argType: number, btfId: number, meta: CallMeta): void {
  const effects = effectsOf(env, meta);
  switch (reg.type) {
    case PTR_TO_BTF_ID:
    case PTR_TO_BTF_ID | PTR_TRUSTED:
    case PTR_TO_BTF_ID | PTR_TRUSTED | PTR_MAYBE_NULL:
    case PTR_TO_BTF_ID | MEM_RCU:
    case PTR_TO_BTF_ID | PTR_MAYBE_NULL:
    case PTR_TO_BTF_ID | PTR_MAYBE_NULL | MEM_RCU: {
      const releases = (argType & OBJ_RELEASE) !== 0;
      if (isMaybeNull(reg.type) && (!isMaybeNull(argType) || releases))
        env.reject('EACCES', `Possibly NULL pointer passed to helper arg${regno}`);
      if (effects?.rule === 'kptr_xchg') checkExchangedType(env, reg, regno, meta);
      else checkStruct(env, reg, regno, btfId !== 0 ? btfId : impliedStruct(env, argType), releases && !effects?.looseRelease);
      return;
    }
    case PTR_TO_BTF_ID | MEM_ALLOC:
    case PTR_TO_BTF_ID | MEM_PERCPU | MEM_ALLOC:
      if (!effects?.acceptsAllocated) env.reject('EFAULT', 'verifier bug: unimplemented handling of MEM_ALLOC');
      if (effects.rule === 'kptr_xchg' && regno === EXCHANGED_REGNO) checkExchangedType(env, reg, regno, meta);
      return;
    case PTR_TO_BTF_ID | MEM_PERCPU:
    case PTR_TO_BTF_ID | MEM_PERCPU | MEM_RCU:
    case PTR_TO_BTF_ID | MEM_PERCPU | PTR_TRUSTED:
      return;
    default:
      env.reject('EFAULT', 'verifier bug: invalid PTR_TO_BTF_ID register for type match');
  }
}

function checkExchangedType(env: Env, reg: Reg, regno: number, meta: CallMeta): void {
  if (!meta.kptrField) throw new Bug('kptr exchange without a field');
  mapKptrMatchType(env, meta.kptrField, reg, regno);
}

/** Struct that an argument type stands for by itself. */
function impliedStruct(env: Env, argType: number): number {
  const struct = argBase(argType) === 'ARG_PTR_TO_BTF_ID_SOCK_COMMON' && env.profile.btf.findByName('sock_common', 'STRUCT');
  if (!struct) throw new Bug('missing arg compatible BTF ID');
  return struct.id;
}

function checkStruct(env: Env, reg: Reg, regno: number, btfId: number, strict: boolean): void {
  const { btf } = env.profile;
  const { match, message } = structIdsMatch(btfOf(reg), reg.aux, reg.off, btf, btfId, strict);
  if (message !== undefined) env.verbose(`${message}\n`);
  if (match) return;
  env.reject('EACCES', `R${regno} is of type ${btfOf(reg).type(reg.aux).name} but ${btf.type(btfId).name} is expected`);
}

/** What offset a register may carry as an argument: `any`, a fixed one, or none. */
type OffsetRule = 'any' | 'fixed' | 'none';

function offsetRule(type: number): OffsetRule {
  switch (type) {
    case PTR_TO_STACK:
    case PTR_TO_PACKET:
    case PTR_TO_PACKET_META:
    case PTR_TO_MAP_KEY:
    case PTR_TO_MAP_VALUE:
    case PTR_TO_MEM:
    case PTR_TO_MEM | MEM_RDONLY:
    case PTR_TO_MEM | MEM_RINGBUF:
    case PTR_TO_BUF:
    case PTR_TO_BUF | MEM_RDONLY:
    case PTR_TO_ARENA:
    case SCALAR_VALUE:
      return 'any';
    case PTR_TO_BTF_ID:
    case PTR_TO_BTF_ID | MEM_ALLOC:
    case PTR_TO_BTF_ID | PTR_TRUSTED:
    case PTR_TO_BTF_ID | MEM_RCU:
    case PTR_TO_BTF_ID | MEM_ALLOC | NON_OWN_REF:
    case PTR_TO_BTF_ID | MEM_ALLOC | NON_OWN_REF | MEM_RCU:
      return 'fixed';
    default:
      return 'none';
  }
}

/** Refuses an offset that an argument of this type may not have (check_func_arg_reg_off). */
export function checkArgOffset(env: Env, reg: Reg, regno: number, argType: number): void {
  if ((argType & OBJ_RELEASE) !== 0) {
    if ((argType & BASE_MASK) === ARG_PTR_TO_DYNPTR && reg.type === PTR_TO_STACK) return;
    if (reg.off !== 0)
      env.reject('EINVAL', `R${regno} must have zero offset when passed to release func or trusted arg to kfunc`);
    checkPtrOffReg(env, reg, regno, false);
    return;
  }
  const rule = offsetRule(reg.type);
  switch (rule) {
    case 'any':
      return;
    case 'fixed':
      return checkPtrOffReg(env, reg, regno, true);
    case 'none':
      return checkPtrOffReg(env, reg, regno, false);
    default:
      never(rule, 'checkArgOffset');
  }
}
