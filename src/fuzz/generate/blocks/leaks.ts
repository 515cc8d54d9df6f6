import {
  BPF_ADD,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_JEQ,
  BPF_JLT,
  BPF_JSGT,
  BPF_LSH,
  BPF_MOV,
  BPF_MUL,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_X,
  BPF_XOR,
} from '../../../isa/constants.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import type { Kind } from '../scope.ts';
import { UNKNOWN_SCALAR } from '../scope.ts';

/** What a program that is trusted may do with pointers and others may not: let them out, mix them, reckon with them. */

const KINDS: readonly Kind['kind'][] = ['memory', 'packet', 'packet-end', 'stack', 'ctx', 'map', 'btf', 'opaque'];

const pointer = (g: Generator): number => {
  const pointers = KINDS.flatMap((kind) => g.having(kind));
  return pointers.length === 0 || g.random.chance(0.15) ? FP : g.random.pick(pointers);
};

/** Puts a pointer where it can be seen from outside. */
const store = (g: Generator): void => {
  const { code, random } = g;
  const places = [...g.having('memory'), ...g.having('packet'), ...g.having('ctx'), ...g.having('opaque')];
  const to = places.length === 0 ? FP : random.pick(places);
  const off = to === FP ? -8 * random.between(1, 4) : 8 * random.below(4);
  const src = pointer(g);
  if (random.chance(0.3)) code.raw(random.chance(0.7) ? 0xdb : 0xc3, to, src, off, random.pick([0, 1, 0xe1, 0x40]));
  else code.store(random.chance(0.85) ? 8 : random.pick([1, 2, 4]), to, off, src);
};

/** Passes a pointer for a number. */
const pass = (g: Generator): void => {
  const { code } = g;
  const key = g.stackData(16);
  const src = pointer(g);
  if (g.random.chance(0.3)) {
    g.code.store(8, FP, key, src);
    g.scope.write(key, 8, { kind: 'opaque' });
  }
  const held = g.target();
  if (held < 6 || held === src) return;
  code.movX(held, src);
  g.saveCallerRegisters();
  const map = g.map('values');
  g.loadMap(1, map);
  g.stackPointer(2, key);
  g.stackPointer(3, key);
  code.movX(4, held);
  code.callHelper(2);
  g.scope.called(UNKNOWN_SCALAR);
  g.scope.regs[held] = { kind: 'opaque' };
};

const OPS = [BPF_ADD, BPF_SUB, BPF_MUL, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH, BPF_RSH] as const;

/** Arithmetic on a pointer of any kind, of any width, with a number or another pointer. */
const reckon = (g: Generator): void => {
  const { code, random, scope } = g;
  const src = pointer(g);
  const dst = g.targetBeside(src);
  code.movX(dst, src);
  const wide = random.chance(0.75);
  switch (random.below(7)) {
    case 0:
      // sign extension, from 8, 16 or 32 bits
      code.raw(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, random.pick([8, 16, 32]), 0);
      break;
    case 1:
      code.raw(BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0);
      break;
    case 2:
      code.raw((wide ? BPF_ALU64 : BPF_ALU) | 0x80, dst, 0, 0, 0);
      break;
    case 3:
      code.aluX(random.pick([BPF_ADD, BPF_SUB]), dst, pointer(g), wide);
      break;
    case 4: {
      const scalar = g.scalar();
      if (scope.isPinned(scalar)) break;
      code.aluX(random.pick([BPF_ADD, BPF_SUB, BPF_SUB]), scalar, dst, wide);
      scope.regs[scalar] = { kind: 'opaque' };
      break;
    }
    case 5:
      code.aluX(random.pick(OPS), dst, g.scalar(), wide);
      break;
    default:
      code.aluK(random.pick(OPS), dst, random.immediate(), wide);
  }
  scope.regs[dst] = { kind: 'opaque' };
  if (random.chance(0.4)) code.load(random.pick([1, 4, 8]), g.targetBeside(dst), dst, random.pick([0, 0, 4, -8]));
};

