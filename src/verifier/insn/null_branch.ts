import type { Env } from '../env.ts';
import { hasAsyncField, mayPointToSpinLock } from '../objects/map_fields.ts';
import { releaseReferenceNoMark } from '../objects/references.ts';
import { isZero } from '../scalar/scalar.ts';
import { replaceRegs } from '../state/each.ts';
import { mapOf, type Reg } from '../state/reg.ts';
import {
  baseOf,
  CONST_PTR_TO_MAP,
  isMaybeNull,
  MEM_ALLOC,
  NON_OWN_REF,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_VALUE,
  PTR_TO_SOCKET,
  PTR_TO_XDP_SOCK,
  SCALAR_VALUE,
} from '../state/reg_types.ts';
import type { State } from '../state/state.ts';
import { isRcuReg } from '../state/trust.ts';

/** What comparisons with NULL teach. Source: mark_ptr_or_null_regs and mark_ptr_not_null_reg, kernel/bpf/verifier.c. */

/** What a lookup in a map gives. */
const LOOKUP_TYPES = {
  value: PTR_TO_MAP_VALUE,
  'inner-map': CONST_PTR_TO_MAP,
  sock: PTR_TO_SOCKET,
  xdp_sock: PTR_TO_XDP_SOCK,
  none: PTR_TO_MAP_VALUE,
} as const;

/** The pointer without "or NULL"; a looked-up value becomes what its map holds. */
export function notNull(reg: Reg): Reg {
  const next = reg.clone();
  if (baseOf(reg.type) !== PTR_TO_MAP_VALUE) {
    next.type = reg.type & ~PTR_MAYBE_NULL;
    return next;
  }
  const map = mapOf(reg);
  if (map.inner) {
    next.type = CONST_PTR_TO_MAP;
    next.obj = map.inner;
    next.aux = hasAsyncField(map.inner) ? reg.id : next.aux;
  } else next.type = LOOKUP_TYPES[map.type.lookupReturns];
  return next;
}

const isLocalObject = (type: number): boolean => baseOf(type) === PTR_TO_BTF_ID && (type & (MEM_ALLOC | NON_OWN_REF)) !== 0;

/** A pointer that arithmetic has moved is not converted; only local objects may have an offset here. */
const isConvertible = (reg: Reg): boolean => isZero(reg.scalar) && (reg.off === 0 || isLocalObject(reg.type));

function decided(env: Env, reg: Reg, isNull: boolean): Reg {
  if (isNull) {
    const next = reg.clone();
    next.type = SCALAR_VALUE;
    next.id = 0;
    next.refObjId = 0;
    return next;
  }
  const next = notNull(reg);
  // a spin lock is recognised by the id of the lookup that found it
  if (!mayPointToSpinLock(env, next)) next.id = 0;
  return next;
}

/** Every copy of register `regno` of the current frame is NULL, or is not (`isNull`). */
export function markPointerOrNull(env: Env, state: State, regno: number, isNull: boolean): void {
  const { refObjId, id } = state.top.regs[regno] as Reg;
  if (refObjId !== 0 && refObjId === id && isNull) releaseReferenceNoMark(state, id);
  replaceRegs(state, (reg) =>
    isMaybeNull(reg.type) && reg.id === id && (isRcuReg(reg) || reg.id !== 0) && isConvertible(reg)
      ? decided(env, reg, isNull)
      : reg,
  );
}
