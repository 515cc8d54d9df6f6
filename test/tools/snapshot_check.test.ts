import { describe, expect, it } from 'vitest';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { readProcesses } from '../../src/world/snapshot.ts';
import type { Capture } from '../../src/world/snapshot_capture.ts';
import { checkSnapshot } from '../../tools/snapshot_check/check.ts';
import { readRows } from '../../tools/vm_runs/golden.ts';
import { procFilesOf, type RecordedProc } from '../../tools/vm_runs/recorded_proc.ts';

/** The /proc of a kernel under QEMU; see tools/vm_runs. */
const files = procFilesOf(readRows('snapshot').rows[0] as RecordedProc);
const profile = openBundledProfile();

function captures(): readonly Capture[] {
  const reading = readProcesses(files);
  if ('errno' in reading) throw new Error(reading.errno);
  return reading.captures;
}

describe('iterators over a snapshot', () => {
  it('say what /proc said, line by line', () => {
    const { mismatches, changed, unread, processes, threads, descriptors, areas, lines } = checkSnapshot(
      captures(),
      files,
      profile,
    );
    expect([mismatches, changed, unread]).toEqual([[], [], []]);
    expect(processes).toBeGreaterThan(50);
    expect(threads).toBeGreaterThan(processes);
    expect(descriptors).toBeGreaterThan(30);
    expect(areas).toBeGreaterThan(50);
    expect(lines).toBeGreaterThan(processes * 2 + descriptors + 2 * areas);
  });

  it('and where they did not, the lines would be listed', () => {
    const all = captures();
    const target = all.find(({ process }) => process.maps?.includes('/memfd:'))!;
    const bent = { ...files, read: (path: string) => (path === `/proc/${target.process.pid}/maps` ? '' : files.read(path)) };
    const reading = readProcesses(bent);
    if ('errno' in reading) throw new Error(reading.errno);
    const mixed = reading.captures.map((capture) =>
      capture.process.pid === target.process.pid
        ? {
            ...capture,
            process: { ...capture.process, threads: capture.process.threads.map((thread) => ({ ...thread, status: '' })) },
          }
        : capture,
    );
    const { mismatches } = checkSnapshot(mixed, bent, profile);
    expect(mismatches.length).toBeGreaterThan(0);
    expect(new Set(mismatches.map(({ pid, walk }) => `${pid} ${walk}`))).toEqual(
      new Set([`${target.process.pid} tasks`, `${target.process.pid} walk_maps`]),
    );
  });
});
