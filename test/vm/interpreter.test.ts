import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../src/isa/insn.ts';
import type { Program } from '../../src/program/program.ts';
import { run } from '../../src/vm/run.ts';
import { faultOf, image, profile, resultOf, runText } from './programs.ts';

describe('functions', () => {
  it('keep r6 to r9 and the stack of their callers', () => {
    const text = `
      .program p
      r6 = 1; r7 = 2; r8 = 3; r9 = 4
      *(u64 *)(r10 - 8) = r6
      call f
      r0 += r6; r0 += r7; r0 += r8; r0 += r9
      r1 = *(u64 *)(r10 - 8)
      r0 += r1
      exit
      .func f
      r6 = 100; r7 = 100; r8 = 100; r9 = 100
      *(u64 *)(r10 - 8) = r6
      r0 = 5
      exit`;
    expect(resultOf(text)).toBe(16n);
  });

  it('may write the stack of their callers through a pointer', () => {
    const text = `
      .program p
      r1 = r10
      r1 += -8
      call f
      r0 = *(u64 *)(r10 - 8)
      exit
      .func f
      r2 = 77
      *(u64 *)(r1 + 0) = r2
      r0 = 0
      exit`;
    expect(resultOf(text)).toBe(77n);
  });

  it('are at most 8 deep', () => {
    expect(resultOf('.program p\nr1 = 7\ncall f\nexit\n.func f\nr0 = r1\nif r1 == 1 goto out\nr1 += -1\ncall f\nout: exit')).toBe(
      1n,
    );
    expect(
      faultOf('.program p\nr1 = 8\ncall f\nexit\n.func f\nr0 = r1\nif r1 == 1 goto out\nr1 += -1\ncall f\nout: exit'),
    ).toEqual(['stack-overflow', 6]);
  });

  it('lose their stack when they return', () => {
    const text =
      '.program p\ncall f\nr0 = *(u64 *)(r0 + 0)\nexit\n.func f\nr0 = r10\nr0 += -8\nr1 = 3\n*(u64 *)(r0 + 0) = r1\nexit';
    expect(faultOf(text)).toEqual(['use-after-free', 1]);
  });
});

describe('tail calls', () => {
  const chain = (first: string): string => `
    .map jumps prog_array key_size=4 value_size=4 max_entries=2 slots=0:p,1:q
    .section "tc"
    .program p
    ${first}
    .program q
    r0 = 42
    exit`;
  const call = (index: number): string => `r2 = jumps ll\nr3 = ${index}\ncall bpf_tail_call`;

  it('do not return', () => {
    expect(resultOf(chain(`${call(1)}\nr0 = 1\nexit`))).toBe(42n);
  });

  it.each([2, 5, -1])('to slot %i fall through', (index) => {
    expect(resultOf(chain(`${call(index)}\nr0 = 1\nexit`))).toBe(1n);
  });

  it('happen 33 times in a run', () => {
    const text = chain(`
      r6 = r1
      r1 = *(u32 *)(r6 + 48)
      r1 += 1
      *(u32 *)(r6 + 48) = r1
      r1 = r6
      ${call(0)}
      r0 = *(u32 *)(r6 + 48)
      exit`);
    expect(resultOf(text)).toBe(34n);
  });

  it('from a function return to its caller', () => {
    const text = `
      .map jumps prog_array key_size=4 value_size=4 max_entries=2 slots=1:q
      .section "tc"
      .program p
      r6 = 1
      call f
      r0 += r6
      exit
      .func f
      ${call(1)}
      r0 = 0
      exit
      .program q
      r6 = 500
      r0 = 42
      exit`;
    expect(resultOf(text)).toBe(43n);
  });
});

