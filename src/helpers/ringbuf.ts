import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, to, WITH_BPF } from './availability.ts';
import {
  ringbufDiscard,
  ringbufDiscardDynptr,
  ringbufOutput,
  ringbufQuery,
  ringbufReserve,
  ringbufReserveDynptr,
  ringbufSubmit,
  ringbufSubmitDynptr,
} from './run/ringbuf.ts';
import { userRingbufDrain } from './run/user_ringbuf.ts';
import { anything, arg, constMap, INTEGER, input, proto, sizeOrZero, VOID } from './spec.ts';

/** Ring buffers in both directions. */
export const ringbufHelpers: readonly Helper[] = [
  {
    id: 130,
    name: 'bpf_ringbuf_output',
    summary: 'Copies a record into a ring buffer.',
    protos: [
      proto('bpf_ringbuf_output_proto', [constMap('ringbuf'), input('data'), sizeOrZero('size'), anything('flags')], INTEGER, {
        run: ringbufOutput,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_ringbuf_output_proto')],
    maps: ['ringbuf'],
  },
  {
    id: 131,
    name: 'bpf_ringbuf_reserve',
    summary: 'Reserves a record of constant size; NULL when the buffer is full.',
    protos: [
      proto(
        'bpf_ringbuf_reserve_proto',
        [constMap('ringbuf'), arg('size', 'ARG_CONST_ALLOC_SIZE_OR_ZERO'), anything('flags')],
        { base: 'RET_PTR_TO_MEM', flags: ['PTR_MAYBE_NULL', 'MEM_RINGBUF'] },
        { run: ringbufReserve },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_ringbuf_reserve_proto')],
    effects: { acquires: 'always' },
    maps: ['ringbuf'],
  },
  {
    id: 132,
    name: 'bpf_ringbuf_submit',
    summary: 'Publishes a reserved record.',
    protos: [
      proto('bpf_ringbuf_submit_proto', [arg('data', 'ARG_PTR_TO_RINGBUF_MEM', 'OBJ_RELEASE'), anything('flags')], VOID, {
        run: ringbufSubmit,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_ringbuf_submit_proto')],
  },
  {
    id: 133,
    name: 'bpf_ringbuf_discard',
    summary: 'Drops a reserved record.',
    protos: [
      proto('bpf_ringbuf_discard_proto', [arg('data', 'ARG_PTR_TO_RINGBUF_MEM', 'OBJ_RELEASE'), anything('flags')], VOID, {
        run: ringbufDiscard,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_ringbuf_discard_proto')],
  },
  {
    id: 134,
    name: 'bpf_ringbuf_query',
    summary: 'Fill level, size or position of a ring buffer.',
    protos: [proto('bpf_ringbuf_query_proto', [constMap('ringbuf'), anything('flags')], INTEGER, { run: ringbufQuery })],
    available: [to(BASE_TYPES, 'bpf_ringbuf_query_proto')],
    maps: ['ringbuf'],
  },
  {
    id: 198,
    name: 'bpf_ringbuf_reserve_dynptr',
    summary: 'Reserves a record of any size, as dynptr.',
    protos: [
      proto(
        'bpf_ringbuf_reserve_dynptr_proto',
        [
          constMap('ringbuf'),
          anything('size'),
          anything('flags'),
          arg('ptr', 'ARG_PTR_TO_DYNPTR', 'DYNPTR_TYPE_RINGBUF', 'MEM_UNINIT', 'MEM_WRITE'),
        ],
        INTEGER,
        { run: ringbufReserveDynptr },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_ringbuf_reserve_dynptr_proto', ...WITH_BPF)],
    maps: ['ringbuf'],
  },
  {
    id: 199,
    name: 'bpf_ringbuf_submit_dynptr',
    summary: 'Publishes the record of a dynptr.',
    protos: [
      proto(
        'bpf_ringbuf_submit_dynptr_proto',
        [arg('ptr', 'ARG_PTR_TO_DYNPTR', 'DYNPTR_TYPE_RINGBUF', 'OBJ_RELEASE'), anything('flags')],
        VOID,
        { run: ringbufSubmitDynptr },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_ringbuf_submit_dynptr_proto', ...WITH_BPF)],
    maps: ['ringbuf'],
  },
  {
    id: 200,
    name: 'bpf_ringbuf_discard_dynptr',
    summary: 'Drops the record of a dynptr.',
    protos: [
      proto(
        'bpf_ringbuf_discard_dynptr_proto',
        [arg('ptr', 'ARG_PTR_TO_DYNPTR', 'DYNPTR_TYPE_RINGBUF', 'OBJ_RELEASE'), anything('flags')],
        VOID,
        { run: ringbufDiscardDynptr },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_ringbuf_discard_dynptr_proto', ...WITH_BPF)],
    maps: ['ringbuf'],
  },
  {
    id: 209,
    name: 'bpf_user_ringbuf_drain',
    summary: 'Calls a function for each record that user space has published.',
    protos: [
      proto(
        'bpf_user_ringbuf_drain_proto',
        [
          constMap('map'),
          arg('callback_fn', 'ARG_PTR_TO_FUNC'),
          arg('ctx', 'ARG_PTR_TO_STACK', 'PTR_MAYBE_NULL'),
          anything('flags'),
        ],
        INTEGER,
        { run: userRingbufDrain },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_user_ringbuf_drain_proto', ...WITH_BPF)],
    effects: { callback: { arg: 1, kind: 'sync', enter: 'user_ringbuf_drain', returns: [0, 1] } },
    maps: ['user_ringbuf'],
  },
];
