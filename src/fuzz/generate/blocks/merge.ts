import {
  BPF_ADD,
  BPF_AND,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGT,
  BPF_JSLT,
  BPF_LSH,
  BPF_MUL,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_XOR,
} from '../../../isa/constants.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { type Kind, scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';
import { twoWays } from './control.ts';

/**
 * Two paths that leave different things in the same places and meet: what a verifier has to keep apart, or may take for the same,
 * depends on what comes behind. Numbers travel through arithmetic, copies and the stack, and then decide something.
 */

const SIZES = [1, 2, 4, 8] as const;
const NUMBERS = [0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 100] as const;
const COMPARISONS = [BPF_JEQ, BPF_JNE, BPF_JGT, BPF_JSGT, BPF_JGE, BPF_JSET] as const;
const NEWER = [BPF_JLT, BPF_JLE, BPF_JSLT] as const;
/** As far as an index may reach into the stack. */
const REACH = 256;

/** What differs by the path: registers that calls leave alone, each of which may be kept in a stack slot where the paths meet. */
interface Cell {
  readonly reg: number;
  readonly slot: { readonly off: number; readonly size: number } | null;
}

interface Meeting {
  readonly g: Generator;
  readonly cells: readonly Cell[];
  /** few, so that comparisons meet what the paths left */
  readonly numbers: readonly number[];
}

const maxOf = (g: Generator, reg: number): number => g.kindOf(reg, 'scalar')?.max ?? Number.POSITIVE_INFINITY;

const some = ({ g, cells }: Meeting): number => g.random.pick(cells).reg;

const someOther = ({ g, cells }: Meeting, beside: number): number => g.random.pick(cells.filter(({ reg }) => reg !== beside)).reg;

const comparison = (g: Generator): number => g.random.pick(g.dials.cpu === 'v1' ? COMPARISONS : [...COMPARISONS, ...NEWER]);

const isWide = (g: Generator): boolean => g.dials.cpu === 'v1' || g.dials.cpu === 'v2' || g.random.chance(0.75);

/** Puts something in a register: a number, something unknown, what another register holds, or a pointer. */
const give = (m: Meeting, reg: number): void => {
  const { g } = m;
  const { code, random, scope } = g;
  if (g.wrongMoreOften(6)) {
    code.movX(reg, FP);
    scope.regs[reg] = { kind: 'stack', off: 0 };
    return;
  }
  const choice = random.below(10);
  if (choice < 4) {
    const value = random.pick(m.numbers);
    code.movK(reg, value, isWide(g));
    scope.regs[reg] = scalarUpTo(value);
    return;
  }
  if (choice < 7) {
    const from = someOther(m, reg);
    const max = maxOf(g, from);
    const wide = isWide(g);
    code.movX(reg, from, wide);
    scope.regs[reg] = wide ? (scope.regs[from] ?? null) : scalarUpTo(Math.min(max, 0xffffffff));
    if (scope.regs[reg]?.kind === 'scalar' && random.chance(0.3)) {
      const step = random.chance(0.7) ? random.pick(m.numbers) : 0 - random.pick(m.numbers);
      code.aluK(BPF_ADD, reg, step, wide);
      scope.regs[reg] = step >= 0 ? scalarUpTo(maxOf(g, reg) + step) : UNKNOWN_SCALAR;
    }
    return;
  }
  g.unknown(reg);
  if (choice > 7) {
    const mask = random.pick([1, 3, 7, 15, 63, 255]);
    code.aluK(BPF_AND, reg, mask);
    scope.regs[reg] = scalarUpTo(mask);
  }
};

/** The same for a cell: where it has a slot, the slot is what counts. */
const put = (m: Meeting, { reg, slot }: Cell): void => {
  const { code, random, scope } = m.g;
  if (slot !== null && random.chance(0.3)) {
    code.storeImm(slot.size, FP, slot.off, random.pick(m.numbers));
    scope.write(slot.off, slot.size, null);
    return;
  }
  give(m, reg);
  if (slot === null) return;
  code.store(slot.size, FP, slot.off, reg);
  scope.write(slot.off, slot.size, scope.regs[reg] ?? null);
};

/** Reads a slot back, in whole or its low part, by the frame pointer or a copy of it. */
const fill = (g: Generator, reg: number, off: number, stored: number): void => {
  const size = g.random.chance(0.7) ? stored : g.random.pick(SIZES.filter((candidate) => candidate <= stored));
  if (g.random.chance(0.2)) {
    g.code.movX(reg, FP);
    g.code.aluK(BPF_ADD, reg, off);
    g.code.load(size, reg, reg, 0);
  } else g.code.load(size, reg, FP, off);
  g.scope.regs[reg] = size === 8 ? (g.scope.spilledAt(off) ?? UNKNOWN_SCALAR) : scalarUpTo(2 ** (8 * size) - 1);
};

