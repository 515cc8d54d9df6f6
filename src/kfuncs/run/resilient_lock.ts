import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { giveLockBack, holdLock, LOCK_BYTES } from '../../kernel/spin_lock.ts';
import { localIrqRestore, localIrqSave } from './sections.ts';

/** bpf_res_spin_lock, which refuses instead of waiting for ever. Source: kernel/bpf/rqspinlock.c. */

/** Locks among which the one that is waited for is looked for: RES_NR_HELD, without the entry for the attempt itself. */
const REMEMBERED = 30;
/** Time between two looks for a deadlock, and until waiting ends (RES_DEF_TIMEOUT). */
const DEADLOCK_CHECK = 1_000_000n;
const TIMEOUT = 250_000_000n;

/** 0, -EDEADLK for a lock that this CPU knows that it holds, -ETIMEDOUT for one that nobody gives back. */
function take(call: HostCall): number {
  const at = call.writable(0, LOCK_BYTES);
  if (call.memory.loadU32(at) === 0) {
    holdLock(call, at, false);
    return 0;
  }
  const isKnown = call.state.locks.slice(0, REMEMBERED).some((lock) => lock.at === at);
  call.spend(isKnown ? DEADLOCK_CHECK : TIMEOUT);
  return isKnown ? -ERRNO.EDEADLK : -ERRNO.ETIMEDOUT;
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
