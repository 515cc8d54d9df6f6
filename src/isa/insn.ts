/**
 * One 8-byte instruction slot. `ld_imm64` takes two slots; the second has code 0 and carries the high word in `imm`.
 *
 *      63            32 31      16 15  12 11   8 7      0
 *     +----------------+----------+------+------+--------+
 *     |      imm       |   off    | src  | dst  |  code  |
 *     +----------------+----------+------+------+--------+
 *
 * `off` is a signed 16-bit number, `imm` a signed 32-bit number. Source: struct bpf_insn, include/uapi/linux/bpf.h.
 */
export interface Insn {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}

export const insn = (code: number, dst: number, src: number, off: number, imm: number): Insn => ({
  code,
  dst,
  src,
  off,
  imm,
});

export const SLOT_BYTES = 8;
