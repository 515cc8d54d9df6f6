import { type Insn, insn } from '../isa/insn.ts';
import { isLdImm64, OPCODES } from '../isa/opcodes.ts';
import type { Program } from '../program/program.ts';
import { instructionStarts, replace, splice } from './edit.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import type { Random } from './random.ts';

/** Changes that make instructions no assembler writes: opcodes without meaning, fields that are reserved, ids of other things. */

const PSEUDO_SOURCES = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const CALL = 0x85;
const KFUNC_CALL = 2;
const LD_IMM64 = 0x18;
const USER_OPCODES = OPCODES.filter(({ origin, code }) => origin === 'user' && code !== LD_IMM64);

const oddField = (random: Random, old: Insn): Insn => {
  switch (random.below(6)) {
    case 0:
      return { ...old, code: random.below(256) };
    case 1:
      return { ...old, code: (old.code & 7) | (random.below(32) << 3) };
    case 2:
      return { ...old, off: random.pick([1, -1, 4, random.immediate() >> 16]) };
    case 3:
      return { ...old, imm: random.pick([1, -1, random.immediate()]) };
    case 4:
      return { ...old, src: random.below(16) };
    default:
      return { ...old, dst: random.below(16) };
  }
};

/** An instruction of any kind that there is, with one field that it does not have or that is out of its range. */
const oddOfAnyKind = (random: Random): Insn => {
  const opcode = random.pick(USER_OPCODES);
  const fields = { off: 0, imm: 0, src: random.below(10) };
  if (opcode.selector !== null) fields[opcode.selector.field] = opcode.selector.value;
  const whole = insn(opcode.code, random.below(10), opcode.src === 'unused' ? 0 : fields.src, fields.off, fields.imm);
  const unused = (['dst', 'src', 'off', 'imm'] as const).filter((field) => opcode[field] === 'unused');
  const field = unused.length > 0 && random.chance(0.7) ? random.pick(unused) : random.pick(['src', 'off', 'imm'] as const);
  const value = field === 'dst' || field === 'src' ? random.between(1, 9) : random.pick([1, -1, 2, 16, random.immediate() >> 16]);
  return { ...whole, [field]: value };
};

/** Types of the kernel's BTF that stand for something else than what is expected. */
const oddType = (random: Random, kernel: FuzzKernel): number =>
  random.chance(0.2) ? random.pick([0, -1, 1 << 30]) : random.below(kernel.profile.btf.count);

const oddCall = (random: Random, old: Insn, kernel: FuzzKernel): Insn => {
  switch (random.below(7)) {
    case 0:
    case 5:
      return { ...old, src: KFUNC_CALL, off: random.pick([1, 2, -1]), imm: random.pick([0, 1, old.imm]) };
    case 6:
      return { ...old, src: KFUNC_CALL, off: 0, imm: 0 };
    case 1:
      return { ...old, src: KFUNC_CALL, off: 0, imm: oddType(random, kernel) };
    case 2:
      return { ...old, src: KFUNC_CALL, off: 0, imm: kernel.kfunc(random.pick(kernel.kfuncNames)) };
    case 3:
      return { ...old, src: random.between(3, 15) };
    default:
      return { ...old, src: 1, imm: random.between(-8, 40) };
  }
};

/** A wide load of something else: another kind of address, or halves that do not belong together. */
const oddWide = (random: Random, program: Program, at: number, kernel: FuzzKernel): Program => {
  const first = program.insns[at]!;
  const second = program.insns[at + 1] ?? insn(0, 0, 0, 0, 0);
  switch (random.below(4)) {
    case 0:
      return replace(program, at + 1, oddField(random, second));
    case 1: {
      const src = random.pick(PSEUDO_SOURCES);
      const imm = src === 3 ? oddType(random, kernel) : first.imm;
      const isMap = src === 1 || src === 2;
      return replace(program, at, { ...first, src, imm: isMap && first.src !== 1 && first.src !== 2 ? 0 : imm });
    }
    case 2:
      return replace(program, at, { ...first, off: 1 });
    default:
      return splice(program, at + 1, 1, []) ?? program;
  }
};

/** The program with one instruction that is encoded in an odd way. */
export function mutateEncoding(random: Random, program: Program, kernel: FuzzKernel): Program {
  const starts = instructionStarts(program.insns);
  const calls = starts.filter((at) => program.insns[at]!.code === CALL);
  const wides = starts.filter((at) => isLdImm64(program.insns[at]!));
  if (calls.length > 0 && random.chance(0.35)) {
    const at = random.pick(calls);
    return replace(program, at, oddCall(random, program.insns[at]!, kernel));
  }
  if (wides.length > 0 && random.chance(0.25)) return oddWide(random, program, random.pick(wides), kernel);
  if (random.chance(0.4)) return splice(program, random.pick(starts), 0, [oddOfAnyKind(random)]) ?? program;
  if (random.chance(0.15)) {
    const src = random.pick([1, 2, 5, 6]);
    const map = [insn(LD_IMM64, 1, src, 0, random.pick([-1, -5, 99, program.maps.length])), insn(0, 0, 0, 0, 0)];
    return splice(program, random.pick(starts), 0, map) ?? program;
  }
  if (random.chance(0.15)) {
    const id = oddType(random, kernel);
    return splice(program, random.pick(starts), 0, [insn(LD_IMM64, 1, 3, 0, id), insn(0, 0, 0, 0, 0)]) ?? program;
  }
  const at = random.pick(starts);
  const old = program.insns[at]!;
  return isLdImm64(old) ? oddWide(random, program, at, kernel) : replace(program, at, oddField(random, old));
}
