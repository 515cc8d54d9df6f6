import { Bug, ERRNO } from '../../contracts/errors.ts';
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

const INIT_PID = 1;
const NSIG = 64;
/** enum pid_type, include/linux/pid_types.h */
const PIDTYPE_PID = 0;
const PIDTYPE_TGID = 1;
/** include/linux/sched.h */
const PF_EXITING = 0x4;
const PF_KTHREAD = 0x200000;

/** task, sig, type, value. Source: bpf_send_signal_task, kernel/trace/bpf_trace.c; signal 0 only asks. */
export function sendSignalTask(call: HostCall): void {
  const task = taskOf(call, 0);
  const signal = call.argU32(1);
  const type = call.argU32(2);
  if (type !== PIDTYPE_PID && type !== PIDTYPE_TGID) return call.setReturnNumber(-ERRNO.EINVAL);
  const flags = kernelOf(call).objects.field('task_struct', 'flags').number(task.offset);
  if ((flags & (PF_KTHREAD | PF_EXITING)) !== 0 || task.tgid === INIT_PID) return call.setReturnNumber(-ERRNO.EPERM);
  if (signal > NSIG) return call.setReturnNumber(-ERRNO.EINVAL);
  const thread = type === PIDTYPE_PID;
  if (signal !== 0) call.record({ kind: 'signal', pid: thread ? task.pid : task.tgid, signal, thread });
  call.setReturn(0, 0);
}

/** task, hierarchy_id: there is the default hierarchy alone, which is none of version 1 */
export function taskGetCgroup1(call: HostCall): void {
  taskOf(call, 0);
  call.setReturnPointer(0);
}
