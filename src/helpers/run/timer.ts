import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { arm, asyncAt, disarm, initAsync, runningTimer } from '../../kernel/async_calls.ts';
import { inNmi } from '../../kernel/interrupts.ts';

/** bpf_timer. Source: kernel/bpf/helpers.c, kernel/time/hrtimer.c. */

const TIMER_BYTES = 16;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const CLOCKS: ReadonlySet<bigint> = new Set([CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME].map(BigInt));
const BPF_F_TIMER_ABS = 1n;
const BPF_F_TIMER_CPU_PIN = 2n;
/** KTIME_SEC_MAX in nanoseconds: what a time that overflows becomes (ktime_add_safe) */
const END_OF_TIME = 9_223_372_036n * 1_000_000_000n;

/** timer, map, flags */
export function timerInit(call: HostCall): void {
  const field = call.writable(0, TIMER_BYTES);
  const flags = call.arg(2);
  if (!CLOCKS.has(flags)) return call.setReturnNumber(-ERRNO.EINVAL);
  if (inNmi(call)) return call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  call.setReturnNumber(initAsync(call, field, call.map(1), 'bpf_timer', Number(flags)));
}

/** timer, callback_fn */
export function timerSetCallback(call: HostCall): void {
  const async = asyncAt(call, call.writable(0, TIMER_BYTES));
  if (inNmi(call)) return call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  if (async === null) return call.setReturnNumber(-ERRNO.EINVAL);
  async.callback = { lo: call.argLo(1), hi: call.argHi(1) };
  call.setReturn(0, 0);
}

/** When a timer that is started now is due, in nanoseconds since boot. */
function dueAt(call: HostCall, clock: number, nanoseconds: bigint, isAbsolute: boolean): bigint {
  const now = call.now('boottime');
  if (!isAbsolute) {
    const at = now + nanoseconds;
    return nanoseconds < 0n || at > END_OF_TIME ? END_OF_TIME : at;
  }
  return clock === CLOCK_REALTIME ? nanoseconds - (call.now('realtime') - now) : nanoseconds;
}

/** timer, nsecs, flags */
export function timerStart(call: HostCall): void {
  const async = asyncAt(call, call.writable(0, TIMER_BYTES));
  const flags = call.arg(2);
  if (inNmi(call)) return call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  if ((flags & ~(BPF_F_TIMER_ABS | BPF_F_TIMER_CPU_PIN)) !== 0n) return call.setReturnNumber(-ERRNO.EINVAL);
  if (async === null || async.callback === null) return call.setReturnNumber(-ERRNO.EINVAL);
  const at = dueAt(call, async.clock, BigInt.asIntN(64, call.arg(1)), (flags & BPF_F_TIMER_ABS) !== 0n);
  arm(call, async, at, { inInterrupt: true });
  call.setReturn(0, 0);
}

/** timer: 1 when it was waiting, -EDEADLK within its own function */
export function timerCancel(call: HostCall): void {
  const async = asyncAt(call, call.writable(0, TIMER_BYTES));
  if (inNmi(call)) return call.setReturnNumber(-ERRNO.EOPNOTSUPP);
  if (async === null) return call.setReturnNumber(-ERRNO.EINVAL);
  if (runningTimer(call) === async) return call.setReturnNumber(-ERRNO.EDEADLK);
  async.callback = null;
  call.setReturn(disarm(call, async) ? 1 : 0, 0);
}
