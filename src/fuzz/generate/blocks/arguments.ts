import { isStruct } from '../../../btf/types.ts';
import { BPF_ADD, BPF_AND, BPF_JEQ, BPF_SUB } from '../../../isa/constants.ts';
import type { Generator, Step } from '../generator.ts';
import type { Kind } from '../scope.ts';
import { UNKNOWN_SCALAR } from '../scope.ts';

/** Arguments of what a program is attached to, and the kernel's structs that they lead to. */

const WORDS = 6;

/** Loads an argument; sometimes one that there is not, or a part of one. */
const readArgument = (g: Generator): void => {
  const { code, random, scope } = g;
  const [ctx] = g.having('ctx');
  if (ctx === undefined) return;
  const dst = g.targetBeside(ctx);
  const args = g.kernel.argumentsOf(g.section);
  const index = args.length === 0 || g.wrongMoreOften(5) ? random.below(WORDS) : random.below(args.length);
  const size = g.wrongMoreOften(3) ? random.pick([1, 2, 4]) : 8;
  const off = 8 * index + (g.wrongMoreOften(3) ? random.pick([4, -8, 1]) : 0);
  if (g.wrongMoreOften(1)) {
    code.store(8, ctx, off, ctx);
    return;
  }
  code.load(size, dst, ctx, off);
  const struct = args[index];
  scope.regs[dst] = struct === null ? UNKNOWN_SCALAR : struct === undefined ? { kind: 'opaque' } : { kind: 'btf', struct };
};

interface Place {
  readonly off: number;
  readonly size: number;
  /** struct that the member points to; null for anything else */
  readonly struct: string | null;
  readonly isPointer: boolean;
}

const memberOf = (g: Generator, name: string): Place => {
  const { random } = g;
  const { btf } = g.kernel.profile;
  const struct = btf.findByName(name, 'STRUCT');
  const member = struct === undefined || struct.members.length === 0 ? undefined : random.pick(struct.members);
  if (member === undefined) return { off: 8 * random.below(16), size: 8, struct: null, isPointer: true };
  const type = btf.skipModifiers(member.type);
  const target = type.kind === 'PTR' ? btf.skipModifiers(type.type) : null;
  const size = btf.sizeOf(member.type) ?? 8;
  return {
    off: Math.floor(member.bitOffset / 8),
    size: size === 1 || size === 2 || size === 4 ? size : 8,
    isPointer: target !== null,
    struct: target !== null && isStruct(target) && target.name !== '' ? target.name : null,
  };
};

/** Follows members of a struct, one or two deep; sometimes beside them, with an offset that is not known, or to write. */
const walk = (g: Generator): void => {
  const { code, random, scope } = g;
  const from = random.pick(g.having('btf'));
  const kind = g.kindOf(from, 'btf');
  if (kind === null) return;
  const place = memberOf(g, kind.struct);
  const dst = g.targetBeside(from);
  const end = code.label();
  const isChecked = random.chance(0.3);
  if (isChecked) code.jumpK(BPF_JEQ, from, 0, end);
  const result: Kind = !place.isPointer
    ? UNKNOWN_SCALAR
    : place.struct === null
      ? { kind: 'opaque' }
      : { kind: 'btf', struct: place.struct };
  if (g.wrongMoreOften(6)) {
    code.movX(dst, from);
    if (random.chance(0.5)) code.aluK(random.pick([BPF_ADD, BPF_SUB]), dst, random.pick([8, 16, 4096, -8]));
    else {
      const index = g.unknown(g.targetBeside(from, dst));
      if (random.chance(0.7)) code.aluK(BPF_AND, index, 7);
      code.aluX(BPF_ADD, dst, index);
    }
    code.load(8, dst, dst, random.pick([0, -8, 8]));
  } else if (g.wrongMoreOften(8)) {
    if (random.chance(0.5)) code.storeImm(place.size, from, place.off + random.pick([0, 0, 0, 4]), 0);
    else code.store(random.pick([place.size, 8]), from, place.off, g.scalar());
    code.place(end);
    return;
  } else
    code.load(g.wrongMoreOften(4) ? 8 : place.size, dst, from, place.off + (g.wrongMoreOften(4) ? random.pick([1, 4, 8]) : 0));
  scope.regs[dst] = isChecked ? { kind: 'opaque' } : result;
  code.place(end);
};

/** Looks at what a pointer of an unknown kind leads to: as far as it goes or not, or at a place that is not known. */
const poke = (g: Generator): void => {
  const { code, random, scope } = g;
  const from = random.pick(g.having('opaque'));
  const dst = g.targetBeside(from);
  const end = code.label();
  if (random.chance(0.8)) code.jumpK(BPF_JEQ, from, 0, end);
  const off = random.chance(0.6) ? 4 * random.below(8) : random.pick([-8, 64, 512, 4096, -1]);
  const size = random.pick([1, 2, 4, 8]);
  if (g.wrongMoreOften(10)) {
    const index = g.unknown(g.targetBeside(from, dst));
    if (random.chance(0.7)) code.aluK(BPF_AND, index, random.pick([3, 7, 255]));
    code.movX(dst, from);
    code.aluX(BPF_ADD, dst, index);
    code.load(size, dst, dst, off);
  } else if (random.chance(0.2)) code.storeImm(size, from, off, 0);
  else code.load(size, dst, from, off);
  scope.regs[dst] = { kind: 'opaque' };
  code.place(end);
};

/** Reads what a map pointer leads to as the kernel's struct of a map. */
const readMap = (g: Generator): void => {
  const { code, random } = g;
  const reg = g.target();
  g.loadMap(reg, g.anyMap());
  const dst = g.targetBeside(reg);
  if (g.wrongMoreOften(5)) code.storeImm(4, reg, random.below(64), 0);
  else code.load(random.pick([4, 4, 8]), dst, reg, 4 * random.below(24));
  g.scope.regs[dst] = { kind: 'opaque' };
};

export const ARGUMENT_STEPS: readonly Step[] = [
  {
    name: 'argument',
    feature: 'btf',
    weight: 3,
    ready: (g) => g.section.progType.contextKind === 'btf-args' && g.having('ctx').length > 0,
    emit: readArgument,
  },
  { name: 'members', feature: 'btf', weight: 3, ready: (g) => g.having('btf').length > 0, emit: walk },
  { name: 'poke', feature: 'btf', weight: 0.6, ready: (g) => g.having('opaque').length > 0 && !g.around.locked, emit: poke },
  { name: 'map as struct', feature: 'btf', weight: 0.3, ready: (g) => !g.around.locked, emit: readMap },
];
