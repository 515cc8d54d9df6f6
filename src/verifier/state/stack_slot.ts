import { NOT_INIT_REG, type Reg } from './reg.ts';

/** What a byte of the stack holds (enum bpf_stack_slot_type). */
export const STACK_INVALID = 0;
export const STACK_SPILL = 1;
export const STACK_MISC = 2;
export const STACK_ZERO = 3;
export const STACK_DYNPTR = 4;
export const STACK_ITER = 5;
export const STACK_IRQ_FLAG = 6;

/** Letters of the types in state lines, by number. */
export const SLOT_LETTERS = '?rm0dif';

/**
 * Eight bytes of stack. Immutable and shared, like registers. Slot `spi` of a frame covers the offsets -(spi + 1) * 8 to
 * -spi * 8 - 1 from the frame pointer. Type i (0 to 7) belongs to the byte at offset -spi * 8 - 1 - i, so type 7 is that of the
 * lowest address, as in struct bpf_stack_state:
 *
 *     typesLo   types 3 2 1 0, one octet each, type 0 in the lowest
 *     typesHi   types 7 6 5 4
 *
 * `reg` is the spilled register, or carries the dynptr, iterator or irq state of the slot.
 */
export class Slot {
  readonly typesLo: number;
  readonly typesHi: number;
  readonly reg: Reg;
  constructor(typesLo: number, typesHi: number, reg: Reg) {
    this.typesLo = typesLo;
    this.typesHi = typesHi;
    this.reg = reg;
  }
}

/** Type of byte i, see `Slot`. */
export const slotType = (slot: Slot, i: number): number =>
  i < 4 ? (slot.typesLo >>> (i * 8)) & 0xff : (slot.typesHi >>> ((i - 4) * 8)) & 0xff;

/** The slot with type i replaced; its register stays. */
export const withSlotType = (slot: Slot, i: number, type: number): Slot => {
  const shift = (i & 3) * 8;
  return i < 4
    ? new Slot((slot.typesLo & ~(0xff << shift)) | (type << shift), slot.typesHi, slot.reg)
    : new Slot(slot.typesLo, (slot.typesHi & ~(0xff << shift)) | (type << shift), slot.reg);
};

/** The same type in all eight bytes. */
export const fullSlot = (type: number, reg: Reg): Slot => new Slot(type * 0x01010101, type * 0x01010101, reg);

export const INVALID_SLOT = fullSlot(STACK_INVALID, NOT_INIT_REG);
export const MISC_SLOT = fullSlot(STACK_MISC, NOT_INIT_REG);
export const ZERO_SLOT = fullSlot(STACK_ZERO, NOT_INIT_REG);

/** is_spilled_reg: the eighth byte decides, a narrow spill fills from it downwards */
export const isSpilled = (slot: Slot): boolean => slot.typesHi >>> 24 === STACK_SPILL;
/** a full 8-byte spill */
export const isFullSpill = (slot: Slot): boolean => (slot.typesLo & 0xff) === STACK_SPILL;
