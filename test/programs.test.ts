import { describe, expect, it } from 'vitest';
import { resultText, selftest } from '../src/desk/selftest.ts';
import { profile, samples, sourceOf } from './samples.ts';

const ROOMS = [
  ...['control_flow', 'scalars', 'ranges', 'stack', 'context', 'map_values', 'packets', 'helper_arguments'],
  ...['subprograms', 'tail_calls', 'return_ranges', 'loops', 'pruning', 'alignment', 'c'],
];

/** A program that is dropped into programs/ is a test: what its header says has to come true. */
describe('the samples do what they say of themselves', () => {
  it.each(samples)('%s', (name, image) => {
    const source = image.cases === undefined ? {} : { source: sourceOf(name) };
    const results = [...selftest(image, profile, undefined, source)];
    expect(results.length, 'it says something of itself').toBeGreaterThan(0);
    expect(results.filter(({ outcome }) => outcome === 'fail').map(resultText)).toEqual([]);
  });

  it.each(ROOMS)('there are accepted and refused ones for %s', (room) => {
    const said = samples
      .filter(([name]) => name.startsWith(`${room}/`))
      .flatMap(([, image]) => [...image.expectations.values()].map(({ verdict }) => verdict));
    expect(said.filter((verdict) => verdict === 'accept').length).toBeGreaterThan(0);
    expect(said.filter((verdict) => verdict === 'reject').length).toBeGreaterThan(0);
  });
});
