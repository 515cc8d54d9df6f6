import type { AsmProfile } from '../../src/asm/assemble.ts';
import { BtfBuilder } from '../../src/btf/builder.ts';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { PROG_TYPES } from '../../src/progtypes/index.ts';

const helper = (id: number, name: string) => ({ id, name, protos: [], available: [], summary: '' });

const KERNEL_C = `
  typedef void (*btf_trace_sched_switch)(void *, bool);
  struct task_struct { int pid; };
  int do_unlinkat(int dfd, void *name);
  int bpf_lsm_file_open(void *file);
  void bpf_rcu_read_lock(void);
  int runqueues;
  struct tcp_congestion_ops { unsigned int key; void (*init)(void *sk); char name[16]; };
  struct bpf_struct_ops_common { int refcnt; };
  struct bpf_struct_ops_tcp_congestion_ops { struct bpf_struct_ops_common common; struct tcp_congestion_ops data; };
`;

/** A small kernel: a few helpers, a handful of BTF types, the section names of Linux 6.18. */
export const SMALL_KERNEL: AsmProfile = {
  helpers: [
    undefined,
    helper(1, 'bpf_map_lookup_elem'),
    helper(2, 'bpf_map_update_elem'),
    ...[3, 4, 5, 6].map(() => undefined),
    helper(7, 'bpf_get_prandom_u32'),
  ],
  btf: btfFromC(KERNEL_C, new BtfBuilder()).btf,
  progTypes: new Map(PROG_TYPES.map((type) => [type.id, type])),
};
