import { describe, expect, it } from 'vitest';
import { assemble } from '../../../src/asm/assemble.ts';
import { verify } from '../../../src/verifier/verify.ts';
import { profileWith } from '../../kernel/program.ts';
import { RING_CALLBACKS } from './cases/ring_callbacks.ts';

describe.each([
  ['6.2', []],
  ['v3', ['dynptr-callback=v3']],
] as const)('A.9 negative: a callback of a drain, its dynptr as in %s', (revision, revisions) => {
  const profile = profileWith(...revisions);
  it.each(RING_CALLBACKS)('$rule', ({ text, merged, version3 = merged }) => {
    const program = assemble(text, 'drain.bpf.s', { profile }).programs[0]!;
    const pieces: string[] = [];
    const { verdict } = verify(program, profile, { logLevel: 1, log: (piece) => pieces.push(piece) });
    const expected = revision === 'v3' ? version3 : merged;
    expect(verdict).toBe(expected === 'accept' ? 'accept' : 'reject');
    if (expected !== 'accept') expect(pieces.join('').split('\n')).toContain(expected);
  });
});
