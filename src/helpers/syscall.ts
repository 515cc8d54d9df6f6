import type { Helper } from '../contracts/helper.ts';
import { to } from './availability.ts';
import { kallsymsLookupName } from './run/symbols.ts';
import { anything, fixed, INTEGER, input, proto, size, sizeOrZero } from './spec.ts';

/** Programs of type syscall. */
export const syscallHelpers: readonly Helper[] = [
  {
    id: 166,
    name: 'bpf_sys_bpf',
    summary: 'The bpf system call.',
    protos: [proto('bpf_sys_bpf_proto', [anything('cmd'), input('attr'), size('attr_size')], INTEGER)],
    available: [to(['syscall'], 'bpf_sys_bpf_proto', { cap: 'perfmon' })],
  },
  {
    id: 167,
    name: 'bpf_btf_find_by_name_kind',
    summary: 'Type id of a type by name and kind.',
    protos: [
      proto('bpf_btf_find_by_name_kind_proto', [input('name'), size('name_sz'), anything('kind'), anything('flags')], INTEGER),
    ],
    available: [to(['syscall'], 'bpf_btf_find_by_name_kind_proto')],
  },
  {
    id: 168,
    name: 'bpf_sys_close',
    summary: 'The close system call.',
    protos: [proto('bpf_sys_close_proto', [anything('fd')], INTEGER)],
    available: [to(['syscall'], 'bpf_sys_close_proto')],
  },
  {
    id: 179,
    name: 'bpf_kallsyms_lookup_name',
    summary: 'Address of a kernel symbol.',
    protos: [
      proto(
        'bpf_kallsyms_lookup_name_proto',
        [input('name'), sizeOrZero('name_sz'), anything('flags'), fixed('res', 8, 'MEM_UNINIT', 'MEM_WRITE', 'MEM_ALIGNED')],
        INTEGER,
        { run: kallsymsLookupName },
      ),
    ],
    available: [to(['syscall'], 'bpf_kallsyms_lookup_name_proto')],
  },
];
