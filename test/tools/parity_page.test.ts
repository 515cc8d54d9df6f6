import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { PARITY_PAGE, parityPage, sections } from '../../tools/parity_page.ts';

const profile = openBundledProfile();

test('docs/parity.md is what npm run parity writes', () => {
  expect(readFileSync(PARITY_PAGE, 'utf8')).toBe(parityPage(profile));
});

test('nothing that this kernel has is unknown', () => {
  const unknown = sections(profile).flatMap(({ title, rows }) =>
    rows.filter(({ state }) => state === 'unknown').map(({ name }) => `${title}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test.each([
  ['Helpers', 211],
  ['Map types', 33],
  ['Program types', 32],
  ['Register types', 22],
])('%s: %i', (title, length) => {
  expect(sections(profile).find((section) => section.title === title)?.rows).toHaveLength(length);
});
