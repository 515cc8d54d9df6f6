import { describe, expect, it } from 'vitest';
import { runKernelText, verdictOf } from '../../kernel/program.ts';

/** Reads a map value of 16 bytes at the number that the callback leaves at fp-8 of its caller. */
const program = (turns: number, before: number, body: string): string => `
  .license "GPL"
  .map values array key_size=4 value_size=16 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int prog(void *ctx)"
  *(u64 *)(r10 - 8) = ${before}
  r1 = ${turns}; r2 = turn ll; r3 = r10; r3 += -8; r4 = 0; call bpf_loop
  r6 = r0
  *(u32 *)(r10 - 12) = 0
  r1 = values ll; r2 = r10; r2 += -12; call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = *(u64 *)(r10 - 8)
  r0 += r1
  r0 = *(u8 *)(r0 + 0)
  out: r0 = r6
  exit
  .func "static long turn(u64 index, long *ctx)"
  ${body}
  r0 = 0
  exit`;

const OLD = ['callbacks=6.1'];

describe('a callback that is explored once', () => {
  it.each([
    [
      'puts in order what no turn leaves out of bounds',
      program(100, 32, '*(u64 *)(r2 + 0) = 0'),
      'accept',
      /^reject: R0 min value is outside/,
    ],
    [
      'spoils in its second turn what the first leaves in bounds',
      program(100, 0, 'r3 = *(u64 *)(r2 + 0); r3 += 12; *(u64 *)(r2 + 0) = r3'),
      'accept',
      /^reject/,
    ],
    [
      'is looked into even where it does not run',
      program(0, 0, 'r3 = *(u64 *)(r1 + 0)'),
      /^reject: R1 invalid mem access 'scalar'/,
      'accept',
    ],
    [
      'may answer no more than 1',
      program(1, 0, 'call bpf_get_prandom_u32; if r0 == 0 goto +2; r0 = 2; exit'),
      /^reject: At callback return the register R0 has /,
      /^reject: At callback return the register R0 has /,
    ],
    ['is bounded by what it reads', program(1, 0, 'r0 = *(u64 *)(r10 - 8)'), 'accept', 'accept'],
    ['spoils what it writes', program(1, 0, '*(u64 *)(r2 + 0) = 64'), /^reject: R0 min value is outside/, /^reject/],
  ] as const)('%s', (_rule, text, once, asLoop) => {
    const check = (told: string, expected: string | RegExp): void =>
      typeof expected === 'string' ? expect(told).toBe(expected) : expect(told).toMatch(expected);
    check(verdictOf(text, OLD), once);
    check(verdictOf(text), asLoop);
  });

  it('runs as often as ever', () => {
    expect(
      runKernelText(program(5, 0, 'r3 = *(u64 *)(r2 + 0); r3 += 1; r3 &= 7; *(u64 *)(r2 + 0) = r3'), { revisions: OLD }).signed,
    ).toBe(5n);
  });

  it('leaves the result of the call to the helper', () => {
    const text = program(5, 0, '').replace('r6 = r0\n', 'r6 = r0; if r0 != 1 goto +1; r6 = *(u64 *)(r0 + 0)\n');
    expect(verdictOf(text, OLD)).toMatch(/^reject: R0 invalid mem access 'scalar'/);
  });

  it('may be a comparison of nodes or a search for an area', () => {
    const find = `
      .license "GPL"
      .section "tp_btf/task_newtask"
      .program "int prog(void *ctx)"
      r1 = *(u64 *)(r1 + 0); r2 = 0; r3 = seen ll; r4 = 0; r5 = 0; call bpf_find_vma
      r0 = 0; exit
      .func "static int seen(void *task, void *vma, void *ctx)"
      r1 = *(u64 *)(r2 + 0)
      r0 = 0; exit`;
    expect([verdictOf(find, OLD), verdictOf(find)]).toEqual(['accept', 'accept']);
  });
});
