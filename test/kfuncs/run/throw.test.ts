import { describe, expect, it } from 'vitest';
import { runKernelText } from '../../kernel/program.ts';

const text = (main: string, rest = '', attribute = ''): string => `
.section "tc"
.program "int prog(struct __sk_buff *skb)${attribute}"
${main}
${rest}`;

const throwing = (cookie: string): string => `r1 = ${cookie} ll; call bpf_throw; exit`;

describe('an exception', () => {
  it.each([
    ['gives its cookie back', text(throwing('7')), 7n],
    ['gives all of its cookie back', text(throwing('0x1234567800000001')), 0x1234567800000001n],
    ['ends all functions', text('call f; r0 = 1; exit', `.func "static int f(void *ctx)"\n${throwing('8')}`), 8n],
    [
      'is caught by the function that the program names',
      text(throwing('7'), '.func "int caught(__u64 cookie)"\nr0 = r1\nr0 += 100\nexit', ' __exception_cb(caught)'),
      107n,
    ],
    [
      'is caught with an empty stack',
      text(
        `*(u64 *)(r10 - 8) = 5; ${throwing('7')}`,
        '.func "int caught(__u64 cookie)"\n*(u64 *)(r10 - 8) = r1\nr0 = *(u64 *)(r10 - 8)\nexit',
        ' __exception_cb(caught)',
      ),
      7n,
    ],
  ])('%s', (_rule, program, expected) => {
    const run = runKernelText(program);
    expect(run.result).toBe(expected);
  });
});
