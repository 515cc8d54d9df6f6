import { type Insn, insn } from '../isa/insn.ts';
import { isLdImm64 } from '../isa/opcodes.ts';
import type { Program } from '../program/program.ts';
import { instructionStarts, replace, splice } from './edit.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import type { Random } from './random.ts';

/** Changes that make instructions no assembler writes: opcodes without meaning, fields that are reserved, ids of other things. */

const PSEUDO_SOURCES = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const CALL = 0x85;
const KFUNC_CALL = 2;
const LD_IMM64 = 0x18;

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

/** Types of the kernel's BTF that stand for something else than what is expected. */
const oddType = (random: Random, kernel: FuzzKernel): number =>
  random.chance(0.2) ? random.pick([0, -1, 1 << 30]) : random.below(kernel.profile.btf.count);

const oddCall = (random: Random, old: Insn, kernel: FuzzKernel): Insn => {
  switch (random.below(5)) {
    case 0:
      return { ...old, src: KFUNC_CALL, off: random.pick([1, 2, -1]) };
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
  if (random.chance(0.1)) {
    const id = oddType(random, kernel);
    return splice(program, random.pick(starts), 0, [insn(LD_IMM64, 1, 3, 0, id), insn(0, 0, 0, 0, 0)]) ?? program;
  }
  const at = random.pick(starts);
  const old = program.insns[at]!;
  return isLdImm64(old) ? oddWide(random, program, at, kernel) : replace(program, at, oddField(random, old));
}
