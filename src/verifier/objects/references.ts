import type { Btf } from '../../btf/btf.ts';
import type { Env } from '../env.ts';
import { replaceRegs } from '../state/each.ts';
import type { MapInfo } from '../state/map_info.ts';
import { NOT_INIT_REG, type Reg, UNKNOWN_REG } from '../state/reg.ts';
import { baseOf, MEM_ALLOC, NON_OWN_REF, PTR_TO_BTF_ID } from '../state/reg_types.ts';
import { REF_TYPE_IRQ, REF_TYPE_LOCK_MASK, REF_TYPE_PTR, type Ref, type State } from '../state/state.ts';

/**
 * What a program has taken and must give back: references, locks and interrupt sections, in the order in which they were taken.
 * Source: acquire_reference_state and its neighbours, kernel/bpf/verifier.c.
 */

function addRef(state: State, ref: Ref): void {
  state.refs = [...state.refs, ref];
  state.acquiredRefs = state.refs.length;
}

function dropRef(state: State, index: number): void {
  state.refs = state.refs.filter((_, at) => at !== index);
  state.acquiredRefs = state.refs.length;
}

/** Takes a reference and returns its id (acquire_reference). */
export function acquireReference(env: Env, insnIdx: number): number {
  const id = env.newId();
  addRef(env.cur, { type: REF_TYPE_PTR, id, insnIdx, ptr: null });
  return id;
}

/** A reference, lock or section with this id is held (find_reference_state). */
export const findReference = (state: State, id: number): boolean => state.refs.some((ref) => ref.id === id);

/** Gives a reference back, whatever still points to it; false when it is not held (release_reference_nomark). */
export function releaseReferenceNoMark(state: State, id: number): boolean {
  const index = state.refs.findIndex((ref) => ref.type === REF_TYPE_PTR && ref.id === id);
  if (index < 0) return false;
  dropRef(state, index);
  return true;
}

/** What becomes of a register whose pointer is no longer valid (mark_reg_invalid). */
export const invalidReg = (env: Env): Reg => (env.allowPtrLeaks ? UNKNOWN_REG : NOT_INIT_REG);

/** Gives a reference back and invalidates every copy of the pointer; false when it is not held (release_reference). */
export function releaseReference(env: Env, id: number): boolean {
  if (!releaseReferenceNoMark(env.cur, id)) return false;
  const invalid = invalidReg(env);
  replaceRegs(env.cur, (reg) => (reg.refObjId === id ? invalid : reg));
  return true;
}

/** type_is_ptr_alloc_obj: an object that a program allocated */
export const isAllocatedObject = (type: number): boolean => baseOf(type) === PTR_TO_BTF_ID && (type & MEM_ALLOC) !== 0;

/** type_is_non_owning_ref: an object that a list or tree owns */
export const isNonOwningRef = (type: number): boolean => isAllocatedObject(type) && (type & NON_OWN_REF) !== 0;

/** Without the lock, what a list or tree owns may be freed at any time (invalidate_non_owning_refs). */
export function invalidateNonOwningRefs(env: Env): void {
  const invalid = invalidReg(env);
  replaceRegs(env.cur, (reg) => (isNonOwningRef(reg.type) ? invalid : reg));
}

/** Takes a lock of the allocation `id` in `ptr`, which is then the innermost (acquire_lock_state). */
export function acquireLock(env: Env, insnIdx: number, type: number, id: number, ptr: MapInfo | Btf): void {
  const { cur } = env;
  addRef(cur, { type, id, insnIdx, ptr });
  cur.activeLocks++;
  cur.activeLockId = id;
  cur.activeLockPtr = ptr;
}

/** A lock of one of these types on this allocation is held (find_lock_state). */
export const isLocked = (state: State, types: number, id: number, ptr: MapInfo | Btf | null): boolean =>
  state.refs.some((ref) => (ref.type & types) !== 0 && ref.id === id && ref.ptr === ptr);

/** Drops a lock; the one taken before it is the innermost again. False when it is not held (release_lock_state). */
export function releaseLock(state: State, type: number, id: number, ptr: MapInfo | Btf): boolean {
  let outer: Ref | null = null;
  for (let index = 0; index < state.refs.length; index++) {
    const ref = state.refs[index] as Ref;
    if (ref.type === type && ref.id === id && ref.ptr === ptr) {
      dropRef(state, index);
      state.activeLocks--;
      state.activeLockId = outer?.id ?? 0;
      state.activeLockPtr = outer?.ptr ?? null;
      return true;
    }
    if ((ref.type & REF_TYPE_LOCK_MASK) !== 0) outer = ref;
  }
  return false;
}

/** Enters a section without interrupts and returns its id (acquire_irq_state). */
export function acquireIrqSection(env: Env, insnIdx: number): number {
  const id = env.newId();
  addRef(env.cur, { type: REF_TYPE_IRQ, id, insnIdx, ptr: null });
  env.cur.activeIrqId = id;
  return id;
}

/** Leaves the innermost section without interrupts; false when `id` is another one (release_irq_state). */
export function releaseIrqSection(state: State, id: number): boolean {
  if (id !== state.activeIrqId) return false;
  let outer = 0;
  for (let index = 0; index < state.refs.length; index++) {
    const ref = state.refs[index] as Ref;
    if (ref.type !== REF_TYPE_IRQ) continue;
    if (ref.id === id) {
      dropRef(state, index);
      state.activeIrqId = outer;
      return true;
    }
    outer = ref.id;
  }
  return false;
}
