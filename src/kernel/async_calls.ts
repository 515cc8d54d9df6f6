import { ERRNO, Fault } from '../contracts/errors.ts';
import type { ActionSetting, HostCall, PartKey } from '../contracts/host_call.ts';
import type { HostMap } from '../contracts/host_map.ts';
import { callRcu } from './rcu.ts';

/**
 * Functions that run later, kept by a field of a map value: bpf_timer, bpf_wq, bpf_task_work. Source: struct bpf_async_cb and
 * struct bpf_task_work_ctx, kernel/bpf/helpers.c. The field's first word is the address of the kernel's part, whose content stays
 * with us.
 */
export interface AsyncCall {
  readonly offset: number;
  readonly map: HostMap;
  /** the value that holds the field */
  readonly value: number;
  /** timers: CLOCK_* */
  readonly clock: number;
  /** null until one is set, and again once the call is cancelled */
  callback: { readonly lo: number; readonly hi: number } | null;
  /** what the agenda knows it by while it waits for its time */
  ticket: number | null;
  /** gives back what the waiting call keeps */
  release: (() => void) | null;
  isRunning: boolean;
}

class AsyncCalls {
  readonly byOffset = new Map<number, AsyncCall>();
  /** the timer whose function runs */
  runningTimer: AsyncCall | null = null;
}

const ASYNC_CALLS: PartKey<AsyncCalls> = { name: 'timers and work', create: () => new AsyncCalls() };
const KERNEL_PART_BYTES = 64;

/** The call that the field keeps; null before its initialisation. */
export function asyncAt(call: HostCall, field: number): AsyncCall | null {
  const offset = call.memory.loadU32(field);
  return offset === 0 ? null : (call.part(ASYNC_CALLS).byOffset.get(offset) ?? null);
}

export const runningTimer = (call: HostCall): AsyncCall | null => call.part(ASYNC_CALLS).runningTimer;

/** Makes the kernel's part of a field; -EBUSY where there is one already. Source: __bpf_async_init. */
export function initAsync(call: HostCall, field: number, map: HostMap, fieldName: string, clock = 0): number {
  const { memory } = call;
  if (memory.loadU32(field) !== 0) return -ERRNO.EBUSY;
  const offset = call.allocationFails() ? 0 : memory.allocate(KERNEL_PART_BYTES, { what: `${fieldName} of map ${map.name}` });
  if (offset === 0) return -ERRNO.ENOMEM;
  const value = field - map.fieldOffset(fieldName);
  const state = { offset, map, value, clock, callback: null, ticket: null, release: null, isRunning: false };
  call.part(ASYNC_CALLS).byOffset.set(offset, state);
  memory.store64(field, offset, memory.high);
  return 0;
}

/** Has the call's function run at a time, instead of when it was to run before. */
export function arm(call: HostCall, async: AsyncCall, at: bigint, setting: ActionSetting): void {
  disarm(call, async);
  async.ticket = call.schedule(at, (later) => run(later, async, setting), setting);
}

/** Whether it was waiting for its time. */
export function disarm(call: HostCall, async: AsyncCall): boolean {
  if (async.ticket === null) return false;
  call.cancel(async.ticket);
  async.ticket = null;
  async.release?.();
  async.release = null;
  return true;
}

/** What a map does with the field of a value that goes away. Source: __bpf_async_cancel_and_free, bpf_task_work_cancel_and_free. */
export function cancelAsync(call: HostCall, field: number): void {
  const async = asyncAt(call, field);
  call.memory.store64(field, 0, 0);
  if (async === null) return;
  disarm(call, async);
  async.callback = null;
  call.part(ASYNC_CALLS).byOffset.delete(async.offset);
  callRcu(call, () => call.memory.free(async.offset));
}

/** Source: bpf_timer_cb, bpf_wq_work, bpf_task_work_callback: the function gets map, key and value. */
function run(call: HostCall, async: AsyncCall, setting: ActionSetting): void {
  const { callback, map, value, release } = async;
  async.ticket = null;
  async.release = null;
  if (callback === null) return;
  const { memory } = call;
  const calls = call.part(ASYNC_CALLS);
  const bytes = map.keyOf(value) ?? new Uint8Array(0);
  const key = memory.allocate(bytes.length, { what: `key of map ${map.name}`, readOnly: true });
  if (key === 0) throw new Fault('out-of-bounds', 'no memory for the key of a callback');
  memory.u8.set(bytes, key);
  call.setCallbackPointer(0, map.offset);
  call.setCallbackPointer(1, key);
  call.setCallbackPointer(2, value);
  async.isRunning = true;
  calls.runningTimer = setting.inInterrupt === true ? async : null;
  try {
    call.invokeAt(callback.lo, callback.hi);
  } finally {
    calls.runningTimer = null;
    async.isRunning = false;
    memory.free(key);
    release?.();
  }
}
