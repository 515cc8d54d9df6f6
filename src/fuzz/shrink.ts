import { isLdImm64 } from '../isa/opcodes.ts';
import type { Program } from '../program/program.ts';
import { instructionStarts, replace, splice } from './edit.ts';

const smaller = (value: number): number[] => {
  if (value === 0) return [];
  const half = Math.trunc(value / 2);
  return [...new Set([0, half, value - Math.sign(value)])].filter((candidate) => candidate !== value);
};

/** Smaller programs, the smallest first: runs of instructions taken out, then constants made smaller, then maps and records taken away. */
export function* shrinkProgram(program: Program): Generator<Program> {
  const { insns } = program;
  const starts = instructionStarts(insns);
  const lengthAt = (at: number): number => (isLdImm64(insns[at]!) && at + 1 < insns.length ? 2 : 1);
  for (let run = 2 ** Math.floor(Math.log2(Math.max(1, starts.length / 2))); run >= 1; run /= 2) {
    for (let first = 0; first + run <= starts.length; first += run) {
      const at = starts[first]!;
      const last = starts[first + run - 1]!;
      const candidate = splice(program, at, last + lengthAt(last) - at, []);
      if (candidate !== null) yield candidate;
    }
  }
  for (const at of starts) {
    const insn = insns[at]!;
    if (insn.code === 0x85 || isLdImm64(insn)) continue;
    for (const imm of smaller(insn.imm)) yield replace(program, at, { ...insn, imm });
  }
  if (program.flags !== 0) yield { ...program, flags: 0 };
  if (program.funcInfo.length > 0) yield { ...program, funcInfo: [], lineInfo: [] };
  if (program.lineInfo.length > 0) yield { ...program, lineInfo: [] };
  for (let map = program.maps.length - 1; map >= 0; map--) {
    const isUsed = starts.some(
      (at) => isLdImm64(insns[at]!) && (insns[at]!.src === 1 || insns[at]!.src === 2) && insns[at]!.imm >= map,
    );
    if (!isUsed) yield { ...program, maps: program.maps.slice(0, map) };
  }
}

/**
 * The smallest program found, by taking away what can be, that still fails. `budget` is how many candidates are tried; the answer
 * is the program itself where none fails.
 */
export function minimize(program: Program, fails: (candidate: Program) => boolean, budget = 2000): Program {
  let best = program;
  let left = budget;
  for (let improved = true; improved && left > 0; ) {
    improved = false;
    for (const candidate of shrinkProgram(best)) {
      if (left-- <= 0) break;
      if (!fails(candidate)) continue;
      best = candidate;
      improved = true;
      break;
    }
  }
  return best;
}
