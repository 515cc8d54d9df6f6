import { describe, expect, it } from 'vitest';
import { checkEncoding, checkImmediate, checkOpcode, checkReservedFields, checkUnusedFields } from '../../src/isa/fields.ts';
import { type Insn, insn } from '../../src/isa/insn.ts';
import { OPCODES } from '../../src/isa/opcodes.ts';
import facts from './linux_6_18.json' with { type: 'json' };

const EXIT = insn(0x95, 0, 0, 0, 0);
const messageOf = (it: Insn): string | null => checkReservedFields(it)?.message ?? null;

describe('checkOpcode', () => {
  const at = (...insns: Insn[]) => checkOpcode(insns, 0)?.message ?? null;
  it.each([
    ['a load with an immediate', at(insn(0x79, 0, 1, 0, 1)), 'BPF_LDX uses reserved fields'],
    ['a load of another mode', at(insn(0x01, 0, 1, 0, 0)), 'BPF_LDX uses reserved fields'],
    ['a sign-extending load of 8 bytes', at(insn(0x99, 0, 1, 0, 0)), 'unknown opcode 99'],
    ['half an ld_imm64', at(insn(0x18, 1, 0, 0, 0)), 'invalid bpf_ld_imm64 insn'],
    [
      'an ld_imm64 with a used field in its second half',
      at(insn(0x18, 1, 0, 0, 0), insn(0, 0, 0, 1, 0)),
      'invalid bpf_ld_imm64 insn',
    ],
    ['an ld_imm64 of source 7', at(insn(0x18, 1, 7, 0, 0), insn(0, 0, 0, 0, 0)), 'unrecognized bpf_ld_imm64 insn'],
    ['a map with an offset', at(insn(0x18, 1, 1, 0, 0), insn(0, 0, 0, 0, 4)), 'unrecognized bpf_ld_imm64 insn'],
    ['a map value with an offset', at(insn(0x18, 1, 2, 0, 0), insn(0, 0, 0, 0, 4)), null],
    ['negation by register', at(insn(0x8f, 1, 0, 0, 0)), 'unknown opcode 8f'],
    ['callx', at(insn(0x8d, 1, 0, 0, 0)), 'unknown opcode 8d'],
    ['exit', at(EXIT), null],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});

describe('checkReservedFields', () => {
  it.each([
    ['negation', insn(0x87, 1, 0, 0, 1), 'BPF_NEG uses reserved fields'],
    ['byte swap of 24 bits', insn(0xd7, 1, 0, 0, 24), 'BPF_END uses reserved fields'],
    ['byte order with a source', insn(0xd4, 1, 1, 0, 16), 'BPF_END uses reserved fields'],
    ['move with an odd extension', insn(0xbf, 1, 2, 7, 0), 'BPF_MOV uses reserved fields'],
    ['32-bit move extended from 32 bits', insn(0xbc, 1, 2, 32, 0), 'BPF_MOV uses reserved fields'],
    ['per-CPU move', insn(0xbf, 1, 2, -1, 0), 'BPF_MOV uses reserved fields'],
    [
      'cast between other address spaces',
      insn(0xbf, 1, 2, 1, 2),
      'addr_space_cast insn can only convert between address space 1 and 0',
    ],
    ['cast', insn(0xbf, 1, 2, 1, 0x10000), null],
    ['signed addition', insn(0x07, 1, 0, 1, 3), 'BPF_ALU uses reserved fields'],
    ['division of sign 2', insn(0x37, 1, 0, 2, 3), 'BPF_ALU uses reserved fields'],
    ['signed division', insn(0x3f, 1, 2, 1, 0), null],
    ['comparison by register with an immediate', insn(0x1d, 1, 2, 0, 1), 'BPF_JMP/JMP32 uses reserved fields'],
    ['may_goto on another condition', insn(0xe5, 0, 1, 0, 9), 'invalid may_goto imm 9'],
    ['jump with an immediate', insn(0x05, 0, 0, 1, 1), 'BPF_JA uses reserved fields'],
    ['long jump with an offset', insn(0x06, 0, 0, 1, 1), 'BPF_JA uses reserved fields'],
    ['call of kind 3', insn(0x85, 0, 3, 0, 1), 'BPF_CALL uses reserved fields'],
    ['helper call with an offset', insn(0x85, 0, 0, 1, 1), 'BPF_CALL uses reserved fields'],
    ['kfunc call with an offset', insn(0x85, 0, 2, 1, 1), null],
    ['exit with a register', insn(0x95, 1, 0, 0, 0), 'BPF_EXIT uses reserved fields'],
    ['exit with an offset, which the kernel does not look at', insn(0x95, 0, 0, 1, 0), null],
    ['store with an immediate', insn(0x7b, 1, 2, 0, 1), 'BPF_STX uses reserved fields'],
    ['store of a constant with a register', insn(0x7a, 1, 2, 0, 1), 'BPF_ST uses reserved fields'],
    ['packet load into r1', insn(0x20, 1, 0, 0, 1), 'BPF_LD_[ABS|IND] uses reserved fields'],
    ['wide constant with an offset', insn(0x18, 1, 0, 1, 1), 'BPF_LD_IMM64 uses reserved fields'],
    ['atomic of no operation', insn(0xdb, 1, 2, 0, 3), 'BPF_ATOMIC uses invalid atomic opcode 03'],
    ['atomic of a negative operation', insn(0xdb, 1, 2, 0, -1), 'BPF_ATOMIC uses invalid atomic opcode ffffffff'],
    ['byte add', insn(0xd3, 1, 2, 0, 0), 'invalid atomic operand size'],
  ])('%s', (_, it, expected) => {
    expect(messageOf(it)).toBe(expected);
  });

  it('takes every sample that the kernel took', () => {
    for (const row of facts.instructions) {
      if (row.message !== null) continue;
      const it = insn(row.opcode, row.dst, row.src, row.off, row.imm);
      expect([row.op, checkOpcode([it, insn(0, 0, 0, 0, 0)], 0), checkReservedFields(it)]).toEqual([row.op, null, null]);
    }
  });

  it('finds every unused field of every user instruction', () => {
    for (const opcode of OPCODES) {
      if (opcode.origin !== 'user') continue;
      const field = opcode.selector?.field;
      const base = {
        code: opcode.code,
        dst: 0,
        src: field === 'src' ? opcode.selector!.value : 0,
        off: field === 'off' ? opcode.selector!.value : 0,
        imm: field === 'imm' ? opcode.selector!.value : opcode.imm === 'address_spaces' ? 1 : 0,
      };
      for (const name of ['dst', 'src', 'off', 'imm'] as const) {
        if (opcode[name] !== 'unused') continue;
        const spoilt = [{ ...base, [name]: 1 }, insn(0, 0, 0, 0, 0)];
        expect([opcode.op, name, checkEncoding([base, insn(0, 0, 0, 0, 0)])?.insn ?? 1]).toEqual([opcode.op, name, 1]);
        expect([opcode.op, name, checkEncoding(spoilt)?.insn]).toEqual([opcode.op, name, 0]);
      }
    }
  });
});

describe('checkImmediate', () => {
  it.each([
    ['division by zero', insn(0x37, 1, 0, 0, 0), 'div by zero'],
    ['signed remainder by zero', insn(0x94, 1, 0, 1, 0), 'div by zero'],
    ['division by a register', insn(0x3f, 1, 0, 0, 0), null],
    ['64-bit shift by 64', insn(0x67, 1, 0, 0, 64), 'invalid shift 64'],
    ['32-bit shift by 32', insn(0xc4, 1, 0, 0, 32), 'invalid shift 32'],
    ['shift by -1', insn(0x77, 1, 0, 0, -1), 'invalid shift -1'],
    ['shift by 63', insn(0x77, 1, 0, 0, 63), null],
  ])('%s', (_, it, expected) => {
    expect(checkImmediate(it)?.message ?? null).toBe(expected);
  });
});

describe('checkEncoding', () => {
  it('is stricter than the kernel about exit', () => {
    const it = insn(0x95, 0, 0, 1, 0);
    expect(checkUnusedFields(it)).toEqual({ rule: 'unused field', message: 'BPF_EXIT uses unused field off' });
    expect(checkEncoding([EXIT, it])).toMatchObject({ insn: 1, rule: 'unused field' });
  });

  it('takes callx and skips second halves', () => {
    expect(checkEncoding([insn(0x8d, 2, 0, 0, 0), insn(0x18, 1, 0, 0, 0), insn(0, 0, 0, 0, 0), EXIT])).toBeNull();
  });
});
