import { BPF_PSEUDO_KFUNC_CALL } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import { KERNEL_HIGH } from '../../kernel/memory.ts';
import type { Program } from '../../program/program.ts';
import { regText } from '../../verifier/log/state_lines.ts';
import type { Frame } from '../../verifier/state/frame.ts';
import { mapOf, type Reg } from '../../verifier/state/reg.ts';
import {
  baseOf,
  CONST_PTR_TO_MAP,
  isMaybeNull,
  NOT_INIT,
  PTR_TO_ARENA,
  PTR_TO_BTF_ID,
  PTR_TO_CTX,
  PTR_TO_MAP_VALUE,
  PTR_TO_PACKET,
  PTR_TO_PACKET_END,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
  PTR_UNTRUSTED,
  SCALAR_VALUE,
} from '../../verifier/state/reg_types.ts';
import { INVALID_SLOT, isSpilled, type Slot, STACK_SPILL, STACK_ZERO, slotType } from '../../verifier/state/stack_slot.ts';
import type { Code, StepHook } from '../../vm/engine.ts';
import type { Machine } from '../../vm/machine.ts';
import { admitsAddress, admitsBytes, admitsWord } from './admits.ts';
import type { Arrival, ExploredGraph } from './explored.ts';
import {
  deadReads,
  isTaintedReg,
  isTaintedSlot,
  NO_TAINT,
  readsDeadSlot,
  readsFetched,
  type Taint,
  taintBehind,
  taintOfCover,
} from './taint.ts';

/** What a run did that no explored state admits. */
export interface Escape {
  readonly insn: number;
  readonly what: string;
  /** the instruction before read what an atomic had fetched from a slot that nothing was known to rely on */
  readonly behindFetch: boolean;
}

interface Candidate {
  readonly arrival: Arrival;
  readonly taint: Taint;
  /** the state right before, that admitted the registers and the stack as they were; null where nothing can be taken from it */
  readonly before: Candidate | null;
}

/** Functions that the verifier walked apart from the code that calls them. */
interface Level {
  readonly depth: number;
  readonly candidates: readonly Candidate[];
}

const TWO32 = 2 ** 32;
const MAX_CANDIDATES = 64;
/** States whose objections are shown. */
const SHOWN_REASONS = 3;

/**
 * Follows a run through what the verifier explored: at every executed instruction the registers and the stack lie in a state that
 * was explored right behind the states before it. Pointers are held against the object they point to.
 */
export class Containment {
  escape: Escape | null = null;
  /** instructions that were held against a state */
  checked = 0;
  readonly #graph: ExploredGraph;
  readonly #program: Program;
  readonly #machine: Machine;
  #candidates: readonly Candidate[] = [];
  #levels: Level[] = [];
  #base = 0;
  #lastSlot = -1;
  #lastDepth = 0;
  #isLost = false;
  /** frame pointers by depth, low halves */
  readonly #framePointers = new Int32Array(128);
  /** r0 to r9 as they were at the step before */
  readonly #last = new Int32Array(20);
  /** the instruction before may have written to the stack */
  #mayHaveStored = true;

  constructor(graph: ExploredGraph, program: Program, machine: Machine) {
    this.#graph = graph;
    this.#program = program;
    this.#machine = machine;
    this.#isLost = graph.isIncomplete;
  }

