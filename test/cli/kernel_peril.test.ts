import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import type { Btf } from '../../src/btf/btf.ts';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { kernelPeril } from '../../src/cli/kernel_peril.ts';
import { PROG_TYPES } from '../../src/contracts/uapi_numbers.ts';
import { insn } from '../../src/isa/insn.ts';
import { EMPTY_PROGRAM, type Program } from '../../src/program/program.ts';
import { verify } from '../../src/verifier/verify.ts';
import { profile } from '../samples.ts';

const typesWith = (attribute: string): Btf =>
  btfFromC(`
    int prog(struct __sk_buff *ctx)${attribute};
    static int other(void);
    int caught(unsigned long long cookie);
  `).btf;
const CATCHING = typesWith(' __attribute__((btf_decl_tag("exception_callback:caught")))');
const PLAIN = typesWith('');
const RETURN_0 = [insn(0xb7, 0, 0, 0, 0), insn(0x95, 0, 0, 0, 0)];
const MAIN_SLOTS = 5;

/** The main program, a function, the exception callback. */
const program = (isCalled: boolean, types: Btf): Program => ({
  ...EMPTY_PROGRAM,
  name: 'prog',
  type: PROG_TYPES.socket_filter,
  // r0 = 0; if r0 == 0 goto +1, or r0 == 1; call other
  insns: [
    insn(0xb7, 0, 0, 0, 0),
    insn(0x15, 0, 0, 1, isCalled ? 1 : 0),
    insn(0x85, 0, 1, 0, 2),
    ...RETURN_0,
    ...RETURN_0,
    ...RETURN_0,
  ],
  btf: types,
  funcInfo: ['prog', 'other', 'caught'].map((name, i) => ({
    insn: i === 0 ? 0 : MAIN_SLOTS + 2 * (i - 1),
    typeId: types.findByName(name, 'FUNC')!.id,
  })),
});

const perilOf = (subject: Program): string | null => {
  const { verdict, loaded } = verify(subject, profile);
  expect(verdict).toBe('accept');
  return kernelPeril(subject, profile, loaded);
};

/** Source: adjust_subprog_starts_after_remove, kernel/bpf/verifier.c, which leaves exception_callback_subprog as it was. */
describe('a program that takes the kernel down', () => {
  it('has an exception callback behind a function that is never reached', () => {
    expect(perilOf(program(false, CATCHING))).toMatch(/^an exception callback behind a function that is never reached/);
  });
  it('is none where the function is reached, or without an exception callback', () => {
    expect(perilOf(program(true, CATCHING))).toBe(null);
    expect(kernelPeril(program(false, PLAIN), profile, { reached: new Set([0]) })).toBe(null);
  });
  it('is one of struct_ops that returns a pointer, or the NULL that stands for one', () => {
    const ssthresh = (body: string): Program => {
      const text = `.section "struct_ops"\n.map ring ringbuf max_entries=4096\n.program ssthresh\n${body}\nexit\n.struct_ops ops tcp_congestion_ops ssthresh=ssthresh`;
      return assemble(text, 'p.bpf.s', { profile }).programs[0]!;
    };
    expect(perilOf(ssthresh('r0 = r10'))).toBe('a struct_ops program that returns a pointer takes Linux 6.18 down');
    const reserved = 'r1 = ring ll\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve\nif r0 != 0 goto out\nexit\nout:\nr1 = r0\nr2 = 0';
    expect(perilOf(ssthresh(`${reserved}\ncall bpf_ringbuf_discard\nr0 = 1`))).toMatch(/^a struct_ops program/);
    expect(perilOf(ssthresh('r0 = 2'))).toBe(null);
  });
});
