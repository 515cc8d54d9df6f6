import { expect, test } from 'vitest';
import { messageMismatch } from '../../src/desk/match_messages.ts';

const log = 'one 1\ntwo 22\nthree\none 4\nend\n';

const mismatch = (messages: string[], notMessages: string[] = [], notMessagesAfter: number[] = []): string | null =>
  messageMismatch(log, { messages, notMessages, notMessagesAfter });

test.each<[string, string[], string[], number[]]>([
  ['nothing is expected', [], [], []],
  ['messages stand in order', ['one 1', 'three', 'end'], [], []],
  ['a message is looked for behind the one before', ['one', 'one'], [], []],
  ['a pattern matches within one line', ['/^two [0-9]+$/', '/^th.*e$/'], [], []],
  ['a message that is absent', [], ['four'], [0]],
  ['a message that only stands before its span', ['two 22'], ['one 1'], [1]],
  ['a message that only stands behind its span', ['one 1', 'three'], ['end'], [1]],
  ['an absent pattern', ['two 22', 'end'], ['/^two [0-9]$/'], [1]],
])('%s', (_, messages, notMessages, after) => {
  expect(mismatch(messages, notMessages, after)).toBeNull();
});

test.each<[string, string[], string[], number[], string]>([
  ['missing', ['four'], [], [], 'the log has no message "four"'],
  ['out of order', ['three', 'two 22'], [], [], 'the log has no message "two 22" behind the others'],
  ['one occurrence does not count twice', ['two', 'two'], [], [], 'the log has no message "two" behind the others'],
  ['. is no newline', ['/one.1.two/'], [], [], 'the log has no message /one.1.two/'],
  ['unexpected in the first span', ['two 22'], ['one'], [0], 'the log has the message "one"'],
  ['unexpected in the middle', ['one 1', 'end'], ['/on./'], [1], 'the log has the message /on./'],
  ['unexpected in the last span', ['one 1'], ['end'], [1], 'the log has the message "end"'],
])('%s', (_, messages, notMessages, after, reason) => {
  expect(mismatch(messages, notMessages, after)).toBe(reason);
});

test('text that is no regular expression is told', () => {
  expect(mismatch(['/(/'])).toMatch(/Invalid regular expression/);
});
