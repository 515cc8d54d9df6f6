import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openBundledProfile } from '../src/cli/bundled_kernel.ts';
import { expandPaths, loadInput } from '../src/cli/inputs.ts';
import type { SampleSource } from '../src/desk/sample.ts';
import type { ObjectImage } from '../src/program/program.ts';

const ROOT = join(import.meta.dirname, '..');

export const profile = openBundledProfile();

/** Every file under programs/, by its name there. */
export const sampleNames = expandPaths([join(ROOT, 'programs')]).map((path) => path.slice(join(ROOT, 'programs').length + 1));

/** A sample, loaded under the name that it has from the root of the repository. */
export const loadSample = (name: string): Promise<ObjectImage> =>
  loadInput(`programs/${name}`, readFileSync(join(ROOT, 'programs', name)), { profile, presets: [], section: 'socket' });

/** The file of a sample, with the worlds beside it. */
export function sourceOf(name: string): SampleSource {
  const read = (path: string): string => readFileSync(join(ROOT, 'programs', path), 'utf8');
  const readBeside = (file: string) => ({ name: `programs/${join(dirname(name), file)}`, text: read(join(dirname(name), file)) });
  return { name: `programs/${name}`, text: read(name), readBeside };
}

export const samples = await Promise.all(sampleNames.map(async (name) => [name, await loadSample(name)] as const));
