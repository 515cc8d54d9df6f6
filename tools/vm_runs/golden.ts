import { readFileSync } from 'node:fs';
import type { Answer } from './steps.ts';

/** The first line of a recording. */
export interface Provenance {
  readonly kernel: string;
  readonly how: string;
  readonly recorded: string;
}

export interface Recorded {
  readonly name: string;
  readonly answers: readonly Answer[];
}

export const goldenFile = (name: string): URL => new URL(`../../test/golden/vm_runs/${name}.jsonl`, import.meta.url);

/** A scenario a line, behind the line that says where they come from. */
export function readRecording(name: string): { readonly provenance: Provenance; readonly scenarios: readonly Recorded[] } {
  const [first, ...lines] = readFileSync(goldenFile(name), 'utf8').trimEnd().split('\n');
  return { provenance: JSON.parse(first!), scenarios: lines.map((line) => JSON.parse(line)) };
}
