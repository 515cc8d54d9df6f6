import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, EVERY_TYPE, to, WITH_BPF } from './availability.ts';
import { loop } from './run/control.ts';
import { anything, arg, constMap, context, INTEGER, proto, VOID } from './spec.ts';

/** Helpers that transfer control. */
export const controlHelpers: readonly Helper[] = [
  {
    id: 12,
    name: 'bpf_tail_call',
    summary: 'Continues in another program; returns only when that fails.',
    protos: [proto('bpf_tail_call_proto', [context('ctx'), constMap('prog_array_map'), anything('index')], VOID)],
    available: [to(EVERY_TYPE, 'bpf_tail_call_proto')],
    effects: { changesPacketData: true, recordsMap: true, recordsKey: true, rule: 'tail_call' },
    maps: ['prog_array'],
  },
  {
    id: 181,
    name: 'bpf_loop',
    summary: 'Calls a function a given number of times, until it returns 1.',
    protos: [
      proto(
        'bpf_loop_proto',
        [
          anything('nr_loops'),
          arg('callback_fn', 'ARG_PTR_TO_FUNC'),
          arg('callback_ctx', 'ARG_PTR_TO_STACK', 'PTR_MAYBE_NULL'),
          anything('flags'),
        ],
        INTEGER,
        { run: loop },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_loop_proto', ...WITH_BPF)],
    effects: { callback: { arg: 1, kind: 'sync', enter: 'loop', returns: [0, 1] }, rule: 'loop' },
  },
];
