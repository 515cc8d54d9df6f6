import { describe, expect, it } from 'vitest';
import { globMatches, isWanted, parseFilter } from '../../src/cli/filter.ts';

describe('globMatches', () => {
  it.each([
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['ab', 'abc', false],
    ['abc', '*', true],
    ['', '*', true],
    ['', '', true],
    ['abc', 'a*c', true],
    ['abcbc', 'a*bc', true],
    ['abcbd', 'a*bc', false],
    ['abc', '**c', true],
    ['a.c', 'a?c', false],
  ])('%s against %s: %s', (text, glob, matches) => expect(globMatches(text, glob)).toBe(matches));

  it('takes no exponential time', () => {
    expect(globMatches('a'.repeat(5000), `${'*a'.repeat(500)}*b`)).toBe(false);
  });
});

describe('isWanted', () => {
  const wanted = (filters: string[], object: string, program: string) => isWanted(filters.map(parseFilter), object, program);

  it.each([
    ['nothing asked for', [], true],
    ['the program', ['count*'], true],
    ['the object', ['net.o'], true],
    ['something else', ['other*'], false],
    ['both parts', ['net*/count*'], true],
    ['one part is wrong', ['net*/drop'], false],
    ['only the program part', ['/count*'], true],
    ['only the object part', ['net.o/'], true],
    ['one of several', ['other', '/count_tcp'], true],
    ['denied program', ['!count_tcp'], false],
    ['denied and allowed', ['net.o', '!/count*'], false],
    ['another is denied', ['!/drop'], true],
    ['denial of both parts', ['!other.o/count_tcp'], true],
  ])('%s', (_, filters, result) => expect(wanted(filters, 'net.o', 'count_tcp')).toBe(result));
});
