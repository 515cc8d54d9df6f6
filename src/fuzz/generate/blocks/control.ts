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
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
  BPF_MUL,
  BPF_SUB,
} from '../../../isa/constants.ts';
import type { Label } from '../emitter.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';

const COMPARISONS = [
  BPF_JEQ,
  BPF_JGT,
  BPF_JGE,
  BPF_JSET,
  BPF_JNE,
  BPF_JSGT,
  BPF_JSGE,
  BPF_JLT,
  BPF_JLE,
  BPF_JSLT,
  BPF_JSLE,
] as const;
const NEWER: readonly number[] = [BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE];
const NESTING_LIMIT = 3;

const comparison = (g: Generator): number => {
  const op = g.random.pick(COMPARISONS);
  return g.dials.cpu === 'v1' && NEWER.includes(op) ? BPF_JGT : op;
};

const isWide = (g: Generator): boolean => g.dials.cpu === 'v1' || g.dials.cpu === 'v2' || g.random.chance(0.6);

/** Writes a conditional jump on scalars. */
const jumpOnScalars = (g: Generator, target: Label): void => {
  const { code, random } = g;
  const reg = g.scalar();
  const op = comparison(g);
  const wide = isWide(g);
  const others = g.having('scalar');
  if (random.chance(0.35) && others.length > 0) code.jumpX(op, reg, random.pick(others), target, wide);
  else code.jumpK(op, reg, random.immediate(), target, wide);
};

/** Both ways of a jump that has been written: `taken` begins at the label. */
export const twoWays = (g: Generator, taken: Label, writeFallThrough: () => void, writeTaken: (() => void) | null): void => {
  const { code } = g;
  const before = g.scope.clone();
  writeFallThrough();
  if (writeTaken === null) {
    code.place(taken);
    g.scope.join(before);
    return;
  }
  const end = code.label();
  const isOpen = !g.scope.isEnded;
  if (isOpen) code.goto(end);
  code.place(taken);
  const after = g.scope;
  g.scope = before;
  writeTaken();
  code.place(end);
  if (isOpen) g.scope.join(after);
};

const mayExit = (g: Generator): boolean => !g.around.owes && g.random.chance(0.15);

const branch = (g: Generator): void => {
  const { code, random } = g;
  const taken = code.label();
  jumpOnScalars(g, taken);
  const part = random.between(1, Math.max(2, Math.floor(g.room / 4)));
  const write = (): void => {
    g.body(part);
    if (!g.scope.isEnded && mayExit(g)) g.exit();
  };
  g.within({ nesting: g.around.nesting + 1 }, () => twoWays(g, taken, write, random.chance(0.5) ? write : null));
};

/** A narrowing comparison of an unknown scalar that leaves the rest of the code with a known bound. */
const guard = (g: Generator): void => {
  const { code, random, scope } = g;
  const reg = g.unknown(g.target());
  const max = random.pick([1, 4, 7, 15, 40, 63, 255]);
  const taken = code.label();
  const end = code.label();
  if (random.chance(0.5)) {
    code.jumpK(BPF_JLE, reg, max, taken, isWide(g));
    if (random.chance(0.5) && !g.around.owes) {
      const before = g.scope.clone();
      g.exit();
      g.scope = before;
    } else code.movK(reg, random.below(max + 1));
    code.place(taken);
  } else {
    code.jumpK(random.pick([BPF_JGT, BPF_JSGT]), reg, max, taken);
    code.goto(end);
    code.place(taken);
    code.movK(reg, 0);
    code.place(end);
  }
  g.scope.regs[reg] = scalarUpTo(max);
  if (scope !== g.scope) g.scope.isEnded = false;
};

/** Two registers that hold the same number up to a constant or up to its low half, of which one is compared. */
const linked = (g: Generator): void => {
  const { code, random, scope } = g;
  const one = g.unknown(g.target());
  const other = g.targetBeside(one);
  const taken = code.label();
  let limit = random.pick([1, 7, 40, 100, 255]);
  if (random.chance(0.5)) {
    code.aluK(BPF_AND, one, 255);
    code.movX(other, one);
    code.aluK(BPF_ADD, other, random.pick([1, 4, 16, 100, -1, -8, 1000]));
  } else {
    // the high half is not zero
    code.aluK(BPF_MUL, one, 0x1234567);
    if (random.chance(0.5)) code.movX(other, one, false);
    else {
      const off = g.stackSpace(8);
      const size = random.pick([2, 4]);
      code.movX(other, one);
      code.store(size, FP, off, one);
      scope.write(off, size, null);
      code.load(size, other, FP, off);
    }
    limit = random.pick([255, 0x7fff, 0xffff, 0x7fffffff, 0x3fffffff]);
  }
  scope.regs[one] = UNKNOWN_SCALAR;
  scope.regs[other] = UNKNOWN_SCALAR;
  code.jumpK(random.pick([BPF_JGT, BPF_JSGT, BPF_JGE]), random.chance(0.5) ? one : other, limit, taken);
  const part = random.between(1, 4);
  g.within({ nesting: g.around.nesting + 1 }, () =>
    twoWays(g, taken, () => g.body(part), random.chance(0.4) ? () => g.body(part) : null),
  );
};

