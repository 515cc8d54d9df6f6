import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { instructions, mutants, programs, witnessedScalars } from '../../src/fuzz/arbitrary.ts';
import { instructionStarts, splice, targetOf } from '../../src/fuzz/edit.ts';
import { FuzzKernel } from '../../src/fuzz/generate/kernel.ts';
import { generateProgram } from '../../src/fuzz/generate/program.ts';
import { isWellFormed, METAMORPHOSES } from '../../src/fuzz/metamorphic.ts';
import { mutate } from '../../src/fuzz/mutate.ts';
import { mutateFrame } from '../../src/fuzz/mutate_frame.ts';
import { admitsWord } from '../../src/fuzz/oracle/admits.ts';
import { domainBreach } from '../../src/fuzz/oracle/domain.ts';
import { roundTripBreach } from '../../src/fuzz/oracle/round_trip.ts';
import { Random } from '../../src/fuzz/random.ts';
import { minimize, shrinkProgram } from '../../src/fuzz/shrink.ts';
import { opcodeOf } from '../../src/isa/opcodes.ts';
import { verify } from '../../src/verifier/verify.ts';

const kernel = new FuzzKernel(openBundledProfile());
const generated = (seed: number) => generateProgram(kernel, seed, { size: 20, wrong: 0 });

describe('splicing', () => {
  it('keeps where jumps and calls lead', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const program = generated(seed);
      const starts = instructionStarts(program.insns);
      const at = starts[seed % starts.length]!;
      const longer = splice(program, at, 0, [{ code: 0xb7, dst: 0, src: 0, off: 0, imm: 1 }])!;
      const moved = (slot: number) => (slot <= at ? slot : slot + 1);
      for (const slot of starts) {
        const target = targetOf(program.insns, slot);
        const now = slot < at ? slot : slot + 1;
        expect(targetOf(longer.insns, now)).toBe(target === null ? null : moved(target));
      }
      expect(isWellFormed(longer)).toBe(true);
      expect(splice(longer, at, 1, [])!.insns).toEqual(program.insns);
    }
  });
  it('refuses to leave nothing', () => {
    const program = generated(1);
    expect(splice(program, 0, program.insns.length, [])).toBe(null);
  });
});

describe('mutants', () => {
  it('are the same for the same seed and mostly differ from their origin', () => {
    const program = generated(4);
    const mutant = (seed: number) => mutate(new Random(seed), program, 2).insns;
    expect(mutant(1)).toEqual(mutant(1));
    const changed = Array.from({ length: 50 }, (_, seed) => mutant(seed)).filter((insns) => insns !== program.insns);
    expect(changed.length).toBeGreaterThan(40);
  });
  it('of what stands around the instructions are judged without a crash', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const changed = mutateFrame(new Random(seed), generated(seed), kernel);
      expect(['accept', 'reject', 'unknown']).toContain(verify(changed, kernel.profile, { budget: 3000 }).verdict);
    }
  });
});

describe('metamorphic changes', () => {
  it.each(METAMORPHOSES.map((change) => [change.name, change] as const))('%s: the verdict stays', (_, { apply }) => {
    let applied = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const program = generated(seed);
      const before = verify(program, kernel.profile, { budget: 5000 });
      const changed = apply(new Random(seed), program);
      if (changed === null || before.verdict !== 'accept') continue;
      applied++;
      expect(verify(changed, kernel.profile, { budget: 20_000 }).verdict, `seed ${seed}`).toBe('accept');
      expect(isWellFormed(changed)).toBe(true);
    }
    expect(applied).toBeGreaterThan(10);
  });
});

describe('shrinking', () => {
  it('gives smaller programs only', () => {
    const program = generated(9);
    for (const candidate of shrinkProgram(program)) {
      const isShorter = candidate.insns.length < program.insns.length;
      const isSimpler = candidate.insns.some((insn, at) => Math.abs(insn.imm) < Math.abs(program.insns[at]!.imm));
      const isBarer = candidate.maps.length < program.maps.length || candidate.funcInfo.length < program.funcInfo.length;
      expect(isShorter || isSimpler || candidate.flags === 0 || isBarer).toBe(true);
    }
  });
  it('finds the one instruction that matters', () => {
    const program = generated(12);
    const divides = (insns: typeof program.insns) => insns.some(({ code }) => (code & 0xf7) === 0x95);
    const smallest = minimize(program, ({ insns }) => divides(insns));
    // of every function one instruction stays
    expect(smallest.insns).toHaveLength(Math.max(1, smallest.funcInfo.length));
  });
});

describe('round trips', () => {
  it('give generated programs back', () => {
    for (let seed = 1; seed <= 40; seed++) expect(roundTripBreach(generated(seed), kernel.profile), `seed ${seed}`).toBe(null);
  });
});

describe('the scalar domain', () => {
  it('keeps its laws', () => {
    const random = new Random(2);
    for (let i = 0; i < 3000; i++) expect(domainBreach(random)).toBe(null);
  });
});

describe('arbitraries', () => {
  it('draw programs, mutants, instructions and scalars, and shrink', () => {
    const corpus = [generated(1), generated(2)];
    fc.assert(
      fc.property(programs(kernel, { size: 8 }), mutants(corpus), instructions(), witnessedScalars(), (a, b, insn, scalar) => {
        expect(a.program.insns.length).toBeGreaterThan(0);
        expect(b.program.insns.length).toBeGreaterThan(0);
        expect(opcodeOf(insn)?.origin).toBe('user');
        expect(admitsWord(scalar.scalar, scalar.lo, scalar.hi)).toBe(true);
      }),
      { numRuns: 60, seed: 618 },
    );
    const details = fc.check(
      fc.property(programs(kernel, { size: 30 }), ({ program }) => program.insns.every(({ code }) => code !== 0x95)),
      { numRuns: 5, seed: 618 },
    );
    expect(details.failed).toBe(true);
    expect(details.counterexample![0].program.insns).toHaveLength(1);
  });
});
