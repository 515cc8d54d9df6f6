import { describe, expect, it } from 'vitest';
import { ALU_OP, ATOMIC_OP, CALL_SRC, CLASS, JMP_OP, LD_IMM64_SRC, MODE, SIZE } from '../../src/isa/constants.ts';
import { insn } from '../../src/isa/insn.ts';
import { isKnownCode, OPCODES, opcodeOf, variantsOf } from '../../src/isa/opcodes.ts';
import { insnText, printInsn } from '../../src/isa/print.ts';
import { registersRead, registersWritten } from '../../src/isa/register_use.ts';
import facts from './linux_6_18.json' with { type: 'json' };

const NAMES = {
  helper: (id: number) => (id === 7 ? 'bpf_get_prandom_u32' : null),
  kfunc: (id: number) => (id === 65977 ? 'bpf_throw' : null),
};

const prefixed = (table: Record<string, number>) => Object.fromEntries(Object.entries(table).map(([k, v]) => [`BPF_${k}`, v]));

describe('constants', () => {
  it('have the numbers of the kernel', () => {
    const { encoding } = facts;
    expect(prefixed(encoding.classes)).toEqual(CLASS);
    expect(prefixed(encoding.sizes)).toEqual(SIZE);
    expect(prefixed(encoding.modes)).toEqual(MODE);
    expect(prefixed(encoding.alu_ops)).toEqual(ALU_OP);
    expect(prefixed(encoding.jmp_ops)).toEqual(JMP_OP);
    const { ADD, OR, AND, XOR, ...atomic } = encoding.atomic_imm;
    expect(prefixed(atomic)).toEqual(ATOMIC_OP);
    expect({ ADD, OR, AND, XOR }).toEqual({ ADD: 0, OR: 0x40, AND: 0x50, XOR: 0xa0 });
    const { CALL, KFUNC_CALL, ...wide } = encoding.pseudo_src;
    expect({ BPF_PSEUDO_CALL: CALL, BPF_PSEUDO_KFUNC_CALL: KFUNC_CALL }).toEqual(CALL_SRC);
    expect(Object.fromEntries(Object.entries(wide).map(([k, v]) => [`BPF_PSEUDO_${k}`, v]))).toEqual(LD_IMM64_SRC);
  });
});

describe('every instruction of Linux 6.18', () => {
  it.each(
    facts.instructions.map((row) => [`${row.cls} ${row.op} ${row.size ?? row.source} ${row.off}/${row.imm}`, row] as const),
  )('%s', (_, row) => {
    const it = insn(row.opcode, row.dst, row.src, row.off, row.imm);
    const opcode = opcodeOf(it);
    expect(opcode).not.toBeNull();
    expect(opcode!.cls).toBe(`BPF_${row.cls}`);
    if (row.width !== 0) expect(opcode!.width).toBe(row.width);
    if (row.size !== null) expect(opcode!.size).toBe(`BPF_${row.size}`);
    if (row.source === 'K' || row.source === 'X') expect(opcode!.source).toBe(row.source);
    if (opcode!.origin === 'user') expect(opcode!.cpu).toBe(row.cpu);
    // the recorded subprogram call has one more slot to jump over than its sample row says
    const isSubprogCall = opcode!.kind === 'call_subprog';
    const shown = isSubprogCall ? { ...it, imm: 2 } : it;
    if (row.text !== null) expect(insnText([shown, insn(0, 0, 0, 0, 0)], 0, NAMES)).toBe(row.text);
  });

  it('has an entry, and every entry that a user may write has a row', () => {
    const rows = new Set(facts.instructions.map((row) => opcodeOf(insn(row.opcode, row.dst, row.src, row.off, row.imm))));
    expect(OPCODES.filter((opcode) => opcode.origin === 'user' && !rows.has(opcode))).toEqual([]);
  });

  it('is told from its neighbours by at most one field', () => {
    for (const opcode of OPCODES) {
      const others = variantsOf(opcode.code).filter((other) => other !== opcode);
      if (others.length === 0) continue;
      expect(opcode.selector).not.toBeNull();
      for (const other of others) {
        expect(other.selector!.field).toBe(opcode.selector!.field);
        expect(other.selector!.value).not.toBe(opcode.selector!.value);
      }
    }
  });
});

describe('code bytes', () => {
  it('known to user programs are those of the rows', () => {
    const known = Array.from({ length: 256 }, (_, code) => code).filter(isKnownCode);
    expect(known.length).toBe(new Set(facts.instructions.map((row) => row.opcode)).size);
    for (const code of [0x00, 0x8c, 0x8d, 0x8f, 0xdf, 0x99, 0x86, 0x96, 0x0d, 0xe6, 0xff]) expect(isKnownCode(code)).toBe(false);
  });
});

