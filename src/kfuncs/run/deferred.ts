import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { arm, asyncAt, initAsync } from '../../kernel/async_calls.ts';
import { inNmi } from '../../kernel/interrupts.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';

/** Work queues and task work. Source: kernel/bpf/helpers.c. */

const WORK_BYTES = 16;
const TASK_WORK_BYTES = 8;

/** wq, p__map, flags */
export function wqInit(call: HostCall): void {
  const field = call.writable(0, WORK_BYTES);
  if (call.argU32(2) !== 0) return call.setReturnNumber(-ERRNO.EINVAL);
  if (inNmi(call)) return call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  call.setReturnNumber(initAsync(call, field, call.map(1), 'bpf_workqueue'));
}

/** wq, callback_fn, flags, aux__prog */
export function wqSetCallback(call: HostCall): void {
  const async = asyncAt(call, call.writable(0, WORK_BYTES));
  if (call.argU32(2) !== 0) return call.setReturnNumber(-ERRNO.EINVAL);
  if (inNmi(call)) return call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  if (async === null) return call.setReturnNumber(-ERRNO.EINVAL);
  async.callback = { lo: call.argLo(1), hi: call.argHi(1) };
  call.setReturn(0, 0);
}

/** wq, flags: work that waits already is not queued twice */
export function wqStart(call: HostCall): void {
  const async = asyncAt(call, call.writable(0, WORK_BYTES));
  if (inNmi(call)) return call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  if (call.argU32(1) !== 0 || async === null || async.callback === null) return call.setReturnNumber(-ERRNO.EINVAL);
  if (async.ticket === null) arm(call, async, call.now('boottime'), { sleepable: true });
  call.setReturn(0, 0);
}

/** task, tw, map__map, callback, aux__prog: the task keeps alive until the function has run */
export function taskWorkSchedule(call: HostCall): void {
  const task = kernelOf(call).tasks.at(call.argU32(0));
  const field = call.writable(1, TASK_WORK_BYTES);
  if (task === null || task.references === 0) return call.setReturnNumber(-ERRNO.EBADF);
  if (asyncAt(call, field) === null) {
    const refused = initAsync(call, field, call.map(2), 'bpf_task_work');
    if (refused !== 0) return call.setReturnNumber(refused);
  }
  const async = asyncAt(call, field)!;
  if (async.ticket !== null || async.isRunning) return call.setReturnNumber(-ERRNO.EBUSY);
  async.callback = { lo: call.argLo(3), hi: call.argHi(3) };
  task.get();
  arm(call, async, call.now('boottime'), { sleepable: true });
  async.release = () => task.put();
  call.setReturn(0, 0);
}
