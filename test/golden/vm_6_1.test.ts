import { describe, expect, test } from 'vitest';
import { readGolden } from '../../tools/vm_verdicts/golden.ts';
import { profileWith, verdictOf } from '../kernel/program.ts';
import { ONCE } from '../verifier/call/cases/callback_once.ts';
import { RING_CALLBACKS } from '../verifier/call/cases/ring_callbacks.ts';

/**
 * Callbacks as Linux 6.1 takes them: the revisions `callbacks=6.1` and `dynptr-callback=v3` beside what that kernel said under
 * QEMU. `npm run vm-verdicts-6.1` records anew.
 */
const REVISIONS = ['callbacks=6.1', 'dynptr-callback=v3'];

/** Programs of which 6.1 says something else for another reason. */
const EXPLAINED: Readonly<Record<string, string>> = {
  'gives a global function the dynptr itself, not one far behind': '6.1 passes no dynptrs to global functions',
};

const texts = new Map([
  ...RING_CALLBACKS.map(({ rule, text }) => [rule, text] as const),
  ...ONCE.map(([rule, text]) => [rule, text] as const),
]);
const { provenance, verdicts } = readGolden('callbacks');

/** Newer kernels word the range of a return value anew; the beginning is the same. */
const wording = (message: string): string => message.replace(/(has )(value|smin|unknown).*/, '$1…');

describe(`as ${provenance.kernel} has it`, () => {
  test.each(verdicts.map((row) => [row.name, row] as const))('a callback that %s', (name, { verdict, message }) => {
    const told = verdictOf(texts.get(name)!, REVISIONS);
    const theirs = verdict === 'accept' ? verdict : `${verdict}: ${message}`;
    if (name in EXPLAINED) expect(wording(told)).not.toBe(wording(theirs));
    else expect(wording(told)).toBe(wording(theirs));
  });

  test('every program was asked about', () => {
    expect(verdicts.map(({ name }) => name).sort()).toEqual([...texts.keys()].sort());
    expect(profileWith(...REVISIONS).unsound).toHaveLength(2);
  });
});
