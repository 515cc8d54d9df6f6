import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SEEDS_PAGE, seedsPage } from '../../tools/seeds_page.ts';

test('docs/seeds.md is what npm run seeds writes', async () => {
  expect(readFileSync(SEEDS_PAGE, 'utf8')).toBe(await seedsPage());
}, 240_000);
