import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, EVERY_TYPE, LWT_TYPES, TC_TYPES, TRACING_TYPES, to } from './availability.ts';
import { getNumaNodeId, getPrandomU32, getSmpProcessorId } from './run/machine.ts';
import { INTEGER, proto } from './spec.ts';

/** CPU number, memory node and random numbers. */
export const cpuHelpers: readonly Helper[] = [
  {
    id: 7,
    name: 'bpf_get_prandom_u32',
    summary: 'A pseudo-random 32-bit number.',
    protos: [proto('bpf_get_prandom_u32_proto', [], INTEGER, { run: getPrandomU32 })],
    available: [to(EVERY_TYPE, 'bpf_get_prandom_u32_proto')],
  },
  {
    id: 8,
    name: 'bpf_get_smp_processor_id',
    summary: 'Number of the CPU that runs the program.',
    protos: [
      proto('bpf_get_smp_processor_id_proto', [], INTEGER, { allowFastcall: true, run: getSmpProcessorId }),
      proto('bpf_get_raw_smp_processor_id_proto', [], INTEGER, { run: getSmpProcessorId }),
    ],
    available: [
      to([...TRACING_TYPES, ...TC_TYPES, ...LWT_TYPES, 'xdp'], 'bpf_get_smp_processor_id_proto'),
      to(BASE_TYPES, 'bpf_get_raw_smp_processor_id_proto'),
    ],
    effects: { refinesReturn: 'cpu-id', inlined: true },
  },
  {
    id: 42,
    name: 'bpf_get_numa_node_id',
    summary: 'Number of the memory node of this CPU.',
    protos: [proto('bpf_get_numa_node_id_proto', [], INTEGER, { run: getNumaNodeId })],
    available: [to(BASE_TYPES, 'bpf_get_numa_node_id_proto')],
  },
];
