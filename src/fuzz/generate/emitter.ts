import {
  BPF_ALU,
  BPF_ALU64,
  BPF_CALL,
  BPF_DW,
  BPF_EXIT,
  BPF_IMM,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_MEM,
  BPF_MOV,
  BPF_ST,
  BPF_STX,
  BPF_X,
} from '../../isa/constants.ts';
import { type Insn, insn } from '../../isa/insn.ts';

/** A place in the code that jumps lead to; -1 until it is placed. */
export interface Label {
  at: number;
}

const SIZE_BITS: Readonly<Record<number, number>> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 };

/** The size bits of a load or store of so many bytes. */
export const sizeBits = (bytes: number): number => SIZE_BITS[bytes] ?? BPF_DW;

interface Fixup {
  readonly slot: number;
  readonly label: Label;
  /** the distance goes to `imm`, else to `off` */
  readonly wide: boolean;
}

/** Writes the instructions of one program. Jumps, calls and function addresses name labels, which may be placed later. */
export class Emitter {
  readonly insns: Insn[] = [];
  readonly #fixups: Fixup[] = [];

  get length(): number {
    return this.insns.length;
  }

  label(): Label {
    return { at: -1 };
  }

  place(label: Label): void {
    label.at = this.insns.length;
  }

  raw(code: number, dst: number, src: number, off: number, imm: number): void {
    this.insns.push(insn(code, dst, src, off, imm));
  }

  movK(dst: number, imm: number, wide = true): void {
    this.raw((wide ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_K, dst, 0, 0, imm);
  }

  movX(dst: number, src: number, wide = true): void {
    this.raw((wide ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_X, dst, src, 0, 0);
  }

  aluK(op: number, dst: number, imm: number, wide = true): void {
    this.raw((wide ? BPF_ALU64 : BPF_ALU) | op | BPF_K, dst, 0, 0, imm);
  }

  aluX(op: number, dst: number, src: number, wide = true): void {
    this.raw((wide ? BPF_ALU64 : BPF_ALU) | op | BPF_X, dst, src, 0, 0);
  }

  load(bytes: number, dst: number, src: number, off: number): void {
    this.raw(BPF_LDX | BPF_MEM | sizeBits(bytes), dst, src, off, 0);
  }

  store(bytes: number, dst: number, off: number, src: number): void {
    this.raw(BPF_STX | BPF_MEM | sizeBits(bytes), dst, src, off, 0);
  }

  storeImm(bytes: number, dst: number, off: number, imm: number): void {
    this.raw(BPF_ST | BPF_MEM | sizeBits(bytes), dst, 0, off, imm);
  }

  /** `ld_imm64` of any kind; `src` is one of LD_IMM64_SRC. */
  wide(dst: number, src: number, lo: number, hi: number): void {
    this.raw(BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, lo);
    this.raw(0, 0, 0, 0, hi);
  }

  /** Address of a function (BPF_PSEUDO_FUNC). */
  functionAddress(dst: number, target: Label): void {
    this.#fixups.push({ slot: this.length, label: target, wide: true });
    this.wide(dst, 4, 0, 0);
  }

  jumpK(op: number, dst: number, imm: number, target: Label, wide = true): void {
    this.#fixups.push({ slot: this.length, label: target, wide: false });
    this.raw((wide ? BPF_JMP : BPF_JMP32) | op | BPF_K, dst, 0, 0, imm);
  }

  jumpX(op: number, dst: number, src: number, target: Label, wide = true): void {
    this.#fixups.push({ slot: this.length, label: target, wide: false });
    this.raw((wide ? BPF_JMP : BPF_JMP32) | op | BPF_X, dst, src, 0, 0);
  }

  goto(target: Label): void {
    this.#fixups.push({ slot: this.length, label: target, wide: false });
    this.raw(BPF_JMP | BPF_JA, 0, 0, 0, 0);
  }

  /** `gotol`: the distance is 32 bits wide. */
  gotol(target: Label): void {
    this.#fixups.push({ slot: this.length, label: target, wide: true });
    this.raw(BPF_JMP32 | BPF_JA, 0, 0, 0, 0);
  }

  mayGoto(target: Label): void {
    this.#fixups.push({ slot: this.length, label: target, wide: false });
    this.raw(BPF_JMP | 0xe0, 0, 0, 0, 0);
  }

  callHelper(id: number): void {
    this.raw(BPF_JMP | BPF_CALL, 0, 0, 0, id);
  }

  callKfunc(btfId: number): void {
    this.raw(BPF_JMP | BPF_CALL, 0, 2, 0, btfId);
  }

  callFunction(target: Label): void {
    this.#fixups.push({ slot: this.length, label: target, wide: true });
    this.raw(BPF_JMP | BPF_CALL, 0, 1, 0, 0);
  }

  exit(): void {
    this.raw(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }

  /** The instructions with every distance filled in. */
  finish(): Insn[] {
    for (const { slot, label, wide } of this.#fixups) {
      const distance = label.at - slot - 1;
      const at = this.insns[slot]!;
      this.insns[slot] = wide ? { ...at, imm: distance } : { ...at, off: distance };
    }
    return this.insns;
  }
}
