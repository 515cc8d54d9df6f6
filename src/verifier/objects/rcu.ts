import type { Env } from '../env.ts';
import { replaceRegsAndSlots } from '../state/each.ts';
import { MEM_RCU, PTR_MAYBE_NULL, PTR_UNTRUSTED } from '../state/reg_types.ts';
import { STACK_ITER, STACK_SPILL } from '../state/stack_slot.ts';

/** RCU read sections, explicit and implied. Source: in_rcu_cs and check_kfunc_call, kernel/bpf/verifier.c. */

/** The current function may sleep (in_sleepable). */
export const isSleepable = (env: Env): boolean => env.cur.inSleepable;

/** Objects that RCU protects stay alive here: a section or lock is held, or the program cannot sleep (in_rcu_cs). */
export const isInRcuSection = (env: Env): boolean => env.cur.activeRcuLock || env.cur.activeLocks > 0 || !env.cur.inSleepable;

/** The section ends: pointers and iterators that it protected cannot be trusted any more. */
export function leaveRcuSection(env: Env): void {
  replaceRegsAndSlots(env.cur, (1 << STACK_SPILL) | (1 << STACK_ITER), (reg) => {
    if ((reg.type & MEM_RCU) === 0) return reg;
    const next = reg.clone();
    next.type = (reg.type & ~(MEM_RCU | PTR_MAYBE_NULL)) | PTR_UNTRUSTED;
    return next;
  });
  env.cur.activeRcuLock = false;
}
