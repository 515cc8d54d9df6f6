import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_END,
  BPF_EXIT,
  BPF_JMP,
  BPF_JMP32,
  BPF_LOAD_ACQ,
  BPF_MOV,
  BPF_NEG,
  BPF_ST,
  BPF_STX,
  BPF_X,
  classOf,
  modeOf,
  opOf,
  sourceOf,
} from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import type { HistoryEntry } from '../state/state.ts';
import { type Backtrack, wantsSlotOf } from './backtrack.ts';

/**
 * Most instructions on the way back have no part in what is wanted: they neither made it nor compared it. What `backtrackInsn`
 * would leave as it is can be told from one word an instruction:
 *
 *     bits 0 to 10   registers whose wish it changes
 *     STORES         it may have made a wanted stack slot, if the history says that it wrote to the stack
 *     ALWAYS         calls and exits, which lead from one function into another
 */
const STORES = 1 << 14;
const ALWAYS = 1 << 15;

function concernOf(insn: Insn): number {
  const { code } = insn;
  // the second slot of a 64-bit load
  if (code === 0) return 0;
  const dst = 1 << insn.dst;
  switch (classOf(code)) {
    case BPF_JMP:
    case BPF_JMP32: {
      const op = opOf(code);
      if (op === BPF_CALL || op === BPF_EXIT) return ALWAYS;
      return sourceOf(code) === BPF_X ? dst | (1 << insn.src) : 0;
    }
    case BPF_STX:
      return modeOf(code) === BPF_ATOMIC && insn.imm === BPF_LOAD_ACQ ? dst : dst | STORES;
    case BPF_ST:
      return dst | STORES;
    case BPF_ALU:
    case BPF_ALU64: {
      // what is added to a register and the like matters where it is a register; a constant has no history
      const op = opOf(code);
      if (op === BPF_END || op === BPF_NEG) return 0;
      return op === BPF_MOV || sourceOf(code) === BPF_X ? dst : 0;
    }
    default:
      return dst;
  }
}

/** By instruction, what it has to do with a search for precision. */
export function concernsOf(env: Env): Uint16Array {
  const { insns } = env;
  const concerns = new Uint16Array(insns.length);
  for (let index = 0; index < insns.length; index++) concerns[index] = concernOf(insns[index] as Insn);
  return concerns;
}

/** An instruction of this concern does not change a wish for the registers `wanted` of its function. */
export const sparesRegs = (concern: number, wanted: number): boolean => (concern & (wanted | ALWAYS)) === 0;

/**
 * Whether an instruction of this concern leaves the wish in `bt` as it is. `entry` is its record in the jump history, if there is
 * one.
 */
export const isBystander = (concern: number, bt: Backtrack, entry: HistoryEntry | null): boolean =>
  sparesRegs(concern, bt.topRegs) &&
  (entry === null || (entry.linkedRegs === null && ((concern & STORES) === 0 || !wantsSlotOf(bt, entry))));
