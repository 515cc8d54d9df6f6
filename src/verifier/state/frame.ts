import { NOT_INIT_REG, type Reg } from './reg.ts';
import { SCALAR_VALUE } from './reg_types.ts';
import { INVALID_SLOT, type Slot } from './stack_slot.ts';

/** Callsite of the main program's frame. */
export const NO_CALLSITE = -1;

/**
 * State of one function invocation (struct bpf_func_state): registers, stack, and how it was entered.
 *
 * Frames are shared between states and copied on write: write only to a frame that `State.writable…` gave you.
 *
 * A precision mark says that an earlier state must not be matched by a wider scalar there. Marks are masks beside the shared
 * registers because they change on stored states: bit r of `preciseRegs` for register r; bit spi of `preciseSlots`
 * (two words: Lo for slots 0 to 31, Hi for 32 to 63) for the spilled scalar in slot spi.
 */
export class Frame {
  regs: Reg[];
  /** slot 0 is nearest to the frame pointer; the length is the allocated stack in 8-byte units */
  slots: Slot[];
  preciseRegs = 0;
  preciseSlotsLo = 0;
  preciseSlotsHi = 0;
  /** instruction that called this function, NO_CALLSITE for the first frame */
  callsite: number;
  frameno: number;
  subprogno: number;
  asyncEntryCount = 0;
  inCallback = false;
  inAsyncCallback = false;
  inExceptionCallback = false;
  callbackDepth = 0;
  callbackReturnMin = 0;
  callbackReturnMax = 0;
  /** more than one state refers to this frame */
  shared = false;

  constructor(
    callsite: number,
    frameno: number,
    subprogno: number,
    regs: Reg[] = new Array<Reg>(11).fill(NOT_INIT_REG),
    slots: Slot[] = [],
  ) {
    this.regs = regs;
    this.slots = slots;
    this.callsite = callsite;
    this.frameno = frameno;
    this.subprogno = subprogno;
  }

  clone(): Frame {
    const copy = new Frame(this.callsite, this.frameno, this.subprogno, this.regs.slice(), this.slots.slice());
    copy.preciseRegs = this.preciseRegs;
    copy.preciseSlotsLo = this.preciseSlotsLo;
    copy.preciseSlotsHi = this.preciseSlotsHi;
    copy.asyncEntryCount = this.asyncEntryCount;
    copy.inCallback = this.inCallback;
    copy.inAsyncCallback = this.inAsyncCallback;
    copy.inExceptionCallback = this.inExceptionCallback;
    copy.callbackDepth = this.callbackDepth;
    copy.callbackReturnMin = this.callbackReturnMin;
    copy.callbackReturnMax = this.callbackReturnMax;
    return copy;
  }

  /** bytes of stack that states track (allocated_stack) */
  get allocatedStack(): number {
    return this.slots.length * 8;
  }

  isPreciseReg(regno: number): boolean {
    return ((this.preciseRegs >>> regno) & 1) !== 0;
  }

  isPreciseSlot(spi: number): boolean {
    return ((spi < 32 ? this.preciseSlotsLo >>> spi : this.preciseSlotsHi >>> (spi - 32)) & 1) !== 0;
  }

  /** Puts a value into a register; its mark is cleared (a fresh value is imprecise). */
  setReg(regno: number, reg: Reg): void {
    this.regs[regno] = reg;
    this.preciseRegs &= ~(1 << regno);
  }

  /** As `setReg`, with the mark given: for copies, spills and fills of a marked scalar. */
  setRegPrecise(regno: number, reg: Reg, precise: boolean): void {
    this.regs[regno] = reg;
    this.markReg(regno, precise && reg.type === SCALAR_VALUE);
  }

  /** Replaces a register by a refinement of itself; its mark stays. */
  refineReg(regno: number, reg: Reg): void {
    this.regs[regno] = reg;
  }

  markReg(regno: number, precise: boolean): void {
    if (precise) this.preciseRegs |= 1 << regno;
    else this.preciseRegs &= ~(1 << regno);
  }

  markSlot(spi: number, precise: boolean): void {
    if (spi < 32) this.preciseSlotsLo = precise ? this.preciseSlotsLo | (1 << spi) : this.preciseSlotsLo & ~(1 << spi);
    else {
      const bit = 1 << (spi - 32);
      this.preciseSlotsHi = precise ? this.preciseSlotsHi | bit : this.preciseSlotsHi & ~bit;
    }
  }

  /** The slot, or an invalid one beyond the allocated stack. */
  slot(spi: number): Slot {
    return this.slots[spi] ?? INVALID_SLOT;
  }

  /** Puts a slot; its mark is cleared. The stack must have been grown to hold it. */
  setSlot(spi: number, slot: Slot): void {
    this.slots[spi] = slot;
    this.markSlot(spi, false);
  }

  /** Replaces a slot by a refinement of itself; its mark stays. */
  refineSlot(spi: number, slot: Slot): void {
    this.slots[spi] = slot;
  }

  /** Makes the tracked stack at least `bytes` deep (grow_stack_state); new slots are invalid. */
  growStack(bytes: number): void {
    for (let spi = this.slots.length; spi * 8 < bytes; spi++) this.slots.push(INVALID_SLOT);
  }
}