/** What a number becomes, as far as the generator looks. */
const computed = (op: number, a: number, b: number): Kind => {
  if (op === BPF_ADD || op === BPF_OR || op === BPF_XOR) return scalarUpTo(op === BPF_ADD ? a + b : 2 * Math.max(a, b));
  if (op === BPF_MUL) return scalarUpTo(a * b);
  return op === BPF_AND ? scalarUpTo(Math.min(a, b)) : UNKNOWN_SCALAR;
};

/** One step that numbers take from where the paths met to where they count. */
const travel = (m: Meeting): void => {
  const { g } = m;
  const { code, random, scope } = g;
  const reg = some(m);
  switch (random.below(7)) {
    case 0:
    case 1: {
      const src = random.chance(0.1) ? reg : someOther(m, reg);
      const op = random.pick([BPF_ADD, BPF_ADD, BPF_SUB, BPF_AND, BPF_OR, BPF_XOR, BPF_MUL]);
      code.aluX(op, reg, src, isWide(g));
      scope.regs[reg] = computed(op, maxOf(g, reg), maxOf(g, src));
      return;
    }
    case 2: {
      const op = random.pick([BPF_ADD, BPF_AND, BPF_LSH, BPF_RSH]);
      const value = op === BPF_LSH || op === BPF_RSH ? random.between(1, 4) : random.pick(m.numbers);
      const max = maxOf(g, reg);
      code.aluK(op, reg, value, isWide(g));
      const shifted = op === BPF_LSH ? max * 2 ** value : max / 2 ** value;
      scope.regs[reg] = op === BPF_LSH || op === BPF_RSH ? scalarUpTo(Math.floor(shifted)) : computed(op, max, value);
      return;
    }
    case 3: {
      const off = g.stackSpace(8);
      const size = random.chance(0.6) ? 8 : random.pick(SIZES);
      code.store(size, FP, off, reg);
      scope.write(off, size, scope.regs[reg] ?? null);
      fill(g, some(m), off, size);
      return;
    }
    case 4:
      give(m, reg);
      return;
    default:
      compare(m, reg, random.chance(0.5) ? null : someOther(m, reg));
  }
};

/** A comparison with a number or with another cell, behind which the paths meet again at once, or nearly so. */
const compare = (m: Meeting, reg: number, other: number | null): void => {
  const { g } = m;
  const { code, random } = g;
  const taken = code.label();
  if (other === null) code.jumpK(comparison(g), reg, random.pick(m.numbers), taken, isWide(g));
  else code.jumpX(comparison(g), reg, other, taken, isWide(g));
  const write = (): void => {
    if (random.chance(0.6)) give(m, some(m));
    else if (random.chance(0.3)) g.body(2);
  };
  g.within({ nesting: g.around.nesting + 1 }, () => twoWays(g, taken, write, random.chance(0.2) ? write : null));
};

/** A number is an offset into the stack, found small enough before if that is not known; or a number that is linked to it is. */
const index = (m: Meeting, reg: number): void => {
  const { g } = m;
  const { code, random, scope } = g;
  const pointer = g.targetBeside(...m.cells.map((cell) => cell.reg));
  const over = code.label();
  const known = maxOf(g, reg);
  const limit = known < REACH ? known : random.pick([7, 15, 63]);
  const isGuarded = known >= REACH || random.chance(0.3);
  if (isGuarded && !g.wrong()) code.jumpK(BPF_JGT, g.wrongMoreOften(8) ? some(m) : reg, limit, over);
  const before = scope.clone();
  code.movX(pointer, FP);
  code.aluX(BPF_ADD, pointer, reg);
  scope.regs[pointer] = { kind: 'opaque' };
  const off = -Math.min(504, limit + 1 + random.below(8));
  if (random.chance(0.5)) code.load(1, pointer, pointer, off);
  else code.storeImm(1, pointer, off, 0);
  if (random.chance(0.5)) {
    code.movK(pointer, 0);
    scope.regs[pointer] = scalarUpTo(0);
  }
  code.place(over);
  scope.join(before);
};

