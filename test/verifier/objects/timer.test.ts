import { describeRules, type Rule } from '../rules.ts';
import { func, lookup, OUT, rawTracepoint, stack, tc } from './prelude.ts';

const callback = (text: string): string => func('static int cb(void *map, int *key, void *value)', text);
const queue = lookup('queues', 'r6');
const AT_QUEUE = 'r1 = r6; r1 += 8';
const setCallback = `${AT_QUEUE}; r2 = cb ll; r3 = 0; r4 = 0; call bpf_wq_set_callback_impl`;
const AT_TIMER = 'r1 = r6; r1 += 8';
const task = 'call bpf_get_current_task_btf; r1 = r0';
const schedule = (map: string, off = 0): string =>
  `${lookup('works', 'r6')}; ${task}; r2 = r6; r2 += ${off}; r3 = ${map}; r4 = cb ll; r5 = 0; call bpf_task_work_schedule_signal_impl; ${OUT}`;

const RULES: readonly Rule[] = [
  [
    'a timer is prepared with its map',
    tc(`${lookup('timers', 'r6')}; ${AT_TIMER}; r2 = timers ll; r3 = 1; call bpf_timer_init; ${OUT}`),
    'accept',
  ],
  [
    'a timer is not prepared with another map',
    tc(`${lookup('timers', 'r6')}; ${AT_TIMER}; r2 = other_timers ll; r3 = 1; call bpf_timer_init; ${OUT}`),
    "timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0",
  ],
  [
    'the pointer is exactly at the timer',
    tc(`${lookup('timers', 'r6')}; r1 = r6; call bpf_timer_cancel; ${OUT}`),
    "off 0 doesn't point to 'struct bpf_timer' that is at 8",
  ],
  [
    'the pointer to a timer has a known offset',
    tc(`${lookup('timers', 'r6')}; r2 = *(u32 *)(r6 + 0); r2 &= 8; r1 = r6; r1 += r2; call bpf_timer_cancel; ${OUT}`),
    "R1 doesn't have constant offset. bpf_timer has to be at the constant offset",
  ],
  [
    'a value without timer has none',
    tc(`${queue}; ${AT_TIMER}; call bpf_timer_cancel; ${OUT}`),
    "map 'queues' has no valid bpf_timer",
  ],
  [
    'a work queue is prepared with its map',
    tc(`${queue}; ${AT_QUEUE}; r2 = queues ll; r3 = 0; call bpf_wq_init; ${OUT}`),
    'accept',
  ],
  [
    'a work queue is not prepared with another map',
    tc(`${queue}; ${AT_QUEUE}; r2 = other_queues ll; r3 = 0; call bpf_wq_init; ${OUT}`),
    "workqueue pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0",
  ],
  [
    'the pointer is exactly at the work queue',
    tc(`${queue}; r1 = r6; r2 = queues ll; r3 = 0; call bpf_wq_init; ${OUT}`),
    "off 0 doesn't point to 'struct bpf_wq' that is at 8",
  ],
  [
    'a map value is no map',
    tc(`${queue}; ${AT_QUEUE}; r2 = r6; r3 = 0; call bpf_wq_init; ${OUT}`),
    'arg#1 is map_value expected map_value or socket',
  ],
  [
    'a number is no map',
    tc(`${queue}; ${AT_QUEUE}; r2 = 0; r3 = 0; call bpf_wq_init; ${OUT}`),
    "pointer in R2 isn't map pointer",
  ],
  [
    'a value without work queue has none',
    tc(`${lookup('locks', 'r6')}; r1 = r6; r2 = queues ll; r3 = 0; call bpf_wq_init; ${OUT}`),
    "map 'locks' has no valid bpf_wq",
  ],
  [
    'a map with work queues has BTF',
    tc(`${lookup('bytes', 'r6')}; r1 = r6; r2 = queues ll; r3 = 0; call bpf_wq_init; ${OUT}`),
    "map 'bytes' has to have BTF in order to use bpf_wq",
  ],
  [
    'a work queue does not stand on the stack',
    tc(`${stack(1, 16)}; r2 = queues ll; r3 = 0; call bpf_wq_init; r0 = 0; exit`),
    "arg#0 doesn't point to a map value",
  ],
  [
    'a work has a function',
    tc(`${queue}; ${setCallback}; ${AT_QUEUE}; r2 = 0; call bpf_wq_start; ${OUT}`, callback('r0 = 0; exit')),
    'accept',
  ],
  [
    'the function of a work returns 0',
    tc(`${queue}; ${setCallback}; ${OUT}`, callback('r0 = 1; exit')),
    'At async callback return the register R0 has smin=1 smax=1 should have been in [0, 0]',
  ],
  [
    'the function of a work may sleep',
    tc(`${queue}; ${setCallback}; ${OUT}`, callback(`${stack(1, 8)}; r2 = 8; r3 = 0; call bpf_copy_from_user; r0 = 0; exit`)),
    'accept',
  ],
  ['task work is scheduled with its map', rawTracepoint(schedule('works ll'), callback('r0 = 0; exit')), 'accept'],
  ['task work returns anything', rawTracepoint(schedule('works ll'), callback('r0 = 5; exit')), 'accept'],
  [
    'task work is not scheduled with another map',
    rawTracepoint(schedule('other_works ll'), callback('r0 = 0; exit')),
    "bpf_task_work pointer in R2 map_uid=0 doesn't match map pointer in R3 map_uid=0",
  ],
  [
    'task work needs a map',
    rawTracepoint(schedule('0'), callback('r0 = 0; exit')),
    'Possibly NULL pointer passed to trusted arg2',
  ],
  [
    'the pointer is exactly at the task work',
    rawTracepoint(schedule('works ll', 8), callback('r0 = 0; exit')),
    "off 8 doesn't point to 'struct bpf_task_work' that is at 0",
  ],
  [
    'task work needs a task',
    rawTracepoint(
      `${lookup('works', 'r6')}; r1 = 0; r2 = r6; r3 = works ll; r4 = cb ll; r5 = 0; call bpf_task_work_schedule_resume_impl; ${OUT}`,
      callback('r0 = 0; exit'),
    ),
    'Possibly NULL pointer passed to trusted arg0',
  ],
  [
    'task work needs a function',
    rawTracepoint(
      `${lookup('works', 'r6')}; ${task}; r2 = r6; r3 = works ll; r4 = 1; r5 = 0; call bpf_task_work_schedule_signal_impl; ${OUT}`,
    ),
    'arg3 expected pointer to func',
  ],
];

describeRules('timers, work queues and task work', RULES);
