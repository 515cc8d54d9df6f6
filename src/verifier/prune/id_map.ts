import type { Env } from '../env.ts';
import { BPF_ADD_CONST } from '../state/reg.ts';

/**
 * Pairs of ids found to correspond while an old state is compared with the current one: registers that share an id in the old
 * state must share one in the current state, though it may be another one. One comparison runs at a time, so the arrays are
 * reused. Source: struct bpf_idmap, check_ids and check_scalar_ids, kernel/bpf/verifier.c.
 */

/** (MAX_BPF_REG + MAX_BPF_STACK / BPF_REG_SIZE) * MAX_CALL_FRAMES */
const CAPACITY = (11 + 64) * 8;
const oldIds = new Int32Array(CAPACITY);
const curIds = new Int32Array(CAPACITY);
let count = 0;
let temporaryId = 0;

/** Starts a comparison (reset_idmap_scratch). */
export const resetIdMap = (env: Env): void => {
  count = 0;
  temporaryId = env.idGen;
};

/** Both or none have an id, and the pair does not contradict an earlier one. */
export function checkIds(oldId: number, curId: number): boolean {
  if (oldId === 0) return curId === 0;
  if (curId === 0) return false;
  const old = oldId | 0;
  const cur = curId | 0;
  for (let i = 0; i < count; i++) {
    if (oldIds[i] === old) return curIds[i] === cur;
    if (curIds[i] === cur) return false;
  }
  if (count === CAPACITY) return false;
  oldIds[count] = old;
  curIds[count] = cur;
  count++;
  return true;
}

/**
 * Ids of scalars: an old scalar without an id relied on no link, so any current one will do. A current scalar without an id is
 * linked to nothing, which a fresh id says. Of a link with an offset both the link and its base must correspond.
 */
export function checkScalarIds(oldId: number, curId: number): boolean {
  if (oldId === 0) return true;
  const cur = curId === 0 ? ++temporaryId : curId;
  if (!checkIds(oldId, cur)) return false;
  return (oldId & BPF_ADD_CONST) === 0 || checkIds(oldId & ~BPF_ADD_CONST, cur & ~BPF_ADD_CONST);
}
