import type { Defect } from '../defect.ts';
import { MEMORY } from './memory.ts';
import { OBJECTS } from './objects.ts';
import { PRUNING } from './pruning.ts';
import { SCALARS } from './scalars.ts';

export const CATALOGUE: readonly Defect[] = [...SCALARS, ...MEMORY, ...PRUNING, ...OBJECTS];
