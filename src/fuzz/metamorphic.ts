import { BPF_ALU, BPF_ALU64, BPF_CALL, BPF_JMP, BPF_LD, classOf, modeOf } from '../isa/constants.ts';
import { type Insn, insn } from '../isa/insn.ts';
import { isLdImm64, opcodeOf } from '../isa/opcodes.ts';
import type { Program } from '../program/program.ts';
import { instructionStarts, splice, targetOf } from './edit.ts';
import type { Random } from './random.ts';

/** A change of a program that leaves what it does, and with it the verdict, as it was. */
export interface Metamorphosis {
  readonly name: string;
  /** the changed program; null where the change does not apply */
  readonly apply: (random: Random, program: Program) => Program | null;
  /**
   * `same`: accepted stays accepted and refused stays refused. `accept`: an accepted program stays accepted, a refused one may
   * become acceptable, because the change writes registers that were never written.
   */
  readonly keeps: 'same' | 'accept';
}

const isPacketLoad = (insn: Insn): boolean =>
  classOf(insn.code) === BPF_LD && (modeOf(insn.code) === 0x20 || modeOf(insn.code) === 0x40);

/** r6 to r9 in another order. The kernel treats them alike, except that packet loads of old take the context from r6. */
const renameRegisters = (random: Random, program: Program): Program | null => {
  if (program.insns.some(isPacketLoad)) return null;
  const order = [6, 7, 8, 9];
  for (let i = 3; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const renamed = (reg: number): number => (reg >= 6 && reg <= 9 ? order[reg - 6]! : reg);
  const insns = program.insns.slice();
  for (const at of instructionStarts(insns)) {
    const old = insns[at]!;
    const opcode = opcodeOf(old);
    const isReg = opcode?.src === 'read' || opcode?.src === 'write' || opcode?.src === 'update';
    const isDst = opcode?.dst === 'read' || opcode?.dst === 'write' || opcode?.dst === 'update';
    insns[at] = { ...old, dst: isDst ? renamed(old.dst) : old.dst, src: isReg ? renamed(old.src) : old.src };
  }
  return { ...program, insns };
};

/** A jump to the next instruction in the middle of a block. */
const splitBlock = (random: Random, program: Program): Program | null =>
  splice(program, random.pick(instructionStarts(program.insns)), 0, [insn(0x05, 0, 0, 0, 0)]);

const isPlain = (at: Insn | undefined): at is Insn =>
  at !== undefined && (classOf(at.code) === BPF_ALU || classOf(at.code) === BPF_ALU64) && opcodeOf(at) !== undefined;

/** Two neighbours that touch different registers, the other way round. */
const swapNeighbours = (random: Random, program: Program): Program | null => {
  const { insns } = program;
  const targets = new Set(insns.map((_, at) => targetOf(insns, at)).filter((target) => target !== null));
  for (const { insn: at } of program.funcInfo) targets.add(at);
  for (const { insn: at } of program.lineInfo) targets.add(at);
  const starts = instructionStarts(insns).filter((at) => {
    const first = insns[at];
    const second = insns[at + 1];
    if (!isPlain(first) || !isPlain(second) || targets.has(at + 1)) return false;
    const uses = (one: Insn): number[] => ((one.code & 8) === 0 ? [one.dst] : [one.dst, one.src]);
    return !uses(second).includes(first.dst) && !uses(first).includes(second.dst);
  });
  if (starts.length === 0) return null;
  const at = random.pick(starts);
  const swapped = insns.slice();
  swapped[at] = insns[at + 1]!;
  swapped[at + 1] = insns[at]!;
  return { ...program, insns: swapped };
};

const SAVED = 9;

/**
 * A way that no run takes and that the verifier cannot rule out, as a random 32-bit number is never negative as a 64-bit one. It
 * leads to where all others go, with another r0.
 */
const neverTaken = (_random: Random, program: Program): Program | null => {
  const [first] = program.insns;
  if (first === undefined || program.insns.some((at) => opcodeOf(at) === undefined && at.code !== 0)) return null;
  // what leads back to the start would save a register again that need not hold anything any more
  if (program.insns.some((_, at) => targetOf(program.insns, at) === 0)) return null;
  return splice(program, 0, 0, [
    insn(0xbf, SAVED, 1, 0, 0),
    insn(BPF_JMP | BPF_CALL, 0, 0, 0, 7),
    insn(0xbf, 1, SAVED, 0, 0),
    insn(0x75, 0, 0, 1, 0),
    insn(0xb7, 0, 0, 0, 0),
  ]);
};

export const METAMORPHOSES: readonly Metamorphosis[] = [
  { name: 'renamed registers', keeps: 'same', apply: renameRegisters },
  { name: 'split block', keeps: 'same', apply: splitBlock },
  { name: 'swapped neighbours', keeps: 'same', apply: swapNeighbours },
  { name: 'branch never taken', keeps: 'accept', apply: neverTaken },
];

/** Whether a program's code is whole: `ld_imm64` has its second half, jumps lead to instructions. */
export const isWellFormed = (program: Program): boolean => {
  const starts = new Set(instructionStarts(program.insns));
  return program.insns.every((at, slot) => {
    if (!starts.has(slot)) return true;
    if (isLdImm64(at)) return slot + 1 < program.insns.length;
    const target = targetOf(program.insns, slot);
    return target === null || starts.has(target);
  });
};