/** Registers that may be overwritten and that calls leave alone, those without a pointer first. */
const freeKeepers = (g: Generator): number[] => {
  const free = [6, 7, 8, 9].filter((reg) => !g.scope.isPinned(reg));
  const isPlain = (reg: number): boolean => (g.scope.regs[reg]?.kind ?? 'scalar') === 'scalar';
  return [...free.filter(isPlain), ...free.filter((reg) => !isPlain(reg))];
};

/** Registers that hold numbers, of which steps may make what they like. */
const numbered = (g: Generator): Meeting | null => {
  const { code, random } = g;
  const regs = freeKeepers(g);
  if (regs.length < 2) return null;
  g.saveCallerRegisters();
  const taken = regs.slice(0, random.chance(0.6) ? 2 : 3);
  const numbers = [random.pick(NUMBERS), random.pick(NUMBERS), random.pick(NUMBERS)];
  for (const reg of taken) {
    code.movK(reg, random.pick(numbers));
    g.scope.regs[reg] = scalarUpTo(Math.max(...numbers));
  }
  return { g, cells: taken.map((reg) => ({ reg, slot: null })), numbers };
};

/** The numbers decide something: what may be accessed, or where the code goes on. */
const decide = (m: Meeting): void => {
  const { random } = m.g;
  for (let i = random.between(1, 2); i > 0; i--) {
    if (random.chance(0.5)) index(m, some(m));
    else compare(m, some(m), random.chance(0.75) ? null : some(m));
  }
};

/** Two paths that leave something in the cells, each of its own. */
const twoArms = (m: Meeting): void => {
  const { g, cells } = m;
  const { code, random } = g;
  const condition = g.unknown(g.targetBeside(...cells.map(({ reg }) => reg)));
  const target = code.label();
  if (random.chance(0.7)) code.jumpK(BPF_JSET, condition, 1 << random.below(8), target);
  else code.jumpK(comparison(g), condition, random.pick([0, 40, 63]), target, isWide(g));
  const arm = (): void => {
    for (const cell of cells) if (random.chance(0.6)) put(m, cell);
  };
  g.within({ nesting: g.around.nesting + 1 }, () => twoWays(g, target, arm, random.chance(0.7) ? arm : null));
};

const meet = (g: Generator): void => {
  const { random } = g;
  const start = numbered(g);
  if (start === null) return;
  const cells = start.cells.map(({ reg }): Cell => {
    if (random.chance(0.65)) return { reg, slot: null };
    const size = random.chance(0.6) ? 8 : random.pick(SIZES);
    return { reg, slot: { off: g.stackSpace(8), size } };
  });
  const m: Meeting = { ...start, cells };
  for (const cell of cells) put(m, cell);
  twoArms(m);
  for (const { reg, slot } of cells) if (slot !== null) fill(g, reg, slot.off, slot.size);
  for (let i = random.below(4); i > 0; i--) travel(m);
  decide(m);
};

/** A loop whose turns meet: what a turn leaves is what the next one begins with, and the verifier does not count them. */
const turns = (g: Generator): void => {
  const { code, random } = g;
  const m = numbered(g);
  if (m === null) return;
  for (const cell of m.cells) if (random.chance(0.4)) put(m, cell);
  if (random.chance(0.6)) twoArms(m);
  const head = code.label();
  const left = code.label();
  const end = code.label();
  code.place(head);
  const before = g.scope.clone();
  g.scope.widen();
  code.mayGoto(end);
  g.within({ nesting: g.around.nesting + 1, owes: true }, () => {
    if (random.chance(0.6)) {
      const condition = g.unknown(g.targetBeside(...m.cells.map(({ reg }) => reg)));
      code.jumpK(BPF_JSET, condition, 1 << random.below(8), left);
    }
    if (random.chance(0.2)) index(m, some(m));
    for (let i = random.between(1, 2); i > 0; i--) {
      if (random.chance(0.5)) give(m, some(m));
      else travel(m);
    }
  });
  code.goto(head);
  code.place(left);
  g.scope.join(before);
  decide(m);
  code.place(end);
  g.scope.join(before);
  if (random.chance(0.4)) decide(m);
};

export const MERGE_STEPS: readonly Step[] = [
  {
    name: 'two paths meet',
    feature: 'merge',
    weight: 3,
    ready: (g) => !g.around.locked && g.around.nesting < 3 && g.room > 8,
    emit: meet,
  },
  {
    name: 'turns of a loop meet',
    feature: 'loop',
    weight: 1.5,
    ready: (g) => !g.around.locked && g.around.nesting < 2 && g.room > 8 && g.dials.cpu === 'v4',
    emit: turns,
  },
];
