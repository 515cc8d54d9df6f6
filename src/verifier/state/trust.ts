import type { Env } from '../env.ts';
import type { Reg } from './reg.ts';
import {
  baseOf,
  CONST_PTR_TO_MAP,
  isMaybeNull,
  MEM_RCU,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_SOCK_COMMON,
  PTR_TO_SOCKET,
  PTR_TO_TCP_SOCK,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
  SCALAR_VALUE,
  TRUSTED_MODIFIERS,
} from './reg_types.ts';

/** Pure questions about what a register may be used for. */

/** a flag besides the ones that grant trust: bpf_type_has_unsafe_modifiers */
export const hasUnsafeModifiers = (type: number): boolean => (type & ~0xff & ~TRUSTED_MODIFIERS) !== 0;

/** Register types that stand for one kernel struct each (reg2btf_ids). */
export const standsForStruct = (base: number): boolean =>
  base === PTR_TO_SOCKET || base === PTR_TO_SOCK_COMMON || base === PTR_TO_TCP_SOCK || base === CONST_PTR_TO_MAP;

/** is_trusted_reg: referenced, of a type that is trusted by nature, or marked trusted and nothing else */
export const isTrustedReg = (reg: Reg): boolean =>
  reg.refObjId !== 0 ||
  (!hasUnsafeModifiers(reg.type) && (standsForStruct(baseOf(reg.type)) || (reg.type & TRUSTED_MODIFIERS) !== 0));

/** is_rcu_reg */
export const isRcuReg = (reg: Reg): boolean => (reg.type & MEM_RCU) !== 0;

/** A pointer, or something that a loader without CAP_PERFMON must not look at (is_pointer_value). */
export const isPointerValue = (env: Env, regno: number): boolean =>
  !env.allowPtrLeaks && (env.cur.top.regs[regno] as Reg).type !== SCALAR_VALUE;

/** A pointer that cannot be NULL, so a comparison with 0 is decided (reg_not_null). */
export const isNotNull = (reg: Reg): boolean => {
  if (isMaybeNull(reg.type)) return false;
  switch (baseOf(reg.type)) {
    case PTR_TO_SOCKET:
    case PTR_TO_TCP_SOCK:
    case PTR_TO_MAP_VALUE:
    case PTR_TO_MAP_KEY:
    case PTR_TO_SOCK_COMMON:
    case CONST_PTR_TO_MAP:
      return true;
    case PTR_TO_BTF_ID:
      return isTrustedReg(reg);
    case PTR_TO_MEM:
      return (reg.type & PTR_UNTRUSTED) === 0;
    default:
      return false;
  }
};

export const isTrustedType = (type: number): boolean => (type & PTR_TRUSTED) !== 0;
