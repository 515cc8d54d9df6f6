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
  /** instructions newer than this are not used */
  readonly cpu: Cpu;
  /** relative weight of each kind of step; 0 and absent: never */
  readonly features: Readonly<Partial<Record<Feature, number>>>;
  /** sections that programs are put in, such as `xdp` and `tc` */
  readonly sections: readonly string[];
  /** functions beside the main program, at most */
  readonly functions: number;
  /** PROG_FLAGS of the verifier's own tests, each with its probability */
  readonly testFlags: Readonly<Record<number, number>>;
}

const BPF_F_STRICT_ALIGNMENT = 1;
const BPF_F_TEST_STATE_FREQ = 8;

export const DEFAULT_DIALS: Dials = {
  size: 46,
  wrong: 0.01,
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
  },
  sections: ['xdp', 'tc', 'socket', 'tracepoint', 'kprobe', 'raw_tp', 'cgroup_skb/egress', 'tp_btf/sched_switch', 'syscall'],
  functions: 3,
  testFlags: { [BPF_F_TEST_STATE_FREQ]: 0.1, [BPF_F_STRICT_ALIGNMENT]: 0.03 },
};
