import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, to } from './availability.ts';
import { strncmp, strtol, strtoul } from './run/number.ts';
import { anything, arg, fixed, INTEGER, input, proto, size } from './spec.ts';

/** Numbers in strings and comparison. */
export const stringHelpers: readonly Helper[] = [
  {
    id: 105,
    name: 'bpf_strtol',
    summary: 'Reads a signed number from a string.',
    protos: [
      proto(
        'bpf_strtol_proto',
        [input('buf'), size('buf_len'), anything('flags'), fixed('res', 8, 'MEM_UNINIT', 'MEM_WRITE', 'MEM_ALIGNED')],
        INTEGER,
        { run: strtol },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_strtol_proto')],
  },
  {
    id: 106,
    name: 'bpf_strtoul',
    summary: 'Reads an unsigned number from a string.',
    protos: [
      proto(
        'bpf_strtoul_proto',
        [input('buf'), size('buf_len'), anything('flags'), fixed('res', 8, 'MEM_UNINIT', 'MEM_WRITE', 'MEM_ALIGNED')],
        INTEGER,
        { run: strtoul },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_strtoul_proto')],
  },
  {
    id: 182,
    name: 'bpf_strncmp',
    summary: 'Compares a string with a constant one.',
    protos: [
      proto('bpf_strncmp_proto', [input('s1'), size('s1_sz'), arg('s2', 'ARG_PTR_TO_CONST_STR')], INTEGER, { run: strncmp }),
    ],
    available: [to(BASE_TYPES, 'bpf_strncmp_proto')],
  },
];