/** A pointer that comes from one of two places, or a number from two, before they are added and used. */
const meet = (g: Generator): void => {
  const { code, random, scope } = g;
  const base = g.target();
  const index = g.unknown(g.targetBeside(base));
  if (scope.isPinned(index) || index === base) return;
  const map = g.directMap();
  const other = random.chance(0.5) ? map : g.directMap();
  const taken = code.label();
  const end = code.label();
  const isNarrow = random.chance(0.6);
  if (isNarrow) code.aluK(BPF_AND, index, random.pick([1, 3, 7]));
  code.jumpK(random.pick([BPF_JEQ, BPF_JLT, BPF_JSGT]), index, random.below(8), taken);
  code.wide(base, 2, map.index, 0);
  code.goto(end);
  code.place(taken);
  switch (random.below(5)) {
    case 0:
      code.movK(base, random.below(8));
      break;
    case 1:
      code.movX(base, FP);
      code.aluK(BPF_ADD, base, -8 * random.between(1, 4));
      break;
    case 2:
      code.movX(base, pointer(g));
      break;
    default:
      code.wide(base, 2, other.index, random.below(8));
  }
  code.place(end);
  code.aluX(random.chance(0.75) ? BPF_ADD : BPF_SUB, base, index);
  scope.regs[base] = { kind: 'opaque' };
  if (random.chance(0.7)) code.load(1, g.targetBeside(base), base, 0);
};

/** A register with a number whose signed and unsigned bounds do not agree, added to a pointer. */
const mixed = (g: Generator): void => {
  const { code, random, scope } = g;
  const base = g.target();
  const index = g.unknown(g.targetBeside(base));
  if (scope.isPinned(index) || index === base) return;
  code.wide(base, 2, g.directMap().index, 0);
  const over = code.label();
  code.jumpK(random.pick([BPF_JSGT, BPF_JLT]), index, random.below(10), over);
  code.aluX(random.chance(0.5) ? BPF_ADD : BPF_SUB, base, index);
  if (random.chance(0.6)) code.storeImm(1, base, 0, 0);
  code.place(over);
  scope.regs[base] = { kind: 'opaque' };
};

/** Calls that keep all registers but r0, with what a compiler writes around them: spills that may be left out. */
const fastcall = (g: Generator): void => {
  const { code, random, scope } = g;
  const off = random.chance(0.5) ? -512 - 8 * random.below(4) : -8 * random.between(1, 8);
  const reg = random.between(1, 5);
  if (scope.regs[reg]?.kind !== 'scalar' || scope.isPinned(reg)) {
    if (scope.isPinned(reg)) return;
    g.newScalar(reg);
  }
  const kind = scope.regs[reg]!;
  code.store(8, FP, off, reg);
  code.callHelper(g.kernel.helper('bpf_get_smp_processor_id'));
  scope.called(UNKNOWN_SCALAR);
  code.load(8, reg, FP, off);
  scope.regs[reg] = kind;
  if (off >= -512) scope.write(off, 8, kind);
  if (g.wrongMoreOften(10)) code.load(8, reg, FP, off);
};

export const LEAK_STEPS: readonly Step[] = [
  { name: 'pointer stored', feature: 'leak', weight: 2, ready: (g) => !g.around.locked, emit: store },
  { name: 'pointer passed', feature: 'leak', weight: 1, ready: (g) => !g.around.locked, emit: pass },
  { name: 'pointer arithmetic', feature: 'leak', weight: 3, emit: reckon },
  { name: 'pointers meet', feature: 'leak', weight: 1.5, emit: meet },
  { name: 'mixed bounds', feature: 'leak', weight: 1, emit: mixed },
  { name: 'fastcall', feature: 'leak', weight: 1, ready: (g) => !g.around.locked, emit: fastcall },
];
