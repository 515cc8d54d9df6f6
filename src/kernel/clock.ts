import type { ClockName } from '../contracts/host_call.ts';

/** Time that passes between two readings beyond that. */
const NANOSECONDS_PER_READING = 100n;
/** Resolution of the coarse clock and of jiffies: HZ = 1000. */
const NANOSECONDS_PER_TICK = 1_000_000n;
/** INITIAL_JIFFIES: five minutes before the 32-bit counter wraps. Source: include/linux/jiffies.h. */
const INITIAL_JIFFIES = BigInt.asUintN(64, BigInt.asUintN(32, -300_000n));
/** International Atomic Time is ahead of UTC by this much. */
const TAI_OFFSET = 37n * 1_000_000_000n;

export interface ClockOptions {
  /** nanoseconds since boot at the start; default one hour */
  readonly boot?: bigint;
  /** nanoseconds since 1970 at the start; default 1 January 2026 */
  readonly realtime?: bigint;
  /** time that one instruction takes; default 1 */
  readonly perInsn?: bigint;
}

/** Modelled time: it passes with instructions and with readings, and in jumps when somebody waits. */
export class Clock {
  readonly #boot: bigint;
  readonly #realtimeOffset: bigint;
  #extra = 0n;
  readonly #perInsn: bigint;
  readonly #executed: () => number;

  /** `executed` counts the instructions run so far. */
  constructor(options: ClockOptions, executed: () => number) {
    this.#boot = options.boot ?? 3_600_000_000_000n;
    this.#realtimeOffset = (options.realtime ?? 1_767_225_600_000_000_000n) - this.#boot;
    this.#perInsn = options.perInsn ?? 1n;
    this.#executed = executed;
  }

  /** Nanoseconds since boot, without moving the clock. */
  get nanoseconds(): bigint {
    return this.#boot + BigInt(this.#executed()) * this.#perInsn + this.#extra;
  }

  /** Lets time pass. */
  advance(nanoseconds: bigint): void {
    this.#extra += nanoseconds;
  }

  read(clock: ClockName): bigint {
    this.#extra += NANOSECONDS_PER_READING;
    const now = this.nanoseconds;
    switch (clock) {
      case 'monotonic':
      case 'boottime':
        return now;
      case 'coarse':
        return now - (now % NANOSECONDS_PER_TICK);
      case 'realtime':
        return now + this.#realtimeOffset;
      case 'tai':
        return now + this.#realtimeOffset + TAI_OFFSET;
      default:
        return clock satisfies never;
    }
  }

  jiffies(): bigint {
    return INITIAL_JIFFIES + this.nanoseconds / NANOSECONDS_PER_TICK;
  }
}