const pointerComparison = (g: Generator): void => {
  const { code, random } = g;
  const pointers = ['memory', 'packet', 'stack', 'ctx', 'btf'].flatMap((kind) => g.having(kind as 'memory'));
  const a = pointers.length === 0 ? FP : random.pick(pointers);
  const taken = code.label();
  if (random.chance(0.6)) code.jumpK(random.pick([BPF_JEQ, BPF_JNE]), a, 0, taken);
  else code.jumpX(comparison(g), a, random.chance(0.5) ? g.scalar() : FP, taken);
  g.within({ nesting: g.around.nesting + 1 }, () => twoWays(g, taken, () => g.body(random.between(1, 4)), null));
};

/** A loop that counts; the counter is in a register that the body leaves alone, or on the stack. */
const countedLoop = (g: Generator): void => {
  const { code, random } = g;
  const counter = g.keeper();
  if (counter === null) return;
  const turns = random.pick([1, 2, 3, 4, 8, 12]);
  const downward = random.chance(0.25);
  const wide = isWide(g);
  code.movK(counter, downward ? turns : 0, wide);
  g.scope.regs[counter] = scalarUpTo(turns);
  const head = code.label();
  const end = code.label();
  code.place(head);
  g.scope.widen();
  const before = g.scope.clone();
  g.pinning(counter, () => {
    g.within({ nesting: g.around.nesting + 1, owes: true }, () => {
      g.body(random.between(1, Math.max(2, Math.min(12, Math.floor(g.room / 4)))));
      if (random.chance(0.3) && !g.scope.isEnded) {
        jumpOnScalars(g, end);
      }
    });
  });
  if (g.scope.isEnded) {
    g.scope = before;
    code.place(end);
    return;
  }
  const step = g.wrong() ? 0 : random.chance(0.8) ? 1 : random.pick([2, 3]);
  if (downward) {
    code.aluK(random.chance(0.5) ? BPF_SUB : BPF_ADD, counter, step === 0 ? 0 : 1);
    if (code.insns[code.length - 1]!.code === 0x07) code.insns[code.length - 1] = { ...code.insns[code.length - 1]!, imm: -1 };
    code.jumpK(BPF_JNE, counter, 0, head, wide);
  } else {
    code.aluK(BPF_ADD, counter, step, wide);
    const op = step === 1 && random.chance(0.2) ? BPF_JNE : g.dials.cpu === 'v1' ? BPF_JNE : BPF_JLT;
    code.jumpK(op, counter, op === BPF_JNE ? Math.ceil(turns / Math.max(1, step)) * Math.max(1, step) : turns, head, wide);
  }
  code.place(end);
  g.scope.join(before);
  g.scope.regs[counter] = UNKNOWN_SCALAR;
};

/** A loop that ends with `may_goto`. */
const mayGotoLoop = (g: Generator): void => {
  const { code, random } = g;
  const head = code.label();
  const end = code.label();
  code.place(head);
  g.scope.widen();
  const before = g.scope.clone();
  code.mayGoto(end);
  g.within({ nesting: g.around.nesting + 1, owes: true }, () => {
    g.body(random.between(1, 8));
    if (random.chance(0.3) && !g.scope.isEnded) jumpOnScalars(g, end);
  });
  if (!g.scope.isEnded) code.goto(head);
  code.place(end);
  if (g.scope.isEnded) g.scope = before;
  else g.scope.join(before);
};

const longJump = (g: Generator): void => {
  const { code, random } = g;
  const over = code.label();
  const taken = code.label();
  jumpOnScalars(g, taken);
  code.gotol(over);
  code.place(taken);
  const before = g.scope.clone();
  g.body(random.between(1, 4));
  code.place(over);
  g.scope.join(before);
};

const isShallow = (g: Generator): boolean => g.around.nesting < NESTING_LIMIT;

export const CONTROL_STEPS: readonly Step[] = [
  { name: 'branch', feature: 'branch', weight: 6, ready: (g) => g.around.nesting < 5, emit: branch },
  { name: 'guard', feature: 'branch', weight: 3, ready: (g) => !g.around.locked, emit: guard },
  { name: 'linked', feature: 'branch', weight: 1, ready: (g) => !g.around.locked && g.around.nesting < 5, emit: linked },
  { name: 'pointer comparison', feature: 'branch', weight: 0.6, ready: (g) => g.around.nesting < 5, emit: pointerComparison },
  { name: 'long jump', feature: 'branch', weight: 0.4, ready: (g) => g.dials.cpu === 'v4' && isShallow(g), emit: longJump },
  { name: 'counted loop', feature: 'loop', weight: 3, ready: isShallow, emit: countedLoop },
  {
    name: 'may_goto loop',
    feature: 'loop',
    weight: 1,
    ready: (g) => isShallow(g) && g.dials.cpu === 'v4' && !g.around.locked,
    emit: mayGotoLoop,
  },
];
