import type { Dials } from '../../src/fuzz/dials.ts';

/** How the generator is turned while a defect is hunted. */
export interface CampaignKind {
  /** one line for the page */
  readonly meaning: string;
  readonly dials: Partial<Dials>;
  /** every second program is a mutant of a sample program */
  readonly mutants: boolean;
}

const BPF_F_TEST_STATE_FREQ = 8;

export const CAMPAIGNS = {
  usual: {
    meaning: 'as `drybpf fuzz` has it, for packets',
    dials: { sections: ['xdp', 'tc', 'socket', 'cgroup_skb/egress'] },
    mutants: false,
  },
  numbers: {
    meaning: 'numbers, branches and the stack only',
    dials: { size: 24, features: { alu: 10, branch: 7, stack: 5, context: 1 }, sections: ['socket', 'cgroup_skb/egress'] },
    mutants: false,
  },
  paths: {
    meaning: 'branches, loops, functions and the stack, mostly with a state stored at every chance (BPF_F_TEST_STATE_FREQ)',
    dials: {
      size: 28,
      features: { alu: 6, branch: 9, stack: 7, loop: 2, map: 3, pointer: 4, subprogram: 2 },
      sections: ['socket', 'cgroup_skb/egress'],
      testFlags: { [BPF_F_TEST_STATE_FREQ]: 0.7 },
    },
    mutants: false,
  },
  objects: {
    meaning: 'packets, references, dynptrs, iterators, locks and calls, with one choice in eight wrong on purpose',
    dials: {
      wrong: 0.12,
      features: {
        ...{ alu: 3, branch: 4, stack: 2, map: 4, packet: 6, reference: 4, dynptr: 4, iterator: 2 },
        ...{ kfunc: 2, lock: 2, subprogram: 3, callback: 2, 'tail-call': 2, helper: 3, pointer: 4, atomic: 2 },
      },
      sections: ['xdp', 'tc', 'cgroup_skb/egress'],
    },
    mutants: false,
  },
  samples: {
    meaning: 'every second program a mutant of one in `programs/`',
    dials: { sections: ['xdp', 'tc', 'socket', 'cgroup_skb/egress'] },
    mutants: true,
  },
} as const satisfies Record<string, CampaignKind>;

export type CampaignName = keyof typeof CAMPAIGNS;
