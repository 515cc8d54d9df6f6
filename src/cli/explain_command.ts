import { type Explanation, explain, explainableWords } from '../desk/explain.ts';
import { explainMessage } from '../desk/explain_message.ts';
import { bundledSamples } from './bundled_sample.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { print } from './output.ts';
import { openKernel } from './question.ts';

export interface ExplainCommandOptions extends Pick<CommonOptions, 'kernel' | 'btf' | 'with'> {
  readonly format: string;
}

const MOST_SUGGESTIONS = 8;

/** Facts under one label are listed below each other. */
function textOf({ kind, name, summary, facts }: Explanation): string {
  const width = Math.max(...facts.map(([label]) => label.length));
  let last = '';
  const lines = facts.map(([label, text]) => {
    const shown = label === last ? '' : label;
    last = label;
    return `  ${shown.padEnd(width)}  ${text}`;
  });
  return [`${name} (${kind})`, `  ${summary}`, ...lines].map((line) => `${line.trimEnd()}\n`).join('');
}

/** `drybpf explain WORD...`; several words are one message. */
export async function explainCommand(given: readonly string[], options: ExplainCommandOptions): Promise<ExitStatus> {
  const profile = await openKernel(options);
  const word = given.join(' ').trim();
  const entries = explain(word, profile);
  const found = entries.length > 0 ? entries : explainMessage(word, bundledSamples());
  if (found.length === 0) throw new UsageError(`nothing is known of '${word}'${suggestions(word, explainableWords(profile))}`);
  if (options.format === 'json') for (const one of found) print(`${JSON.stringify(one)}\n`);
  else print(found.map(textOf).join('\n'));
  return EXIT.good;
}

function suggestions(word: string, known: readonly string[]): string {
  const near = word.length < 3 ? [] : known.filter((name) => name.toLowerCase().includes(word.toLowerCase()));
  if (near.length === 0) return '';
  const more = near.length > MOST_SUGGESTIONS ? ', …' : '';
  return `; there is ${near.slice(0, MOST_SUGGESTIONS).join(', ')}${more}`;
}
