import type { Defect } from '../defect.ts';

/** What may be read and written: pointers and their offsets, stack, packets, map values. */
export const MEMORY: readonly Defect[] = [
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
    budget: 50_000,
    campaign: 'usual',
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
];
