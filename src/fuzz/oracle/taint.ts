import { BPF_EXIT, BPF_JMP, BPF_JMP32, BPF_PSEUDO_CALL, classOf, opOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import { opcodeOf } from '../../isa/opcodes.ts';
import { registersRead, registersWritten } from '../../isa/register_use.ts';
import type { Frame } from '../../verifier/state/frame.ts';
import { mapOf, type Reg } from '../../verifier/state/reg.ts';
import { CONST_PTR_TO_MAP, NOT_INIT, PTR_TO_STACK, SCALAR_VALUE } from '../../verifier/state/reg_types.ts';
import { INVALID_SLOT, isSpilled, STACK_DYNPTR, slotType } from '../../verifier/state/stack_slot.ts';
import type { Arrival, Cover } from './explored.ts';

/**
 * Registers and slots about which a state says nothing for this run: a path that was pruned goes on in a state that covers it
 * only up to scalars that nothing relied on, and up to what nothing reads. One bit for each register, and for each slot, by frame.
 */
export interface Taint {
  readonly regs: readonly number[];
  /** of these registers those that nothing reads from where the path was pruned, by the verifier's word */
  readonly dead: readonly number[];
  readonly slotsLo: readonly number[];
  readonly slotsHi: readonly number[];
  /** of these slots those that were forgotten because nothing reads them before they are written */
  readonly deadLo: readonly number[];
  readonly deadHi: readonly number[];
  /** of the registers and slots those that an atomic fetched from the stack, or what was made of that: Linux loses sight of it */
  readonly fetched: readonly number[];
  readonly fetchedLo: readonly number[];
  readonly fetchedHi: readonly number[];
}

const NONE: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];

export const NO_TAINT: Taint = {
  ...{ regs: NONE, dead: NONE, slotsLo: NONE, slotsHi: NONE, deadLo: NONE, deadHi: NONE },
  ...{ fetched: NONE, fetchedLo: NONE, fetchedHi: NONE },
};

/** What taints a register or a slot. */
type Cause = 'cover' | 'fetch' | null;

/** r0 to r5 */
const CALL_REGISTERS = 0x3f;

const bitLo = (spi: number): number => (spi < 32 ? 1 << spi : 0);
const bitHi = (spi: number): number => (spi < 32 ? 0 : 1 << (spi - 32));

class Draft {
  readonly regs: number[];
  readonly dead: number[];
  readonly slotsLo: number[];
  readonly slotsHi: number[];
  readonly deadLo: number[];
  readonly deadHi: number[];
  readonly fetched: number[];
  readonly fetchedLo: number[];
  readonly fetchedHi: number[];

  constructor(from: Taint) {
    this.regs = from.regs.slice();
    this.dead = from.dead.slice();
    this.slotsLo = from.slotsLo.slice();
    this.slotsHi = from.slotsHi.slice();
    this.deadLo = from.deadLo.slice();
    this.deadHi = from.deadHi.slice();
    this.fetched = from.fetched.slice();
    this.fetchedLo = from.fetchedLo.slice();
    this.fetchedHi = from.fetchedHi.slice();
  }

  reg(frame: number, regno: number, cause: Cause): void {
    put(this.regs, frame, 1 << regno, cause !== null);
    put(this.fetched, frame, 1 << regno, cause === 'fetch');
  }

  slot(frame: number, spi: number, cause: Cause): void {
    if (spi < 0 || spi > 63) return;
    const lo = bitLo(spi);
    const hi = bitHi(spi);
    put(this.slotsLo, frame, lo, cause !== null);
    put(this.slotsHi, frame, hi, cause !== null);
    put(this.fetchedLo, frame, lo, cause === 'fetch');
    put(this.fetchedHi, frame, hi, cause === 'fetch');
  }

  /** A slot that was written, by all of its bytes. */
  written(frame: number, spi: number): void {
    if (spi < 0 || spi > 63) return;
    this.deadLo[frame]! &= ~bitLo(spi);
    this.deadHi[frame]! &= ~bitHi(spi);
  }

  forgetSlots(frame: number): void {
    const { slotsLo, slotsHi, deadLo, deadHi, fetchedLo, fetchedHi } = this;
    for (const masks of [slotsLo, slotsHi, deadLo, deadHi, fetchedLo, fetchedHi]) masks[frame] = 0;
  }

