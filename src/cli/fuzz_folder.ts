import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CampaignReport } from '../fuzz/campaign_report.ts';
import { UsageError } from './exit.ts';

const REPORT = 'report.json';
const FOLDERS = ['findings', 'precision', 'corpus'] as const;

/** A report that goes on in a directory, and where its next programs begin. */
export interface Saved {
  readonly report: CampaignReport;
  readonly next: number;
}

const isSaved = (value: Partial<Saved> | null): value is Saved =>
  typeof value?.next === 'number' && typeof value.report?.programs === 'number';

function readSaved(path: string): Saved {
  let value: Partial<Saved> | null = null;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${path}: no report of a campaign (${error instanceof Error ? error.message : String(error)})`);
  }
  if (!isSaved(value)) throw new UsageError(`${path}: no report of a campaign`);
  return value;
}

/** What a directory holds of a campaign; null where there is none yet. */
export const savedIn = (out: string): Saved | null => (existsSync(join(out, REPORT)) ? readSaved(join(out, REPORT)) : null);

/** The report of a campaign: of its directory, or the file itself. */
export const savedReport = (path: string): CampaignReport => readSaved(path.endsWith('.json') ? path : join(path, REPORT)).report;

const fileName = (shape: string, index: number): string =>
  `${String(index).padStart(3, '0')}_${shape.replace(/[^a-zA-Z0-9]+/g, '_').slice(0, 60)}.bpf.s`;

/** Writes the report, and the programs that it has as files of their own. */
export function save(out: string, saved: Saved): void {
  for (const folder of FOLDERS) mkdirSync(join(out, folder), { recursive: true });
  const { findings, precision, kept } = saved.report;
  const put = (folder: (typeof FOLDERS)[number], name: string, program: string): void => {
    if (program !== '') writeFileSync(join(out, folder, name), program);
  };
  for (const [index, { shape, program }] of findings.entries()) put('findings', fileName(shape, index), program);
  for (const [index, { shape, program }] of precision.entries()) put('precision', fileName(shape, index), program);
  for (const { index, program } of kept) put('corpus', `${index}.bpf.s`, program);
  const fresh = join(out, `${REPORT}.new`);
  writeFileSync(fresh, `${JSON.stringify(saved)}\n`);
  renameSync(fresh, join(out, REPORT));
}
