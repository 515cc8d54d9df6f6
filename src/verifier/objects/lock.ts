import type { Btf } from '../../btf/btf.ts';
import { fieldTypeName } from '../../btf/special.ts';
import type { Env } from '../env.ts';
import { isConst } from '../scalar/scalar.ts';
import type { MapInfo } from '../state/map_info.ts';
import { btfOf, mapOf, type Reg } from '../state/reg.ts';
import { PTR_TO_MAP_VALUE } from '../state/reg_types.ts';
import { REF_TYPE_LOCK, REF_TYPE_RES_LOCK, REF_TYPE_RES_LOCK_IRQ } from '../state/state.ts';
import { constOffset, mapName, regRecord } from './map_fields.ts';
import { acquireLock, invalidateNonOwningRefs, isLocked, releaseLock } from './references.ts';

/** Spin locks in map values and allocated objects. Source: process_spin_lock, kernel/bpf/verifier.c. */

export interface LockOperation {
  /** taken; else dropped */
  readonly lock: boolean;
  /** a bpf_res_spin_lock, of which several may be held */
  readonly resilient: boolean;
  /** interrupts are disabled or restored together with it */
  readonly irq: boolean;
}

const refTypeOf = ({ resilient, irq }: LockOperation): number => {
  if (!resilient) return REF_TYPE_LOCK;
  return irq ? REF_TYPE_RES_LOCK_IRQ : REF_TYPE_RES_LOCK;
};

/** Refuses a register that is not exactly at the lock of its allocation. */
function checkPointer(env: Env, reg: Reg, regno: number, isResilient: boolean): void {
  const lock = fieldTypeName(isResilient ? 'BPF_RES_SPIN_LOCK' : 'BPF_SPIN_LOCK');
  const map = reg.type === PTR_TO_MAP_VALUE ? mapOf(reg) : null;
  if (!isConst(reg.scalar))
    env.reject('EINVAL', `R${regno} doesn't have constant offset. ${lock} has to be at the constant offset`);
  if (map && !map.def.btf) env.reject('EINVAL', `map '${mapName(map)}' has to have BTF in order to use ${lock}`);
  const record = regRecord(env, reg);
  const off = isResilient ? record?.resSpinLockOff : record?.spinLockOff;
  if (off === undefined) {
    const holder = map ? `map '${mapName(map)}'` : "local 'kptr'";
    env.reject('EINVAL', `${holder} has no valid ${lock}`);
  }
  const at = constOffset(reg);
  if (at !== off) env.reject('EINVAL', `off ${at} doesn't point to 'struct ${lock}' that is at ${off}`);
}

function takeLock(env: Env, id: number, ptr: MapInfo | Btf, operation: LockOperation): void {
  const { cur } = env;
  // a second plain lock is refused with the call, see call/in_lock.ts
  if (operation.resilient && cur.activeLocks > 0 && isLocked(cur, REF_TYPE_RES_LOCK | REF_TYPE_RES_LOCK_IRQ, id, ptr))
    env.reject('EINVAL', 'Acquiring the same lock again, AA deadlock detected');
  acquireLock(env, env.insnIdx, refTypeOf(operation), id, ptr);
}

function dropLock(env: Env, id: number, ptr: MapInfo | Btf, operation: LockOperation): void {
  const { cur } = env;
  const refuse = (reason: string): never =>
    env.reject('EINVAL', operation.resilient ? `bpf_res_spin_unlock ${reason}` : `bpf_spin_unlock ${reason}`);
  const type = refTypeOf(operation);
  if (cur.activeLocks === 0) refuse('without taking a lock');
  if (!isLocked(cur, type, id, ptr)) refuse('of different lock');
  if (id !== cur.activeLockId || ptr !== cur.activeLockPtr) refuse('cannot be out of order');
  if (!releaseLock(cur, type, id, ptr)) refuse('of different lock');
  invalidateNonOwningRefs(env);
}

/**
 * The lock at register `regno` is taken or dropped. A lock belongs to the allocation that the register points into: the map or
 * BTF, and the id of the lookup or allocation.
 */
export function processSpinLock(env: Env, regno: number, operation: LockOperation): void {
  const reg = env.cur.top.regs[regno] as Reg;
  checkPointer(env, reg, regno, operation.resilient);
  const ptr = reg.type === PTR_TO_MAP_VALUE ? mapOf(reg) : btfOf(reg);
  if (operation.lock) takeLock(env, reg.id, ptr, operation);
  else dropLock(env, reg.id, ptr, operation);
}
