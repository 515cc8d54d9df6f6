import { assemble } from '../../asm/assemble.ts';
import type { Profile } from '../../contracts/profile.ts';
import { decodeProgram, encodeProgram } from '../../isa/codec.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Program } from '../../program/program.ts';
import { programText } from '../text.ts';

const sameInsn = (a: Insn, b: Insn | undefined): boolean =>
  b !== undefined && a.code === b.code && a.dst === b.dst && a.src === b.src && a.off === b.off && a.imm === b.imm;

const firstDifference = (a: readonly Insn[], b: readonly Insn[]): number => {
  const at = a.findIndex((insn, slot) => !sameInsn(insn, b[slot]));
  return at === -1 && a.length !== b.length ? Math.min(a.length, b.length) : at;
};

const show = (insn: Insn | undefined): string =>
  insn === undefined ? 'nothing' : `${insn.code.toString(16)} ${insn.dst} ${insn.src} ${insn.off} ${insn.imm}`;

/** A program through bytes and back, and through text and back; null where both give the same again. */
export function roundTripBreach(program: Program, profile: Profile): string | null {
  const decoded = decodeProgram(encodeProgram(program.insns));
  const byBytes = firstDifference(program.insns, decoded);
  if (byBytes !== -1) return `bytes: slot ${byBytes} is ${show(decoded[byBytes])}, was ${show(program.insns[byBytes])}`;
  const text = programText(program, profile, null);
  const [back] = assemble(text, `${program.name}.bpf.s`, { profile }).programs;
  if (back === undefined) return 'text: no program comes back';
  const byText = firstDifference(program.insns, back.insns);
  if (byText !== -1) return `text: slot ${byText} is ${show(back.insns[byText])}, was ${show(program.insns[byText])}`;
  if (back.type !== program.type || back.expectedAttachType !== program.expectedAttachType)
    return 'text: another kind of program';
  if (back.maps.length !== program.maps.length) return `text: ${back.maps.length} maps, were ${program.maps.length}`;
  return back.flags === program.flags ? null : `text: flags ${back.flags}, were ${program.flags}`;
}
