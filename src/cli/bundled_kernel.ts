import { existsSync, readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import type { Inflate, PackedPart } from '../btf/packed_source.ts';
import type { Profile } from '../contracts/profile.ts';
import { type ProfileName, profileOfParts } from '../profiles/open.ts';

/** Where the parts of a profile's BTF are: beside the build, or in the source tree. */
const PLACES: Readonly<Record<ProfileName, readonly string[]>> = {
  'linux-6.18': ['./btf/linux-6.18/', '../profiles/linux_6_18/btf/'],
};

/** Bytes that zlib takes at least for its output. */
const LEAST_CHUNK = 64;

function readPart(name: ProfileName, part: PackedPart): Uint8Array {
  const candidates = PLACES[name].map((place) => new URL(`${place}${part}.bin`, import.meta.url));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error(`the BTF of ${name} is not installed: no ${part}.bin`);
  return readFileSync(found);
}

const inflate: Inflate = (packed, size) =>
  inflateRawSync(packed, { maxOutputLength: Math.max(size, 1), chunkSize: Math.max(size, LEAST_CHUNK) });

/** A profile over the BTF that the package brings; its parts are read when they are asked for. */
export const openBundledProfile = (name: ProfileName = 'linux-6.18'): Profile =>
  profileOfParts(name, (part) => readPart(name, part), inflate);
