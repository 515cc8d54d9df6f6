import { describe, expect, it } from 'vitest';
import { NoKernel } from '../../src/cli/kernel_oracle.ts';
import { KernelQuestions } from '../../src/cli/kernel_questions.ts';
import { Campaign } from '../../src/fuzz/campaign.ts';
import { FuzzKernel } from '../../src/fuzz/generate/kernel.ts';
import { profile } from '../samples.ts';

const kernel = new FuzzKernel(profile);

describe('a kernel that kills the process that loads programs', () => {
  it('is told once, with the first program without an answer, and is not asked again', async () => {
    const campaign = new Campaign(kernel, { seed: 3, oracles: ['round-trip'], dials: { size: 6 } });
    let asked = 0;
    const questions = new KernelQuestions(kernel, {
      ask: async () => {
        asked++;
        throw new NoKernel('the kernel oracle has ended');
      },
    });
    const ask = async (index: number): Promise<void> => questions.ask(campaign, index, campaign.step(index)!.verdict);
    for (const index of [0, 1, 2]) await ask(index);
    await questions.settle();
    const before = asked;
    expect(before).toBeGreaterThan(0);
    await ask(3);
    expect(asked).toBe(before);
    const { findings, kernelAgreement } = campaign.report(1);
    expect(findings.map(({ oracle, count, message }) => [oracle, count, message])).toEqual([
      ['kernel', 1, 'the process that loads the program is killed; this worker asks the kernel no more'],
    ]);
    expect(kernelAgreement.asked).toBe(0);
  });
});
