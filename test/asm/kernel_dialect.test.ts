import { describe, expect, it } from 'vitest';
import { readKernelStatement } from '../../src/asm/kernel_dialect.ts';
import { StatementError } from '../../src/asm/statement.ts';
import { type Insn, insn } from '../../src/isa/insn.ts';
import facts from '../isa/linux_6_18.json' with { type: 'json' };

const scope = (codeByte: number | null = null) => ({
  constant: (name: string) => (name === 'XDP_PASS' ? 2n : name === 'MINUS' ? -1n : null),
  helperId: (name: string) => (name === 'bpf_get_prandom_u32' ? 7 : null),
  codeByte,
});
const read = (text: string) => readKernelStatement(text, scope());

const rows = facts.instructions.filter((row) => row.op !== 'MOV_PERCPU_ADDR');

describe('offsetof', () => {
  const fields = (struct: string, path: string) =>
    struct === 'task_struct' ? ({ pid: 1264, 'se.avg[1]': 24 }[path] ?? null) : null;
  const draft = (text: string) => readKernelStatement(text, { ...scope(), fieldOffset: fields });

  it('is a number where an offset or an immediate stands', () => {
    expect(draft('r1 = *(u32 *)(r2 + offsetof(task_struct, pid))')).toEqual(read('r1 = *(u32 *)(r2 +1264)'));
    expect(draft('r1 += offsetof( task_struct , se.avg[1] )')).toEqual(read('r1 += 24'));
    expect(draft('*(u8 *)(r1 + offsetof(task_struct, pid)) = 7')).toEqual(read('*(u8 *)(r1 +1264) = 7'));
  });

  it('of a field that the kernel lacks keeps the program from loading', () => {
    expect(draft('r1 = *(u32 *)(r2 + offsetof(task_struct, gone))').missingField).toBe('task_struct.gone');
    expect(read('r1 = *(u32 *)(r2 + offsetof(nobody, knows))')).toMatchObject({ missingField: 'nobody.knows' });
  });
});

describe('the text of Linux 6.18 for every instruction', () => {
  it.each(rows.flatMap((row) => (row.text === null || row.op.includes('bpf-to-bpf') ? [] : [[row.text, row] as const])))(
    '%s',
    (text, row) => {
      const { insn: actual } = readKernelStatement(text, scope(row.opcode));
      expect(actual).toEqual(insn(row.opcode, row.dst, row.src, row.off, row.imm));
    },
  );
});

describe('the text of LLVM for every instruction that it knows', () => {
  // LLVM 19 does not know load-acquire and shows calls and pseudo constants by number
  const known = rows.filter((row) => !/LOAD_ACQ|CALL (pseudo|kfunc)/.test(row.op));
  it.each(known.flatMap((row) => (row.llvm === null || row.llvm.startsWith('ld_pseudo') ? [] : [[row.llvm, row] as const])))(
    '%s',
    (text, row) => {
      expect(read(text).insn).toEqual(insn(row.opcode, row.dst, row.src, row.off, row.imm));
    },
  );
});

