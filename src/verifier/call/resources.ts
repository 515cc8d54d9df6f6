import type { Env } from '../env.ts';
import type { Reg } from '../state/reg.ts';
import { REF_TYPE_PTR } from '../state/state.ts';

/** What a program must have given back when it ends. Source: check_resource_leak, kernel/bpf/verifier.c. */

const BPF_PROG_TYPE_STRUCT_OPS = 27;

/** True when references are held that nobody releases any more; each is named in the log (check_reference_leak). */
export function checkReferenceLeak(env: Env, exceptionExit: boolean): boolean {
  const { cur } = env;
  if (!exceptionExit && cur.curframe !== 0) return false;
  // a member of a table of functions may return its object; of what type is checked with the return value
  const mayReturn = env.subject.type === BPF_PROG_TYPE_STRUCT_OPS && !exceptionExit;
  const returned = mayReturn ? (cur.top.regs[0] as Reg).refObjId : 0;
  let leaks = false;
  for (const ref of cur.refs) {
    if (ref.type !== REF_TYPE_PTR || (mayReturn && ref.id === returned)) continue;
    env.verbose(`Unreleased reference id=${ref.id} alloc_insn=${ref.insnIdx}\n`);
    leaks = true;
  }
  return leaks;
}

/**
 * Refuses to end the program while something is held: references always; locks and sections with interrupts, preemption or RCU
 * where `checkLock`. `prefix` names what would end it.
 */
export function checkResourceLeak(env: Env, exceptionExit: boolean, checkLock: boolean, prefix: string): void {
  const { cur } = env;
  const refuse = (reason: string): never => env.reject('EINVAL', `${prefix} ${reason}`);
  if (checkLock && cur.activeLocks > 0) refuse('cannot be used inside bpf_spin_lock-ed region');
  if (checkReferenceLeak(env, exceptionExit)) refuse('would lead to reference leak');
  if (!checkLock) return;
  if (cur.activeIrqId !== 0) refuse('cannot be used inside bpf_local_irq_save-ed region');
  if (cur.activeRcuLock) refuse('cannot be used inside bpf_rcu_read_lock-ed region');
  if (cur.activePreemptLocks > 0) refuse('cannot be used inside bpf_preempt_disable-ed region');
}
