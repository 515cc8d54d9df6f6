import { createHash } from 'node:crypto';
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

/** A value a line, behind the line that says where they come from. */
export function readRows(name: string): { readonly provenance: Provenance; readonly rows: readonly unknown[] } {
  const [first, ...lines] = readFileSync(goldenFile(name), 'utf8').trimEnd().split('\n');
  return { provenance: JSON.parse(first!), rows: lines.map((line) => JSON.parse(line)) };
}

/** A scenario a line. */
export function readRecording(name: string): { readonly provenance: Provenance; readonly scenarios: readonly Recorded[] } {
  const { provenance, rows } = readRows(name);
  return { provenance, scenarios: rows as readonly Recorded[] };
}

const OWN_NUMBERS = /^(link_id|prog_id|prog_tag|map_id):\t.*$/gm;
/** What /proc shows of every descriptor. */
const COMMON_LINES = /^(?:pos|flags|mnt_id|ino):\t.*\n/gm;

const MOST_DIGITS = 1024;

/** Long output by its length and a hash. */
const short = (hex: string): string =>
  hex.length <= MOST_DIGITS ? hex : `${hex.length / 2} bytes, sha256 ${createHash('sha256').update(hex).digest('hex')}`;

/** An answer without what is another in every kernel (ids and tags), and short. */
export function comparable(answer: Answer): Answer {
  const { text, name, words, hex, pieces } = answer;
  if (hex !== undefined) return { ...answer, hex: short(hex) };
  if (pieces !== undefined) return { ...answer, pieces: pieces.map(short) };
  if (text !== undefined) return { ...answer, text: text.replace(COMMON_LINES, '').replace(OWN_NUMBERS, '$1:\t#') };
  return name === 'cgroup' && words !== undefined ? { ...answer, words: [0, ...words.slice(1)] } : answer;
}
