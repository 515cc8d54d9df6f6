import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { irqsDisabled } from '../../kernel/interrupts.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';
import { mmapReadUnlock, tryMmapReadLock } from '../../kernel/mmap_read_lock.ts';
import type { AddressSpace } from '../../kernel/objects/mm.ts';
import { PF_KTHREAD, type Task } from '../../kernel/objects/task.ts';

/** bpf_find_vma, kernel/bpf/task_iter.c: as merged in Linux 5.17, and as the stable kernels of 2026 have it. */

const addressOf = (call: HostCall, index: number): number => (call.argHi(index) >>> 0) * 2 ** 32 + call.argU32(index);

const taskOf = (call: HostCall): Task | null => (call.argIsNull(0) ? null : kernelOf(call).tasks.at(call.argU32(0)));

/** Calls the function with the area that holds the address; mmap_lock is held for reading. The helper's result. */
function callBack(call: HostCall, mm: AddressSpace): number {
  const address = addressOf(call, 1);
  const area = mm.find(address);
  if (area === null || area.start > address) return -ERRNO.ENOENT;
  call.setCallbackArg(0, call.argLo(0), call.argHi(0));
  call.setCallbackPointer(1, mm.areaObject(area));
  call.setCallbackArg(2, call.argLo(3), call.argHi(3));
  call.invoke(2);
  return 0;
}

/** Under mmap_lock, when it can be had at once. */
function visit(call: HostCall, mm: AddressSpace, exclusive: boolean): number {
  const unlocking = tryMmapReadLock(call, mm, exclusive);
  if (unlocking === null) return -ERRNO.EBUSY;
  const result = callBack(call, mm);
  mmapReadUnlock(call, mm, unlocking);
  return result;
}

/** task, addr, callback_fn, callback_ctx, flags */
export function findVma(call: HostCall): void {
  if (!call.argIsNull(4)) return call.setReturnNumber(-ERRNO.EINVAL);
  const mm = taskOf(call)?.mm ?? null;
  call.setReturnNumber(mm === null ? -ERRNO.ENOENT : visit(call, mm, false));
}

/** The same order of checks, but another task's address space needs interrupts on, its alloc_lock, and a reference. */
export function findVma2026(call: HostCall): void {
  if (!call.argIsNull(4)) return call.setReturnNumber(-ERRNO.EINVAL);
  const task = taskOf(call);
  if (task === null) return call.setReturnNumber(-ERRNO.ENOENT);
  if (task.offset === call.task.offset) {
    return call.setReturnNumber(task.mm === null ? -ERRNO.ENOENT : visit(call, task.mm, true));
  }
  if (irqsDisabled(call) || !task.allocLock.tryLock()) return call.setReturnNumber(-ERRNO.EBUSY);
  const mm = (task.flags & PF_KTHREAD) === 0 ? task.mm : null;
  mm?.get();
  task.allocLock.unlock();
  if (mm === null) return call.setReturnNumber(-ERRNO.ENOENT);
  call.setReturnNumber(visit(call, mm, true));
  mm.put();
}
