import { type Insn, insn as makeInsn } from '../../isa/insn.ts';
import { BtfError } from '../error.ts';
import type { CoreResult } from './value.ts';

/** 0xbad2310, "bad relo": the helper that a poisoned instruction calls, which no kernel has. */
export const POISON_CORE = 195896080;

const CALL = 0x85;
const LD_IMM64 = 0x18;

/** The instruction that takes the place of one whose relocation failed. Source: bpf_core_poison_insn. */
export const poisonInsn = (): Insn => makeInsn(CALL, 0, 0, 0, POISON_CORE);

const POISONED = 'CO-RE relocation found no match in the target';
const BAD_SIZE = 'accesses field incorrectly: pointers, unsigned integers, or fields of matching type and size are expected';

/** Access sizes in bytes by the size bits of the opcode. */
const SIZE_BITS: ReadonlyMap<number, number> = new Map([
  [4, 0x00],
  [2, 0x08],
  [1, 0x10],
  [8, 0x18],
]);

const bytesOf = (code: number): number => [...SIZE_BITS].find(([, bits]) => bits === (code & 0x18))![0];

const signed64 = (value: number): bigint => BigInt.asUintN(64, BigInt(value));

/** What a relocation did. */
export interface Patched {
  /** One slot, or both of an `ld_imm64`. */
  readonly insns: readonly Insn[];
  /** Why the instruction was replaced by a call of no helper; undefined: it was relocated. */
  readonly poison: string | undefined;
}

const poisoned = (insn: Insn, reason: string): Patched => ({
  insns: insn.code === LD_IMM64 ? [poisonInsn(), poisonInsn()] : [poisonInsn()],
  poison: reason,
});

const unexpected = (what: string, got: bigint | number, result: CoreResult & { poison: false }): BtfError =>
  new BtfError(`unexpected ${what} value: got ${got}, exp ${result.origValue} -> ${result.newValue}`);

const patchImmediate = (insn: Insn, result: CoreResult & { poison: false }): Patched => {
  if ((insn.code & 0x08) !== 0) throw new BtfError('relocation of an instruction without an immediate');
  if (result.validate && signed64(insn.imm) !== result.origValue) throw unexpected('ALU/ALU64', insn.imm >>> 0, result);
  return { insns: [{ ...insn, imm: Number(BigInt.asIntN(32, result.newValue)) }], poison: undefined };
};

const patchAccess = (insn: Insn, result: CoreResult & { poison: false }): Patched => {
  if (result.validate && signed64(insn.off) !== result.origValue) throw unexpected('LDX/ST/STX', insn.off, result);
  if (result.newValue > 0x7fffn) throw new BtfError(`LDX/ST/STX value too big: ${result.newValue}`, { errno: 'ERANGE' });
  if (result.badSize) return poisoned(insn, BAD_SIZE);
  const moved = { ...insn, off: Number(result.newValue) };
  if (result.newSize === result.origSize) return { insns: [moved], poison: undefined };
  const bytes = bytesOf(insn.code);
  if (bytes !== result.origSize) throw new BtfError(`LDX/ST/STX unexpected mem size: got ${bytes}, exp ${result.origSize}`);
  const bits = SIZE_BITS.get(result.newSize);
  if (bits === undefined) throw new BtfError(`LDX/ST/STX invalid new mem size: ${result.newSize}`);
  return { insns: [{ ...moved, code: (insn.code & ~0x18) | bits }], poison: undefined };
};

const patchWide = (insn: Insn, high: Insn | undefined, result: CoreResult & { poison: false }): Patched => {
  const wellFormed =
    insn.code === LD_IMM64 &&
    insn.src === 0 &&
    insn.off === 0 &&
    high?.code === 0 &&
    high.dst === 0 &&
    high.src === 0 &&
    high.off === 0;
  if (!wellFormed) throw new BtfError('LDIMM64 has unexpected form');
  const value = BigInt.asUintN(32, BigInt(insn.imm)) | (BigInt.asUintN(32, BigInt(high.imm)) << 32n);
  if (result.validate && value !== result.origValue) throw unexpected('LDIMM64', value, result);
  const low = Number(BigInt.asIntN(32, result.newValue));
  return {
    insns: [
      { ...insn, imm: low },
      { ...high, imm: Number(BigInt.asIntN(32, result.newValue >> 32n)) },
    ],
    poison: undefined,
  };
};

/**
 * Puts a relocation's outcome into an instruction; `high` is the slot behind it. Throws `BtfError` where the instruction is not
 * what the relocation says it is. Source: bpf_core_patch_insn, tools/lib/bpf/relo_core.c.
 */
export const patchInsn = (insn: Insn, high: Insn | undefined, result: CoreResult): Patched => {
  if (result.poison) return poisoned(insn, POISONED);
  switch (insn.code & 0x07) {
    case 0x04: // ALU
    case 0x07: // ALU64
      return patchImmediate(insn, result);
    case 0x01: // LDX
    case 0x02: // ST
    case 0x03: // STX
      return patchAccess(insn, result);
    case 0x00: // LD
      return patchWide(insn, high, result);
    default:
      throw new BtfError(`trying to relocate unrecognized insn, code:0x${insn.code.toString(16)}`);
  }
};
