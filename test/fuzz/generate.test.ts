import { describe, expect, it } from 'vitest';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { checkProgram } from '../../src/fuzz/check.ts';
import { FEATURES } from '../../src/fuzz/dials.ts';
import { STEPS } from '../../src/fuzz/generate/blocks/index.ts';
import { FuzzKernel } from '../../src/fuzz/generate/kernel.ts';
import { generateProgram } from '../../src/fuzz/generate/program.ts';
import { Random } from '../../src/fuzz/random.ts';
import { checkEncoding } from '../../src/isa/fields.ts';
import { opcodeOf } from '../../src/isa/opcodes.ts';
import { verify } from '../../src/verifier/verify.ts';

const kernel = new FuzzKernel(openBundledProfile());

describe('random numbers', () => {
  it('are the same for the same seed and differ between seeds', () => {
    const draw = (seed: number) =>
      Array.from({ length: 8 }, () => 0).map(
        (
          (random) => () =>
            random.next()
        )(new Random(seed)),
      );
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });
  it('stay within their bounds', () => {
    const random = new Random(3);
    const drawn = Array.from({ length: 500 }, () => random.between(-2, 3));
    expect(new Set(drawn)).toEqual(new Set([-2, -1, 0, 1, 2, 3]));
    expect(Array.from({ length: 500 }, () => random.immediate()).every((value) => value === (value | 0))).toBe(true);
  });
});

describe('generated programs', () => {
  it('are the same for the same seed', () => {
    expect(generateProgram(kernel, 42)).toEqual(generateProgram(kernel, 42));
    expect(generateProgram(kernel, 42).insns).not.toEqual(generateProgram(kernel, 43).insns);
  });

  it('hold every kind of step', () => {
    expect(new Set(STEPS.map(({ feature }) => feature))).toEqual(new Set(FEATURES));
  });

  it('are well formed, mostly accepted and mostly not trivial', () => {
    let accepted = 0;
    let long = 0;
    let malformed = 0;
    const count = 300;
    for (let seed = 1; seed <= count; seed++) {
      const program = generateProgram(kernel, seed, { size: 20 });
      if (checkEncoding(program.insns) !== null) malformed++;
      const { verdict, stats } = verify(program, kernel.profile, { budget: 20_000 });
      if (verdict === 'accept') accepted++;
      if (stats.insnsProcessed >= 20) long++;
    }
    expect(accepted / count).toBeGreaterThan(0.35);
    expect(long / count).toBeGreaterThan(0.35);
    expect(malformed / count).toBeLessThan(0.1);
  });

  it('use no instruction that is newer than the dial says', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { insns } = generateProgram(kernel, seed, {
        cpu: 'v3',
        wrong: 0,
        features: { alu: 5, branch: 5, loop: 3, atomic: 2, stack: 3 },
      });
      for (const insn of insns) expect(opcodeOf(insn)?.cpu).not.toBe('v4');
    }
  });

  it('have paths that meet, mostly accepted, in which nothing is found', () => {
    const stateFrequency = 8;
    const dials = { features: { merge: 2, loop: 1 }, size: 24, testFlags: { [stateFrequency]: 1 } };
    let covered = 0;
    let accepted = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const program = generateProgram(kernel, seed, dials);
      const { verdict, findings } = checkProgram(program, kernel, { seed, oracles: ['containment', 'runs'], budget: 3000 });
      expect(findings, `seed ${seed}`).toEqual([]);
      if (verdict.verdict !== 'accept') continue;
      accepted++;
      const all = verify(program, kernel.profile, { prune: false, budget: 3000 });
      if (all.verdict === 'unknown' || all.stats.insnsProcessed > verdict.stats.insnsProcessed) covered++;
    }
    expect(accepted).toBeGreaterThan(20);
    expect(covered).toBeGreaterThan(15);
  });

  it('leave out what the dials switch off', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const { maps, funcInfo } = generateProgram(kernel, seed, { features: { alu: 1, stack: 1, branch: 1 } });
      expect([maps.length, funcInfo.length]).toEqual([0, 0]);
    }
  });
});
