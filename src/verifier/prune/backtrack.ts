import {
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_END,
  BPF_EXIT,
  BPF_IND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MOV,
  BPF_NEG,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_REG_FP,
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
import { insnLine } from '../log/insn_lines.ts';
import { findSubprog, isSubprogCall } from '../program/subprogs.ts';
import {
  type HistoryEntry,
  INSN_F_DST_REG_STACK,
  INSN_F_FRAMENO_MASK,
  INSN_F_SPI_MASK,
  INSN_F_SPI_SHIFT,
  INSN_F_SRC_REG_STACK,
  INSN_F_STACK_ACCESS,
  type LinkedReg,
} from '../state/state.ts';
import { regMaskText, stackMaskText } from './format.ts';

const MAX_CALL_FRAMES = 8;
/** r1 to r5 */
const ARG_REGS = 0b111110;

/**
 * The kernel's own search for precision went astray, which real programs can bring about: the program is refused in the words
 * of verifier_bug(), include/linux/bpf_verifier.h.
 */
export const refuseAstray = (env: Env, text: string): never => env.reject('EFAULT', `verifier bug: ${text}`);

/**
 * Registers and stack slots whose exact value matters, per frame, at one point of the way back (struct backtrack_state).
 * Slots travel as two words: 0 to 31 and 32 to 63.
 */
export class Backtrack {
  frame = 0;
  /** the three masks below, in a row */
  private readonly masks = new Int32Array(MAX_CALL_FRAMES * 3);
  readonly regs = this.masks.subarray(0, MAX_CALL_FRAMES);
  readonly slotsLo = this.masks.subarray(MAX_CALL_FRAMES, MAX_CALL_FRAMES * 2);
  readonly slotsHi = this.masks.subarray(MAX_CALL_FRAMES * 2);

  reset(): void {
    this.frame = 0;
    this.masks.fill(0);
  }

  isEmpty(): boolean {
    let mask = 0;
    for (let i = 0; i <= this.frame; i++) mask |= this.regs[i]! | this.slotsLo[i]! | this.slotsHi[i]!;
    return mask === 0;
  }

  hasReg(regno: number): boolean {
    return ((this.regs[this.frame]! >>> regno) & 1) !== 0;
  }

  setReg(regno: number): void {
    this.regs[this.frame] = this.regs[this.frame]! | (1 << regno);
  }

  clearReg(regno: number): void {
    this.regs[this.frame] = this.regs[this.frame]! & ~(1 << regno);
  }

  setFrameReg(frameno: number, regno: number): void {
    this.regs[frameno] = this.regs[frameno]! | (1 << regno);
  }

  hasSlot(frameno: number, spi: number): boolean {
    return ((spi < 32 ? this.slotsLo[frameno]! >>> spi : this.slotsHi[frameno]! >>> (spi - 32)) & 1) !== 0;
  }

  setSlot(frameno: number, spi: number): void {
    if (spi < 32) this.slotsLo[frameno] = this.slotsLo[frameno]! | (1 << spi);
    else this.slotsHi[frameno] = this.slotsHi[frameno]! | (1 << (spi - 32));
  }

  clearSlot(frameno: number, spi: number): void {
    if (spi < 32) this.slotsLo[frameno] = this.slotsLo[frameno]! & ~(1 << spi);
    else this.slotsHi[frameno] = this.slotsHi[frameno]! & ~(1 << (spi - 32));
  }

  /** r1 to r5 of the current frame are of no interest any more */
  clearArgs(): void {
    this.regs[this.frame] = this.regs[this.frame]! & ~ARG_REGS;
  }

  get topRegs(): number {
    return this.regs[this.frame]!;
  }

  get topHasSlots(): boolean {
    return (this.slotsLo[this.frame]! | this.slotsHi[this.frame]!) !== 0;
  }

  /** the wanted slots of the current frame as a hexadecimal number */
  get topSlotsHex(): string {
    const hi = this.slotsHi[this.frame]! >>> 0;
    const lo = this.slotsLo[this.frame]! >>> 0;
    return hi === 0 ? lo.toString(16) : hi.toString(16) + lo.toString(16).padStart(8, '0');
  }

  /** On the way back an exit leads into the function. */
  enterFunction(env: Env): void {
    if (this.frame === MAX_CALL_FRAMES - 1) refuseAstray(env, `subprog enter from frame ${this.frame}`);
    this.frame++;
  }

  /** On the way back a call leads out of the function. */
  leaveFunction(env: Env): void {
    if (this.frame === 0) refuseAstray(env, 'subprog exit from frame 0');
    this.frame--;
  }
}

const isWanted = (bt: Backtrack, linked: LinkedReg): boolean =>
  linked.isReg ? ((bt.regs[linked.frameno]! >>> linked.index) & 1) !== 0 : bt.hasSlot(linked.frameno, linked.index);

/** Registers that a comparison refined together are wanted all or none (bt_sync_linked_regs). */
function syncLinkedRegs(bt: Backtrack, entry: HistoryEntry | null): void {
  const linked = entry?.linkedRegs;
  if (!linked) return;
  let wanted = false;
  for (let i = 0; i < linked.length && !wanted; i++) wanted = isWanted(bt, linked[i]!);
  if (!wanted) return;
  for (const one of linked) {
    if (one.isReg) bt.setFrameReg(one.frameno, one.index);
    else bt.setSlot(one.frameno, one.index);
  }
}

/** The value came out of `dreg = ...`: what it was made from is wanted instead. */
function throughAlu(bt: Backtrack, insn: Insn): void {
  if (!bt.hasReg(insn.dst)) return;
  const op = opOf(insn.code);
  if (op === BPF_END || op === BPF_NEG) return;
  if (op === BPF_MOV) bt.clearReg(insn.dst);
  if (sourceOf(insn.code) === BPF_X && insn.src !== BPF_REG_FP) bt.setReg(insn.src);
}

const stackSpi = (flags: number): number => (flags >> INSN_F_SPI_SHIFT) & INSN_F_SPI_MASK;
const stackFrame = (flags: number): number => flags & INSN_F_FRAMENO_MASK;
const isStackAccess = (entry: HistoryEntry | null): entry is HistoryEntry =>
  entry !== null && (entry.flags & INSN_F_STACK_ACCESS) !== 0;

/** The record is of an access to a stack slot that is wanted. */
export const wantsSlotOf = (bt: Backtrack, entry: HistoryEntry): boolean =>
  isStackAccess(entry) && bt.hasSlot(stackFrame(entry.flags), stackSpi(entry.flags));

/** A fill hands the wish on to the slot; what other memory gives is as imprecise as it comes. */
function throughLoad(bt: Backtrack, insn: Insn, entry: HistoryEntry | null): void {
  if (!bt.hasReg(insn.dst)) return;
  bt.clearReg(insn.dst);
  if (isStackAccess(entry)) bt.setSlot(stackFrame(entry.flags), stackSpi(entry.flags));
}

/** A spill hands the wish on to the register. False when the address itself is wanted: it came from a pointer subtraction. */
function throughStore(bt: Backtrack, insn: Insn, entry: HistoryEntry | null): boolean {
  if (bt.hasReg(insn.dst)) return false;
  if (!isStackAccess(entry)) return true;
  const frameno = stackFrame(entry.flags);
  const spi = stackSpi(entry.flags);
  if (!bt.hasSlot(frameno, spi)) return true;
  bt.clearSlot(frameno, spi);
  if (classOf(insn.code) === BPF_STX) bt.setReg(insn.src);
  return true;
}

const hex = (mask: number): string => (mask >>> 0).toString(16);

/** A call of a function of the program. A static function was just left backwards, a global one was never entered. */
function throughSubprogCall(env: Env, bt: Backtrack, insn: Insn, idx: number, subseqIdx: number): void {
  const subprogno = findSubprog(env, idx + insn.imm + 1);
  const subprog = env.subprogs[subprogno];
  if (!subprog) return refuseAstray(env, `backtracking call of unknown function at ${idx}`);
  if (subprog.isGlobal) {
    if (idx + 1 !== subseqIdx) env.verbose('verifier bug: extra insn from subprog (idx + 1 != subseq_idx)\n');
    if ((bt.topRegs & ARG_REGS) !== 0) refuseAstray(env, `global subprog unexpected regs ${hex(bt.topRegs)}`);
    bt.clearReg(0);
    return;
  }
  if ((bt.topRegs & ~ARG_REGS) !== 0) refuseAstray(env, `static subprog unexpected regs ${hex(bt.topRegs)}`);
  if (bt.topHasSlots) refuseAstray(env, `static subprog leftover stack slots ${bt.topSlotsHex}`);
  const args = bt.topRegs;
  bt.clearArgs();
  bt.leaveFunction(env);
  bt.regs[bt.frame] = bt.topRegs | args;
}

/** From the first instruction of a callback back to the call that runs it: its arguments were not made by the caller. */
function throughCallbackEntry(env: Env, bt: Backtrack): void {
  if ((bt.topRegs & ~ARG_REGS) !== 0) refuseAstray(env, `callback unexpected regs ${hex(bt.topRegs)}`);
  if (bt.topHasSlots) refuseAstray(env, `callback leftover stack slots ${bt.topSlotsHex}`);
  bt.clearArgs();
  bt.leaveFunction(env);
}

/** A helper or kfunc call makes R0. False for a kfunc that does not exist. */
function throughHelperCall(env: Env, bt: Backtrack, insn: Insn, idx: number, subseqIdx: number): boolean {
  if (insn.src === BPF_PSEUDO_KFUNC_CALL && insn.imm === 0) return false;
  bt.clearReg(0);
  if ((bt.topRegs & ARG_REGS) !== 0) refuseAstray(env, `backtracking call unexpected regs ${hex(bt.topRegs)}`);
  const leaves = insn.src === 0 && env.profile.helpers[insn.imm]?.effects?.rule === 'tail_call';
  if (leaves && subseqIdx - idx !== 1) bt.enterFunction(env);
  return true;
}

/** An exit of a called function, or of a callback: R0 is wanted there if it is wanted behind the call. */
function throughExit(env: Env, bt: Backtrack, subseqIdx: number): void {
  if (subseqIdx >= 0 && env.facts.callsCallback[subseqIdx] !== 0) bt.clearArgs();
  if ((bt.topRegs & ARG_REGS) !== 0) refuseAstray(env, `backtracking exit unexpected regs ${hex(bt.topRegs)}`);
  const call = subseqIdx >= 1 ? env.insns[subseqIdx - 1] : undefined;
  const wanted = call !== undefined && isSubprogCall(call) && bt.hasReg(0);
  bt.clearReg(0);
  bt.enterFunction(env);
  if (wanted) bt.setReg(0);
}

/** `sync`: registers linked to those now wanted become wanted too; `unknown`: precision cannot be followed further. */
function throughJump(
  env: Env,
  bt: Backtrack,
  insn: Insn,
  idx: number,
  subseqIdx: number,
  entry: HistoryEntry | null,
): 'done' | 'sync' | 'unknown' {
  const op = opOf(insn.code);
  if (isSubprogCall(insn)) {
    throughSubprogCall(env, bt, insn, idx, subseqIdx);
    return 'done';
  }
  if (op === BPF_CALL) {
    // as kernels did that explored callbacks once: is_callback_calling_function ends the search
    if (env.facts.callsCallbackOnce[idx] !== 0) return 'unknown';
    if (env.facts.callsCallback[idx] !== 0 && idx !== subseqIdx - 1) {
      throughCallbackEntry(env, bt);
      return 'done';
    }
    return throughHelperCall(env, bt, insn, idx, subseqIdx) ? 'sync' : 'unknown';
  }
  if (op === BPF_EXIT) {
    if (subseqIdx >= 1 && env.facts.callsCallbackOnce[subseqIdx - 1] !== 0) return 'unknown';
    throughExit(env, bt, subseqIdx);
    return 'done';
  }
  if (sourceOf(insn.code) === BPF_X) {
    if (!bt.hasReg(insn.dst) && !bt.hasReg(insn.src)) return 'done';
    const flags = entry?.flags ?? 0;
    if ((flags & INSN_F_SRC_REG_STACK) === 0) bt.setReg(insn.src);
    if ((flags & INSN_F_DST_REG_STACK) === 0) bt.setReg(insn.dst);
  }
  return 'sync';
}

function logStep(env: Env, bt: Backtrack, idx: number): void {
  const regs = regMaskText(bt.topRegs);
  const slots = stackMaskText(bt.slotsLo[bt.frame]!, bt.slotsHi[bt.frame]!);
  env.log.trace(`mark_precise: frame${bt.frame}: regs=${regs} stack=${slots} before ${idx}: ${insnLine(env, idx)}\n`);
}

/**
 * Takes the wish for precision one instruction back: what is wanted after instruction `idx` becomes what must be wanted before
 * it. `subseqIdx` is the instruction that ran next, `entry` the record of `idx` in the jump history, if there is one.
 * Returns false when that cannot be said, so that every scalar has to be precise. Source: backtrack_insn, kernel/bpf/verifier.c.
 */
export function backtrackInsn(env: Env, idx: number, subseqIdx: number, entry: HistoryEntry | null, bt: Backtrack): boolean {
  const insn = env.insn(idx);
  if (insn.code === 0) return true;
  if (env.log.tracesAll) logStep(env, bt, idx);
  syncLinkedRegs(bt, entry);
  switch (classOf(insn.code)) {
    case BPF_ALU:
    case BPF_ALU64:
      throughAlu(bt, insn);
      break;
    case BPF_STX:
      if (modeOf(insn.code) === BPF_ATOMIC && insn.imm === BPF_LOAD_ACQ) {
        throughLoad(bt, insn, entry);
        break;
      }
      if (!throughStore(bt, insn, entry)) return false;
      break;
    case BPF_ST:
      if (!throughStore(bt, insn, entry)) return false;
      break;
    case BPF_LDX:
      throughLoad(bt, insn, entry);
      break;
    case BPF_JMP:
    case BPF_JMP32: {
      const outcome = throughJump(env, bt, insn, idx, subseqIdx, entry);
      if (outcome === 'unknown') return false;
      if (outcome === 'done') return true;
      break;
    }
    case BPF_LD: {
      if (!bt.hasReg(insn.dst)) return true;
      bt.clearReg(insn.dst);
      const mode = modeOf(insn.code);
      if (mode === BPF_IND || mode === BPF_ABS) return false;
      break;
    }
  }
  syncLinkedRegs(bt, entry);
  return true;
}
