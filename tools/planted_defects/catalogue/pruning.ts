import type { Defect } from '../defect.ts';

/** When a path may end because another one covers it: precision, liveness, equality of states. */
export const PRUNING: readonly Defect[] = [
  {
    name: 'jump-operand-imprecise',
    story: 'The search for precision went through a comparison of two registers without wanting the other one.',
    source: 'CVE-2023-2163, 71b547f56124',
    file: 'src/verifier/prune/backtrack.ts',
    edits: [
      {
        find: '    if ((flags & INSN_F_SRC_REG_STACK) === 0) bt.setReg(insn.src);\n    if ((flags & INSN_F_DST_REG_STACK) === 0) bt.setReg(insn.dst);',
        replace: '    if (flags < 0) bt.setReg(insn.src);',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 50_000,
    campaign: 'paths',
  },
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
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'linked-precision-lost',
    story: 'Registers that a comparison refined together were not made precise together.',
    source: '4bf79f9be434',
    file: 'src/verifier/prune/backtrack.ts',
    edits: [
      {
        find: '  if (!wanted) return;\n  for (const one of linked)',
        replace: '  if (wanted) return;\n  for (const one of linked)',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'paths',
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
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'range-comparison-reversed',
    story: 'A path was pruned when its ranges were wider than those of the stored state.',
    source: null,
    file: 'src/verifier/prune/equality.ts',
    edits: [
      {
        find: '(rangeWithin(old.scalar, cur.scalar) && tnumIn(old.scalar, cur.scalar))',
        replace: '(rangeWithin(cur.scalar, old.scalar) && tnumIn(cur.scalar, old.scalar))',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'paths',
  },
  {
    name: 'stored-register-dead',
    story: 'A store was taken for one that does not read the register it stores.',
    source: null,
    file: 'src/verifier/program/live_regs.ts',
    edits: [
      {
        find: 'return modeOf(insn.code) === BPF_ATOMIC ? atomicUse(insn, src, dst) : bits(dst | src, 0);',
        replace: 'return modeOf(insn.code) === BPF_ATOMIC ? atomicUse(insn, src, dst) : bits(dst, 0);',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'paths',
  },
  {
    name: 'partial-write-kills-slot',
    story: 'A store to part of a stack slot ended the life of the whole slot.',
    source: null,
    file: 'src/verifier/memory/stack_write.ts',
    edits: [
      {
        find: '  if (isAligned && size === 8) markStackWrite',
        replace: '  if (isAligned) markStackWrite',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'paths',
    unseen:
      'containment leaves out what the covering state has forgotten, and asks for reads of dead registers but not of dead stack slots.',
  },
];
