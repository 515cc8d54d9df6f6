import { expect, test } from 'vitest';
import { verify } from '../../../src/verifier/verify.ts';
import { profile, programOf } from '../rules.ts';

const refusal = (body: string, logLevel: number): string[] => {
  const pieces: string[] = [];
  verify(programOf(`; first line; @ dir/x.c:1:2\n${body}`), profile, { logLevel, log: (piece) => pieces.push(piece) });
  return pieces.join('').split('\n');
};

/** Messages that verbose_linfo puts the source line before, whether or not instructions are printed. */
test.each([
  ['a narrow spill', '*(u32 *)(r10 -8) = r1\nr0 = 0\nexit', 'invalid size of register spill'],
  ['a narrow fill', '*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nexit', 'invalid size of register fill'],
  ['a field that the context does not have', 'r0 = *(u32 *)(r1 +1000)\nexit', 'invalid bpf_context access off=1000 size=4'],
  ['a loop that does not end', 'r0 = 0\ngoto -2', 'infinite loop detected at insn 0'],
])('%s: the source line stands in the log of level 4 too', (_rule, body, message) => {
  const lines = refusal(body, 4);
  expect(lines.slice(0, 4)).toContain(message);
  expect(lines.filter((line) => line === '; first line; @ x.c:1')).toHaveLength(1);
  expect(refusal(body, 0)).toEqual(['']);
});

test('an unreachable instruction: no source line before it', () => {
  expect(refusal('r0 = 0\nexit\nr0 = 1\nexit', 4)[0]).toBe('unreachable insn 2');
});
