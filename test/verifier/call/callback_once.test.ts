import { describe, expect, it } from 'vitest';
import { runKernelText, verdictOf } from '../../kernel/program.ts';
import { ONCE, program } from './cases/callback_once.ts';

const OLD = ['callbacks=6.1'];

describe('a callback that is explored once', () => {
  it.each(ONCE)('%s', (_rule, text, once, asLoop) => {
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
