import type { Reg } from './reg.ts';
import { isFullSpill, Slot } from './stack_slot.ts';
import type { State } from './state.ts';

/**
 * Replaces registers and fully spilled values in every frame (bpf_for_each_reg_in_vstate). `replace` gives the register itself
 * where nothing changes; frames are copied only where something does.
 */
export function replaceRegs(state: State, replace: (reg: Reg, frameno: number) => Reg): void {
  for (let frameno = 0; frameno <= state.curframe; frameno++) {
    const frame = state.frame(frameno);
    for (let regno = 0; regno < frame.regs.length; regno++) {
      const reg = frame.regs[regno] as Reg;
      const next = replace(reg, frameno);
      if (next !== reg) state.writableFrame(frameno).refineReg(regno, next);
    }
    for (let spi = 0; spi < frame.slots.length; spi++) {
      const slot = frame.slots[spi] as Slot;
      if (!isFullSpill(slot)) continue;
      const next = replace(slot.reg, frameno);
      if (next !== slot.reg) state.writableFrame(frameno).refineSlot(spi, new Slot(slot.typesLo, slot.typesHi, next));
    }
  }
}

/** As `replaceRegs`, also over the slots of dynptrs and other objects whose type bits are in `mask` (1 << slot type). */
export function replaceRegsAndSlots(state: State, mask: number, replace: (reg: Reg, frameno: number) => Reg): void {
  for (let frameno = 0; frameno <= state.curframe; frameno++) {
    const frame = state.frame(frameno);
    for (let regno = 0; regno < frame.regs.length; regno++) {
      const reg = frame.regs[regno] as Reg;
      const next = replace(reg, frameno);
      if (next !== reg) state.writableFrame(frameno).refineReg(regno, next);
    }
    for (let spi = 0; spi < frame.slots.length; spi++) {
      const slot = frame.slots[spi] as Slot;
      if (((1 << (slot.typesLo & 0xff)) & mask) === 0) continue;
      const next = replace(slot.reg, frameno);
      if (next !== slot.reg) state.writableFrame(frameno).refineSlot(spi, new Slot(slot.typesLo, slot.typesHi, next));
    }
  }
}
