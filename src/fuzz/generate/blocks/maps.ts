import { BPF_ADD, BPF_JEQ, BPF_JNE } from '../../../isa/constants.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import type { UsedMap } from '../kernel.ts';
import { type Kind, scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';
import { bound } from './alu.ts';
import { twoWays } from './control.ts';
import { accessMemory } from './pointer.ts';

const RDONLY_PROG = 1 << 7;
/** Values up to here are made on the stack. */
const LARGE = 256;

/**
 * Writes the test for NULL of r0 and what is done with it where it is not; without it when the choice is to be wrong.
 */
export const whenNotNull = (g: Generator, kind: Kind, use: () => void): void => {
  const { code, random, scope } = g;
  if (g.wrong()) {
    scope.regs[0] = kind;
    use();
    return;
  }
  const taken = code.label();
  const result = random.chance(0.8) ? 0 : g.targetBeside(0);
  if (result !== 0) {
    code.movX(result, 0);
    scope.regs[result] = null;
  }
  scope.regs[0] = scalarUpTo(0);
  if (random.chance(0.6)) {
    code.jumpK(BPF_JEQ, result, 0, taken);
    twoWays(
      g,
      taken,
      () => {
        g.scope.regs[0] = kind;
        g.scope.regs[result] = kind;
        use();
        if (g.scope.isEnded) return;
        if (g.scope.regs[0]?.kind !== 'scalar') g.scope.regs[0] = null;
      },
      null,
    );
  } else {
    code.jumpK(BPF_JNE, result, 0, taken);
    twoWays(
      g,
      taken,
      () => {
        if (!g.around.owes && random.chance(0.7)) g.exit();
      },
      () => {
        g.scope.regs[0] = kind;
        g.scope.regs[result] = kind;
        use();
      },
    );
  }
};

/** Puts a pointer to a key in r2. */
const keyArgument = (g: Generator, map: UsedMap, reg = 2): void => {
  const size = map.def.keySize;
  const memory = g.having('memory').find((candidate) => {
    const kind = g.kindOf(candidate, 'memory')!;
    return candidate > 5 && kind.size - kind.off >= size;
  });
  if (memory !== undefined && g.random.chance(0.15)) {
    g.code.movX(reg, memory);
    return;
  }
  g.stackPointer(reg, g.stackData(size));
};

const mapValueKind = (map: UsedMap): Kind => ({
  kind: 'memory',
  size: map.def.valueSize,
  off: 0,
  writable: (map.def.flags & RDONLY_PROG) === 0,
  map: map.index,
});

export const lookup = (g: Generator, map: UsedMap, use: () => void): void => {
  const { code, scope } = g;
  g.saveCallerRegisters();
  keyArgument(g, map);
  g.loadMap(1, map);
  code.callHelper(1);
  scope.called(null);
  whenNotNull(g, mapValueKind(map), use);
};

const lookupAndUse = (g: Generator): void => {
  const { random } = g;
  const map = random.chance(0.95) ? g.map('values') : g.anyMap();
  lookup(g, map, () => {
    if (g.scope.regs[0]?.kind !== 'memory') return;
    if (random.chance(0.4)) {
      const keeper = g.keeper();
      if (keeper !== null) {
        g.code.movX(keeper, 0);
        g.scope.regs[keeper] = g.scope.regs[0]!;
      }
    }
    const times = random.between(1, 3);
    for (let i = 0; i < times; i++) accessMemory(g, g.scope.regs[0]?.kind === 'memory' ? 0 : (g.having('memory')[0] ?? 0));
    if (random.chance(0.6)) g.body(random.between(1, 10));
  });
};

const update = (g: Generator): void => {
  const { code, random, scope } = g;
  const map = random.chance(0.95) ? g.map('values') : g.anyMap();
  if (map.def.valueSize > LARGE && !g.wrong()) return;
  const value = g.stackData(Math.min(LARGE, map.def.valueSize));
  g.saveCallerRegisters();
  keyArgument(g, map);
  g.stackPointer(3, value);
  g.loadMap(1, map);
  code.movK(4, random.below(4));
  code.callHelper(2);
  scope.called(UNKNOWN_SCALAR);
};

const remove = (g: Generator): void => {
  const map = g.map('values');
  g.saveCallerRegisters();
  keyArgument(g, map);
  g.loadMap(1, map);
  g.code.callHelper(3);
  g.scope.called(UNKNOWN_SCALAR);
};

const queue = (g: Generator): void => {
  const { code, random, scope } = g;
  const map = g.map(random.chance(0.8) || !g.mayMap('bloom') ? 'queue' : 'bloom');
  const isPush = random.chance(0.5);
  const data = isPush ? g.stackData(map.def.valueSize) : g.stackSpace(map.def.valueSize);
  g.saveCallerRegisters();
  g.stackPointer(2, data);
  g.loadMap(1, map);
  if (isPush) code.movK(3, random.pick([0, 2]));
  code.callHelper(isPush ? 87 : random.pick([88, 89]));
  scope.called(UNKNOWN_SCALAR);
  if (!isPush) scope.write(data, map.def.valueSize, null);
};

/** The value of an array, addressed without a lookup. */
const direct = (g: Generator): void => {
  const { code, random, scope } = g;
  const map = random.chance(0.4) ? g.map('constants') : g.wrong() ? g.anyMap() : g.directMap();
  const reg = g.target();
  const off = g.wrong() ? random.immediate() : random.below(map.def.valueSize);
  code.wide(reg, 2, map.index, off);
  scope.regs[reg] = { ...(mapValueKind(map) as Extract<Kind, { kind: 'memory' }>), off: Math.max(0, off) };
  accessMemory(g, reg);
};

/** A place in an array's only value, at an index that comes from the value and is bounded; sometimes not enough. */
const indexedDirect = (g: Generator): void => {
  const { code, random, scope } = g;
  const map = g.directMap();
  if (map.def.frozen || (map.def.flags & RDONLY_PROG) !== 0) return;
  const size = map.def.valueSize;
  const base = g.target();
  const index = g.targetBeside(base);
  code.wide(base, 2, map.index, 0);
  code.load(random.pick([1, 4, 8]), index, base, 0);
  const bytes = random.pick([1, 2, 4]);
  const last = size - bytes;
  bound(g, index, g.wrongMoreOften(6) ? last + random.between(1, size) : last);
  code.aluX(BPF_ADD, base, index);
  scope.regs[base] = { kind: 'opaque' };
  if (random.chance(0.5)) code.storeImm(bytes, base, 0, random.immediate());
  else {
    code.load(bytes, index, base, 0);
    scope.regs[index] = UNKNOWN_SCALAR;
  }
};

const nested = (g: Generator): void => {
  const outer = g.map('outer');
  g.saveCallerRegisters();
  keyArgument(g, outer);
  g.loadMap(1, outer);
  g.code.callHelper(1);
  g.scope.called(null);
  const { inner } = outer.def;
  whenNotNull(g, { kind: 'opaque' }, () => {
    if (inner === null) return;
    g.code.movX(1, 0);
    g.stackPointer(2, g.stackData(inner.keySize));
    g.code.callHelper(1);
    g.scope.called(null);
    whenNotNull(g, { kind: 'memory', size: inner.valueSize, off: 0, writable: true, map: null }, () => accessMemory(g, 0));
  });
};

/** The index of an array in a register, used as key and as part of an address. */
const indexed = (g: Generator): void => {
  const { code, random, scope } = g;
  const map = g.map('values');
  if (map.def.keySize !== 4) return;
  const key = g.stackSpace(4, 4);
  const index = g.unknown(g.target());
  code.store(4, FP, key, index);
  scope.write(key, 4, null);
  g.saveCallerRegisters();
  g.stackPointer(2, key);
  g.loadMap(1, map);
  code.callHelper(1);
  scope.called(null);
  whenNotNull(g, mapValueKind(map), () => {
    const reg = g.target();
    if (reg === 0) return;
    code.load(4, reg, FP, key);
    code.aluK(0x50, reg, random.pick([1, 3, 7]));
    code.aluX(BPF_ADD, reg, 0);
    g.scope.regs[reg] = { ...(mapValueKind(map) as Extract<Kind, { kind: 'memory' }>), off: 7 };
    accessMemory(g, reg);
  });
};

const free = (g: Generator): boolean => !g.around.locked;

export const MAP_STEPS: readonly Step[] = [
  { name: 'lookup', feature: 'map', weight: 6, ready: free, emit: lookupAndUse },
  { name: 'update', feature: 'map', weight: 1.5, ready: free, emit: update },
  { name: 'delete', feature: 'map', weight: 0.6, ready: free, emit: remove },
  { name: 'queue', feature: 'map', weight: 0.6, ready: free, emit: queue },
  { name: 'direct value', feature: 'map', weight: 1.5, emit: direct },
  { name: 'indexed direct value', feature: 'map', weight: 0.8, emit: indexedDirect },
  { name: 'map of maps', feature: 'map', weight: 0.7, ready: free, emit: nested },
  { name: 'indexed', feature: 'map', weight: 0.8, ready: free, emit: indexed },
];