  get isEmpty(): boolean {
    return [this.regs, this.dead, this.slotsLo, this.slotsHi, this.deadLo, this.deadHi].every((masks) =>
      masks.every((mask) => mask === 0),
    );
  }
}

const put = (masks: number[], frame: number, bits: number, set: boolean): void => {
  if (set) masks[frame]! |= bits;
  else masks[frame]! &= ~bits;
};

export const isTaintedReg = (taint: Taint, frame: number, regno: number): boolean => ((taint.regs[frame]! >>> regno) & 1) !== 0;
export const isTaintedSlot = (taint: Taint, frame: number, spi: number): boolean =>
  ((taint.slotsLo[frame]! & bitLo(spi)) | (taint.slotsHi[frame]! & bitHi(spi))) !== 0;

/** What the covering state says nothing about: its imprecise scalars, and what was forgotten in it because nothing reads it. */
export function taintOfCover({ arrival, state, liveRegs }: Cover, taint: Taint): Taint {
  const draft = new Draft(taint);
  arrival.frames.forEach((before, frameno) => {
    const now = state.frames[frameno] as Frame;
    for (let regno = 0; regno < 10; regno++) {
      const isImprecise = before.regs[regno]!.type === SCALAR_VALUE && !now.isPreciseReg(regno);
      const isDead = ((liveRegs[frameno]! >>> regno) & 1) === 0 || now.regs[regno]!.type === NOT_INIT;
      if (isImprecise || isDead) draft.reg(frameno, regno, 'cover');
      if (isDead) draft.dead[frameno]! |= 1 << regno;
    }
    before.slots.forEach((slot, spi) => {
      const isImprecise = isSpilled(slot) && slot.reg.type === SCALAR_VALUE && !now.isPreciseSlot(spi);
      const isForgotten = now.slot(spi) === INVALID_SLOT;
      if (isImprecise || isForgotten) draft.slot(frameno, spi, 'cover');
      if (isForgotten && slot !== INVALID_SLOT && spi < 64) {
        draft.deadLo[frameno]! |= bitLo(spi);
        draft.deadHi[frameno]! |= bitHi(spi);
      }
    });
  });
  return draft.isEmpty ? NO_TAINT : draft;
}

/** Slots of the frame that an access of `size` bytes through a pointer to the stack touches. */
const slotsOf = (pointer: Reg, off: number, size: number): { frame: number; first: number; last: number } | null => {
  if (pointer.type !== PTR_TO_STACK) return null;
  const { scalar } = pointer;
  const isFixed = (scalar.maskLo | scalar.maskHi) === 0;
  const from = isFixed ? pointer.off + scalar.valueLo + off : -512;
  const to = isFixed ? from + size - 1 : -1;
  return { frame: pointer.frameno, first: Math.floor(-(to + 1) / 8), last: Math.floor(-(from + 1) / 8) };
};

/** Everything that is linked to a register by an id: what a comparison narrows together with it. */
function taintLinked(draft: Draft, arrival: Arrival, reg: Reg, cause: Cause): void {
  const id = reg.id & 0x3fffffff;
  if (id === 0) return;
  arrival.frames.forEach((frame, frameno) => {
    frame.regs.forEach((other, regno) => {
      if (other.type === SCALAR_VALUE && (other.id & 0x3fffffff) === id) draft.reg(frameno, regno, cause);
    });
    frame.slots.forEach((slot, spi) => {
      if (isSpilled(slot) && (slot.reg.id & 0x3fffffff) === id) draft.slot(frameno, spi, cause);
    });
  });
}

const causeOfReg = (taint: Taint, frame: number, regno: number): Cause => {
  if (!isTaintedReg(taint, frame, regno)) return null;
  return ((taint.fetched[frame]! >>> regno) & 1) !== 0 ? 'fetch' : 'cover';
};

const causeOfSlot = (taint: Taint, frame: number, spi: number): Cause => {
  if (spi < 0 || spi > 63 || !isTaintedSlot(taint, frame, spi)) return null;
  return ((taint.fetchedLo[frame]! & bitLo(spi)) | (taint.fetchedHi[frame]! & bitHi(spi))) !== 0 ? 'fetch' : 'cover';
};

const either = (a: Cause, b: Cause): Cause => (a === 'fetch' || b === 'fetch' ? 'fetch' : (a ?? b));

/**
 * What is tainted behind an instruction: what it computes from something tainted, or compares with it. A pointer is not, whatever
 * it was made from: a number that moves a pointer has to be precise (adjust_reg_min_max_vals, kernel/bpf/verifier.c).
 */
