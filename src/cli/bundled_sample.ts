import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../desk/explain_message.ts';

/** Where the files of a sample are: beside the build, or in the source tree. */
const PLACES = ['./programs/', '../../programs/'];
const ENDING = '.bpf.s';

const placesOf = (path: string): string[] =>
  PLACES.map((place) => fileURLToPath(new URL(`${place}${path}`, import.meta.url))).filter((place) => existsSync(place));

/** The text of a file of the samples that the package brings, such as `bpf_cr/seed.world.yaml`. */
export function readSample(path: string): string {
  const [found] = placesOf(path);
  if (found === undefined) throw new Error(`the sample ${path} is not installed`);
  return readFileSync(found, 'utf8');
}

export interface InstalledSample {
  /** `user_ringbuf/drain` */
  readonly name: string;
  readonly path: string;
}

function installed(): InstalledSample[] {
  const [root] = placesOf('');
  if (root === undefined) return [];
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(ENDING))
    .sort()
    .map((file) => ({ name: file.slice(0, -ENDING.length), path: join(root, file) }));
}

/** Text programs that the package brings and that go by this name: `user_ringbuf/drain`, or `drain`. */
export function sampleNamed(name: string): readonly InstalledSample[] {
  const bare = name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : name;
  const all = installed();
  const exact = all.filter((sample) => sample.name === bare);
  return exact.length > 0 ? exact : all.filter((sample) => sample.name.endsWith(`/${bare}`));
}

/** Names of samples that say what becomes of them under revisions. */
export const sampleNames = (): readonly string[] =>
  installed()
    .filter(({ path }) => /^\.expect with /m.test(readFileSync(path, 'utf8')))
    .map(({ name }) => name);

/** Every text program of the samples, under its name in the repository. */
export const bundledSamples = (): Sample[] =>
  installed().map(({ name, path }) => ({ name: `programs/${name}${ENDING}`, text: readFileSync(path, 'utf8') }));
