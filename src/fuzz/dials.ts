/** Kinds of steps that a generated program is made of. */
export const FEATURES = [
  'alu',
  'pointer',
  'branch',
  'loop',
  'stack',
  'context',
  'map',
  'packet',
  'helper',
  'subprogram',
  'callback',
  'reference',
  'dynptr',
  'iterator',
  'kfunc',
  'lock',
  'tail-call',
  'atomic',
  'btf',
  'merge',
  'call',
  'leak',
  'limit',
  'unchecked',
] as const;
export type Feature = (typeof FEATURES)[number];

/** Generations of the instruction set as compilers count them (`-mcpu`). */
export const CPUS = ['v1', 'v2', 'v3', 'v4'] as const;
export type Cpu = (typeof CPUS)[number];

/** What generated programs are like. */
export interface Dials {
  /** instructions that a program has, about */
  readonly size: number;
  /** probability that one choice of a program is made wrong on purpose: a missing check, an offset too far, a register of another kind */
  readonly wrong: number;
  /**
   * probability that a program is wrong as a whole: in its types, in what it attaches to or what stands around it, in an encoding;
   * 0 unless it is given where sections or steps are chosen, or nothing is to be wrong
   */
  readonly whole: number;
  /** instructions newer than this are not used */
  readonly cpu: Cpu;
  /** relative weight of each kind of step; 0 and absent: never */
  readonly features: Readonly<Partial<Record<Feature, number>>>;
  /** sections that programs are put in, such as `xdp` and `tc`; one that is named twice is chosen twice as often */
  readonly sections: readonly string[];
  /** functions beside the main program, at most */
  readonly functions: number;
  /** PROG_FLAGS of the verifier's own tests, each with its probability */
  readonly testFlags: Readonly<Record<number, number>>;
}

const BPF_F_STRICT_ALIGNMENT = 1;
const BPF_F_TEST_STATE_FREQ = 8;

const USUAL = [
  'xdp',
  'tc',
  'socket',
  'tracepoint',
  'kprobe',
  'raw_tp',
  'cgroup_skb/egress',
  'tp_btf/sched_switch',
  'syscall',
] as const;

/** What has rules of its own: contexts, results, who may sleep, what may be called. */
const SPECIAL = [
  'cgroup_skb/ingress',
  'cgroup/sock',
  'cgroup/dev',
  'cgroup/sysctl',
  'cgroup/getsockopt',
  'cgroup/setsockopt',
  'cgroup/connect4',
  'cgroup/sendmsg6',
  'sockops',
  'sk_skb/stream_verdict',
  'sk_msg',
  'sk_lookup',
  'sk_reuseport',
  'lwt_in',
  'lwt_xmit',
  'lwt_seg6local',
  'flow_dissector',
  'netfilter',
  'uprobe.s',
  'raw_tracepoint.w',
  'perf_event',
  'tp_btf/task_newtask',
  'tp_btf/netif_receive_skb',
  'iter/task',
  'iter/bpf_map_elem',
  'iter.s/task',
  'fentry/bpf_fentry_test1',
  'fentry.s/bpf_fentry_test1',
  'fentry/vfs_read',
  'fexit/vfs_read',
  'fmod_ret/bpf_modify_return_test',
  'fmod_ret/security_file_open',
  'lsm/file_open',
  'lsm.s/file_open',
  'lsm.s/bprm_committed_creds',
  'lsm/inode_getattr',
  'lsm_cgroup/socket_create',
  'lsm_cgroup/inet_csk_clone',
  'struct_ops/tcp_congestion_ops/ssthresh',
  'struct_ops/tcp_congestion_ops/cong_avoid',
  'struct_ops/bpf_dummy_ops/test_1',
] as const;

export const DEFAULT_DIALS: Dials = {
  size: 50,
  wrong: 0.01,
  whole: 0.08,
  cpu: 'v4',
  features: {
    alu: 8,
    pointer: 3,
    branch: 8,
    loop: 2,
    stack: 6,
    context: 3,
    map: 5,
    packet: 4,
    helper: 3,
    subprogram: 2,
    callback: 1,
    reference: 2,
    dynptr: 2,
    iterator: 1,
    kfunc: 1,
    lock: 1,
    'tail-call': 1,
    atomic: 2,
    btf: 1,
    merge: 1,
    call: 1.5,
    leak: 0.4,
    limit: 0.06,
  },
  sections: [...Array.from({ length: 10 }, () => USUAL).flat(), ...SPECIAL],
  functions: 3,
  testFlags: { [BPF_F_TEST_STATE_FREQ]: 0.1, [BPF_F_STRICT_ALIGNMENT]: 0.03 },
};
