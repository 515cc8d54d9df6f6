import {
  BPF_ADD,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ARSH,
  BPF_DIV,
  BPF_END,
  BPF_LSH,
  BPF_MOD,
  BPF_MOV,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_X,
  BPF_XOR,
} from '../../../isa/constants.ts';
import type { Generator, Step } from '../generator.ts';
import { scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';

const OPS = [BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH, BPF_RSH, BPF_MOD, BPF_XOR, BPF_ARSH] as const;
const SHIFTS: readonly number[] = [BPF_LSH, BPF_RSH, BPF_ARSH];

const setResult = (g: Generator, reg: number, wide: boolean): void => {
  g.scope.regs[reg] = wide ? UNKNOWN_SCALAR : scalarUpTo(0xffffffff);
};

const arithmetic = (g: Generator): void => {
  const { code, random, scope } = g;
  const dst = g.scalar();
  if (scope.isPinned(dst)) return;
  const op = random.pick(OPS);
  const wide = random.chance(0.6);
  const signed = (op === BPF_DIV || op === BPF_MOD) && g.dials.cpu === 'v4' && random.chance(0.3) ? 1 : 0;
  if (random.chance(0.5)) {
    const shift = random.below(wide ? 64 : 32);
    let imm = SHIFTS.includes(op) ? shift : random.immediate();
    if ((op === BPF_DIV || op === BPF_MOD) && imm === 0 && !g.wrong()) imm = 1;
    if (SHIFTS.includes(op) && g.wrong()) imm = random.immediate();
    code.raw((wide ? BPF_ALU64 : BPF_ALU) | op, dst, 0, signed, imm);
    const before = g.kindOf(dst, 'scalar');
    setResult(g, dst, wide);
    if (op === BPF_AND && imm >= 0) scope.regs[dst] = scalarUpTo(imm);
    else if (op === BPF_MOD && imm > 0 && signed === 0) scope.regs[dst] = scalarUpTo(imm - 1);
    else if (op === BPF_RSH && before !== null)
      scope.regs[dst] = scalarUpTo(Math.floor(Math.min(before.max, 2 ** 64) / 2 ** imm));
    else if (op === BPF_LSH && before !== null && before.max * 2 ** imm < 2 ** 31)
      scope.regs[dst] = scalarUpTo(before.max * 2 ** imm);
    return;
  }
  const src = g.scalar();
  code.raw((wide ? BPF_ALU64 : BPF_ALU) | op | BPF_X, dst, src, signed, 0);
  setResult(g, dst, wide);
};

/** `and`, `mod` or a shift: afterwards the value is small. */
export const bound = (g: Generator, reg: number, max: number): void => {
  const { code, random } = g;
  const bits = 2 ** Math.floor(Math.log2(max + 1)) - 1;
  const wide = random.chance(0.7);
  switch (random.below(4)) {
    case 0:
      code.aluK(BPF_MOD, reg, max + 1, wide);
      g.scope.regs[reg] = scalarUpTo(max);
      return;
    case 1:
      if (bits > 0) {
        code.aluK(BPF_RSH, reg, 64 - Math.log2(bits + 1));
        g.scope.regs[reg] = scalarUpTo(bits);
        return;
      }
      break;
    default:
  }
  code.aluK(BPF_AND, reg, bits, wide);
  g.scope.regs[reg] = scalarUpTo(bits);
};

const moves = (g: Generator): void => {
  const { code, random, scope } = g;
  const dst = g.target();
  const src = random.below(10);
  const kind = scope.regs[src] ?? null;
  if (kind === null && !g.wrong()) return;
  if (kind?.kind === 'scalar' && random.chance(0.4)) {
    if (g.dials.cpu === 'v4' && random.chance(0.6)) {
      const wide = random.chance(0.6);
      const bits = random.pick(wide ? [8, 16, 32] : [8, 16]);
      code.raw((wide ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_X, dst, src, bits, 0);
      scope.regs[dst] = kind.max < 2 ** (bits - 1) ? kind : UNKNOWN_SCALAR;
      return;
    }
    code.movX(dst, src, false);
    scope.regs[dst] = scalarUpTo(Math.min(kind.max, 0xffffffff));
    return;
  }
  code.movX(dst, src);
  scope.regs[dst] = kind;
};

const unary = (g: Generator): void => {
  const { code, random, scope } = g;
  const reg = g.scalar();
  if (scope.isPinned(reg)) return;
  if (random.chance(0.4)) {
    const wide = random.chance(0.6);
    code.raw((wide ? BPF_ALU64 : BPF_ALU) | BPF_NEG, reg, 0, 0, 0);
    setResult(g, reg, wide);
    return;
  }
  const bits = random.pick([16, 32, 64]);
  const isSwap = g.dials.cpu === 'v4' && random.chance(0.3);
  code.raw((isSwap ? BPF_ALU64 : BPF_ALU) | BPF_END | (isSwap ? 0 : random.pick([0, 8])), reg, 0, 0, bits);
  scope.regs[reg] = bits === 64 ? UNKNOWN_SCALAR : scalarUpTo(2 ** bits - 1);
};

export const ALU_STEPS: readonly Step[] = [
  { name: 'arithmetic', feature: 'alu', weight: 6, emit: arithmetic },
  { name: 'move', feature: 'alu', weight: 3, emit: moves },
  { name: 'unary', feature: 'alu', weight: 1, emit: unary },
  { name: 'constant', feature: 'alu', weight: 2, emit: (g) => void g.newScalar(g.target()) },
  {
    name: 'unknown',
    feature: 'alu',
    weight: 2,
    emit: (g) => {
      g.unknown(g.target());
    },
  },
  {
    name: 'bounded',
    feature: 'alu',
    weight: 2,
    emit: (g) => {
      const reg = g.unknown(g.target());
      bound(g, reg, g.random.pick([1, 3, 7, 15, 31, 63, 127, 255, 1000]));
    },
  },
];
