import { Fault } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { giveLockBack, holdLock, LOCK_BYTES } from '../../kernel/spin_lock.ts';

/** bpf_spin_lock, with interrupts off. Source: kernel/bpf/helpers.c. */

/** The kernel would wait for ever for a lock that this very CPU holds. */
export function spinLock(call: HostCall): void {
  const at = call.writable(0, LOCK_BYTES);
  if (call.memory.loadU32(at) !== 0) throw new Fault('deadlock', 'the lock is held already', call.arg(0));
  holdLock(call, at, true);
}

export const spinUnlock = (call: HostCall): void => giveLockBack(call, call.writable(0, LOCK_BYTES));
