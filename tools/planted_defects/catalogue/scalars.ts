import type { Defect } from '../defect.ts';

/** What a number may be: shifts, bitwise operations, products, extensions, comparisons. */
export const SCALARS: readonly Defect[] = [
  {
    name: 'bitwise-const-subreg',
    story: 'AND, OR and XOR of two known low halves left the 32-bit bounds as they were before.',
    source: 'CVE-2021-3490, 049c4e13714e',
    file: 'src/verifier/scalar/bitwise.ts',
    edits: [
      {
        find: '  if ((r.maskLo | b.maskLo) === 0) setConst32(r, r.valueLo);\n  else {',
        replace: '  if ((r.maskLo | b.maskLo) !== 0) {',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'or32-signed-from-64',
    story: 'The 32-bit bounds of OR were taken from the low words of the 64-bit bounds.',
    source: 'CVE-2020-27194, 5b9fbeb75b6a',
    file: 'src/verifier/scalar/bitwise.ts',
    edits: [
      {
        find: '  r.s32min = ordered ? r.u32min : INT_MIN;\n  r.s32max = ordered ? r.u32max : INT_MAX;',
        replace: '  r.s32min = ordered ? r.uminLo : INT_MIN;\n  r.s32max = ordered ? r.umaxLo : INT_MAX;',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'jmp32-bounds-64',
    story: 'A comparison of low halves bounded the whole register.',
    source: null,
    file: 'src/verifier/scalar/refine.ts',
    edits: [
      {
        find: '    if (ltu32(max, a.u32max)) a.u32max = max;\n    const min',
        replace: '    if (ltu32(max, a.u32max)) {\n      a.u32max = a.umaxLo = max;\n      a.umaxHi = 0;\n    }\n    const min',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'bounds-32-from-64',
    story: 'Unsigned 32-bit bounds were taken from each 64-bit bound on its own, although the range crossed a multiple of 2^32.',
    source: 'CVE-2021-31440, 10bf4e83167c',
    file: 'src/verifier/scalar/deduce.ts',
    edits: [
      {
        find: '    if (uminHi === umaxHi) {\n      if (uminLo >>> 0 > u32min >>> 0) u32min = uminLo;',
        replace: '    if (uminHi === 0 && uminLo >>> 0 > u32min >>> 0) u32min = uminLo;\n    if (uminHi === umaxHi) {',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'mov32-sign-extension',
    story: 'A 32-bit move of a negative constant was taken for its sign extension to 64 bits.',
    source: 'CVE-2017-16995, 95a762e2c8c9',
    file: 'src/verifier/insn/alu.ts',
    edits: [
      {
        find: 'scalarReg(is64(insn) ? constImm(insn.imm) : constScalar(insn.imm, 0))',
        replace: 'scalarReg(constImm(insn.imm))',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'truncation-keeps-bounds',
    story: 'Cutting a number to its low bytes kept bounds that held for the whole of it.',
    source: 'CVE-2017-16996',
    file: 'src/verifier/scalar/extend.ts',
    edits: [
      {
        find: 'if (r.uminHi === r.umaxHi && (r.uminLo & ~keep) === (r.umaxLo & ~keep)) {',
        replace: 'if (r.uminHi === r.umaxHi) {',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'alu32-as-64',
    story: '32-bit arithmetic was computed on 64 bits, so that the result was not cut to the low half.',
    source: 'CVE-2017-17852, 468f6eafa6c4',
    file: 'src/verifier/scalar/alu.ts',
    edits: [
      {
        find: '  if (!is64) clearHighHalf(r);\n  return sync(r);\n};\n\n/** What `-dst`',
        replace: '  return sync(r);\n};\n\n/** What `-dst`',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'rsh-keeps-signed-bounds',
    story: 'A logical shift to the right shifted the signed bounds as well, although a negative number becomes a large one.',
    source: 'CVE-2017-17853, 4374f256ce81',
    file: 'src/verifier/scalar/shifts.ts',
    edits: [
      {
        find: `export const shr64 = (r: Scalar, n: number): void => {
  r.sminLo = 0;
  r.sminHi = INT_MIN;
  r.smaxLo = -1;
  r.smaxHi = INT_MAX;`,
        replace: `export const shr64 = (r: Scalar, n: number): void => {
  r.sminLo = sarWord(r.sminLo, r.sminHi, n);
  r.sminHi = high;
  r.smaxLo = sarWord(r.smaxLo, r.smaxHi, n);
  r.smaxHi = high;`,
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'rsh32-untruncated',
    story: 'A 32-bit shift to the right took bits of the high half into the low one.',
    source: 'CVE-2018-18445',
    file: 'src/verifier/scalar/shifts.ts',
    edits: [
      {
        find: '  r.valueLo = (r.valueLo >>> n) | 0;\n  r.maskLo = (r.maskLo >>> n) | 0;\n  keepLowBits(r);',
        replace: '  tnumShr(r, r, n);\n  keepLowBits(r);',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'lsh32-overflow',
    story: 'The bounds of a 32-bit shift to the left ignored set bits that leave the low half.',
    source: null,
    file: 'src/verifier/scalar/shifts.ts',
    edits: [
      {
        find: 'if (n > 31 || r.u32max >>> 0 > 2 ** (31 - n)) {',
        replace: 'if (n > 31) {',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'reg-bound-offset-32',
    story: 'The known bits of the low half were met with the low words of the 64-bit bounds, as if those bounded it.',
    source: 'CVE-2020-8835, f2d67fec0b43',
    file: 'src/verifier/scalar/sync.ts',
    edits: [
      { find: 'const differ = r.u32min ^ r.u32max;', replace: 'const differ = r.uminLo ^ r.umaxLo;' },
      {
        find: 'r.valueLo = (r.valueLo | (r.u32min & ~free)) & ~maskLo;',
        replace: 'r.valueLo = (r.valueLo | (r.uminLo & ~free)) & ~maskLo;',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'arsh32-shifts-64',
    story:
      'A 32-bit arithmetic shift to the right shifted the bits of the whole register, so that the sign came from the high half.',
    source: '0af2ffc93a4b',
    file: 'src/verifier/scalar/shifts.ts',
    edits: [{ find: '  r.valueLo >>= n;\n  r.maskLo >>= n;\n', replace: '  tnumSar(r, r, n);\n' }],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'mul-forgets-unknown-bits',
    story:
      'Multiplication of partly known numbers dropped the sum without the shifted operand where a bit of the factor is unknown.',
    source: null,
    file: 'src/verifier/scalar/tnum.ts',
    edits: [
      {
        find: '        maskLo |= (valueLo ^ nextLo) | nextMaskLo;',
        replace: '        maskLo |= nextMaskLo;',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'mul-signed-overflow',
    story: 'The signed bounds of a product were the products of the bounds, overflow or not.',
    source: null,
    file: 'src/verifier/scalar/arithmetic.ts',
    edits: [
      {
        find: '  const sfits = smin >= INT_MIN && smax <= INT_MAX;',
        replace: '  const sfits = smax <= INT_MAX;',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'add-overflow',
    story: 'The unsigned bounds of a sum were the sums of the bounds, overflow or not.',
    source: null,
    file: 'src/verifier/scalar/arithmetic.ts',
    edits: [
      {
        find: '  const uwhole = carry(a.umaxHi, b.umaxHi, umaxHi) <= carry(a.uminHi, b.uminHi, uminHi);',
        replace: '  const uwhole = true;',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'jeq32-equates-words',
    story: 'Behind a jump on equality of two low halves the whole registers were taken to be equal.',
    source: null,
    file: 'src/verifier/scalar/refine.ts',
    edits: [
      {
        find: '  if (is32) {\n    if (ltu32(a.u32min, b.u32min)) a.u32min = b.u32min;',
        replace: '  if (is32 && strictHalves) {\n    if (ltu32(a.u32min, b.u32min)) a.u32min = b.u32min;',
      },
      { find: 'const copyUmin = ', replace: 'const strictHalves = false;\n\nconst copyUmin = ' },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'not-equal-moves-any-bound',
    story: 'Behind a jump on inequality the lower bound moved, although it was below the constant.',
    source: null,
    file: 'src/verifier/scalar/refine.ts',
    edits: [
      {
        find: '  if (a.uminLo === lo && a.uminHi === hi) {',
        replace: '  if (a.uminLo === lo) {',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'sign-extension-load-unclamped',
    story: 'A load with sign extension was taken for one with zero extension.',
    source: null,
    file: 'src/verifier/memory/access.ts',
    edits: [
      {
        find: 'const next = signExtends ? signExtend64(scalar, size) : scalar',
        replace: 'const next = scalar',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'sign-extension-bounds',
    story: 'Sign extension kept the bounds of numbers whose sign bits differ.',
    source: null,
    file: 'src/verifier/scalar/extend.ts',
    edits: [
      {
        find: '    if ((low ^ top) >= 0) {\n      const min',
        replace: '    {\n      const min',
      },
    ],
    oracles: ['domain', 'containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'byte-swap-keeps-bounds',
    story: 'A swap of bytes kept the bounds of the number before it.',
    source: null,
    file: 'src/verifier/scalar/extend.ts',
    edits: [
      {
        find: '    tnumSwapBytes(r, bits);\n    unbound32(r);\n    unbound64(r);',
        replace: '    tnumSwapBytes(r, bits);\n    unbound32(r);',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'div-keeps-range',
    story: 'Division and modulo gave the dividend instead of any number.',
    source: null,
    file: 'src/verifier/scalar/alu.ts',
    edits: [
      {
        find: '  } else if (op === DIV || op === MOD) return UNKNOWN;',
        replace: '  } else if (op === DIV || op === MOD) return dst.umaxHi === 0 && dst.umaxLo >= 0 ? dst : UNKNOWN;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
];