export function taintBehind(arrival: Arrival, insn: Insn, next: Arrival, taint: Taint): Taint {
  if (taint === NO_TAINT) return taint;
  const draft = new Draft(taint);
  const top = arrival.frames.length - 1;
  const regs = arrival.frames[top]!.regs;
  const is = (regno: number): Cause => causeOfReg(taint, top, regno);
  const opcode = opcodeOf(insn);
  // Linux holds no register dead before a packet load of old, and none written by it
  const isPacketLoad = opcode?.kind === 'ld_abs' || opcode?.kind === 'ld_ind';
  draft.dead[top]! &= ~(isPacketLoad ? CALL_REGISTERS : registersWritten(insn));
  const size = (opcode?.width ?? 64) / 8;
  const give = (regno: number, cause: Cause): void => {
    const isNumber = next.frames[top]?.regs[regno]?.type === SCALAR_VALUE;
    draft.reg(top, regno, isNumber ? cause : null);
  };
  const loaded = (pointer: number): Cause => {
    const slots = slotsOf(regs[pointer]!, insn.off, size);
    let cause: Cause = null;
    for (let spi = slots?.first ?? 0; slots !== null && spi <= slots.last; spi++) {
      cause = either(cause, causeOfSlot(taint, slots.frame, spi));
    }
    return cause;
  };
  const store = (pointer: number, cause: Cause): void => {
    const slots = slotsOf(regs[pointer]!, insn.off, size);
    if (slots === null) return;
    const isWhole = slots.first === slots.last && size === 8;
    if (isWhole) draft.written(slots.frame, slots.first);
    for (let spi = slots.first; spi <= slots.last; spi++) destroyed(draft, arrival.frames[slots.frame]!, slots.frame, spi);
    for (let spi = slots.first; spi <= slots.last; spi++) if (cause !== null || isWhole) draft.slot(slots.frame, spi, cause);
  };
  switch (opcode?.kind) {
    case 'mov':
    case 'movsx':
    case 'addr_space_cast':
    case 'mov_percpu':
      give(insn.dst, opcode.source === 'X' ? is(insn.src) : null);
      break;
    case 'alu':
      give(insn.dst, either(is(insn.dst), opcode.source === 'X' ? is(insn.src) : null));
      break;
    case 'ldx':
    case 'ldsx':
    case 'load_acquire':
      give(insn.dst, loaded(insn.src));
      break;
    case 'st':
      store(insn.dst, null);
      break;
    case 'stx':
    case 'store_release':
      store(insn.dst, is(insn.src));
      break;
    case 'atomic':
      store(insn.dst, is(insn.src));
      break;
    case 'atomic_fetch':
    case 'xchg':
    case 'cmpxchg':
      give(opcode.kind === 'cmpxchg' ? 0 : insn.src, loaded(insn.dst) === null ? null : 'fetch');
      store(insn.dst, either(is(insn.src), opcode.kind === 'cmpxchg' ? is(0) : null));
      break;
    case 'jump': {
      const isX = opcode.source === 'X';
      const cause = either(is(insn.dst), isX ? is(insn.src) : null);
      if (cause === null) break;
      for (const regno of isX ? [insn.dst, insn.src] : [insn.dst]) {
        if (regs[regno]!.type !== SCALAR_VALUE) continue;
        draft.reg(top, regno, cause);
        taintLinked(draft, arrival, regs[regno]!, cause);
      }
      break;
    }
    case 'ld_imm64':
    case 'ld_abs':
    case 'ld_ind':
      draft.reg(top, opcode.kind === 'ld_imm64' ? insn.dst : 0, null);
      break;
    default:
  }
  acrossFrames(draft, insn, top, next.frames.length - 1, is);
  return draft.isEmpty ? NO_TAINT : draft;
}

