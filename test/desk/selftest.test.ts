import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { countResults, resultText, type SelftestResult, selftest } from '../../src/desk/selftest.ts';
import { loadObject } from '../../src/elf/load.ts';
import { openProfile } from '../../src/profiles/index.ts';
import type { ObjectImage } from '../../src/program/program.ts';
import { readVmlinuxPart } from '../profiles/packed_vmlinux.ts';

const profile = openProfile('linux-6.18', readVmlinuxPart);
const object = loadObject(new Uint8Array(readFileSync(new URL('./fixtures/selftest.o', import.meta.url))), 'selftest.o', {
  profile,
});

const resultsOf = (image: ObjectImage): Map<string, SelftestResult> =>
  new Map([...selftest(image, profile)].map((result) => [`${result.program} ${result.mode}`, result]));

describe('an annotated object is its own test', () => {
  const results = resultsOf(object);

  test.each([
    ['leak privileged', 'pass', ''],
    ['leak unprivileged', 'pass', ''],
    ['answer privileged', 'pass', ''],
    ['wrong_value privileged', 'fail', '1 was to be returned, not 2'],
    ['uninitialised privileged', 'pass', ''],
    ['wrong_message privileged', 'fail', 'the log has no message "another message"'],
    ['wrong_verdict privileged', 'fail', 'accept was expected, but the verdict is reject: R0 !read_ok'],
    ['elsewhere privileged', 'skip', 'only for ARM64'],
    ['keeps_capabilities unprivileged', 'pass', ''],
    ['privileged_type privileged', 'pass', ''],
    ['privileged_type unprivileged', 'pass', ''],
    ['map_left_out unprivileged', 'pass', ''],
  ])('%s: %s', (name, outcome, reason) => {
    expect(results.get(name)).toMatchObject({ outcome, reason });
  });

  test('a program is tried in the modes that its tags speak of, and only annotated ones are', () => {
    expect([...results.keys()].sort()).toEqual([
      'answer privileged',
      'elsewhere privileged',
      'keeps_capabilities unprivileged',
      'leak privileged',
      'leak unprivileged',
      'map_left_out unprivileged',
      'privileged_type privileged',
      'privileged_type unprivileged',
      'uninitialised privileged',
      'wrong_message privileged',
      'wrong_value privileged',
      'wrong_verdict privileged',
    ]);
  });

  test('what was not looked at is counted and told', () => {
    const answer = results.get('answer privileged')!;
    expect(answer.unchecked).toEqual(['xlated']);
    expect(resultText(answer)).toBe('pass selftest.o/answer: unchecked: xlated');
    expect(countResults([...results.values()])).toEqual({ pass: 8, fail: 3, skip: 1, unchecked: 1 });
  });

  test('one mode alone, and nothing is run', () => {
    const options = { modes: ['unprivileged'], runs: false } as const;
    const only = [...selftest(object, profile, undefined, options)];
    expect(new Set(only.map(({ mode }) => mode))).toEqual(new Set(['unprivileged']));
    const privileged = [...selftest(object, profile, ({ name }) => name === 'wrong_value', { runs: false })];
    expect(privileged.map((result) => resultText(result))).toEqual(['pass selftest.o/wrong_value: unchecked: retval']);
  });

  test('only programs that are wanted are tried', () => {
    const only = [...selftest(object, profile, (program) => program.name === 'leak')];
    expect(only.map((result) => resultText(result))).toEqual(['pass selftest.o/leak', 'pass selftest.o/leak @unpriv']);
  });
});

describe('a text program is its own test', () => {
  const textResults = (body: string): SelftestResult[] => [
    ...selftest(assemble(`.section socket\n.license "GPL"\n.program p\n${body}`, 'p.bpf.s', { profile }), profile),
  ];

  test.each([
    ['verdict and value', '.expect verdict accept\n.expect return 7\nr0 = 7\nexit', ['pass p.bpf.s/p']],
    ['messages', '.expect verdict reject\n.expect errno EACCES\n.expect message "/R[0-9] !read_ok/"\nexit', ['pass p.bpf.s/p']],
    [
      'another error number',
      '.expect verdict reject\n.expect errno EINVAL\nexit',
      ['fail p.bpf.s/p: EINVAL was expected, not EACCES: R0 !read_ok'],
    ],
    [
      'both modes',
      '.expect verdict accept\n.expect unprivileged verdict reject\nr0 = r10\nexit',
      ['pass p.bpf.s/p', 'pass p.bpf.s/p @unpriv'],
    ],
    [
      'a message that must not be there, at level 2',
      '.expect verdict accept\n.expect log_level 2\n.expect message "r0 = 0"\n.expect not_message "exit"\nr0 = 0\nexit',
      ['fail p.bpf.s/p: the log has the message "exit"'],
    ],
    [
      'capabilities that are kept',
      '.expect unprivileged verdict accept\n.expect unprivileged caps "CAP_BPF|CAP_PERFMON"\nr0 = r10\nexit',
      ['pass p.bpf.s/p @unpriv'],
    ],
    ['nothing is expected', 'r0 = 0\nexit', []],
  ])('%s', (_, body, lines) => {
    expect(textResults(body).map(resultText)).toEqual(lines);
  });
});
