import type { Scenario } from '../steps.ts';
import { openCoded } from './open_coded.ts';
import { seqFile } from './seq_file.ts';
import { targets } from './targets.ts';
import { userRing } from './user_ring.ts';

/** Scenarios by the file that their recording stands in. */
export const GROUPS: Readonly<Record<string, readonly Scenario[]>> = {
  user_ring: userRing,
  open_coded: openCoded,
  seq_file: seqFile,
  targets,
};