describe('callbacks', () => {
  it('run for each turn and see what the program passes', () => {
    const text = `
      .program p
      *(u64 *)(r10 - 8) = 0
      r1 = 10
      r2 = each ll
      r3 = r10
      r3 += -8
      r4 = 0
      call bpf_loop
      r1 = *(u64 *)(r10 - 8)
      r1 <<= 8
      r0 |= r1
      exit
      .func each
      r3 = *(u64 *)(r2 + 0)
      r3 += r1
      *(u64 *)(r2 + 0) = r3
      r0 = 0
      exit`;
    expect(resultOf(text)).toBe((45n << 8n) | 10n);
  });

  it('may nest', () => {
    const text = `
      .program p
      *(u64 *)(r10 - 8) = 0
      r1 = 4
      r2 = outer ll
      r3 = r10
      r3 += -8
      r4 = 0
      call bpf_loop
      r0 = *(u64 *)(r10 - 8)
      exit
      .func outer
      r6 = r2
      r1 = 5
      r2 = inner ll
      r3 = r6
      r4 = 0
      call bpf_loop
      r0 = 0
      exit
      .func inner
      lock *(u64 *)(r2 + 0) += r1
      r0 = 0
      exit`;
    expect(resultOf(text)).toBe(40n);
  });

  it('to something that is no function fault', () => {
    expect(faultOf('r1 = 1\nr2 = 8\nr3 = 0\nr4 = 0\ncall bpf_loop\nexit')).toEqual(['bad-call', 4]);
  });
});

