import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';

/**
 * bpf_iter_task, kernel/bpf/task_iter.c. State in the 24 bytes of the iterator, as the kernel keeps it: the process, the thread
 * that comes next, flags. No references are taken: the RCU section keeps the tasks.
 */

const STATE_BYTES = 24;
const POSITION_AT = 8;
const FLAGS_AT = 16;

const ALL_PROCS = 0;
const ALL_THREADS = 1;
const PROC_THREADS = 2;

/** it, task__nullable, flags */
export function taskNew(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, STATE_BYTES);
  const flags = call.argU32(2);
  memory.store64(at + POSITION_AT, 0, 0);
  if (flags > PROC_THREADS || (flags === PROC_THREADS && call.argIsNull(1))) return call.setReturnNumber(-ERRNO.EINVAL);
  const first = flags === PROC_THREADS ? call.argU32(1) : kernelOf(call).tasks.init.offset;
  memory.store64(at, first, memory.high);
  memory.store64(at + POSITION_AT, first, memory.high);
  memory.storeI32(at + FLAGS_AT, flags);
  call.setReturn(0, 0);
}

export function taskNext(call: HostCall): void {
  const { memory } = call;
  const { tasks } = kernelOf(call);
  const at = call.writable(0, STATE_BYTES);
  const given = memory.loadU32(at + POSITION_AT);
  call.setReturnPointer(given);
  const current = given === 0 ? null : tasks.at(given);
  if (current === null) return;
  const move = (field: number, offset: number): void => memory.store64(at + field, offset, offset === 0 ? 0 : memory.high);
  const flags = memory.loadU32(at + FLAGS_AT);
  const thread = flags === ALL_PROCS ? null : tasks.nextThread(current);
  if (thread !== null || flags === PROC_THREADS) return move(POSITION_AT, thread?.offset ?? 0);
  const process = tasks.nextProcess(current);
  move(0, process.offset);
  move(POSITION_AT, process === tasks.init ? 0 : process.offset);
}

export const taskDestroy = (call: HostCall): void => void call.writable(0, STATE_BYTES);

export const TASK_ITER_FLAGS = { ALL_PROCS, ALL_THREADS, PROC_THREADS } as const;
