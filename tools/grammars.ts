/**
 * Writes the recipes of the assembler's grammars beside their texts:
 *
 *     npm run grammars
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ohm from 'ohm-js';

const FOLDER = join(import.meta.dirname, '../src/asm/grammars');

export const GRAMMARS = ['directives', 'kernel', 'ubpf'] as const;
export type GrammarName = (typeof GRAMMARS)[number];

export const recipePath = (name: GrammarName): string => join(FOLDER, `${name}.json`);

/** The recipe of a grammar from its text, as JSON. */
export function recipeOf(name: GrammarName): string {
  const grammar = ohm.grammar(readFileSync(join(FOLDER, `${name}.ohm`), 'utf8'));
  return `${(grammar as unknown as { toRecipe(): string }).toRecipe()}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of GRAMMARS) writeFileSync(recipePath(name), recipeOf(name));
