import * as ohm from 'ohm-js';

/** Ohm's declarations leave it out; its own bundles of grammars are calls of it. */
const { makeRecipe } = ohm as unknown as { readonly makeRecipe: (recipe: unknown) => ohm.Grammar };

/**
 * A grammar from its recipe: what Ohm makes of the text of a grammar, which takes it ten times as long as all the rest of a small
 * program. `npm run grammars` writes the recipes that stand beside the texts.
 */
export const openGrammar = (recipe: unknown): ohm.Grammar => makeRecipe(recipe);
