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
  usual: { meaning: 'as `drybpf fuzz` has it', dials: {}, mutants: false },
  numbers: {
    meaning: 'numbers, branches and the stack only',
    dials: { size: 24, features: { alu: 10, branch: 7, stack: 5, context: 1 }, sections: ['socket', 'cgroup_skb/egress'] },
    mutants: false,
  },
  paths: {
    meaning: 'numbers, branches and the stack, with a state stored at every chance (BPF_F_TEST_STATE_FREQ)',
    dials: {
      size: 26,
      wrong: 0,
      features: { alu: 6, branch: 12, stack: 4 },
      sections: ['socket'],
      testFlags: { [BPF_F_TEST_STATE_FREQ]: 0.9 },
    },
    mutants: false,
  },
  merges: {
    meaning: 'paths that leave different things in the same registers and slots and meet, with a state stored at every chance',
    dials: {
      size: 30,
      features: { merge: 12, alu: 2, branch: 3, stack: 2, loop: 1, subprogram: 1 },
      sections: ['socket', 'tc'],
      testFlags: { [BPF_F_TEST_STATE_FREQ]: 0.9 },
    },
    mutants: false,
  },
  loops: {
    meaning: 'loops whose turns meet, with a state stored at every chance',
    dials: {
      size: 24,
      wrong: 0,
      features: { loop: 10, merge: 2, alu: 1, branch: 1 },
      sections: ['socket', 'tc'],
      testFlags: { [BPF_F_TEST_STATE_FREQ]: 0.9 },
    },
    mutants: false,
  },
  memory: {
    meaning: 'map values, the stack and helpers that are given memory, with one choice in twenty wrong on purpose',
    dials: {
      size: 24,
      wrong: 0.05,
      features: { alu: 2, branch: 3, stack: 4, map: 7, pointer: 6, helper: 4, atomic: 3 },
      sections: ['xdp', 'tc'],
    },
    mutants: false,
  },
  packets: {
    meaning: 'packets and functions, with one choice in twenty wrong on purpose',
    dials: {
      size: 24,
      wrong: 0.05,
      features: { packet: 12, alu: 3, branch: 3, subprogram: 1, unchecked: 1 },
      sections: ['xdp', 'tc'],
    },
    mutants: false,
  },
  objects: {
    meaning: 'references, dynptrs, iterators, locks, callbacks and functions, with one choice in ten wrong on purpose',
    dials: {
      size: 24,
      wrong: 0.1,
      features: {
        ...{ alu: 2, branch: 3, stack: 2, map: 3, reference: 5, dynptr: 4, iterator: 2 },
        ...{ lock: 2, subprogram: 3, callback: 3, 'tail-call': 2, pointer: 2 },
      },
      sections: ['xdp', 'tc'],
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
