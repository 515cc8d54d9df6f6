import type { Defect } from '../defect.ts';

/** What calls do, and things with a life: references, dynptrs, iterators, locks. */
export const OBJECTS: readonly Defect[] = [
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
    campaign: 'objects',
  },
];
