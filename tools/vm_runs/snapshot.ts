import { readFileSync } from 'node:fs';
import { assemble } from '../../src/asm/assemble.ts';
import { oracleRequest } from '../../src/cli/oracle_request.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { iterate } from '../../src/desk/iterate.ts';
import { textOfBytes } from '../../src/kernel/text.ts';
import { openWorld } from '../../src/world/build.ts';
import { readProcesses, type Snapshot, snapshotOf, snapshotText } from '../../src/world/snapshot.ts';
import type { ProcFiles } from '../../src/world/snapshot_capture.ts';

/** Sample programs that walk over tasks, and how many bytes a read takes. */
const PROGRAMS = [
  ['tasks', 4096],
  ['files', 100],
  ['areas', 4096],
  ['maps', 1000],
  ['walk_maps', 65536],
] as const;

export type WalkName = (typeof PROGRAMS)[number][0];
export const WALKS: readonly WalkName[] = PROGRAMS.map(([name]) => name);

const imageOf = (name: WalkName, profile: Profile) => {
  const file = `${name}.bpf.s`;
  return assemble(readFileSync(new URL(`../../programs/task_iter/${file}`, import.meta.url), 'utf8'), file, { profile });
};

/** Maps of several objects go by their names in one process of the guest. */
const marked = (request: ReturnType<typeof oracleRequest>, mark: number) => ({
  ...request,
  maps: request.maps.map((map) => ({ ...map, name: `${mark}${map.name}` })),
});

/** What the guest does: everything is open before /proc is read, so that the iterators find what is read there. */
export function guestSteps(profile: Profile): unknown[] {
  return [
    { do: 'fixture' },
    ...PROGRAMS.flatMap(([name], index) => {
      const request = marked(oracleRequest(imageOf(name, profile).programs[0]!, { logLevel: 1 }), index);
      return [
        { do: 'load', prog: name, request },
        { do: 'attach', prog: name, link: `link of ${name}` },
        { do: 'iter', link: `link of ${name}`, iter: `iter of ${name}` },
      ];
    }),
    { do: 'proc' },
    ...PROGRAMS.map(([name, size]) => ({ do: 'read', iter: `iter of ${name}`, size, all: true })),
    { do: 'proc' },
  ];
}

/** Index of the steps that read /proc, and of the iterators between them. */
export const firstProcStep = 1 + 3 * PROGRAMS.length;

export function snapshotFrom(files: ProcFiles): Snapshot {
  const reading = readProcesses(files);
  if ('errno' in reading) throw new Error(`/proc: ${reading.errno}`);
  return snapshotOf(reading.captures, files);
}

/** What the programs write over the world of a snapshot. */
export function modelOutput(snapshot: Snapshot, profile: Profile): Record<WalkName, string> {
  const output = {} as Record<WalkName, string>;
  const text = snapshotText(snapshot);
  for (const [name, size] of PROGRAMS) {
    const { system } = openWorld(text, 'snapshot.yaml', profile);
    const image = imageOf(name, profile);
    const result = iterate(system, image.programs[0]!, image, {}, { size });
    if (!('pieces' in result) || result.error !== null) throw new Error(`${name}: ${JSON.stringify(result)}`);
    output[name] = textOfBytes(Buffer.concat(result.pieces));
  }
  return output;
}