describe('print', () => {
  const text = (code: number, dst: number, src: number, off: number, imm: number) =>
    printInsn([insn(code, dst, src, off, imm), insn(0, 0, 0, 0, 0x7fffffff)], 0, NAMES);

  it.each([
    ['negative immediates are decimal in arithmetic', text(0xb7, 1, 0, 0, -1), '(b7) r1 = -1'],
    ['and unsigned hexadecimal in comparisons', text(0x55, 3, 0, -2, -1), '(55) if r3 != 0xffffffff goto pc-2'],
    ['unknown helpers', text(0x85, 0, 0, 0, 9999), '(85) call unknown#9999'],
    ['kfuncs without BTF', text(0x85, 0, 2, 0, 12), '(85) call kernel-function#12'],
    ['calls back', text(0x85, 0, 1, 0, -4), '(85) call pc-4'],
    ['64-bit constants', text(0x18, 1, 0, 0, -1), '(18) r1 = 0x7fffffffffffffff'],
    ['signed division only with its offset', text(0x37, 1, 0, 2, 3), '(37) r1 /= 3'],
    ['byte atomics that Linux refuses', text(0xd3, 1, 2, 4, 0), '(d3) lock *(u8 *)(r1 +4) += r2'],
    ['atomics without meaning', text(0xdb, 1, 2, 4, 3), 'BUG_db'],
    ['loads without meaning', text(0x01, 1, 2, 4, 3), 'BUG_ldx_01'],
    ['stores without meaning', text(0x02, 1, 2, 4, 3), 'BUG_st_02'],
    ['wide loads without meaning', text(0x00, 1, 2, 4, 3), 'BUG_ld_00'],
    ['barriers', text(0xc2, 0, 0, 0, 0), '(c2) nospec'],
    ['operators without meaning', text(0xe7, 1, 0, 0, 3), '(e7) r1 (null) 3'],
    ['conditions without meaning', text(0xe5, 1, 3, 1, 3), '(e5) if r1 (null) 0x3 goto pc+1'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('hides map pointers from loaders without the right to see addresses', () => {
    const map = [insn(0x18, 1, 1, 0, 5), insn(0, 0, 0, 0, 1)];
    expect(printInsn(map, 0, NAMES)).toBe('(18) r1 = 0x100000005');
    expect(printInsn(map, 0, NAMES, { allowPtrLeaks: false })).toBe('(18) r1 = 0x0');
    const named = { ...NAMES, immediate: () => 'map[id:1]' };
    expect(printInsn(map, 0, named)).toBe('(18) r1 = map[id:1]');
  });
});

describe('register use', () => {
  const use = (code: number, off: number, imm: number) => {
    const it = insn(code, 3, 4, off, imm);
    return [registersRead(it), registersWritten(it)];
  };
  it.each([
    ['add by register', use(0x0f, 0, 0), [0x18, 0x08]],
    ['move', use(0xbf, 0, 0), [0x10, 0x08]],
    ['move of a constant', use(0xb7, 0, 1), [0, 0x08]],
    ['byte swap', use(0xd7, 0, 64), [0x08, 0x08]],
    ['load', use(0x79, 0, 0), [0x10, 0x08]],
    ['store', use(0x7b, 0, 0), [0x18, 0]],
    ['atomic add', use(0xdb, 0, 0), [0x18, 0]],
    ['atomic fetch and add', use(0xdb, 0, 1), [0x18, 0x10]],
    ['exchange', use(0xdb, 0, 0xe1), [0x18, 0x10]],
    ['compare and exchange', use(0xdb, 0, 0xf1), [0x19, 0x01]],
    ['load-acquire', use(0xdb, 0, 0x100), [0x10, 0x08]],
    ['store-release', use(0xdb, 0, 0x110), [0x18, 0]],
    ['comparison', use(0x1d, 0, 0), [0x18, 0]],
    ['jump', use(0x05, 0, 0), [0, 0]],
    ['exit', use(0x95, 0, 0), [0x01, 0]],
    ['packet load', use(0x20, 0, 0), [0xffff, 0]],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });

  it('calls read five arguments and lose six registers', () => {
    for (const src of [0, 1, 2]) {
      const call = insn(0x85, 0, src, 0, 1);
      expect([registersRead(call), registersWritten(call)]).toEqual([0x3e, 0x3f]);
    }
  });
});
