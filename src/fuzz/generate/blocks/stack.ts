import { FP, type Generator, type Step } from '../generator.ts';
import { type Kind, STACK_BYTES, scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';

const SIZES = [1, 2, 4, 8] as const;

const store = (g: Generator): void => {
  const { code, random, scope } = g;
  const size = random.pick(SIZES);
  const off = g.stackSpace(size, random.chance(0.99) ? size : 1);
  if (g.wrong()) {
    code.storeImm(size, FP, random.pick([0, 8, -STACK_BYTES - 8, -STACK_BYTES - 1, off + 1]), 0);
    return;
  }
  if (random.chance(0.4)) {
    code.storeImm(size, FP, off, random.chance(0.4) ? 0 : random.immediate());
    scope.write(off, size, null);
    return;
  }
  const src = g.scalar();
  code.store(size, FP, off, src);
  scope.write(off, size, scope.regs[src] ?? null);
};

/** Stores a register whole and reads it back later, in whole or in part. */
const spill = (g: Generator): void => {
  const { code, random, scope } = g;
  const known = [...Array(10).keys()].filter((reg) => scope.regs[reg] !== null);
  if (known.length === 0) return;
  const src = random.pick(known);
  const off = g.stackSpace(8);
  code.store(8, FP, off, src);
  scope.write(off, 8, scope.regs[src]!);
};

const fill = (g: Generator): void => {
  const { code, random, scope } = g;
  const spills = [...scope.spills];
  if (spills.length === 0) return;
  const [off, kind] = random.pick(spills);
  const dst = g.target();
  if (kind.kind === 'scalar' && random.chance(0.4)) {
    const size = random.pick(SIZES);
    const inside = random.chance(0.6) ? 0 : Math.floor(random.below(9 - size) / size) * size;
    code.load(size, dst, FP, off + inside);
    scope.regs[dst] = size === 8 ? kind : scalarUpTo(2 ** (8 * size) - 1);
    return;
  }
  code.load(8, dst, FP, off);
  scope.regs[dst] = kind;
};

const load = (g: Generator): void => {
  const { code, random, scope } = g;
  const size = random.pick(SIZES);
  const dst = g.target();
  for (let tries = 0; tries < 8; tries++) {
    const off = -size * random.between(1, Math.floor(64 / size));
    if (!scope.isData(off, size) && !g.wrong()) continue;
    code.load(size, dst, FP, off);
    scope.regs[dst] = size === 8 ? UNKNOWN_SCALAR : scalarUpTo(2 ** (8 * size) - 1);
    return;
  }
};

/** The same slot through a copy of the frame pointer. */
const throughCopy = (g: Generator): void => {
  const { code, random, scope } = g;
  const off = g.stackSpace(8);
  const pointer = g.target();
  const base = off + 8 * random.between(-2, 2);
  g.stackPointer(pointer, base);
  const size = random.pick(SIZES);
  const kind: Kind | null = scope.regs[g.scalar()] ?? null;
  if (random.chance(0.5)) code.storeImm(size, pointer, off - base, random.immediate());
  else code.store(size, pointer, off - base, random.pick([...g.having('scalar'), pointer]));
  scope.write(off, size, kind?.kind === 'scalar' ? kind : null);
};

export const STACK_STEPS: readonly Step[] = [
  { name: 'store', feature: 'stack', weight: 4, emit: store },
  { name: 'spill', feature: 'stack', weight: 4, emit: spill },
  { name: 'fill', feature: 'stack', weight: 4, ready: (g) => g.scope.spills.size > 0, emit: fill },
  { name: 'load', feature: 'stack', weight: 2, emit: load },
  { name: 'through a copy', feature: 'stack', weight: 1, emit: throughCopy },
];