const acrossFrames = (draft: Draft, insn: Insn, from: number, to: number, is: (regno: number) => Cause): void => {
  const cls = classOf(insn.code);
  if (cls !== BPF_JMP && cls !== BPF_JMP32) return;
  if (to > from) {
    const passed = draft.regs[from]! & 0x3e;
    draft.regs[to] = insn.src === BPF_PSEUDO_CALL || passed === 0 ? passed : 0x3e;
    draft.fetched[to] = (draft.fetched[from]! & 0x3e) === 0 ? 0 : draft.regs[to]!;
    draft.dead[to] = 0;
    draft.forgetSlots(to);
    return;
  }
  if (to < from) {
    // a tail call ends the function as well; what it returns is no value of this program
    const isExit = opOf(insn.code) === BPF_EXIT;
    draft.reg(to, 0, isExit ? is(0) : null);
    draft.dead[to] = (draft.dead[to]! & ~1) | (isExit ? draft.dead[from]! & 1 : 0);
    for (const masks of [draft.regs, draft.fetched, draft.dead]) masks[from] = 0;
    draft.forgetSlots(from);
    return;
  }
  if (opOf(insn.code) !== 0x80) return;
  draft.regs[from]! &= ~0x3f;
  draft.fetched[from]! &= ~0x3f;
  // a helper may have written any of the stack that it was given
  draft.deadLo.fill(0);
  draft.deadHi.fill(0);
};

/** Whether an instruction reads what an atomic fetched from a slot about which the covering state says nothing. */
export const readsFetched = ({ frames }: Arrival, insn: Insn, taint: Taint): boolean =>
  (taint.fetched[frames.length - 1]! & registersRead(insn)) !== 0;

/**
 * Registers that an instruction reads although they were held dead where the path was pruned. Calls are not looked at: they read
 * what they take. Nor is the end of a function that is called: it hands on r0 unread, which need not hold anything.
 */
export function deadReads(arrival: Arrival, insn: Insn, taint: Taint): number {
  const kind = opcodeOf(insn)?.kind;
  if (taint === NO_TAINT || kind === undefined || kind.startsWith('call')) return 0;
  const top = arrival.frames.length - 1;
  if (kind === 'exit' && top > 0 && !arrival.frames[top]!.inCallback) return 0;
  // packet loads of old take the packet from r6
  const reads = kind === 'ld_abs' || kind === 'ld_ind' ? (1 << 6) | (kind === 'ld_ind' ? 1 << insn.src : 0) : registersRead(insn);
  return taint.dead[top]! & reads;
}

/** bpf_map_lookup_elem, bpf_map_update_elem and bpf_map_delete_elem, which read a key behind r2 */
const READ_A_KEY: ReadonlySet<number> = new Set([1, 2, 3]);
const HELPER_CALL = 0x85;

/** Bytes that an instruction reads through a pointer; null where it is none that is asked. */
function bytesRead(arrival: Arrival, insn: Insn): { pointer: Reg; off: number; size: number } | null {
  const { regs } = arrival.frames.at(-1)!;
  if (insn.code === HELPER_CALL && insn.src === 0 && READ_A_KEY.has(insn.imm)) {
    const map = regs[1]!;
    return map.type === CONST_PTR_TO_MAP ? { pointer: regs[2]!, off: 0, size: mapOf(map).def.keySize } : null;
  }
  const opcode = opcodeOf(insn);
  if (opcode?.kind !== 'ldx' && opcode?.kind !== 'ldsx') return null;
  return { pointer: regs[insn.src]!, off: insn.off, size: opcode.width / 8 };
}

/**
 * Whether an instruction reads a stack slot that was held dead where the path was pruned. Loads and keys of maps at a known offset
 * are asked, and no atomics.
 */
export function readsDeadSlot(arrival: Arrival, insn: Insn, taint: Taint): boolean {
  const read = taint === NO_TAINT ? null : bytesRead(arrival, insn);
  if (read === null || (read.pointer.scalar.maskLo | read.pointer.scalar.maskHi) !== 0) return false;
  const slots = slotsOf(read.pointer, read.off, read.size);
  if (slots === null) return false;
  for (let spi = slots.first; spi <= slots.last; spi++) {
    if (((taint.deadLo[slots.frame]! & bitLo(spi)) | (taint.deadHi[slots.frame]! & bitHi(spi))) !== 0) return true;
  }
  return false;
}

/** A store into a dynptr destroys it, which counts as a write of both its slots (destroy_if_dynptr_stack_slot). */
function destroyed(draft: Draft, frame: Frame, frameno: number, spi: number): void {
  const isDynptr = (at: number): boolean => slotType(frame.slots[at] ?? INVALID_SLOT, 7) === STACK_DYNPTR;
  if (!isDynptr(spi)) return;
  for (const at of [spi - 1, spi, spi + 1]) if (isDynptr(at)) draft.written(frameno, at);
}
