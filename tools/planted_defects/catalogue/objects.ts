import type { Defect } from '../defect.ts';

/** What calls do, and things with a life: references, dynptrs, iterators, locks. */
export const OBJECTS: readonly Defect[] = [
  {
    name: 'released-pointer-usable',
    story: 'A pointer could still be used after its reference was given back.',
    source: null,
    file: 'src/verifier/objects/references.ts',
    edits: [
      {
        find: '  replaceRegs(env.cur, (reg) => (reg.refObjId === id ? invalid : reg));\n  return true;',
        replace: '  if (id < 0) replaceRegs(env.cur, (reg) => (reg.refObjId === id ? invalid : reg));\n  return true;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 5_000,
    campaign: 'objects',
  },
  {
    name: 'reference-lost-in-branch',
    story: 'Exits on which a reference is still held were accepted.',
    source: null,
    file: 'src/verifier/call/resources.ts',
    edits: [
      {
        find: '    leaks = true;',
        replace: '    leaks = exceptionExit;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'objects',
  },
  {
    name: 'lock-held-at-exit',
    story: 'A program could end while it held a lock.',
    source: null,
    file: 'src/verifier/call/resources.ts',
    edits: [
      {
        find: 'if (checkLock && cur.activeLocks > 0) refuse(',
        replace: 'if (checkLock && cur.activeLocks > 1) refuse(',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'objects',
  },
  {
    name: 'iterator-not-drained',
    story: 'An iterator that gave NULL was still taken for one that may give an element, and the element for one that exists.',
    source: null,
    file: 'src/verifier/objects/iterator.ts',
    edits: [
      {
        find: '  frame.refineReg(0, notNull(frame.regs[0] as Reg));',
        replace: '  frame.refineReg(0, notNull(frame.regs[0] as Reg));\n  markRegKnownZero(env, frame, 9);',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'objects',
  },
  {
    name: 'global-result-zero',
    story: 'A global function, which is verified on its own, was taken to return zero.',
    source: null,
    file: 'src/verifier/call/subprogram.ts',
    edits: [
      {
        find: 'import { clearCallerSavedRegs, copyRegTo, markRegUnknown } from',
        replace: 'import { clearCallerSavedRegs, copyRegTo, markRegKnownZero } from',
      },
      {
        find: '  clearCallerSavedRegs(env, frame);\n  markRegUnknown(env, frame, 0);',
        replace: '  clearCallerSavedRegs(env, frame);\n  markRegKnownZero(env, frame, 0);',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'objects',
  },
  {
    name: 'tail-call-keeps-r0',
    story: 'A tail call in a function was taken for one that never leaves the function.',
    source: 'e3245f899043',
    file: 'src/verifier/call/helper.ts',
    edits: [
      {
        find: '  if (env.cur.curframe === 0) return false;',
        replace: '  if (env.cur.curframe >= 0) return false;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'objects',
  },
  {
    name: 'helper-keeps-scratch-registers',
    story: 'R1 to R5 stayed readable behind a call.',
    source: null,
    file: 'src/verifier/call/helper.ts',
    edits: [
      {
        find: '  clearCallerSavedRegs(env, env.cur.writableTop());\n  setHelperResult',
        replace: '  setHelperResult',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'helper-write-keeps-spill',
    story: 'Stack that a helper fills kept what the verifier knew of it.',
    source: null,
    file: 'src/verifier/call/helper.ts',
    edits: [
      {
        find: '  writeRawMemory(env, meta, insnIdx);\n  releaseArg',
        replace: '  if (meta.accessSize < 0) writeRawMemory(env, meta, insnIdx);\n  releaseArg',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'memory',
  },
  {
    name: 'cmpxchg-keeps-r0',
    story: 'A compare-and-exchange was taken to load into its source register, so that R0 kept its bounds.',
    source: null,
    file: 'src/verifier/insn/atomic.ts',
    edits: [
      {
        find: 'const loadReg = insn.imm === BPF_CMPXCHG ? 0 : insn.src;',
        replace: 'const loadReg = insn.src;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'memory',
  },
  {
    name: 'null-branch-keeps-other',
    story: 'A check for NULL of one lookup was taken for a check of another one.',
    source: null,
    file: 'src/verifier/insn/null_branch.ts',
    edits: [
      {
        find: 'isMaybeNull(reg.type) && reg.id === id && (isRcuReg',
        replace: 'isMaybeNull(reg.type) && (isRcuReg',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'dynptr-slice-outlives',
    story: 'A slice of a dynptr stayed valid after the ring buffer record under it was submitted.',
    source: null,
    file: 'src/verifier/objects/dynptr.ts',
    edits: [
      {
        find: 'import { acquireReference, invalidReg, releaseReference } from',
        replace: 'import { acquireReference, invalidReg, releaseReferenceNoMark } from',
      },
      { find: '  releaseReference(env, refObjId);\n  for', replace: '  releaseReferenceNoMark(env.cur, refObjId);\n  for' },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'objects',
  },
  {
    name: 'callback-once',
    story: 'A callback was verified as if it ran once at most.',
    source: 'ab5cfac139ab',
    file: 'src/verifier/call/callback.ts',
    edits: [
      {
        find: '  const state = pushStack(env, sub.start, insnIdx, false);\n  setupFuncEntry',
        replace:
          '  const state = pushStack(env, sub.start, insnIdx, false);\n  if (env.cur.callbackUnrollDepth > 0) env.pending.pop();\n  setupFuncEntry',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'objects',
  },
  {
    name: 'helper-size-max-ignored',
    story: 'A helper could be given a variable size of which only the smallest value fits the memory.',
    source: null,
    file: 'src/verifier/memory/helper_memory.ts',
    edits: [
      {
        find: '  checkHelperMemAccess(env, regno - 1, scalar.umaxLo, write',
        replace: '  checkHelperMemAccess(env, regno - 1, Math.max(1, scalar.uminLo), write',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'memory',
  },
  {
    name: 'global-call-keeps-packet-pointers',
    story: 'Packet pointers stayed valid behind a call of a global function that may move the packet.',
    source: 'CVE-2024-58098, 51081a3f25c7',
    file: 'src/verifier/call/subprogram.ts',
    edits: [{ find: '  if (sub.changesPacketData) clearPacketPointers(env);\n', replace: '' }],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'packets',
  },
];
