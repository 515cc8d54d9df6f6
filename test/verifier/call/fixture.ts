import { describe, expect, it } from 'vitest';
import { assemble } from '../../../src/asm/assemble.ts';
import { ALL_CAPABILITIES, type Capabilities } from '../../../src/contracts/subject.ts';
import { openProfile } from '../../../src/profiles/index.ts';
import { verify } from '../../../src/verifier/verify.ts';
import { readVmlinuxPart } from '../../profiles/packed_vmlinux.ts';

/** A rule and a program that shows it. What is expected is what Linux 6.18.44 answered to the same program. */
export interface Case {
  readonly rule: string;
  readonly text: string;
  /** of the loader; absent: all */
  readonly caps?: Capabilities;
  /** absent: accepted */
  readonly refused?: readonly [errno: string, message: string];
  /** lines that the log at level 2 has, in this order */
  readonly log?: readonly string[];
}

const profile = openProfile('linux-6.18', readVmlinuxPart);

/** Verdict and level-2 log of the one program of a case. */
export function answer({ text, caps = ALL_CAPABILITIES }: Case) {
  const pieces: string[] = [];
  const image = assemble(text, 'case.bpf.s', { profile });
  const verdict = verify(image.programs[0]!, profile, { logLevel: 2, capabilities: caps, log: (piece) => pieces.push(piece) });
  return { ...verdict, log: pieces.join('') };
}

const missingLine = (log: string, lines: readonly string[]): string | undefined => {
  let at = 0;
  return lines.find((line) => {
    const found = log.indexOf(line, at);
    at = found + line.length;
    return found < 0;
  });
};

/** One test per case. */
export function testCases(topic: string, cases: readonly Case[]): void {
  describe(topic, () => {
    it.each(cases.map((it) => [it.rule, it] as const))('%s', (_, it) => {
      const { refused, log } = it;
      const got = answer(it);
      expect([got.verdict, got.errno, got.message]).toEqual(refused ? ['reject', ...refused] : ['accept', null, null]);
      expect(missingLine(got.log, log ?? [])).toBeUndefined();
    });
  });
}