describe('unverified programs', () => {
  it.each([
    ['load through a number', 'r0 = *(u64 *)(r0 + 0)\nexit', ['null', 0]],
    ['load through a large number', 'r1 = 0x123456789abc ll\nr0 = *(u8 *)(r1 + 0)\nexit', ['unmapped', 2]],
    ['store above the stack', 'r1 = 1\n*(u64 *)(r10 + 0) = r1\nexit', ['out-of-bounds', 1]],
    ['store below the stack', 'r1 = 1\n*(u64 *)(r10 - 520) = r1\nexit', ['out-of-bounds', 1]],
    ['change the high half of a pointer', 'r1 = r10\nr2 = 1\nr2 <<= 32\nr1 += r2\nr0 = *(u8 *)(r1 - 1)\nexit', ['unmapped', 4]],
    ['leave the program', 'r0 = 0', ['bad-instruction', 1]],
    ['jump out of the program', '.insn 0x05 0 0 100 0\nexit', ['bad-instruction', 2]],
    ['jump into ld_imm64', '.insn 0x05 0 0 1 0\nr1 = 0x1 ll\nexit', ['bad-instruction', 2]],
    ['loop for ever', 'again: goto again', ['budget', 0]],
    ['call what does not exist', 'call 9999\nexit', ['bad-call', 0]],
    ['load past the packet', '.section "tc"\nr2 = *(u32 *)(r1 + 80)\nr0 = *(u8 *)(r2 + 0)\nexit', ['out-of-bounds', 1]],
    ['store to a context field', '.section "tc"\n*(u32 *)(r1 + 0) = 5\nexit', ['read-only', 0]],
  ] as const)('that %s fault', (_name, text, expected) => {
    const code = text.includes('.insn') ? textToProgram(text) : text;
    const done = typeof code === 'string' ? runText(code, { budget: 1000 }) : run(code, profile, { budget: 1000 });
    expect([done.fault?.reason, done.fault?.insn]).toEqual(expected);
  });

  it('of any bytes end in a result or a fault', () => {
    const anyInsn: fc.Arbitrary<Insn> = fc.record({
      code: fc.integer({ min: 0, max: 255 }),
      dst: fc.integer({ min: 0, max: 15 }),
      src: fc.integer({ min: 0, max: 15 }),
      off: fc.integer({ min: -8, max: 8 }),
      imm: fc.oneof(fc.integer({ min: -8, max: 260 }), fc.integer({ min: -0x80000000, max: 0x7fffffff })),
    });
    const base = image('r0 = 0\nexit').programs[0]!;
    fc.assert(
      fc.property(fc.array(anyInsn, { minLength: 1, maxLength: 24 }), (insns) => {
        try {
          const { fault, stats } = run({ ...base, insns }, profile, { budget: 2000, machine: { memoryLimit: 1 << 20 } });
          expect(stats.instructions).toBeLessThanOrEqual(2000);
          expect(fault === null || fault.message.length > 0).toBe(true);
        } catch (error) {
          expect((error as Error).name).toBe('Unmodelled');
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Programs that no assembler writes: `.insn code dst src off imm` beside one-slot and two-slot statements. */
const textToProgram = (text: string): Program => {
  const insns: Insn[] = [];
  const base = image('r0 = 0\nexit').programs[0]!;
  for (const line of text.split('\n')) {
    const words = line.split(' ').slice(1).map(Number);
    if (line.startsWith('.insn')) insns.push(insn(words[0]!, words[1]!, words[2]!, words[3]!, words[4]!));
    else insns.push(...image(line).programs[0]!.insns);
  }
  return { ...base, insns };
};

describe('a run', () => {
  it('counts instructions, and stops at its budget', () => {
    expect(runText('r0 = 3\nagain: r0 += -1\nif r0 != 0 goto again\nexit').stats.instructions).toBe(8);
    const stopped = runText('r0 = 0\nagain: r0 += 1\ngoto again', { budget: 1001 });
    expect(stopped.fault?.reason).toBe('budget');
    expect([stopped.stats.instructions, stopped.result]).toEqual([1001, 500n]);
  });

  it('counts how often each slot ran, and shows registers before each instruction', () => {
    const slots: number[] = [];
    const values: number[] = [];
    const done = runText('r0 = 2\nagain: r0 += -1\nif r0 != 0 goto again\nexit', {
      coverage: true,
      trace: (_code, slot, registers) => {
        slots.push(slot);
        values.push(registers[0]!);
      },
    });
    expect([...done.coverage!]).toEqual([1, 2, 2, 1]);
    expect(slots).toEqual([0, 1, 2, 1, 2, 3]);
    expect(values).toEqual([0, 2, 1, 1, 0, 0]);
  });

  it('calls back at breakpoints only', () => {
    const met: number[] = [];
    runText('r0 = 2\nagain: r0 += -1\nif r0 != 0 goto again\nexit', {
      breakpoints: new Set([2]),
      onBreak: (_code, slot) => met.push(slot),
    });
    expect(met).toEqual([2, 2]);
  });

  it('notes reads of stack that was never written, and repeats them with the same seed', () => {
    const text = 'r0 = *(u64 *)(r10 - 16)\nexit';
    const first = runText(text);
    expect(first.notes).toMatchObject([{ text: 'reads stack bytes that were never written', insn: 0, count: 1 }]);
    expect(runText(text).result).toBe(first.result);
    expect(runText(text, { machine: { seed: 99 } }).result).not.toBe(first.result);
    expect(runText('r1 = 5\n*(u32 *)(r10 - 8) = r1\nr0 = *(u32 *)(r10 - 8)\nexit').notes).toEqual([]);
  });

  it('ends loops of may_goto after their time', () => {
    const done = runText('r0 = 0\nagain: r0 += 1\nmay_goto out\ngoto again\nout: exit', {
      machine: { clock: { perInsn: 100n } },
    });
    expect(done.fault).toBeNull();
    expect(Number(done.result)).toBeGreaterThan(65535);
    expect(Number(done.stats.nanoseconds)).toBeGreaterThanOrEqual(250_000_000);
  });

  it('knows the name of its result', () => {
    expect(runText('.section "xdp"\nr0 = 2\nexit').returned).toBe('XDP_PASS');
    expect(runText('.section "tc"\nr0 = -1\nexit').returned).toBe('TC_ACT_UNSPEC');
    expect(runText('.section "xdp"\nr0 = 77\nexit').returned).toBeNull();
  });
});

describe('legacy packet loads', () => {
  const data = Uint8Array.from({ length: 64 }, (_, i) => i);
  it('are in network order, from the network header on for socket filters', () => {
    expect(resultOf('.section "socket"\nr6 = r1\nr0 = *(u32 *)skb[2]\nexit', { data })).toBe(0x10111213n);
    expect(resultOf('.section "tc"\nr6 = r1\nr7 = 3\nr0 = *(u16 *)skb[r7 + 1]\nexit', { data })).toBe(0x0405n);
  });

  it('end the program with 0 past the end', () => {
    expect(resultOf('.section "tc"\nr6 = r1\nr0 = *(u16 *)skb[62]\nr0 = 1\nexit', { data })).toBe(1n);
    expect(resultOf('.section "tc"\nr6 = r1\nr0 = *(u16 *)skb[63]\nr0 = 1\nexit', { data })).toBe(0n);
  });

  it('reach back to the link header by negative offsets', () => {
    expect(resultOf('.section "socket"\nr6 = r1\nr0 = *(u8 *)skb[-2097152]\nexit', { data })).toBe(0n);
    expect(resultOf('.section "socket"\nr6 = r1\nr0 = *(u8 *)skb[-2097149]\nexit', { data })).toBe(3n);
    expect(resultOf('.section "socket"\nr6 = r1\nr0 = *(u8 *)skb[-1048576]\nexit', { data })).toBe(14n);
  });
});
