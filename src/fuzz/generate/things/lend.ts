import { whenNotNull } from '../blocks/maps.ts';
import type { Wanted } from '../callees.ts';
import { FP, type Generator } from '../generator.ts';
import type { UsedMap } from '../kernel.ts';
import type { Kind } from '../scope.ts';

/** What things that calls ask for have in common: each is made, lent to what is written in between, and given back. */

/** Writes the instructions that put a thing into a register. */
export type Put = (reg: number) => void;

/** What the things of one call have in common. */
export interface Gathering {
  /** the map that something in it was found in */
  map: UsedMap | null;
  /** the root that nodes are looked for in */
  root: Put | null;
  /** written when every lock is given back, last first */
  readonly after: (() => void)[];
}

export type Use = (put: Put) => void;
export type Source = (g: Generator, wanted: Wanted, gathering: Gathering, use: Use) => void;

export const REFERENCE: Kind = { kind: 'opaque' };

export const callKfunc = (g: Generator, name: string, result: Kind | null = null): boolean => {
  const id = g.kernel.kfunc(name);
  if (id === 0) return false;
  g.code.callKfunc(id);
  g.scope.called(result);
  return true;
};

/** Holds a register in a stack slot while something is written. */
export const parked = (g: Generator, reg: number, use: Use): void => {
  const off = g.stackSpace(8);
  g.code.store(8, FP, off, reg);
  g.scope.reserve(off, 8);
  use((to) => g.code.load(8, to, FP, off));
  if (!g.scope.isEnded) g.scope.release(off, 8);
};

export const given =
  (g: Generator, value: number): Put =>
  (reg) =>
    g.code.movK(reg, value);

/** A number that may be anything. */
export const anyNumber = (g: Generator): Put => {
  const { random } = g;
  const known = g.having('scalar').filter((reg) => reg > 5);
  if (known.length > 0 && random.chance(0.25)) {
    const from = random.pick(known);
    return (reg) => g.code.movX(reg, from);
  }
  return given(g, random.chance(0.7) ? random.below(17) : random.immediate());
};

/** Something that a call gives, or nothing. */
export const fromCall = (g: Generator, call: () => void, use: Use, release: ((put: Put) => void) | null): void => {
  g.saveCallerRegisters();
  call();
  g.scope.called(null);
  whenNotNull(g, REFERENCE, () =>
    parked(g, 0, (put) => {
      g.within({ owes: release !== null || g.around.owes }, () => use(put));
      if (g.scope.isEnded || release === null || g.wrongMoreOften(3)) return;
      release(put);
    }),
  );
};
