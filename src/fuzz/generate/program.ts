import type { Program } from '../../program/program.ts';
import { DEFAULT_DIALS, type Dials } from '../dials.ts';
import { Random } from '../random.ts';
import { writeFunctions } from './blocks/functions.ts';
import { STEPS } from './blocks/index.ts';
import { Generator } from './generator.ts';
import type { FuzzKernel } from './kernel.ts';

/**
 * The program of a seed: structured, mostly valid, and the same for the same dials and kernel. `changes` are dials that differ
 * from the usual ones.
 */
export function generateProgram(kernel: FuzzKernel, seed: number, changes: Partial<Dials> = {}): Program {
  const dials: Dials = { ...DEFAULT_DIALS, ...changes };
  const random = new Random(seed);
  const g = new Generator(random, dials, kernel, STEPS, random.pick(dials.sections));
  g.scope.regs[1] = { kind: 'ctx' };
  if (random.chance(0.7)) {
    g.code.movX(6, 1);
    g.scope.regs[6] = { kind: 'ctx' };
  }
  g.body(Math.max(2, Math.floor(g.room * 0.8)));
  if (!g.scope.isEnded) g.exit();
  writeFunctions(g);
  let flags = 0;
  for (const [flag, probability] of Object.entries(dials.testFlags)) if (random.chance(probability)) flags |= Number(flag);
  return g.finish('prog', flags);
}
