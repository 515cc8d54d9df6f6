import { BPF_ALU, BPF_ALU64, BPF_JMP, BPF_JMP32, BPF_LDX, BPF_ST, BPF_STX, classOf } from '../isa/constants.ts';
import { type Insn, insn } from '../isa/insn.ts';
import { isLdImm64 } from '../isa/opcodes.ts';
import type { Program } from '../program/program.ts';
import { distanceField, instructionStarts, replace, splice } from './edit.ts';
import type { Random } from './random.ts';

const SIZES = [0x00, 0x08, 0x10, 0x18] as const;

const isMemory = (code: number): boolean => [BPF_LDX, BPF_ST, BPF_STX].includes(classOf(code) as 1);
const isArithmetic = (code: number): boolean => classOf(code) === BPF_ALU || classOf(code) === BPF_ALU64;
const isJump = (code: number): boolean => classOf(code) === BPF_JMP || classOf(code) === BPF_JMP32;

/** Another number near this one, or another number altogether. */
const otherNumber = (random: Random, value: number): number => {
  switch (random.below(5)) {
    case 0:
      return random.immediate();
    case 1:
      return -value | 0;
    case 2:
      return (value + random.pick([-8, -4, 4, 8, 16])) | 0;
    case 3:
      return (value * 2) | 0;
    default:
      return (value + random.pick([-1, 1])) | 0;
  }
};

const otherOffset = (random: Random, insn: Insn): number => {
  const off = otherNumber(random, insn.off);
  return Math.max(-0x8000, Math.min(0x7fff, off));
};

/** The instruction with one of its fields changed in a way that makes sense for its kind. */
function changeInsn(random: Random, old: Insn): Insn {
  const choice = random.below(6);
  if (choice === 0) return { ...old, dst: random.below(random.chance(0.05) ? 12 : 11) };
  if (choice === 1 && (old.code & 8) !== 0) return { ...old, src: random.below(11) };
  if (isMemory(old.code)) {
    if (choice < 4) return { ...old, off: otherOffset(random, old) };
    if (choice === 4) return { ...old, code: (old.code & ~0x18) | random.pick(SIZES) };
    return classOf(old.code) === BPF_LDX ? { ...old, src: random.below(11) } : { ...old, imm: otherNumber(random, old.imm) };
  }
  if (isArithmetic(old.code)) {
    if (choice === 2) return { ...old, code: (old.code & 0x0f) | (random.below(13) << 4) };
    if (choice === 3) return { ...old, code: old.code ^ 0x03 };
    return (old.code & 8) !== 0 ? { ...old, src: random.below(11) } : { ...old, imm: otherNumber(random, old.imm) };
  }
  if (isJump(old.code)) {
    const op = old.code & 0xf0;
    if (op === 0x80 && old.src === 0)
      return { ...old, imm: random.chance(0.5) ? otherNumber(random, old.imm) : random.below(212) };
    if (op === 0x80 || op === 0x90) return old;
    if (choice === 2 && op !== 0)
      return { ...old, code: (old.code & 0x0f) | (random.pick([1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13]) << 4) };
    if (choice === 3 && op !== 0) return { ...old, code: old.code ^ 0x03 };
    if (choice === 4) return { ...old, off: otherOffset(random, old) };
    return { ...old, imm: otherNumber(random, old.imm) };
  }
  return { ...old, imm: otherNumber(random, old.imm) };
}

const randomInsn = (random: Random): Insn => {
  const dst = random.below(10);
  const src = random.below(11);
  switch (random.below(7)) {
    case 0:
      return insn(0xb7, dst, 0, 0, random.immediate());
    case 1:
      return insn(0xbf, dst, src, 0, 0);
    case 2:
      return insn(random.pick([0x07, 0x57, 0x67, 0x77, 0x04, 0x54]), dst, 0, 0, random.below(64));
    case 3:
      return insn(random.pick([0x0f, 0x1f, 0x0c, 0x5f, 0x4f]), dst, src, 0, 0);
    case 4:
      return insn(0x7b, 10, src, -8 * random.between(1, 8), 0);
    case 5:
      return insn(random.pick([0x79, 0x61, 0x71]), dst, 10, -8 * random.between(1, 8), 0);
    default:
      return insn(0x61, dst, src, random.below(16) * 4, 0);
  }
};

/** Takes an instruction from one place to another. */
const move = (random: Random, program: Program): Program | null => {
  const starts = instructionStarts(program.insns);
  const at = random.pick(starts);
  const old = program.insns[at]!;
  if (distanceField(old) !== null || isLdImm64(old)) return null;
  const without = splice(program, at, 1, []);
  return without === null ? null : splice(without, random.pick(instructionStarts(without.insns)), 0, [old]);
};

/** The program with one small change; the same for the same state of `random`. */
export function mutateOnce(random: Random, program: Program): Program {
  const starts = instructionStarts(program.insns);
  const at = random.pick(starts);
  const old = program.insns[at]!;
  const length = isLdImm64(old) ? 2 : 1;
  switch (random.below(10)) {
    case 0:
      return splice(program, at, length, []) ?? program;
    case 1:
      return splice(program, at, 0, [randomInsn(random)]) ?? program;
    case 2:
      return distanceField(old) === null && length === 1 ? (splice(program, at, 0, [old]) ?? program) : program;
    case 3:
      return move(random, program) ?? program;
    default:
      if (length === 2) return changeWide(random, program, at);
      return replace(program, at, changeInsn(random, old));
  }
}

const changeWide = (random: Random, program: Program, at: number): Program => {
  const first = program.insns[at]!;
  const second = program.insns[at + 1];
  if (random.chance(0.5) && second !== undefined && first.src !== 1) {
    return replace(program, at + 1, { ...second, imm: otherNumber(random, second.imm) });
  }
  const isMap = first.src === 1 || first.src === 2;
  const imm = isMap ? random.below(Math.max(1, program.maps.length)) : otherNumber(random, first.imm);
  return replace(program, at, { ...first, imm });
};

/** Some instructions of another program in the middle of this one; what they refer to is what this one has there. */
const graft = (random: Random, program: Program, other: Program): Program => {
  const from = random.below(other.insns.length);
  const piece = other.insns.slice(from, from + random.between(1, 8));
  const refersHere = (insn: Insn): boolean => !isLdImm64(insn) || insn.src === 0 || insn.imm < program.maps.length;
  const isPlain = piece.every((insn) => distanceField(insn) === null && insn.code !== 0x95 && refersHere(insn));
  const last = piece.at(-1);
  if (!isPlain || piece[0]?.code === 0 || last === undefined || isLdImm64(last)) return program;
  return splice(program, random.pick(instructionStarts(program.insns)), 0, piece) ?? program;
};

/** The program with `changes` small changes, and perhaps a piece of another one. */
export function mutate(random: Random, program: Program, changes: number, other: Program | null = null): Program {
  let changed = other === null ? program : graft(random, program, other);
  for (let i = 0; i < changes; i++) changed = mutateOnce(random, changed);
  return changed;
}
