import { disassemble } from '../asm/disassemble.ts';
import type { Profile } from '../contracts/profile.ts';
import type { Expectation, ObjectImage, Program } from '../program/program.ts';
import type { Verdict } from '../verifier/verdict.ts';

export type ToldVerdict = Pick<Verdict, 'verdict' | 'message' | 'errno'>;

const expectationOf = (verdict: ToldVerdict | null, description: string): Expectation => ({
  verdict: verdict?.verdict ?? null,
  messages: verdict?.verdict === 'reject' && verdict.message ? [verdict.message] : [],
  notMessages: [],
  notMessagesAfter: [],
  errno: verdict?.errno ?? null,
  logLevel: 0,
  flags: 0,
  caps: [],
  returns: null,
  unchecked: [],
  skip: null,
  unprivileged: null,
  description,
});

/** An image of one program. */
export const imageOf = (program: Program): ObjectImage => ({
  name: `${program.name}.bpf.s`,
  programs: [program],
  maps: program.maps,
  btf: program.btf,
  license: program.license,
  expectations: new Map(),
});

/** A program as text, with the verdict it is to have and a story in its header: ready for `programs/`. */
export function programText(program: Program, profile: Profile, verdict: ToldVerdict | null, description = ''): string {
  const image = imageOf(program);
  const isPlain = verdict === null && description === '';
  const expectations = isPlain ? image.expectations : new Map([[program.name, expectationOf(verdict, description)]]);
  return disassemble({ ...image, expectations }, { profile });
}
