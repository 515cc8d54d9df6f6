/** Profiles for whoever brings nothing but a BTF, or the bytes of the packed one. */
import type { Btf } from '../btf/btf.ts';
import { inflate } from '../btf/inflate.ts';
import type { PartReader } from '../btf/packed_source.ts';
import type { Profile } from '../contracts/profile.ts';
import { linux_6_18 } from './linux_6_18.ts';
import { isProfileName, PROFILE_NAMES, type ProfileName, profileOfParts, profileOver } from './open.ts';

export { isProfileName, linux_6_18, PROFILE_NAMES, type ProfileName };

/**
 * Opens a profile. `vmlinux` is where its BTF comes from: a reader of the packed parts that are shipped with the profile, or
 * a BTF of the caller's own.
 */
export const openProfile = (name: ProfileName, vmlinux: PartReader | Btf): Profile =>
  typeof vmlinux === 'function' ? profileOfParts(name, vmlinux, inflate) : profileOver(name, vmlinux);
