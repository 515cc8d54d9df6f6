import { describe, expect, it } from 'vitest';
import { DANGLING, FUNCTIONS } from './cases/functions.ts';
import { answer, testCases } from './fixture.ts';

testCases('functions of the program', FUNCTIONS);

describe('a reference to a function that was never entered is refused where', () => {
  it.each(DANGLING)('%s', (rule, text) => {
    const { verdict, errno, message } = answer({ rule, text });
    expect([verdict, errno, message]).toEqual([
      'reject',
      'EFAULT',
      expect.stringMatching(/^verifier bug: No program to jit at insn \d+ \(subprog < 0\)$/),
    ]);
  });
});
