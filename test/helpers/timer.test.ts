import { describe, expect, it } from 'vitest';
import { runKernelText } from '../kernel/program.ts';
import { print } from '../kfuncs/run/print.ts';
import { func, lookup, OUT, tc } from '../verifier/objects/prelude.ts';

const EINVAL = '-22';
const EBUSY = '-16';
const EDEADLK = '-35';
const ENOMEM = '-12';
const MILLISECOND = 1_000_000n;

const timer = 'r1 = r6; r1 += 8';
const init = (clock = 1): string => `${timer}; r2 = timers ll; r3 = ${clock}; call bpf_timer_init; r8 = r0`;
const setCallback = `${timer}; r2 = tick ll; call bpf_timer_set_callback; r8 = r0`;
const start = (nanoseconds: number | bigint, flags = 0): string =>
  `${timer}; r2 = ${nanoseconds} ll; r3 = ${flags}; call bpf_timer_start; r8 = r0`;
const cancel = `${timer}; call bpf_timer_cancel; r8 = r0`;
const tell = print('r8');

/** The function counts its calls in the value and prints the count; `extra` follows with the value in r6. */
const tick = (extra = ''): string =>
  func(
    'static int tick(void *map, int *key, void *value)',
    `r6 = r3; r9 = *(u32 *)(r2 + 0); r7 = *(u64 *)(r6 + 0); r7 += 100; *(u64 *)(r6 + 0) = r7; r7 += r9; ${print('r7')}\n${extra}\nr0 = 0; exit`,
  );

const run = (text: string, extra = '', options: Parameters<typeof runKernelText>[1] = {}) =>
  runKernelText(tc(`${lookup('timers', 'r6')}; ${text}; ${OUT}`, text.includes('tick ll') ? tick(extra) : ''), {
    wait: MILLISECOND,
    ...options,
  });
const printed = (...args: Parameters<typeof run>): string => run(...args).printk.join(' ');

describe('a timer', () => {
  it.each([
    ['is prepared once', [init(), tell, init(), tell], `0 ${EBUSY}`],
    ['knows the clocks realtime, monotonic and boottime', [init(0), tell], '0'],
    ['knows the clock boottime', [init(7), tell], '0'],
    ['knows no other clock', [init(2), tell], EINVAL],
    ['is not started before it is prepared', [start(1), tell], EINVAL],
    ['is not cancelled before it is prepared', [cancel, tell], EINVAL],
    ['is not started without a function', [init(), start(1), tell], EINVAL],
    ['gets no function before it is prepared', [setCallback, tell], EINVAL],
    ['runs when its time has come', [init(), setCallback, start(1000), tell], '0 100'],
    ['does not run before', [init(), setCallback, start(MILLISECOND * 2n), tell], '0'],
    ['runs once', [init(), setCallback, start(1000), start(2000)], '100'],
    ['is started by its own clock', [init(), setCallback, start(3_600_000_500_000n, 1)], '100'],
    ['may have been due long ago', [init(), setCallback, start(1, 1)], '100'],
    ['counts from 1970 by the clock of the day', [init(0), setCallback, start(1_767_225_600_000_500_000n, 1)], '100'],
    ['does not count from boot by the clock of the day', [init(0), setCallback, start(1_767_225_700_000_000_000n, 1)], ''],
    ['takes a time that overflows for the end of time', [init(), setCallback, start(-1n)], ''],
    ['may be held to its CPU', [init(), setCallback, start(1000, 2), tell], '0 100'],
    ['has no other flags', [init(), setCallback, start(1000, 4), tell], EINVAL],
    ['is cancelled', [init(), setCallback, start(1000), cancel, tell], '1'],
    ['that does not wait is cancelled, too', [init(), setCallback, cancel, tell], '0'],
    ['forgets its function when it is cancelled', [init(), setCallback, cancel, start(1000), tell], EINVAL],
  ])('%s', (_rule, steps, expected) => {
    expect(printed(steps.join('\n'))).toBe(expected);
  });

  it('needs memory', () => {
    const failing = { machine: { failAllocation: (attempt: number) => attempt > 0 } };
    expect(printed([init(), tell].join('\n'), '', failing)).toBe(ENOMEM);
  });

  const started = [init(), setCallback, start(1000)].join('\n');

  it('may start itself anew', () => {
    const again = `if r7 s>= 300 goto enough; ${timer}; r2 = 1000; r3 = 0; call bpf_timer_start; enough: r0 = 0`;
    expect(printed(started, again)).toBe('100 200 300');
  });

  it('does not cancel itself from its function', () => {
    expect(printed(started, `${timer}; call bpf_timer_cancel; r8 = r0; ${tell}`)).toBe(`100 ${EDEADLK}`);
  });

  it('goes with its value', () => {
    const { printk, machine } = run(started, '', { wait: 0n });
    const map = machine.maps.named('timers')!;
    map.userUpdate(new Uint8Array(4), new Uint8Array(map.valueSize));
    machine.advance(MILLISECOND);
    expect(printk).toEqual([]);
    expect([...machine.memory.live()].some(({ what }) => what.startsWith('bpf_timer'))).toBe(false);
  });

  it('may take its own value away', () => {
    const text = tc(
      `*(u32 *)(r10 - 4) = 7; *(u64 *)(r10 - 40) = 0; *(u64 *)(r10 - 32) = 0; *(u64 *)(r10 - 24) = 0
       r2 = r10; r2 += -4; r3 = r10; r3 += -40; r4 = 0; r1 = table ll; call bpf_map_update_elem
       ${lookup('table', 'r6', 7)}; ${started.replaceAll('timers', 'table')}; ${OUT}`,
      tick(
        '*(u32 *)(r10 - 4) = 7; r2 = r10; r2 += -4; r1 = table ll; call bpf_map_delete_elem; r8 = r0; ' +
          `${tell}; r8 = *(u64 *)(r6 + 0); ${tell}`,
      ),
    ).replace('.map queues', '.map table hash key="__u32" value="struct timed" max_entries=2\n.map queues');
    const { printk, machine } = runKernelText(text, { wait: MILLISECOND });
    expect(printk.join(' ')).toBe('107 0 100');
    expect([...machine.memory.live()].some(({ what }) => what.startsWith('bpf_timer'))).toBe(false);
  });
});
