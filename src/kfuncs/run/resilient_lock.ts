import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { giveLockBack, holdLock, holdsLock, LOCK_BYTES } from '../../kernel/spin_lock.ts';
import { localIrqRestore, localIrqSave } from './sections.ts';

/** bpf_res_spin_lock, which refuses instead of waiting for ever. Source: kernel/bpf/rqspinlock.c. */

/** 0, -EDEADLK for a lock that this CPU holds, -ETIMEDOUT for one that somebody else does not give back. */
function take(call: HostCall): number {
  const at = call.writable(0, LOCK_BYTES);
  if (call.memory.loadU32(at) !== 0) return holdsLock(call, at) ? -ERRNO.EDEADLK : -ERRNO.ETIMEDOUT;
  holdLock(call, at, false);
  return 0;
}

export const resSpinLock = (call: HostCall): void => call.setReturnNumber(take(call));
export const resSpinUnlock = (call: HostCall): void => giveLockBack(call, call.writable(0, LOCK_BYTES));

/** lock, flags__irq_flag: the flags are stored only with the lock */
export function resSpinLockIrqsave(call: HostCall): void {
  const result = take(call);
  if (result === 0) localIrqSave(call, 1);
  call.setReturnNumber(result);
}

export function resSpinUnlockIrqrestore(call: HostCall): void {
  resSpinUnlock(call);
  localIrqRestore(call, 1);
}
