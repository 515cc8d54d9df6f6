import { describe, expect, it } from 'vitest';
import { COMPUTE_SAMPLES } from './compute_samples.ts';
import { runText } from './programs.ts';

describe('compute samples', () => {
  it.each(COMPUTE_SAMPLES.map((sample) => [sample.name, sample] as const))('%s', (_, { text, result }) => {
    const done = runText(text);
    expect([done.fault, `0x${done.result.toString(16)}`]).toEqual([null, `0x${result.toString(16)}`]);
  });
});
