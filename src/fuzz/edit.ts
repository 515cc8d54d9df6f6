import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, classOf, opOf } from '../isa/constants.ts';
import type { Insn } from '../isa/insn.ts';
import { isLdImm64 } from '../isa/opcodes.ts';
import type { Program } from '../program/program.ts';

/** Where a distance to another instruction stands: `off`, `imm`, or nowhere. */
export type DistanceField = 'off' | 'imm' | null;

/** The field of an instruction that leads to another one: of jumps, calls of functions and addresses of functions. */
export function distanceField(insn: Insn): DistanceField {
  if (isLdImm64(insn)) return insn.src === 4 ? 'imm' : null;
  const cls = classOf(insn.code);
  if (cls !== BPF_JMP && cls !== BPF_JMP32) return null;
  const op = opOf(insn.code);
  if (op === BPF_EXIT) return null;
  if (op === BPF_CALL) return insn.src === 1 ? 'imm' : null;
  return op === BPF_JA && cls === BPF_JMP32 ? 'imm' : 'off';
}

/** Slot that an instruction leads to, besides the next; null for none. */
export function targetOf(insns: readonly Insn[], at: number): number | null {
  const insn = insns[at]!;
  const field = distanceField(insn);
  return field === null ? null : at + 1 + insn[field];
}

/** Slots at which whole instructions begin. */
export function instructionStarts(insns: readonly Insn[]): number[] {
  const starts: number[] = [];
  for (let at = 0; at < insns.length; at++) {
    starts.push(at);
    if (isLdImm64(insns[at]!)) at++;
  }
  return starts;
}

/**
 * The program with the slots `at` to `at + removed - 1` replaced by `inserted`, whose own distances count from where they will
 * stand. What led to a removed slot leads to the first slot behind. Null where that changes where a function begins, leaves nothing,
 * or makes a distance too far.
 */
export function splice(program: Program, at: number, removed: number, inserted: readonly Insn[]): Program | null {
  const { insns } = program;
  const shift = inserted.length - removed;
  if (insns.length + shift < 1) return null;
  const moved = (slot: number): number => {
    if (slot <= at) return slot;
    return slot < at + removed ? at + inserted.length : slot + shift;
  };
  const edited: Insn[] = [];
  for (let slot = 0; slot < insns.length; slot++) {
    if (slot === at) edited.push(...inserted);
    if (slot >= at && slot < at + removed) continue;
    const insn = insns[slot]!;
    const target = targetOf(insns, slot);
    const field = distanceField(insn);
    if (target === null || field === null) edited.push(insn);
    else {
      const distance = moved(target) - edited.length - 1;
      if (field === 'off' && (distance < -0x8000 || distance > 0x7fff)) return null;
      edited.push({ ...insn, [field]: distance });
    }
    if (isLdImm64(insn) && slot + 1 < insns.length && !(slot + 1 >= at && slot + 1 < at + removed)) edited.push(insns[++slot]!);
  }
  if (at === insns.length) edited.push(...inserted);
  const starts = program.funcInfo.map(({ insn }) => insn);
  if (removed > 0 && starts.some((start) => start > 0 && start > at && start < at + removed)) return null;
  const movedInfo = <T extends { readonly insn: number }>(rows: readonly T[]): T[] =>
    rows.map((row) => ({ ...row, insn: moved(row.insn) })).filter((row, i, all) => i === 0 || row.insn > all[i - 1]!.insn);
  const funcInfo = movedInfo(program.funcInfo);
  if (funcInfo.length !== program.funcInfo.length || funcInfo.some(({ insn }) => insn >= edited.length)) return null;
  return {
    ...program,
    insns: edited,
    funcInfo,
    lineInfo: movedInfo(program.lineInfo).filter(({ insn }) => insn < edited.length),
  };
}

/** The program with one instruction replaced by another of the same length. */
export function replace(program: Program, at: number, insn: Insn): Program {
  const insns = program.insns.slice();
  insns[at] = insn;
  return { ...program, insns };
}
