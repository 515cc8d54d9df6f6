import { describe, expect, it } from 'vitest';
import { describeRules, judge } from '../rules.ts';

const TURN = `.func "static long turn(unsigned int index, void *context)"
r0 = 0
exit
`;
const OTHER = `.func "static long other(void)"
r0 = 0
exit
`;

const inTc = (body: string): string => `.section "tc"\n.program "int test(struct __sk_buff *skb)"\n${body}`;
const loop = (turns: number): string => `r1 = ${turns}; r2 = turn ll; r3 = 0; r4 = 0; call bpf_loop`;

describeRules('functions that no path enters', [
  [
    'the address of a dead function is that of the function behind it',
    inTc(`${loop(0)}\ncall other\nexit\n${TURN}${OTHER}`),
    'accept',
  ],
  ['alone with the main program nobody asks', inTc(`${loop(0)}\nr0 = 0\nexit\n${TURN}`), 'accept'],
  ['one that is entered stays', inTc(`${loop(1)}\ncall other\nexit\n${OTHER}${TURN}`), 'accept'],
]);

it('a dead function behind all others leaves its address without a function', () => {
  const { verdict } = judge(inTc(`${loop(0)}\ncall other\nexit\n${OTHER}${TURN}`));
  expect(verdict).toMatchObject({ verdict: 'reject', errno: 'EFAULT' });
  expect(verdict.message).toMatch(/^verifier bug: No program to jit at insn \d+ \(subprog < 0\)$/);
});

const stackDepth = (text: string): string => judge(text).verdict.stats.stackDepth;

describe('stack that the kernel adds', () => {
  it('counts and times may_goto loops in 16 bytes', () => {
    expect(stackDepth('*(u64 *)(r10 -8) = 1\nr0 = 0\nhead:\nmay_goto out\nr0 += 1\ngoto head\nout:\nexit')).toBe('24');
  });
  it('does not count them where the same function is refused while it is rewritten', () => {
    const loops = 'r0 = 0\nhead:\nmay_goto out\nr0 += 1\ngoto head\nout:';
    expect(stackDepth(`call kernel-function#0\n${loops}\nexit`)).toBe('0');
  });
  it('forgets a may_goto that leads to the next instruction', () => {
    expect(stackDepth('r0 = 0\nmay_goto next\nnext:\nexit')).toBe('0');
  });
  it('forgets one that leads over another that is forgotten', () => {
    expect(stackDepth('r0 = 0\nmay_goto out\nmay_goto out\nout:\nexit')).toBe('0');
  });
});
