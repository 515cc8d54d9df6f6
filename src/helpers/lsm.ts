import type { Helper } from '../contracts/helper.ts';
import { isSleepableHook } from './allowed.ts';
import { to } from './availability.ts';
import { anything, INTEGER, object, output, proto, size } from './spec.ts';

/** Security hooks. */
export const lsmHelpers: readonly Helper[] = [
  {
    id: 159,
    name: 'bpf_bprm_opts_set',
    summary: 'Sets options of a program that is being executed.',
    protos: [proto('bpf_bprm_opts_set_proto', [object('bprm', 'linux_binprm'), anything('flags')], INTEGER)],
    available: [to(['lsm'], 'bpf_bprm_opts_set_proto')],
  },
  {
    id: 161,
    name: 'bpf_ima_inode_hash',
    summary: 'Stored measurement of an inode.',
    protos: [
      proto('bpf_ima_inode_hash_proto', [object('inode', 'inode'), output('dst'), size('size')], INTEGER, {
        mightSleep: true,
        allowed: isSleepableHook,
      }),
    ],
    available: [to(['lsm'], 'bpf_ima_inode_hash_proto')],
  },
  {
    id: 193,
    name: 'bpf_ima_file_hash',
    summary: 'Measurement of a file, computed when needed.',
    protos: [
      proto('bpf_ima_file_hash_proto', [object('file', 'file'), output('dst'), size('size')], INTEGER, {
        mightSleep: true,
        allowed: isSleepableHook,
      }),
    ],
    available: [to(['lsm'], 'bpf_ima_file_hash_proto')],
  },
];
