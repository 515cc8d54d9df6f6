import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, RAW_TRACING_TYPES, to, WITH_PERFMON } from './availability.ts';
import { getBranchSnapshot, getStack, getStackid } from './run/stack.ts';
import { anything, constMap, context, INTEGER, object, output, proto, protos, sizeOrZero } from './spec.ts';

/** Call chains. */
export const stackHelpers: readonly Helper[] = [
  {
    id: 27,
    name: 'bpf_get_stackid',
    summary: 'Stores the call chain in a stack map; returns its key.',
    protos: [
      ...protos(
        ['bpf_get_stackid_proto', 'bpf_get_stackid_proto_tp', 'bpf_get_stackid_proto_raw_tp'],
        [context('ctx'), constMap('map'), anything('flags')],
        INTEGER,
        { gplOnly: true, run: getStackid },
      ),
      proto('bpf_get_stackid_proto_pe', [context('ctx'), constMap('map'), anything('flags')], INTEGER, { run: getStackid }),
    ],
    available: [
      to(['kprobe'], 'bpf_get_stackid_proto'),
      to(['tracepoint'], 'bpf_get_stackid_proto_tp'),
      to(['perf_event'], 'bpf_get_stackid_proto_pe'),
      to(RAW_TRACING_TYPES, 'bpf_get_stackid_proto_raw_tp'),
    ],
    maps: ['stack_trace'],
  },
  {
    id: 67,
    name: 'bpf_get_stack',
    summary: 'Copies the call chain.',
    protos: [
      ...protos(
        [
          'bpf_get_stack_sleepable_proto',
          'bpf_get_stack_proto',
          'bpf_get_stack_proto_tp',
          'bpf_get_stack_proto_pe',
          'bpf_get_stack_proto_raw_tp',
        ],
        [context('ctx'), output('buf'), sizeOrZero('size'), anything('flags')],
        INTEGER,
        { gplOnly: true, run: getStack },
      ),
    ],
    available: [
      to(['kprobe'], 'bpf_get_stack_sleepable_proto', { sleepable: true }),
      to(['kprobe'], 'bpf_get_stack_proto'),
      to(['tracepoint'], 'bpf_get_stack_proto_tp'),
      to(['perf_event'], 'bpf_get_stack_proto_pe'),
      to(RAW_TRACING_TYPES, 'bpf_get_stack_proto_raw_tp'),
    ],
    effects: { refinesReturn: 'size-bound' },
  },
  {
    id: 141,
    name: 'bpf_get_task_stack',
    summary: 'Copies the call chain of a task.',
    protos: [
      ...protos(
        ['bpf_get_task_stack_sleepable_proto', 'bpf_get_task_stack_proto'],
        [object('task', 'task_struct'), output('buf'), sizeOrZero('size'), anything('flags')],
        INTEGER,
      ),
    ],
    available: [
      to(BASE_TYPES, 'bpf_get_task_stack_sleepable_proto', { sleepable: true }, ...WITH_PERFMON),
      to(BASE_TYPES, 'bpf_get_task_stack_proto', ...WITH_PERFMON),
    ],
    effects: { refinesReturn: 'size-bound' },
  },
  {
    id: 176,
    name: 'bpf_get_branch_snapshot',
    summary: 'Copies the last branch records of this CPU.',
    protos: [
      proto('bpf_get_branch_snapshot_proto', [output('entries'), sizeOrZero('size')], INTEGER, {
        gplOnly: true,
        run: getBranchSnapshot,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_get_branch_snapshot_proto', ...WITH_PERFMON)],
  },
];
