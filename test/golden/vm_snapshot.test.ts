import { describe, expect, test } from 'vitest';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { openWorld } from '../../src/world/build.ts';
import { snapshotText } from '../../src/world/snapshot.ts';
import { readRows } from '../../tools/vm_runs/golden.ts';
import { procFilesOf, type RecordedProc } from '../../tools/vm_runs/recorded_proc.ts';
import { modelOutput, snapshotFrom, type WalkName } from '../../tools/vm_runs/snapshot.ts';

/**
 * The /proc of Linux 6.12 under QEMU as a world: iterators write over it what they wrote in that kernel at the same moment.
 * `npm run vm-runs snapshot` records anew.
 */

const [proc, ...walks] = readRows('snapshot').rows as [RecordedProc, ...{ name: WalkName; output: string }[]];
const profile = openBundledProfile();
const snapshot = snapshotFrom(procFilesOf(proc));

describe('a snapshot taken inside a kernel', () => {
  test('leaves nothing out, and is a world', () => {
    expect(snapshot.leftOut).toEqual([]);
    const { system } = openWorld(snapshotText(snapshot), 'snapshot.yaml', profile);
    expect(system.kernel.tasks.all.length).toBeGreaterThan(50);
  });

  const ours = modelOutput(snapshot, profile);
  test.each(walks.map(({ name, output }) => [name, output] as const))('%s', (name, output) => {
    expect(output.length).toBeGreaterThan(500);
    expect(ours[name].split('\n')).toEqual(output.split('\n'));
  });
});
