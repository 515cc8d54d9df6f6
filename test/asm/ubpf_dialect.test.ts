import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { recogniseDialect } from '../../src/asm/dialect.ts';
import type { StatementError } from '../../src/asm/statement.ts';
import { readUbpfStatement } from '../../src/asm/ubpf_dialect.ts';
import { type Insn, insn } from '../../src/isa/insn.ts';

const read = (text: string) => readUbpfStatement(text, { constant: () => null, codeByte: null });

describe('uBPF statements', () => {
  it.each<[string, Insn]>([
    ['add %r1, %r2', insn(0x0f, 1, 2, 0, 0)],
    ['add64 r1, -7', insn(0x07, 1, 0, 0, -7)],
    ['mov32 %r0, 0xffffffff', insn(0xb4, 0, 0, 0, -1)],
    ['sdiv32 %r1, %r2', insn(0x3c, 1, 2, 1, 0)],
    ['smod %r1, 5', insn(0x97, 1, 0, 1, 5)],
    ['neg32 %r2', insn(0x84, 2, 0, 0, 0)],
    ['movsx832 %r1, %r2', insn(0xbc, 1, 2, 8, 0)],
    ['movsx3264 %r1, %r2', insn(0xbf, 1, 2, 32, 0)],
    ['le16 %r1', insn(0xd4, 1, 0, 0, 16)],
    ['be64 %r1', insn(0xdc, 1, 0, 0, 64)],
    ['swap32 %r1', insn(0xd7, 1, 0, 0, 32)],
    ['bswap32 %r1', insn(0xd7, 1, 0, 0, 32)],
    ['ldxb %r0, [%r1+2]', insn(0x71, 0, 1, 2, 0)],
    ['ldxdw %r0, [%r10-0x8]', insn(0x79, 0, 10, -8, 0)],
    ['ldxsw %r0, [%r1]', insn(0x81, 0, 1, 0, 0)],
    ['stdw [%r1+8], -1', insn(0x7a, 1, 0, 8, -1)],
    ['stxh [%r1], %r2', insn(0x6b, 1, 2, 0, 0)],
    ['lock add [%r10-8], %r1', insn(0xdb, 10, 1, -8, 0)],
    ['lock fetch xor32 [%r10-8], %r1', insn(0xc3, 10, 1, -8, 0xa1)],
    ['lock xchg [%r10-8], %r1', insn(0xdb, 10, 1, -8, 0xe1)],
    ['lock cmpxchg32 [%r10-8], %r1', insn(0xc3, 10, 1, -8, 0xf1)],
    ['jset32 %r1, 0x80, +4', insn(0x46, 1, 0, 4, 0x80)],
    ['jsle %r1, %r2, -4', insn(0xdd, 1, 2, -4, 0)],
    ['ja32 +70000', insn(0x06, 0, 0, 0, 70000)],
    ['call 5', insn(0x85, 0, 0, 0, 5)],
    ['call helper 5', insn(0x85, 0, 0, 0, 5)],
    ['call runtime 5', insn(0x85, 0, 2, 0, 5)],
    ['call local 5', insn(0x85, 0, 1, 0, 5)],
    ['call %r2', insn(0x8d, 2, 0, 0, 0)],
    ['ldabsh 12', insn(0x28, 0, 0, 0, 12)],
    ['ldindw %r3, 4', insn(0x40, 0, 3, 0, 4)],
    ['exit', insn(0x95, 0, 0, 0, 0)],
  ])('%s', (text, expected) => {
    expect(read(text)).toMatchObject({ insn: expected, second: null, reference: null });
  });

  it('lddw has two slots', () => {
    expect(read('lddw %r3, 0x1122334455667788')).toMatchObject({ insn: insn(0x18, 3, 0, 0, 0x55667788), second: 0x11223344 });
  });

  it.each([
    ['mov %r0', 0, 'Invalid number of operands for mov'],
    ['mov %r0, %r11', 9, 'Invalid register'],
    ['movsx832 %r0, 5', 14, 'operand 2 of movsx832 must be a register'],
    ['ldxw %r0, %r1', 10, 'operand 2 of ldxw must be a memory operand such as [%r1+8]'],
    ['ja %r1', 3, 'operand 1 of ja must be a label or a distance such as +2'],
    ['lock frob [%r1], %r2', 0, "no instruction 'lock frob'"],
    ['exit %r0', 0, 'Invalid number of operands for exit'],
    ['jeq %r0, 1, +40000', 12, 'offset +40000 does not fit 16 bits'],
  ])('%s', (text, column, message) => {
    try {
      read(text);
      expect.fail('was taken');
    } catch (error) {
      expect([(error as StatementError).message, (error as StatementError).column]).toEqual([message, column]);
    }
  });
});

describe('labels', () => {
  const insns = (text: string) => assemble(text, 't', { profile: null }).programs[0]!.insns;

  it('exit is the first exit', () => {
    expect(insns('jeq %r1, 0, exit\nmov %r0, 1\nexit\nmov %r0, 2\nexit')[0]).toEqual(insn(0x15, 1, 0, 1, 0));
  });

  it('exit may be defined by the text', () => {
    expect(insns('jeq %r1, 0, exit\nexit\nexit:\nmov %r0, 1\nexit')[0]).toEqual(insn(0x15, 1, 0, 1, 0));
  });

  it('name local functions', () => {
    expect(insns('call local twice\nexit\ntwice:\nadd %r0, %r0\nexit')[0]).toEqual(insn(0x85, 0, 1, 0, 1));
  });
});

describe('the dialect is told by the first statement that only one has', () => {
  it.each([
    [['exit', 'mov %r0, 1'], 'ubpf'],
    [['call 1', 'ja +1'], 'ubpf'],
    [['lock add [r1], r2'], 'ubpf'],
    [['call 1', 'r0 = 1'], 'kernel'],
    [['goto out'], 'kernel'],
    [['lock *(u64 *)(r1 +0) += r2'], 'kernel'],
    [['if r1 == 0 goto +1'], 'kernel'],
    [['exit'], 'kernel'],
  ] as const)('%j', (statements, dialect) => {
    expect(recogniseDialect(statements)).toBe(dialect);
  });

  it('unless the text names it', () => {
    expect(() => assemble('.dialect ubpf\nr0 = 1\nexit', 't', { profile: null })).toThrow('t:2:4: expected end of input');
    expect(() => assemble('.dialect latin\nexit', 't', { profile: null })).toThrow("no dialect 'latin'");
  });
});
