import { existsSync, readFileSync } from 'node:fs';
import type { PackedPart } from '../btf/packed_source.ts';
import type { Profile } from '../contracts/profile.ts';
import { openProfile, type ProfileName } from '../profiles/index.ts';

/** Where the parts of a profile's BTF are: beside the build, or in the source tree. */
const PLACES: Readonly<Record<ProfileName, readonly string[]>> = {
  'linux-6.18': ['./btf/linux-6.18/', '../profiles/linux_6_18/btf/'],
};

function readPart(name: ProfileName, part: PackedPart): Uint8Array {
  const candidates = PLACES[name].map((place) => new URL(`${place}${part}.bin`, import.meta.url));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error(`the BTF of ${name} is not installed: no ${part}.bin`);
  return readFileSync(found);
}

/** A profile over the BTF that the package brings; its parts are read when they are asked for. */
export const openBundledProfile = (name: ProfileName = 'linux-6.18'): Profile =>
  openProfile(name, (part) => readPart(name, part));
