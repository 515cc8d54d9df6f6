import { assemble } from '../asm/assemble.ts';
import { Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { withRevisions } from '../profiles/revisions.ts';
import type { Situation } from '../program/expected_case.ts';
import type { ObjectImage, Program } from '../program/program.ts';
import { readOver, readPlace } from './iterate_over.ts';
import type { Scene, WorldText } from './observe.ts';

/** A text program as a file among others: it is read anew for each kernel, and its worlds stand beside it. */
export interface SampleSource {
  readonly name: string;
  readonly text: string;
  /** text of a file that the sample names, as seen from its own; throws where there is none */
  readonly readBeside: (path: string) => WorldText;
}

const REVISED = new WeakMap<Profile, Map<string, Profile>>();

/** The profile under a list of `NAME=REVISION` with commas; the same one for the same list. */
export function revisedProfile(profile: Profile, revisions: string): Profile {
  if (revisions === '') return profile;
  const known = REVISED.get(profile) ?? new Map<string, Profile>();
  REVISED.set(profile, known);
  const made = known.get(revisions) ?? withRevisions(profile, revisions.split(','));
  known.set(revisions, made);
  return made;
}

const IMAGES = new WeakMap<SampleSource, Map<Profile, ObjectImage>>();

/** The sample as a kernel sees it; the same image for the same kernel. */
export function sampleImage(source: SampleSource, profile: Profile): ObjectImage {
  const known = IMAGES.get(source) ?? new Map<Profile, ObjectImage>();
  IMAGES.set(source, known);
  const image = known.get(profile) ?? assemble(source.text, source.name, { profile });
  known.set(profile, image);
  return image;
}

export function programNamed(image: ObjectImage, name: string): Program {
  const program = image.programs.find((candidate) => candidate.name === name);
  if (program === undefined) throw new Malformed(`there is no program '${name}'`, image.name);
  return program;
}

/** The scenes of a situation: one for each size of reads. */
export function scenesOf(source: SampleSource, { world, over, through, closesLink, readSizes }: Situation): Scene[] {
  const text = world === null ? null : source.readBeside(world);
  const walk = readOver(over);
  const reading = { closesLink, ...(through === null ? {} : { through: readPlace(through) }) };
  const sizes = readSizes.length === 0 ? [undefined] : readSizes;
  return sizes.map((size) => ({ world: text, over: walk, reading: size === undefined ? reading : { ...reading, size } }));
}
