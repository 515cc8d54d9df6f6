import type { Env } from '../env.ts';
import { isInRcuSection, leaveRcuSection } from '../objects/rcu.ts';
import { isInRbtreeCallback } from './callback.ts';
import { hasFlag, hasRole, type KfuncShape } from './kfunc_shape.ts';

/** RCU, preemption and interrupt sections at a kfunc call. Source: check_kfunc_call, kernel/bpf/verifier.c. */

function rcuSection(env: Env, shape: KfuncShape): void {
  const { cur } = env;
  const { name } = shape.desc;
  const enters = hasRole(shape, 'rcu_read_lock');
  const leaves = hasRole(shape, 'rcu_read_unlock');
  if (!cur.activeRcuLock) {
    if (leaves) env.reject('EINVAL', `unmatched rcu read unlock (kernel function ${name})`);
    if (enters) cur.activeRcuLock = true;
    return;
  }
  if ((enters || leaves) && isInRbtreeCallback(env))
    env.reject('EACCES', 'Calling bpf_rcu_read_{lock,unlock} in unnecessary rbtree callback');
  if (enters) env.reject('EINVAL', `nested rcu read lock (kernel function ${name})`);
  if (leaves) leaveRcuSection(env);
  else if (hasFlag(shape, 'KF_SLEEPABLE')) env.reject('EACCES', `kernel func ${name} is sleepable within rcu_read_lock region`);
}

function preemptSection(env: Env, shape: KfuncShape): void {
  const { cur } = env;
  const { name } = shape.desc;
  if (hasRole(shape, 'preempt_disable')) cur.activePreemptLocks++;
  else if (hasRole(shape, 'preempt_enable')) {
    if (cur.activePreemptLocks === 0) env.reject('EINVAL', `unmatched attempt to enable preemption (kernel function ${name})`);
    cur.activePreemptLocks--;
  } else if (cur.activePreemptLocks > 0 && hasFlag(shape, 'KF_SLEEPABLE'))
    env.reject('EACCES', `kernel func ${name} is sleepable within non-preemptible region`);
}

/** Enters or leaves a section, and refuses a kfunc that must not be called inside, or outside, of one. */
export function applySections(env: Env, shape: KfuncShape): void {
  rcuSection(env, shape);
  preemptSection(env, shape);
  const { name } = shape.desc;
  if (env.cur.activeIrqId !== 0 && hasFlag(shape, 'KF_SLEEPABLE'))
    env.reject('EACCES', `kernel func ${name} is sleepable within IRQ-disabled region`);
  if (hasFlag(shape, 'KF_RCU_PROTECTED') && !isInRcuSection(env))
    env.reject('EACCES', `kernel func ${name} requires RCU critical section protection`);
}
