import { Bug, ERRNO } from '../../contracts/errors.ts';
import type { HostCall, PartKey } from '../../contracts/host_call.ts';
import { irqsDisabled } from '../../kernel/interrupts.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';
import type { KernelFile } from '../../kernel/objects/files.ts';
import type { AddressSpace, Area } from '../../kernel/objects/mm.ts';
import { PAGE_BYTES } from '../../kernel/objects/mm.ts';
import { PF_KTHREAD, type Task } from '../../kernel/objects/task.ts';

/**
 * bpf_iter_task_vma as it is since 2026: no lock is held between two steps; each area is locked for a moment and copied into a
 * snapshot, which is what the program sees. Source: kernel/bpf/task_iter.c.
 *
 * The iterator on the stack is the address of its data, NULL when there is nothing to walk.
 */

export const ITERATOR_BYTES = 8;
const DATA = 'bpf_iter_task_vma_kern_data';
/** sizeof(struct bpf_iter_task_vma_kern_data) where the BTF does not say */
const DATA_BYTES = 320;
const AREA = 'vm_area_struct';

interface Walk {
  readonly task: Task;
  readonly mm: AddressSpace;
  next: number;
  /** file that the snapshot refers to */
  file: KernelFile | null;
}

const WALKS: PartKey<Map<number, Walk>> = { name: 'task_vma iterators', create: () => new Map() };

/** An address as far as areas can lie; user addresses are below 2^47. */
export const addressOf = (call: HostCall, index: number): number => (call.argHi(index) >>> 0) * 2 ** 32 + call.argU32(index);

/** it, task, addr */
export function taskVmaNew(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, ITERATOR_BYTES);
  const { tasks, objects } = kernelOf(call);
  memory.store64(at, 0, 0);
  if (irqsDisabled(call)) return call.setReturnNumber(-ERRNO.EBUSY);
  const size = Math.max(objects.struct(DATA)?.size ?? 0, DATA_BYTES);
  const data = call.allocationFails() ? 0 : memory.allocate(size, { what: 'data of a task_vma iterator', readOnly: true });
  if (data === 0) return call.setReturnNumber(-ERRNO.ENOMEM);
  const task = tasks.at(call.argU32(1));
  if (task === null) throw new Bug('task_vma iterator over something that is no task');
  task.get();
  const started = enter(task);
  if (typeof started === 'number') {
    task.put();
    memory.free(data);
    return call.setReturnNumber(started);
  }
  call.part(WALKS).set(data, { task, mm: started, next: addressOf(call, 2), file: null });
  memory.store64(at, data, memory.high);
  call.setReturn(0, 0);
}

/** The address space of a task, with a reference, or a negative errno. */
function enter(task: Task): AddressSpace | number {
  if (!task.allocLock.tryLock()) return -ERRNO.EBUSY;
  const { mm } = task;
  const usable = mm !== null && (task.flags & PF_KTHREAD) === 0 ? mm : null;
  usable?.get();
  task.allocLock.unlock();
  return usable ?? -ERRNO.ENOENT;
}

/**
 * bpf_iter_task_vma_find_next: an area that a writer has locked is passed over. The lock of the one that is found is held while it
 * is copied, in which nobody else runs: it need not be taken here.
 */
function nextFree(walk: Walk): Area | null {
  for (;;) {
    const area = walk.mm.find(walk.next);
    if (area === null || area.isFree) return area;
    area.lock.contentions++;
    walk.next = area.end <= walk.next ? walk.next + PAGE_BYTES : area.end;
  }
}

export function taskVmaNext(call: HostCall): void {
  const { memory } = call;
  const data = memory.loadU32(call.writable(0, ITERATOR_BYTES));
  const walk = data === 0 ? undefined : call.part(WALKS).get(data);
  if (walk === undefined) return call.setReturnPointer(0);
  const { objects } = kernelOf(call);
  walk.file?.put();
  walk.file = null;
  const area = nextFree(walk);
  if (area === null) return call.setReturnPointer(0);
  const snapshot = objects.field(DATA, 'snapshot').at(data);
  const from = walk.mm.areaObject(area);
  memory.u8.copyWithin(snapshot, from, from + objects.sizeOf(AREA));
  if (area.file?.get() === true) walk.file = area.file;
  walk.next = area.end;
  call.setReturnPointer(snapshot);
}

export function taskVmaDestroy(call: HostCall): void {
  const data = call.memory.loadU32(call.writable(0, ITERATOR_BYTES));
  const walk = data === 0 ? undefined : call.part(WALKS).get(data);
  if (walk === undefined) return;
  walk.file?.put();
  walk.task.put();
  walk.mm.put();
  call.part(WALKS).delete(data);
  call.memory.free(data);
}
