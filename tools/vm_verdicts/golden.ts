import { readFileSync } from 'node:fs';

/** The first line of a golden file. */
export interface Provenance {
  readonly kernel: string;
  readonly how: string;
  readonly recorded: string;
}

/** What the guest said of one program; `stage` tells how far it came. */
export interface GoldenVerdict {
  readonly name: string;
  /** `loader`: libbpf's part of the work failed against the guest's BTF, and the guest was not asked */
  readonly stage: 'loader' | 'map' | 'target' | 'program' | 'caps';
  readonly verdict: 'accept' | 'reject' | null;
  readonly errno: string | null;
  /** last line of the log at level 1 that is neither statistics nor the dump of a state */
  readonly message: string | null;
  readonly insnsProcessed: number | null;
}

export type GoldenName = 'suite' | 'programs' | 'callbacks';

const FOLDERS: Readonly<Record<GoldenName, string>> = { suite: 'vm_6_12', programs: 'vm_6_12', callbacks: 'vm_6_1' };

export const goldenFile = (name: GoldenName): URL => new URL(`../../test/golden/${FOLDERS[name]}/${name}.jsonl`, import.meta.url);

/** A line a verdict, behind the line that says where they come from. */
export function readGolden(name: GoldenName): { readonly provenance: Provenance; readonly verdicts: readonly GoldenVerdict[] } {
  const [first, ...lines] = readFileSync(goldenFile(name), 'utf8').trimEnd().split('\n');
  return { provenance: JSON.parse(first!), verdicts: lines.map((line) => JSON.parse(line)) };
}

const NO_MESSAGE = /^$|^verification time \d|^stack depth [\d+]*$|^processed \d+ insns|^cur state:|^old state:/;

export const messageOf = (log: string): string => log.split('\n').findLast((line) => !NO_MESSAGE.test(line)) ?? '';

export const insnsProcessedOf = (log: string): number | null => {
  const found = /^processed (\d+) insns/m.exec(log);
  return found === null ? null : Number(found[1]);
};