describe('other spellings', () => {
  it.each<[string, Insn, number | null]>([
    ['r0 = XDP_PASS', insn(0xb7, 0, 0, 0, 2), null],
    ['r0 = MINUS', insn(0xb7, 0, 0, 0, -1), null],
    ['w3 = xchg32_32(r10 - 8, w3)', insn(0xc3, 10, 3, -8, 0xe1), null],
    ['r0 = cmpxchg_64(r10 - 0x8, r0, r3)', insn(0xdb, 10, 3, -8, 0xf1), null],
    ['*(u32*)(r1+4)=w2', insn(0x63, 1, 2, 4, 0), null],
    ['*(u8 *)(r1 - 0x1) = 0xff', insn(0x72, 1, 0, -1, 255), null],
    ['r0 = *(u8 *)skb[r6]', insn(0x50, 0, 6, 0, 0), null],
    ['r0 = *(u16 *)skb[0xc]', insn(0x28, 0, 0, 0, 12), null],
    ['if w1 s> -5 goto +3', insn(0x66, 1, 0, 3, -5), null],
    ['if r1 & 0x80000000 goto pc-3', insn(0x45, 1, 0, -3, -0x80000000), null],
    ['if r1 != r2 goto +0x10 <LBB0_2>', insn(0x5d, 1, 2, 16, 0), null],
    ['gotol -70000', insn(0x06, 0, 0, 0, -70000), null],
    ['may_goto pc+3', insn(0xe5, 0, 0, 3, 0), null],
    ['callx r2', insn(0x8d, 2, 0, 0, 0), null],
    ['call 0x5', insn(0x85, 0, 0, 0, 5), null],
    ['call pc+3', insn(0x85, 0, 1, 0, 3), null],
    ['call unknown#195', insn(0x85, 0, 0, 0, 195), null],
    ['call kernel-function#12', insn(0x85, 0, 2, 0, 12), null],
    ['call bpf_throw#65977', insn(0x85, 0, 2, 0, 65977), null],
    ['r1 = 0x1122334455667788 ll', insn(0x18, 1, 0, 0, 0x55667788), 0x11223344],
    ['r1 = -5 ll', insn(0x18, 1, 0, 0, -5), -1],
    ['r1 = btf_id(7) ll', insn(0x18, 1, 3, 0, 7), 0],
    ['r1 = func(pc+9) ll', insn(0x18, 1, 4, 0, 9), 0],
    ['r1 = map_idx(3) ll', insn(0x18, 1, 5, 0, 3), 0],
    ['r1 = map_idx_value(3, 16) ll', insn(0x18, 1, 6, 0, 3), 16],
    ['ld_pseudo r1, 9, 0x100000002', insn(0x18, 1, 9, 0, 2), 1],
    ['store_release((u8 *)(r10 - 1), w3)', insn(0xd3, 10, 3, -1, 0x110), null],
    ['lock *(u8 *)(r1 +0) += r2', insn(0xd3, 1, 2, 0, 0), null],
  ])('%s', (text, expected, second) => {
    expect(read(text)).toMatchObject({ insn: expected, second, reference: null });
  });

  it.each([
    ['goto out', { kind: 'jump', field: 'off', target: 'out' }],
    ['gotol .L2', { kind: 'jump', field: 'imm', target: '.L2' }],
    ['if r1 == 0 goto 1f', { kind: 'jump', field: 'off', target: '1f' }],
    ['call bpf_map_lookup_elem', { kind: 'call', target: 'bpf_map_lookup_elem', only: null }],
    ['r1 = counts ll', { kind: 'address', target: 'counts', addend: 0 }],
    ['r1 = state+8 ll', { kind: 'address', target: 'state', addend: 8 }],
    ['r1 = counts[0]-8 ll', { kind: 'value', target: 'counts', offset: -8 }],
  ])('%s waits for its name', (text, reference) => {
    expect(read(text).reference).toEqual(reference);
  });
});

describe('bad statements', () => {
  it.each([
    ['r1 = XDP', 5, "'XDP' is not a register, a number or a constant"],
    ['r1 = 99999999999', 5, 'immediate 99999999999 does not fit 32 bits'],
    ['r1 = 4294967295', 5, 'immediate 4294967295 does not fit 32 bits'],
    ['r1 = *(u32 *)(r2 +40000)', 17, 'offset 40000 does not fit 16 bits'],
    ['r1 = *(u32 *)(w2 +4)', 14, 'an address needs an r register'],
    ['*(u64 *)(r1 +0) = w2', 18, 'a w register holds 32 bits only'],
    ['r1 += w2', 6, 'both registers must be r or both must be w'],
    ['r1 = -r2', 6, 'negation is in place: both registers are the same'],
    ['r1 = be16 r2', 10, 'a byte swap is in place: both registers are the same'],
    ['w1 = (s32)w2', 5, 'there is no such instruction'],
    ['r1 = *(s64 *)(r2 +0)', 5, 'there is no such instruction'],
    ['r2 = atomic_fetch_add((u64 *)(r1 +0), r3)', 0, 'the result of this operation is in r3'],
    ['r3 = atomic64_fetch_add((u32 *)(r1 +0), r3)', 5, 'atomic64 needs a 64-bit operand'],
    ['r0 = atomic_cmpxchg((u32 *)(r1 +0), r2, r3)', 36, 'the expected value is in r0'],
    ['r1 = *(u8 *)skb[0]', 0, 'packet loads go into r0'],
    ['r16 = 1', 0, 'no register r16'],
    ['goto +40000', 5, 'offset +40000 does not fit 16 bits'],
    ['r1 = addr_space_cast(r2, 65536, 0)', 25, 'an address space is from 0 to 65535'],
  ])('%s', (text, column, message) => {
    try {
      read(text);
      expect.fail('was taken');
    } catch (error) {
      expect(error).toBeInstanceOf(StatementError);
      expect([(error as StatementError).message, (error as StatementError).column]).toEqual([message, column]);
    }
  });

  it('say what was expected where', () => {
    expect(() => read('r1 +== 2')).toThrow('expected a name, a number, or a register');
    expect(() => read('if r1 == 0 jump out')).toThrow('expected "goto"');
  });
});
