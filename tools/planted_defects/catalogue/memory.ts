import type { Defect } from '../defect.ts';

/** What may be read and written: pointers and their offsets, stack, packets, map values. */
export const MEMORY: readonly Defect[] = [
  {
    name: 'or-null-arithmetic',
    story: 'A constant could be added to a pointer that may be NULL, which a check for NULL then took for a valid one.',
    source: 'CVE-2022-23222',
    file: 'src/verifier/insn/pointer_arithmetic.ts',
    edits: [
      {
        find: '  if (isMaybeNull(pointer.type))\n    env.reject',
        replace: '  if (isMaybeNull(pointer.type) && !env.allowPtrLeaks)\n    env.reject',
      },
      {
        find: '        next.off = fixed;\n        next.scalar = keepOffset(pointer.scalar);\n        return withoutReference',
        replace:
          '        next.off = isMaybeNull(pointer.type) ? 0 : fixed;\n        next.scalar = keepOffset(pointer.scalar);\n        return withoutReference',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'memory',
  },
  {
    name: 'map-value-off-by-one',
    story: 'An access to a map value could end one byte behind the value.',
    source: null,
    file: 'src/verifier/memory/map_value.ts',
    edits: [
      {
        find: 'checkMemRegionAccess(env, regno, off, size, def.valueSize, zeroSizeOk);',
        replace: 'checkMemRegionAccess(env, regno, off, size, def.valueSize + 1, zeroSizeOk);',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'memory',
  },
  {
    name: 'variable-stack-write-min-only',
    story: 'A store with a variable stack offset forgot what it may overwrite beyond its smallest offset.',
    source: null,
    file: 'src/verifier/memory/stack_write.ts',
    edits: [
      {
        find: '  const max = signedNumber(pointer.scalar.smaxLo, pointer.scalar.smaxHi) + off + size;',
        replace: '  const max = min + size;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'stack-misc-as-zero',
    story: 'Stack bytes of unknown content were read as zeros.',
    source: null,
    file: 'src/verifier/memory/stack_read.ts',
    edits: [
      {
        find: 'isAllZero = slotType(frame.slot(spi), (-at - 1) & 7) === STACK_ZERO;',
        replace: 'isAllZero = slotType(frame.slot(spi), (-at - 1) & 7) !== STACK_SPILL;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'partial-overwrite-keeps-spill',
    story: 'A narrow store into a spilled register left the spill as it was.',
    source: null,
    file: 'src/verifier/memory/stack_write.ts',
    edits: [
      {
        find: '  let slot = scrubbed(frame.slot(spi));\n',
        replace: '  let slot = frame.slot(spi);\n  if (isSpecial(slot)) return;\n',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'narrow-fill-keeps-bounds',
    story: 'A register that was filled from the low part of a wider spill kept the bounds of the whole.',
    source: null,
    file: 'src/verifier/memory/access.ts',
    edits: [
      {
        find: '  if (!write && size < 8 && valueRegno >= 0) extendLoaded',
        replace: '  if (!write && size < 8 && valueRegno >= 0 && reg.type !== PTR_TO_STACK) extendLoaded',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'usual',
  },
  {
    name: 'packet-range-of-others',
    story: 'A comparison with the end of the packet gave its range to packet pointers that had been moved by another number.',
    source: null,
    file: 'src/verifier/insn/packet_branch.ts',
    edits: [
      {
        find: 'if (reg.type !== pointer.type || reg.id !== pointer.id || reg.aux >= range) return reg;',
        replace: 'if (reg.type !== pointer.type || reg.aux >= range) return reg;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'packets',
  },
  {
    name: 'packet-range-survives-addition',
    story: 'A packet pointer kept its proven range when a number was added to it.',
    source: null,
    file: 'src/verifier/insn/pointer_arithmetic.ts',
    edits: [
      {
        find: '        next.id = env.newId();\n        next.aux = 0;',
        replace: '        next.id = env.newId();',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'packets',
  },
  {
    name: 'packet-strict-off-by-one',
    story: 'A packet pointer found not above the end was taken for one strictly below it.',
    source: null,
    file: 'src/verifier/insn/packet_branch.ts',
    edits: [
      {
        find: '  const range = pointer.off + (isStrict ? 1 : 0);',
        replace: '  const range = pointer.off + 1;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'packets',
  },
  {
    name: 'helper-leaves-packet-pointers',
    story: 'Packet pointers stayed valid behind a helper that may move the packet.',
    source: null,
    file: 'src/verifier/call/helper.ts',
    edits: [
      {
        find: '  if (movesPacket) clearPacketPointers(env);',
        replace: '  if (movesPacket && insn.src !== 0) clearPacketPointers(env);',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'packets',
  },
  {
    name: 'region-max-unchecked',
    story: 'Of an access with a variable offset only the smallest offset was held against the region.',
    source: null,
    file: 'src/verifier/memory/region.ts',
    edits: [
      {
        find: 'checkBounds(env, regno, max + off, size, memSize, zeroSizeOk),',
        replace: 'checkBounds(env, regno, (min + off) | 0, size, memSize, zeroSizeOk),',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'memory',
  },
  {
    name: 'narrow-spill-keeps-link',
    story:
      'A narrow spill, and a fill from one, kept the link to the register that it was cut from: a bound found for one was given to the other. Linux has dropped it at both since; either suffices.',
    source: '713274f1f2c8',
    file: 'src/verifier/memory/stack_write.ts',
    edits: [
      {
        find: '    if (!fits && kept.id !== 0) {',
        replace: '    if (!fits && kept.id < 0) {',
      },
      {
        file: 'src/verifier/memory/stack_read.ts',
        find: '    if (reg.id !== 0 && !fitsUnsigned(reg.scalar, size * 8)) {',
        replace: '    if (reg.id !== 0 && width === 8 && !fitsUnsigned(reg.scalar, size * 8)) {',
      },
    ],
    oracles: ['containment', 'runs', 'pruning'],
    budget: 20_000,
    campaign: 'numbers',
  },
  {
    name: 'linked-offset-ignored',
    story: 'A bound found for a register was given to those that differ from it by a constant, without the constant.',
    source: null,
    file: 'src/verifier/insn/linked_regs.ts',
    edits: [
      {
        find: '  const distance = reg.off - known.off;',
        replace: '  const distance = 0;',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'numbers',
  },
  {
    name: 'mov32-keeps-link',
    story: 'A 32-bit move kept the link to a source that does not fit in 32 bits.',
    source: null,
    file: 'src/verifier/insn/alu.ts',
    edits: [
      {
        find: 'if (insn.off === 0) copyScalar(env, insn, fitsUnsigned(source.scalar, 32), zeroExtend32);',
        replace: 'if (insn.off === 0) copyScalar(env, insn, true, zeroExtend32);',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'numbers',
  },
  {
    name: 'linked-sum-32-as-64',
    story: 'A register that is the 32-bit sum of another one and a constant was bounded as if the sum did not wrap at 2^32.',
    source: null,
    file: 'src/verifier/insn/linked_regs.ts',
    edits: [
      {
        find: '  const is32 = ((reg.id | known.id) & BPF_ADD_CONST32) !== 0;',
        replace: '  const is32 = (reg.id & known.id & BPF_ADD_CONST32) !== 0;',
      },
    ],
    oracles: ['containment', 'runs', 'pruning'],
    budget: 20_000,
    campaign: 'merges',
  },
  {
    name: 'read-only-map-written',
    story: 'A map that programs may only read could be written.',
    source: null,
    file: 'src/verifier/memory/map_value.ts',
    edits: [
      {
        find: '  if (write && (flags & BPF_F_RDONLY_PROG) !== 0)',
        replace: '  if (write && (flags & BPF_F_RDONLY_PROG) !== 0 && off < 0)',
      },
    ],
    oracles: ['containment', 'runs'],
    budget: 20_000,
    campaign: 'memory',
  },
];
