import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall, PartKey } from '../../contracts/host_call.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';
import { mmapReadUnlock, tryMmapReadLock, type Unlocking } from '../../kernel/mmap_read_lock.ts';
import type { AddressSpace } from '../../kernel/objects/mm.ts';
import type { Task } from '../../kernel/objects/task.ts';
import { addressOf, ITERATOR_BYTES } from './task_vma.ts';

/**
 * bpf_iter_task_vma as proposed in August 2023 (version 3) and as merged in Linux 6.7: mmap_lock is held for reading from `new`
 * to `destroy`, and the program sees the areas themselves. Source: kernel/bpf/task_iter.c of Linux 6.7.
 */

/** task, mm, the slot of the irq work, and a struct vma_iterator */
const DATA_BYTES = 3 * 8 + 64;

interface Walk {
  readonly task: Task;
  readonly mm: AddressSpace;
  readonly unlocking: Unlocking;
  next: number;
}

const WALKS: PartKey<Map<number, Walk>> = { name: 'task_vma iterators with a lock', create: () => new Map() };

/** it, task, addr */
export function taskVmaNewLocked(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, ITERATOR_BYTES);
  const { tasks } = kernelOf(call);
  memory.store64(at, 0, 0);
  const data = call.allocationFails() ? 0 : memory.allocate(DATA_BYTES, { what: 'data of a task_vma iterator', readOnly: true });
  if (data === 0) return call.setReturnNumber(-ERRNO.ENOMEM);
  const fail = (error: number): void => {
    memory.free(data);
    call.setReturnNumber(error);
  };
  const task = call.argIsNull(1) ? null : tasks.at(call.argU32(1));
  const mm = task?.mm ?? null;
  if (task === null || mm === null) return fail(-ERRNO.ENOENT);
  const unlocking = tryMmapReadLock(call, mm);
  if (unlocking === null) return fail(-ERRNO.EBUSY);
  task.get();
  call.part(WALKS).set(data, { task, mm, unlocking, next: addressOf(call, 2) });
  memory.store64(at, data, memory.high);
  call.setReturn(0, 0);
}

export function taskVmaNextLocked(call: HostCall): void {
  const data = call.memory.loadU32(call.writable(0, ITERATOR_BYTES));
  const walk = data === 0 ? undefined : call.part(WALKS).get(data);
  const area = walk?.mm.find(walk.next) ?? null;
  if (walk === undefined || area === null) return call.setReturnPointer(0);
  walk.next = area.end;
  call.setReturnPointer(walk.mm.areaObject(area));
}

export function taskVmaDestroyLocked(call: HostCall): void {
  const data = call.memory.loadU32(call.writable(0, ITERATOR_BYTES));
  const walk = data === 0 ? undefined : call.part(WALKS).get(data);
  if (walk === undefined) return;
  mmapReadUnlock(call, walk.mm, walk.unlocking);
  walk.task.put();
  call.part(WALKS).delete(data);
  call.memory.free(data);
}
