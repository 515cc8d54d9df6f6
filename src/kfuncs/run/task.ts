import { Bug } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';
import type { Task } from '../../kernel/objects/task.ts';
import { callRcu } from '../../kernel/rcu.ts';

/** References to tasks. Source: kernel/bpf/helpers.c. */

function taskOf(call: HostCall, index: number): Task {
  const task = kernelOf(call).tasks.at(call.argU32(index));
  if (task === null) throw new Bug(`argument ${index + 1} is no task`);
  return task;
}

/** NULL for a task that only readers still see. */
export function taskAcquire(call: HostCall): void {
  const task = taskOf(call, 0);
  if (task.references === 0) return call.setReturnPointer(0);
  task.get();
  call.setReturnPointer(task.offset);
}

export function taskRelease(call: HostCall): void {
  const task = taskOf(call, 0);
  callRcu(call, () => task.put());
}

export function destroyTask(call: HostCall, object: number): void {
  const task = kernelOf(call).tasks.at(object);
  if (task !== null) callRcu(call, () => task.put());
}

export function taskFromPid(call: HostCall): void {
  const task = kernelOf(call).tasks.byPid(call.argLo(0));
  task?.get();
  call.setReturnPointer(task?.offset ?? 0);
}

/** task, ancestor */
export function taskUnderCgroup(call: HostCall): void {
  const wanted = call.argU32(1);
  let at = taskOf(call, 0).cgroup;
  while (at.offset !== wanted && at.parent !== null) at = at.parent;
  call.setReturn(at.offset === wanted ? 1 : 0, 0);
}
