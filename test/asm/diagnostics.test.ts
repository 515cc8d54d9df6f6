import { describe, expect, it } from 'vitest';
import { renderDiagnostic, renderMalformed } from '../../src/asm/diagnostics.ts';
import { Malformed } from '../../src/contracts/errors.ts';

describe('a diagnostic', () => {
  it('has the line and a caret under the place', () => {
    expect(renderDiagnostic('a.yaml', { message: 'no', line: 2, column: 3, sourceLine: '\tab' })).toBe(
      'a.yaml:2:3: no\n    \tab\n    \t ^',
    );
  });

  it('shows of a long line what is around the place', () => {
    const sourceLine = `${'a'.repeat(1000)}b${'c'.repeat(1000)}`;
    const [, shown, caret] = renderDiagnostic(null, { message: 'no', line: 1, column: 1001, sourceLine }).split('\n');
    expect(shown).toBe(`    ${'a'.repeat(100)}b${'c'.repeat(99)}`);
    expect(shown![caret!.indexOf('^')]).toBe('b');
  });

  it('of very many, the first are shown', () => {
    const many = Array.from({ length: 25 }, (_, index) => ({ message: `no ${index}`, line: index + 1, column: null }));
    const text = renderMalformed(new Malformed('no', 'a', many));
    expect(text.split('\n').slice(-2)).toEqual(['a:20: no 19', 'and 5 more']);
  });
});