  readonly hook: StepHook = (code, slot, registers, depth) => {
    if (this.#isLost) return;
    // what a tail call leads to is no part of the program; the function that made the call ends with it
    if (code.program !== this.#program) return;
    this.#framePointers[depth] = registers[20]!;
    this.#step(code, slot, registers, depth);
    for (let i = 0; i < 20; i++) this.#last[i] = registers[i]!;
    this.#mayHaveStored = MAY_STORE[this.#program.insns[slot]!.code & 7]!;
    this.#lastSlot = slot;
    this.#lastDepth = depth;
  };

  #step(_code: Code, slot: number, registers: Int32Array, depth: number): void {
    const reached = this.#successors(slot, depth);
    if (reached.length === 0) {
      this.#fail(slot, `no explored state leads from instruction ${this.#lastSlot} to here`);
      return;
    }
    const reasons: string[] = [];
    const admitting: Candidate[] = [];
    const splitOff = new Set<Candidate>();
    for (const candidate of reached) {
      const breach = this.#breach(candidate, registers);
      if (breach === null) {
        const behind = this.#behindCover(candidate);
        // what was split off at a covering state goes on from the path too; these are not looked behind again
        if (behind !== candidate && !splitOff.has(candidate)) {
          for (const split of this.#again([behind]).slice(1)) {
            splitOff.add(split);
            reached.push(split);
          }
        }
        const dead = deadReads(behind.arrival, this.#program.insns[slot]!, behind.taint);
        if (readsDeadSlot(behind.arrival, this.#program.insns[slot]!, behind.taint)) {
          reasons.push('reads a stack slot that is dead in the state that covers the path');
        } else if (dead === 0) admitting.push(behind);
        else reasons.push(`reads r${31 - Math.clz32(dead)}, which is dead in the state that covers the path`);
      } else if (reasons.length < SHOWN_REASONS) reasons.push(breach);
    }
    this.checked++;
    if (admitting.length === 0) this.#fail(slot, reasons.join('; '));
    else if (admitting.length > MAX_CANDIDATES) this.#isLost = true;
    this.#candidates = admitting;
  }

  #fail(insn: number, what: string): void {
    const last = this.#program.insns[this.#lastSlot];
    const behindFetch = last !== undefined && this.#candidates.some(({ arrival, taint }) => readsFetched(arrival, last, taint));
    this.escape = { insn, what, behindFetch };
    this.#isLost = true;
  }

  #behindCover(candidate: Candidate): Candidate {
    if (candidate.arrival.cover === null) return candidate;
    let { arrival, taint } = candidate;
    while (arrival.cover !== null) {
      taint = taintOfCover(arrival.cover, taint);
      arrival = arrival.cover.arrival;
    }
    return { arrival, taint, before: null };
  }

  #successors(slot: number, depth: number): Candidate[] {
    if (this.#lastSlot === -1) return this.#starts(slot);
    while (this.#levels.length > 0 && depth < this.#levels.at(-1)!.depth + 1 && depth <= this.#base) {
      const level = this.#levels.pop()!;
      this.#candidates = level.candidates;
      this.#lastSlot = level.candidates[0]!.arrival.insn;
      this.#base = this.#levels.at(-1)?.depth ?? 0;
    }
    const found: Candidate[] = [];
    for (const candidate of this.#candidates) this.#follow(candidate, slot, depth - this.#base, found);
    const last = this.#program.insns[this.#lastSlot]!;
    const mayThrow = last.code === 0x85 && last.src === BPF_PSEUDO_KFUNC_CALL;
    if (found.length > 0 || (depth <= this.#lastDepth && !mayThrow)) return found;
    const starts = this.#starts(slot);
    if (starts.length === 0) return found;
    if (depth <= this.#lastDepth) {
      // what was thrown is caught in place of everything that was called
      this.#levels = [];
      this.#base = depth - 1;
      return starts;
    }
    this.#levels.push({ depth: depth - 1, candidates: this.#candidates });
    this.#base = depth - 1;
    return starts;
  }

  #starts(slot: number): Candidate[] {
    const roots = this.#graph.roots.filter(({ insn }) => insn === slot);
    return this.#again(roots.map((arrival) => ({ arrival, taint: NO_TAINT, before: null })));
  }

  /** With the states that the verifier split off at the same instruction before it was executed. */
  #again(candidates: Candidate[]): Candidate[] {
    for (let i = 0; i < candidates.length; i++) {
      const { arrival, taint } = candidates[i]!;
      if (this.#isJump(arrival.insn)) continue;
      for (const next of arrival.next) if (next.insn === arrival.insn) candidates.push({ arrival: next, taint, before: null });
    }
    return candidates;
  }

  #isJump(insn: number): boolean {
    return (this.#program.insns[insn]!.code & 7) === 5 || (this.#program.insns[insn]!.code & 7) === 6;
  }

  #follow(candidate: Candidate, slot: number, frames: number, into: Candidate[]): void {
    const { arrival, taint } = candidate;
    const insn = this.#program.insns[arrival.insn] as Insn;
    const isCallbackExit = arrival.frames.at(-1)!.inCallback;
    const found: Candidate[] = [];
    for (const next of arrival.next) {
      if (next.insn === slot && next.frames.length === frames) {
        found.push({ arrival: next, taint: taintBehind(arrival, insn, next, taint), before: candidate });
      } else if (isCallbackExit && next.frames.length < arrival.frames.length && next.insn === arrival.frames.at(-1)!.callsite) {
        const behind = this.#behindCover({ arrival: next, taint: taintBehind(arrival, insn, next, taint), before: null });
        this.#follow(behind, slot, frames, into);
      }
    }
    into.push(...this.#again(found));
  }

  /** Why a state does not admit the registers and the stack; null where it does. */
  #breach(candidate: Candidate, registers: Int32Array): string | null {
    const { arrival, taint, before } = candidate;
    const top = arrival.frames.length - 1;
    const frame = arrival.frames[top]!;
    const isNextInFrame = before !== null && before.taint === taint && before.arrival.frames.length === top + 1;
    const known = isNextInFrame ? before.arrival.frames[top]!.regs : null;
    for (let regno = 0; regno < 10; regno++) {
      const reg = frame.regs[regno]!;
      const lo = registers[2 * regno]!;
      const hi = registers[2 * regno + 1]!;
      if (known?.[regno] === reg && lo === this.#last[2 * regno] && hi === this.#last[2 * regno + 1]) continue;
      if (reg.type === NOT_INIT || isTaintedReg(taint, top, regno)) continue;
      if (!this.#admits(reg, lo, hi)) return `r${regno} is ${hex(lo, hi)}, not ${regText(reg, top, false)}`;
    }
    for (let frameno = 0; frameno <= top; frameno++) {
      const isUnchanged =
        isNextInFrame && !this.#mayHaveStored && isSameStack(before.arrival.frames[frameno]!, arrival.frames[frameno]!);
      if (isUnchanged) continue;
      const breach = this.#stackBreach(arrival.frames[frameno]!, frameno, taint);
      if (breach !== null) return breach;
    }
    return null;
  }

  #stackBreach(frame: Frame, frameno: number, taint: Taint): string | null {
    const fp = this.#framePointers[this.#base + frameno + 1]! >>> 0;
    for (let spi = 0; spi < frame.slots.length; spi++) {
      const slot = frame.slots[spi]!;
      if (slot === INVALID_SLOT || isTaintedSlot(taint, frameno, spi)) continue;
      if (!this.#admitsSlot(slot, fp - 8 * (spi + 1))) {
        const { view } = this.#machine.memory;
        const at = fp - 8 * (spi + 1);
        const value = hex(view.getInt32(at, true), view.getInt32(at + 4, true));
        return `stack slot ${-8 * (spi + 1)} of frame ${frameno} holds ${value}, not ${regText(slot.reg, frameno, false)}`;
      }
    }
    return null;
  }

  #admitsSlot(slot: Slot, at: number): boolean {
    const { view, u8 } = this.#machine.memory;
    // what was spilled is gone: a slice of a dynptr that was given back
    if (isSpilled(slot) && slot.reg.type === NOT_INIT) return true;
    if (isSpilled(slot)) {
      let bytes = 1;
      while (bytes < 8 && slotType(slot, 7 - bytes) === STACK_SPILL) bytes++;
      const lo = view.getInt32(at, true);
      if (bytes === 8) return this.#admits(slot.reg, lo, view.getInt32(at + 4, true));
      if (slot.reg.type === SCALAR_VALUE && !admitsBytes(slot.reg.scalar, lo, bytes)) return false;
    }
    for (let i = 0; i < 8; i++) if (slotType(slot, i) === STACK_ZERO && u8[at + 7 - i] !== 0) return false;
    return true;
  }

  #admits(reg: Reg, lo: number, hi: number): boolean {
    const { type, scalar } = reg;
    if (type === SCALAR_VALUE) return admitsWord(scalar, lo, hi);
    const isNull = lo === 0 && hi === 0;
    if (isNull && (isMaybeNull(type) || (type & PTR_UNTRUSTED) !== 0)) return true;
    const { context } = this.#machine;
    switch (baseOf(type)) {
      case PTR_TO_STACK:
        return admitsAddress(scalar, this.#framePointers[this.#base + reg.frameno + 1]! >>> 0, reg.off, lo, hi);
      case PTR_TO_CTX:
        return admitsAddress(scalar, context.offset, reg.off, lo, hi);
      case CONST_PTR_TO_MAP:
        return !isNull;
      case PTR_TO_MAP_VALUE:
        return this.#admitsMapValue(reg, lo, hi);
      case PTR_TO_PACKET:
        return this.#admitsPacket(reg, lo, hi, 0);
      case PTR_TO_PACKET_META:
        return this.#admitsPacket(reg, lo, hi, -(context.packet?.metaLength ?? 0));
      case PTR_TO_PACKET_END: {
        const { packet } = context;
        return packet === null || (hi === KERNEL_HIGH && lo >>> 0 === packet.dataOffset + packet.linearLength);
      }
      // any number is an address of an arena; kernel objects may be anywhere
      case PTR_TO_ARENA:
      case PTR_TO_BTF_ID:
        return true;
      default:
        return !isNull;
    }
  }

  #admitsPacket(reg: Reg, lo: number, hi: number, from: number): boolean {
    const { packet } = this.#machine.context;
    if (packet === null) return true;
    if (!admitsAddress(reg.scalar, packet.dataOffset + from, reg.off, lo, hi)) return false;
    const end = from === 0 ? packet.dataOffset + packet.linearLength : packet.dataOffset;
    return reg.aux <= 0 || (lo >>> 0) - reg.off + reg.aux <= end;
  }

  /** A pointer that is only moved may leave the four gigabytes of guest memory: the high half counts. */
  #admitsMapValue(reg: Reg, lo: number, hi: number): boolean {
    const { scalar } = reg;
    const { def } = mapOf(reg);
    if (reg.aux !== 0 || (scalar.maskLo | scalar.maskHi) !== 0 || !this.#program.maps.includes(def)) {
      return Math.abs(hi - KERNEL_HIGH) <= 1;
    }
    const moved = reg.off + scalar.valueHi * TWO32 + (scalar.valueLo >>> 0);
    return this.#machine.maps.of(def).holdsValue((hi - KERNEL_HIGH) * TWO32 + (lo >>> 0) - moved);
  }
}

/** Classes of instructions behind which the stack may be another: stores, and calls. */
const MAY_STORE: readonly boolean[] = [true, false, true, true, false, true, true, false];

const isSameStack = (a: Frame, b: Frame): boolean => {
  if (a === b) return true;
  if (a.slots.length !== b.slots.length) return false;
  for (let spi = 0; spi < a.slots.length; spi++) if (a.slots[spi] !== b.slots[spi]) return false;
  return true;
};

const hex = (lo: number, hi: number): string => {
  const high = (hi >>> 0).toString(16);
  return `0x${hi === 0 ? (lo >>> 0).toString(16) : high + (lo >>> 0).toString(16).padStart(8, '0')}`;
};
