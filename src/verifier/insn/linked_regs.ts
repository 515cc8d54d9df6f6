import type { Env } from '../env.ts';
import { atDistance } from '../scalar/alu.ts';
import { isConst } from '../scalar/scalar.ts';
import { BPF_ADD_CONST, BPF_ADD_CONST32, type Reg } from '../state/reg.ts';
import { SCALAR_VALUE } from '../state/reg_types.ts';
import { isSpilled, Slot } from '../state/stack_slot.ts';
import type { LinkedReg, State } from '../state/state.ts';

/**
 * Registers and stack slots that hold the same number, or that number plus a constant, share an id. A comparison refines all of
 * them (collect_linked_regs, sync_linked_regs, kernel/bpf/verifier.c).
 */

const LINKED_REGS_MAX = 6;

const linkOf = (reg: Reg): number => reg.id & ~BPF_ADD_CONST;

const callsiteOf = (state: State, frameno: number): number =>
  frameno === state.curframe ? state.insnIdx : state.frame(frameno + 1).callsite;

const regAt = (state: State, at: LinkedReg): Reg => {
  const frame = state.frame(at.frameno);
  return at.isReg ? (frame.regs[at.index] as Reg) : frame.slot(at.index).reg;
};

function putRegAt(state: State, at: LinkedReg, reg: Reg, precise: boolean): void {
  const frame = state.writableFrame(at.frameno);
  if (at.isReg) {
    frame.setRegPrecise(at.index, reg, precise);
    return;
  }
  const slot = frame.slot(at.index);
  frame.setSlot(at.index, new Slot(slot.typesLo, slot.typesHi, reg));
  frame.markSlot(at.index, precise);
}

/**
 * Adds the live registers and the spilled values with this id to `found`. Beyond the limit a value loses its link instead, so
 * that it is never refined behind the back of precision tracking.
 */
export function collectLinkedRegs(env: Env, state: State, id: number, found: LinkedReg[]): void {
  const link = id & ~BPF_ADD_CONST;
  const consider = (reg: Reg, at: LinkedReg): void => {
    if (found.length < LINKED_REGS_MAX) found.push(at);
    else {
      const frame = state.frame(at.frameno);
      const unlinked = reg.clone();
      unlinked.id = 0;
      unlinked.off = 0;
      putRegAt(state, at, unlinked, at.isReg ? frame.isPreciseReg(at.index) : frame.isPreciseSlot(at.index));
    }
  };
  for (let frameno = state.curframe; frameno >= 0; frameno--) {
    const frame = state.frame(frameno);
    const live = env.facts.liveRegsBefore[callsiteOf(state, frameno)] as number;
    for (let regno = 0; regno < 10; regno++) {
      if (((live >>> regno) & 1) === 0) continue;
      const reg = frame.regs[regno] as Reg;
      if (reg.type === SCALAR_VALUE && linkOf(reg) === link) consider(reg, { frameno, index: regno, isReg: true });
    }
    for (let spi = 0; spi < frame.slots.length; spi++) {
      const slot = frame.slots[spi] as Slot;
      if (!isSpilled(slot)) continue;
      const { reg } = slot;
      if (reg.type === SCALAR_VALUE && linkOf(reg) === link) consider(reg, { frameno, index: spi, isReg: false });
    }
  }
}

/** Gives what was learned about `known` (register `knownRegno` of the current frame) to the values linked to it. */
export function syncLinkedRegs(state: State, knownRegno: number, linked: readonly LinkedReg[]): void {
  const top = state.top;
  const known = top.regs[knownRegno] as Reg;
  const precise = top.isPreciseReg(knownRegno);
  for (const at of linked) {
    const reg = regAt(state, at);
    if (reg.type !== SCALAR_VALUE || (at.isReg && at.index === knownRegno && at.frameno === state.curframe)) continue;
    if (linkOf(reg) !== linkOf(known)) continue;
    // a distance found at one width does not hold at the other
    if (((reg.id ^ known.id) & BPF_ADD_CONST) === BPF_ADD_CONST) continue;
    if (((reg.id | known.id) & BPF_ADD_CONST) === 0 || reg.off === known.off) putRegAt(state, at, known, precise);
    else putRegAt(state, at, shifted(reg, known), precise);
  }
}

/** known plus the distance between the two; link and offset stay those of `reg`. */
function shifted(reg: Reg, known: Reg): Reg {
  const next = known.clone();
  next.off = reg.off;
  next.id = reg.id;
  const distance = reg.off - known.off;
  const is32 = ((reg.id | known.id) & BPF_ADD_CONST32) !== 0;
  next.scalar = atDistance(known.scalar, distance | 0, Math.floor(distance / 0x1_0000_0000), is32);
  return next;
}

/**
 * Gives a scalar a number of its own before it is copied, so that a later comparison of the copy refines it too; a number that
 * stands for "linked plus a constant" is dropped (assign_scalar_id_before_mov). The register of the current frame is updated.
 */
export function linkBeforeMov(env: Env, regno: number): Reg {
  const reg = env.cur.top.regs[regno] as Reg;
  if (reg.type !== SCALAR_VALUE) return reg;
  const dropsLink = (reg.id & BPF_ADD_CONST) !== 0;
  const id = dropsLink ? 0 : reg.id;
  const needsId = id === 0 && !isConst(reg.scalar);
  if (!dropsLink && !needsId) return reg;
  const linked = reg.clone();
  if (dropsLink) linked.off = 0;
  linked.id = needsId ? env.newId() : 0;
  env.cur.writableTop().refineReg(regno, linked);
  return linked;
}
