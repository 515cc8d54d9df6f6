import { expect, test } from 'vitest';
import { messagePattern } from '../../src/elf/message_pattern.ts';
import { PROG_FLAGS } from '../../src/program/program.ts';
import { loadFixture, programOf } from './fixture.ts';

const image = loadFixture('annotated');

test('verdict, messages, log level and the unprivileged side', () => {
  const messages = ['R1 invalid mem', '/at [0-9]+\\/\\(x\\)/'];
  const shared = {
    messages,
    notMessages: ['fine'],
    notMessagesAfter: [2],
    errno: null,
    logLevel: 2,
    flags: PROG_FLAGS.BPF_F_TEST_RND_HI32 | PROG_FLAGS.BPF_F_TEST_REG_INVARIANTS | PROG_FLAGS.BPF_F_TEST_STATE_FREQ,
    caps: [],
    unchecked: [],
    skip: null,
    description: 'a program that is refused',
  };
  expect(image.expectations.get('refused')).toEqual({
    ...shared,
    verdict: 'reject',
    returns: null,
    unprivileged: { ...shared, verdict: 'accept', returns: 16, unprivileged: null },
  });
  expect(image.expectations.get('taken')).toMatchObject({
    verdict: 'accept',
    returns: -1,
    description: 'taken',
    unprivileged: null,
  });
});

test('a program that is only tested without privileges says nothing of the privileged verdict', () => {
  expect(image.expectations.get('only_unprivileged')).toMatchObject({ verdict: null, unprivileged: { verdict: 'reject' } });
});

test('auxiliary and unannotated programs expect nothing', () => {
  expect([...image.expectations.keys()].sort()).toEqual(['only_unprivileged', 'refused', 'taken']);
});

test('program flags by name, by number, and cleared', () => {
  expect(programOf(image, 'refused').flags).toBe(PROG_FLAGS.BPF_F_TEST_STATE_FREQ);
  expect(programOf(image, 'taken').flags).toBe(4);
});

test.each([
  ['plain text', 'plain text'],
  ['a.b{{[0-9]+}}c*', '/a\\.b[0-9]+c\\*/'],
  ['{{(one|two)}}', '/(one|two)/'],
  ['open {{ only', 'open {{ only'],
  ['/text/', '/\\/text\\//'],
  ['r{{[^0]}}', '/r[^\\n0]/'],
])('the pattern %s', (text, pattern) => {
  expect(messagePattern(text)).toBe(pattern);
});
