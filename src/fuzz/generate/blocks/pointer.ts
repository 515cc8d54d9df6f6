import { BPF_ADD, BPF_SUB } from '../../../isa/constants.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { type Kind, scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';
import { bound } from './alu.ts';

const SIZES = [1, 2, 4, 8] as const;

/** Loads or stores through a pointer to memory of a known size. */
export const accessMemory = (g: Generator, reg: number): void => {
  const { code, random, scope } = g;
  const kind = g.kindOf(reg, 'memory');
  if (kind === null) return;
  const room = kind.size - kind.off;
  const size = random.pick(SIZES);
  if (room < size) return;
  const last = room - size;
  let off = random.chance(0.8) ? Math.floor(random.below(last + 1) / size) * size : random.below(last + 1);
  if (g.wrong()) off = random.pick([last + 1, -1, -size, room, kind.size]);
  if (!random.chance(kind.writable || g.wrong() ? 0.5 : 0)) {
    const dst = random.chance(0.05) ? reg : g.target();
    if (scope.isPinned(dst)) return;
    const signed = g.dials.cpu === 'v4' && size < 8 && random.chance(0.2);
    if (signed) code.raw(0x81 | (size === 1 ? 0x10 : size === 2 ? 0x08 : 0), dst, reg, off, 0);
    else code.load(size, dst, reg, off);
    scope.regs[dst] = signed || size === 8 ? UNKNOWN_SCALAR : scalarUpTo(2 ** (8 * size) - 1);
    return;
  }
  if (random.chance(0.4)) code.storeImm(size, reg, off, random.immediate());
  else code.store(size, reg, off, g.scalarBeside(reg));
};

/** Adds a constant or a bounded scalar to a pointer, so that it still points inside. */
const movePointer = (g: Generator): void => {
  const { code, random, scope } = g;
  const pointers = g.having('memory').filter((reg) => g.kindOf(reg, 'memory')!.size > 1);
  const from = pointers.length === 0 ? null : random.pick(pointers);
  if (from === null) return;
  const kind = g.kindOf(from, 'memory')!;
  const room = kind.size - kind.off - 1;
  if (room < 1) return;
  const dst = g.targetBeside(from);
  if (random.chance(0.5)) {
    const step = g.wrong() ? random.immediate() : random.between(kind.off > 0 ? -kind.off : 0, room);
    code.movX(dst, from);
    code.aluK(BPF_ADD, dst, step);
    scope.regs[dst] = { ...kind, off: Math.max(0, kind.off + step) };
    if (random.chance(0.6)) accessMemory(g, dst);
    return;
  }
  const offset = g.unknown(g.targetBeside(from, dst, 0));
  if (scope.regs[from]?.kind !== 'memory' || offset === from) return;
  const max = Math.max(1, Math.min(room, random.pick([3, 7, 15, 31, 63])));
  if (g.wrongMoreOften(4)) {
    // bounded, but not enough: what follows takes the offset for half of what it may be
    bound(g, offset, random.chance(0.5) ? 2 * room + 1 : room);
    code.movX(dst, from);
    code.aluX(BPF_ADD, dst, offset);
    scope.regs[dst] = { ...kind, off: kind.off + Math.floor(room / 2) };
    accessMemory(g, dst);
    return;
  }
  if (!g.wrong()) bound(g, offset, max);
  const reach = g.kindOf(offset, 'scalar')?.max ?? max;
  if (random.chance(0.2)) {
    code.aluX(BPF_ADD, offset, from);
    scope.regs[offset] = { ...kind, off: kind.off + Math.min(reach, room) };
    accessMemory(g, offset);
    return;
  }
  code.movX(dst, from);
  code.aluX(random.chance(0.05) ? BPF_SUB : BPF_ADD, dst, offset);
  scope.regs[dst] = { ...kind, off: kind.off + Math.min(reach, room) };
  accessMemory(g, dst);
};

/** Stack through a register with a variable offset. */
const variableStack = (g: Generator): void => {
  const { code, random, scope } = g;
  const size = random.pick([16, 32, 64]);
  const off = g.stackData(size);
  const index = g.unknown(g.target());
  const pointer = g.targetBeside(index);
  bound(g, index, size - 8);
  if (random.chance(0.9)) code.aluK(0x50, index, ~7);
  code.movX(pointer, FP);
  code.aluK(BPF_ADD, pointer, off);
  code.aluX(BPF_ADD, pointer, index);
  const bytes = random.pick(SIZES);
  scope.regs[pointer] = { kind: 'opaque' };
  if (random.chance(0.6)) {
    const dst = g.target();
    code.load(bytes, dst, pointer, 0);
    scope.regs[dst] = UNKNOWN_SCALAR;
  } else if (random.chance(0.5)) code.storeImm(bytes, pointer, 0, random.immediate());
  else code.store(bytes, pointer, 0, g.scalarBeside(pointer));
};

const pointerKinds: readonly Kind['kind'][] = ['memory', 'packet', 'stack', 'ctx', 'map'];

/** Arithmetic and moves that pointers mostly do not take. */
const odd = (g: Generator): void => {
  const { code, random, scope } = g;
  const pointers = pointerKinds.flatMap((kind) => g.having(kind));
  const src = random.chance(0.3) || pointers.length === 0 ? FP : random.pick(pointers);
  const dst = g.targetBeside(src);
  switch (random.below(4)) {
    case 0:
      code.movX(dst, src);
      code.aluX(BPF_SUB, dst, src);
      scope.regs[dst] = UNKNOWN_SCALAR;
      return;
    case 1:
      code.movX(dst, src);
      code.aluX(random.pick([BPF_ADD, BPF_SUB]), dst, g.scalar());
      scope.regs[dst] = { kind: 'opaque' };
      return;
    case 2:
      code.movX(dst, src, false);
      scope.regs[dst] = scalarUpTo(0xffffffff);
      return;
    default:
      code.movX(dst, src);
      code.aluK(random.pick([BPF_ADD, BPF_SUB]), dst, random.chance(0.5) ? random.between(-64, 64) : random.immediate());
      scope.regs[dst] = { kind: 'opaque' };
  }
};

export const POINTER_STEPS: readonly Step[] = [
  {
    name: 'access memory',
    feature: 'pointer',
    weight: 5,
    ready: (g) => g.having('memory').length > 0,
    emit: (g) => accessMemory(g, g.random.pick(g.having('memory'))),
  },
  { name: 'move pointer', feature: 'pointer', weight: 4, ready: (g) => g.having('memory').length > 0, emit: movePointer },
  { name: 'variable stack', feature: 'pointer', weight: 2, emit: variableStack },
  { name: 'odd pointer', feature: 'pointer', weight: 0.6, emit: odd },
];
