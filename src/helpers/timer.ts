import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, to, WITH_BPF } from './availability.ts';
import { timerCancel, timerInit, timerSetCallback, timerStart } from './run/timer.ts';
import { anything, arg, constMap, INTEGER, proto } from './spec.ts';

/** bpf_timer. */
export const timerHelpers: readonly Helper[] = [
  {
    id: 169,
    name: 'bpf_timer_init',
    summary: 'Prepares the timer in a map value.',
    protos: [
      proto('bpf_timer_init_proto', [arg('timer', 'ARG_PTR_TO_TIMER'), constMap('map'), anything('flags')], INTEGER, {
        gplOnly: true,
        run: timerInit,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_timer_init_proto', ...WITH_BPF)],
    effects: { timer: 'init' },
  },
  {
    id: 170,
    name: 'bpf_timer_set_callback',
    summary: 'Sets the function that a timer calls.',
    protos: [
      proto('bpf_timer_set_callback_proto', [arg('timer', 'ARG_PTR_TO_TIMER'), arg('callback_fn', 'ARG_PTR_TO_FUNC')], INTEGER, {
        gplOnly: true,
        run: timerSetCallback,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_timer_set_callback_proto', ...WITH_BPF)],
    effects: { timer: 'set_callback', callback: { arg: 1, kind: 'async', enter: 'timer', returns: [0, 0], sleepable: false } },
  },
  {
    id: 171,
    name: 'bpf_timer_start',
    summary: 'Starts a timer.',
    protos: [
      proto('bpf_timer_start_proto', [arg('timer', 'ARG_PTR_TO_TIMER'), anything('nsecs'), anything('flags')], INTEGER, {
        gplOnly: true,
        run: timerStart,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_timer_start_proto', ...WITH_BPF)],
    effects: { timer: 'start' },
  },
  {
    id: 172,
    name: 'bpf_timer_cancel',
    summary: 'Stops a timer and waits for its function to end.',
    protos: [proto('bpf_timer_cancel_proto', [arg('timer', 'ARG_PTR_TO_TIMER')], INTEGER, { gplOnly: true, run: timerCancel })],
    available: [to(BASE_TYPES, 'bpf_timer_cancel_proto', ...WITH_BPF)],
    effects: { timer: 'cancel' },
  },
];
