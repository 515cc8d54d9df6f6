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
    budget: 20_000,
    campaign: 'merges',
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
        replace: '  if (!wanted || linked.length > 0) return;\n  for (const one of linked)',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'merges',
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
  },
  {
    name: 'alu-source-imprecise',
    story: 'The search for precision went through arithmetic of two registers without wanting the source.',
    source: null,
    file: 'src/verifier/prune/backtrack.ts',
    edits: [
      {
        find: 'if (sourceOf(insn.code) === BPF_X && insn.src !== BPF_REG_FP) bt.setReg(insn.src);',
        replace: 'if (op === BPF_MOV && sourceOf(insn.code) === BPF_X && insn.src !== BPF_REG_FP) bt.setReg(insn.src);',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'merges',
  },
  {
    name: 'narrow-fill-ends-precision',
    story: 'The search for precision ended at a fill of less than 8 bytes.',
    source: '345e004d0233',
    file: 'src/verifier/prune/backtrack.ts',
    edits: [
      {
        find: '  if (isStackAccess(entry)) bt.setSlot(stackFrame(entry.flags), stackSpi(entry.flags));',
        replace:
          '  if (isStackAccess(entry) && (insn.code & 0x18) === 0x18) bt.setSlot(stackFrame(entry.flags), stackSpi(entry.flags));',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'merges',
  },
  {
    name: 'fill-ends-precision',
    story: 'The search for precision ended at a fill from the stack.',
    source: null,
    file: 'src/verifier/prune/backtrack.ts',
    edits: [
      {
        find: '  if (isStackAccess(entry)) bt.setSlot(stackFrame(entry.flags), stackSpi(entry.flags));',
        replace: '  if (isStackAccess(entry) && entry.flags < 0) bt.setSlot(stackFrame(entry.flags), stackSpi(entry.flags));',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'merges',
  },
  {
    name: 'scalar-covers-pointer',
    story: 'A path with a pointer in a register was pruned at a state with a number in it.',
    source: 'CVE-2017-17855, 179d1c560299',
    file: 'src/verifier/prune/equality.ts',
    edits: [
      {
        find: '  if (old.type !== cur.type) return false;\n  switch',
        replace:
          "  if (old.type !== cur.type) return old.type === SCALAR_VALUE && !oldPrecise && exact === 'NOT_EXACT';\n  switch",
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'merges',
  },
  {
    name: 'scalar-links-ignored',
    story: 'A path was pruned although registers that were linked in the stored state were not linked in it.',
    source: '1ffc85d9298e',
    file: 'src/verifier/prune/equality.ts',
    edits: [
      {
        find: '    if (!checkScalarIds(old.id, cur.id)) return false;\n  }',
        replace: '  }',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'merges',
  },
  {
    name: 'id-pairs-not-unique',
    story: 'Registers that were linked in the stored state could have different links in a path that it was taken to cover.',
    source: null,
    file: 'src/verifier/prune/id_map.ts',
    edits: [
      {
        find: '    if (oldIds[i] === old) return curIds[i] === cur;\n    if (curIds[i] === cur) return false;',
        replace: '    if (oldIds[i] === old) return true;',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'merges',
  },
  {
    name: 'stack-reads-of-helpers-missed',
    story: 'Stack that a helper reads was taken for dead.',
    source: null,
    file: 'src/verifier/memory/stack_range.ts',
    edits: [
      {
        find: '    markStackRead(env, frameno, env.insnIdx, spi < 32 ? 1 << spi : 0, spi < 32 ? 0 : 1 << (spi - 32));',
        replace: '    if (spi > 63) markStackRead(env, frameno, env.insnIdx, 0, 0);',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'memory',
  },
  {
    name: 'fill-through-copy-ends-precision',
    story: 'The search for precision ended at a fill through another register than the frame pointer.',
    source: 'CVE-2023-52920, 41f6f64e6999',
    file: 'src/verifier/prune/backtrack.ts',
    edits: [
      {
        find: '  if (isStackAccess(entry)) bt.setSlot(stackFrame(entry.flags), stackSpi(entry.flags));',
        replace:
          '  if (isStackAccess(entry) && insn.src === BPF_REG_FP) bt.setSlot(stackFrame(entry.flags), stackSpi(entry.flags));',
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'merges',
  },
  {
    name: 'loop-marks-lost',
    story:
      'Where a turn of a loop was covered by a turn that was not explored to its end, what that relied on later was not marked before it.',
    source: 'c9e31900b54c',
    file: 'src/verifier/prune/loops.ts',
    edits: [
      { find: '  for (let changed = true; changed; ) {', replace: '  for (let changed = backedges.length < 0; changed; ) {' },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'loops',
  },
  {
    name: 'loop-covered-inexactly',
    story:
      'A turn of a loop was covered by one that was not explored to its end, although numbers differed that nothing relied on so far.',
    source: '2793a8b015f7',
    file: 'src/verifier/prune/visited.ts',
    edits: [
      {
        find: "old.mayGotoDepth !== cur.mayGotoDepth && statesEqual(env, old, cur, 'RANGE_WITHIN'))",
        replace: "old.mayGotoDepth !== cur.mayGotoDepth && statesEqual(env, old, cur, 'NOT_EXACT'))",
      },
      {
        find: "statesEqual(env, old, cur, 'RANGE_WITHIN') && isIteratorActive(cur)",
        replace: "statesEqual(env, old, cur, 'NOT_EXACT') && isIteratorActive(cur)",
      },
    ],
    oracles: ['containment', 'runs', 'pruning', 'metamorphic'],
    budget: 20_000,
    campaign: 'loops',
  },
];
