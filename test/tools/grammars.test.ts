import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GRAMMARS, recipeOf, recipePath } from '../../tools/grammars.ts';

test.each(GRAMMARS)('the recipe of %s is what npm run grammars makes of its text', (name) => {
  expect(readFileSync(recipePath(name), 'utf8')).toBe(recipeOf(name));
});
