import type { Defect } from '../defect.ts';

/** When a path may end because another one covers it: precision, liveness, equality of states. */
export const PRUNING: readonly Defect[] = [
  {
    name: 'decided-jump-imprecise',
    story: 'The operand of a jump that was decided by its range was not marked precise.',
    source: null,
    file: 'src/verifier/insn/jump.ts',
    edits: [
      {
        find: '    if (dst.type === SCALAR_VALUE) markChainPrecision(env, insn.dst);\n',
        replace: '',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 50_000,
    campaign: 'usual',
  },
  {
    name: 'precision-not-propagated',
    story: 'Where a path was pruned, what the covering state relied on was not marked in the states before the path.',
    source: null,
    file: 'src/verifier/prune/visited.ts',
    edits: [
      {
        find: '  propagatePrecision(env, entry.state, cur);\n',
        replace: '',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 50_000,
    campaign: 'usual',
  },
];
