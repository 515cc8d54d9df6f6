import { describe, expect, test } from 'vitest';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { readRecording } from '../../tools/vm_runs/golden.ts';
import { ModelRun } from '../../tools/vm_runs/model.ts';
import { GROUPS } from '../../tools/vm_runs/scenarios/index.ts';

/**
 * Programs that ran in Linux 6.12 under QEMU, and in the modelled kernel: the same steps of user space give the same results,
 * output and errors. `npm run vm-runs` records anew.
 */

const profile = openBundledProfile();

describe.each(Object.entries(GROUPS))('%s', (group, scenarios) => {
  const { provenance, scenarios: recorded } = readRecording(group);

  test('was recorded whole', () => {
    expect(provenance.kernel).toMatch(/^6\.12\./);
    expect(recorded.map(({ name }) => name)).toEqual(scenarios.map(({ name }) => name));
  });

  test.each(scenarios.map((scenario, index) => [scenario.name, scenario, recorded[index]] as const))(
    '%s',
    (_name, scenario, kernel) => {
      const ours = ModelRun.answers(scenario, profile);
      const said = (answers: readonly unknown[] | undefined) =>
        scenario.steps.map((step, i) => [JSON.stringify(step), answers?.[i]]);
      expect(said(ours)).toEqual(said(kernel?.answers));
    },
  );
});
