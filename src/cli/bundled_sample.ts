import { existsSync, readFileSync } from 'node:fs';

/** Where the files of a sample are: beside the build, or in the source tree. */
const PLACES = ['./programs/', '../../programs/'];

/** The text of a file of the samples that the package brings, such as `bpf_cr/seed.world.yaml`. */
export function readSample(path: string): string {
  const candidates = PLACES.map((place) => new URL(`${place}${path}`, import.meta.url));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error(`the sample ${path} is not installed`);
  return readFileSync(found, 'utf8');
}
