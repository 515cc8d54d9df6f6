import type { OracleName } from '../../src/fuzz/oracle_names.ts';
import type { CampaignName } from './campaigns.ts';

/** `find` stands in the file exactly once. */
export interface Edit {
  /** the file that is changed; absent: the defect's */
  readonly file?: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * One historic verifier bug, as a small change of our own verifier's source. The change is made while a bundle is built, so that
 * the shipped verifier has no switch for it.
 */
export interface Defect {
  readonly name: string;
  /** what Linux did wrong, one sentence */
  readonly story: string;
  /** CVE, or abbreviated commit of the Linux repository; null where none is known */
  readonly source: string | null;
  /** the file that is changed, from the root of the repository */
  readonly file: string;
  readonly edits: readonly Edit[];
  /** oracles that are expected to notice; a finding of another one does not count */
  readonly oracles: readonly OracleName[];
  /** programs within which every seed has to find it */
  readonly budget: number;
  readonly campaign: CampaignName;
}

/** The files that a defect changes. */
export const filesOf = ({ file, edits }: Defect): string[] => [...new Set(edits.map((edit) => edit.file ?? file))];

/** The source of one of the files of a defect with the defect in it. */
export const plant = (source: string, defect: Defect, file = defect.file): string =>
  defect.edits
    .filter((edit) => (edit.file ?? defect.file) === file)
    .reduce((text, { find, replace }) => {
      const count = text.split(find).length - 1;
      if (count !== 1) throw new Error(`${defect.name}: '${find.trim()}' stands ${count} times in ${file}`);
      if (replace === find) throw new Error(`${defect.name}: changes nothing`);
      return text.replace(find, () => replace);
    }, source);
