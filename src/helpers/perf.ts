import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, BTF_TRACING_TYPES, LWT_TYPES, RAW_TRACING_TYPES, TC_TYPES, to, WITH_PERFMON } from './availability.ts';
import { packetEventOutput, perfEventOutput, perfEventRead } from './run/ringbuf.ts';
import { readBranchRecords } from './run/stack.ts';
import { anything, constMap, context, INTEGER, input, memory, object, output, proto, protos, size, sizeOrZero } from './spec.ts';

/** Perf events. */
export const perfHelpers: readonly Helper[] = [
  {
    id: 22,
    name: 'bpf_perf_event_read',
    summary: 'Reads the counter in a slot of a perf event array.',
    protos: [
      proto('bpf_perf_event_read_proto', [constMap('map'), anything('flags')], INTEGER, { gplOnly: true, run: perfEventRead }),
    ],
    available: [to(BASE_TYPES, 'bpf_perf_event_read_proto', ...WITH_PERFMON)],
    maps: ['perf_event_array'],
  },
  {
    id: 25,
    name: 'bpf_perf_event_output',
    summary: 'Sends bytes (and part of the packet) to user space through a perf buffer.',
    protos: [
      ...protos(
        [
          'bpf_perf_event_output_proto',
          'bpf_perf_event_output_proto_tp',
          'bpf_perf_event_output_proto_raw_tp',
          'bpf_event_output_data_proto',
        ],
        [context('ctx'), constMap('map'), anything('flags'), input('data'), sizeOrZero('size')],
        INTEGER,
        { gplOnly: true, run: perfEventOutput },
      ),
      ...protos(
        ['bpf_skb_event_output_proto', 'bpf_xdp_event_output_proto'],
        [context('ctx'), constMap('map'), anything('flags'), input('data'), sizeOrZero('size')],
        INTEGER,
        { gplOnly: true, run: packetEventOutput },
      ),
    ],
    available: [
      to(['kprobe'], 'bpf_perf_event_output_proto'),
      to(['tracepoint', 'perf_event'], 'bpf_perf_event_output_proto_tp'),
      to(RAW_TRACING_TYPES, 'bpf_perf_event_output_proto_raw_tp'),
      to(['socket_filter', 'cgroup_skb', 'sk_skb', ...TC_TYPES, ...LWT_TYPES], 'bpf_skb_event_output_proto'),
      to(['xdp'], 'bpf_xdp_event_output_proto'),
      to(
        [
          'cgroup_sock',
          'cgroup_sock_addr',
          'cgroup_device',
          'cgroup_sysctl',
          'cgroup_sockopt',
          'sock_ops',
          'sk_msg',
          'sk_lookup',
        ],
        'bpf_event_output_data_proto',
      ),
    ],
    maps: ['perf_event_array'],
  },
  {
    id: 55,
    name: 'bpf_perf_event_read_value',
    summary: 'Reads the counter and its times in a slot of a perf event array.',
    protos: [
      proto('bpf_perf_event_read_value_proto', [constMap('map'), anything('flags'), output('buf'), size('buf_size')], INTEGER, {
        gplOnly: true,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_perf_event_read_value_proto', ...WITH_PERFMON)],
    maps: ['perf_event_array'],
  },
  {
    id: 56,
    name: 'bpf_perf_prog_read_value',
    summary: 'Reads the counter that triggered the program.',
    protos: [
      proto('bpf_perf_prog_read_value_proto', [context('ctx'), output('buf'), size('buf_size')], INTEGER, { gplOnly: true }),
    ],
    available: [to(['perf_event'], 'bpf_perf_prog_read_value_proto')],
  },
  {
    id: 111,
    name: 'bpf_skb_output',
    summary: 'Sends bytes and part of a socket buffer to user space (tracing).',
    protos: [
      proto(
        'bpf_skb_output_proto',
        [object('ctx', 'sk_buff'), constMap('map'), anything('flags'), input('data'), sizeOrZero('size')],
        INTEGER,
        { gplOnly: true },
      ),
    ],
    available: [to(BTF_TRACING_TYPES, 'bpf_skb_output_proto')],
    maps: ['perf_event_array'],
  },
  {
    id: 119,
    name: 'bpf_read_branch_records',
    summary: 'Copies the branch records of the sample.',
    protos: [
      proto(
        'bpf_read_branch_records_proto',
        [context('ctx'), memory('buf', 'PTR_MAYBE_NULL', 'MEM_WRITE'), sizeOrZero('size'), anything('flags')],
        INTEGER,
        { gplOnly: true, run: readBranchRecords },
      ),
    ],
    available: [to(['perf_event'], 'bpf_read_branch_records_proto')],
  },
  {
    id: 121,
    name: 'bpf_xdp_output',
    summary: 'Sends bytes and part of an XDP frame to user space (tracing).',
    protos: [
      proto(
        'bpf_xdp_output_proto',
        [object('ctx', 'xdp_buff'), constMap('map'), anything('flags'), input('data'), sizeOrZero('size')],
        INTEGER,
        { gplOnly: true },
      ),
    ],
    available: [to(BTF_TRACING_TYPES, 'bpf_xdp_output_proto')],
    maps: ['perf_event_array'],
  },
];
