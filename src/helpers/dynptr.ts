import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, to, WITH_BPF } from './availability.ts';
import { dynptrData, dynptrFromMem, dynptrRead, dynptrWrite } from './run/dynptr.ts';
import { anything, arg, INTEGER, input, MEMORY_OR_NULL, output, proto, sizeOrZero } from './spec.ts';

/** Dynptrs. */
export const dynptrHelpers: readonly Helper[] = [
  {
    id: 197,
    name: 'bpf_dynptr_from_mem',
    summary: 'Makes a dynptr over part of a map value.',
    protos: [
      proto(
        'bpf_dynptr_from_mem_proto',
        [
          output('data'),
          sizeOrZero('size'),
          anything('flags'),
          arg('ptr', 'ARG_PTR_TO_DYNPTR', 'DYNPTR_TYPE_LOCAL', 'MEM_UNINIT', 'MEM_WRITE'),
        ],
        INTEGER,
        { run: dynptrFromMem },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_dynptr_from_mem_proto', ...WITH_BPF)],
    effects: { rule: 'dynptr_from_mem' },
  },
  {
    id: 201,
    name: 'bpf_dynptr_read',
    summary: 'Copies out of a dynptr.',
    protos: [
      proto(
        'bpf_dynptr_read_proto',
        [output('dst'), sizeOrZero('len'), arg('src', 'ARG_PTR_TO_DYNPTR', 'MEM_RDONLY'), anything('offset'), anything('flags')],
        INTEGER,
        { run: dynptrRead },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_dynptr_read_proto', ...WITH_BPF)],
  },
  {
    id: 202,
    name: 'bpf_dynptr_write',
    summary: 'Copies into a dynptr.',
    protos: [
      proto(
        'bpf_dynptr_write_proto',
        [arg('dst', 'ARG_PTR_TO_DYNPTR', 'MEM_RDONLY'), anything('offset'), input('src'), sizeOrZero('len'), anything('flags')],
        INTEGER,
        { run: dynptrWrite },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_dynptr_write_proto', ...WITH_BPF)],
    effects: { rule: 'dynptr_write' },
  },
  {
    id: 203,
    name: 'bpf_dynptr_data',
    summary: 'Pointer to a part of a dynptr, or NULL.',
    protos: [
      proto(
        'bpf_dynptr_data_proto',
        [arg('ptr', 'ARG_PTR_TO_DYNPTR', 'MEM_RDONLY'), anything('offset'), arg('len', 'ARG_CONST_ALLOC_SIZE_OR_ZERO')],
        MEMORY_OR_NULL,
        { run: dynptrData },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_dynptr_data_proto', ...WITH_BPF)],
    effects: { dynptrReference: true, rule: 'dynptr_data' },
  },
];
