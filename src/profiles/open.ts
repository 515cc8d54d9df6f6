/** The kernels that can be asked, by name. */
import type { Btf } from '../btf/btf.ts';
import type { Inflate, PartReader } from '../btf/packed_source.ts';
import type { Profile } from '../contracts/profile.ts';
import { openVmlinux } from './linux_6_18/btf/vmlinux.ts';
import { LINUX_6_18, linux_6_18 } from './linux_6_18.ts';

export const PROFILE_NAMES = [LINUX_6_18] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

export function isProfileName(name: string): name is ProfileName {
  return (PROFILE_NAMES as readonly string[]).includes(name);
}

/** The profile over a BTF of the caller's own. */
export function profileOver(name: ProfileName, btf: Btf): Profile {
  switch (name) {
    case LINUX_6_18:
      return linux_6_18(btf);
    default:
      return name satisfies never;
  }
}

/** The profile over the BTF that is shipped with it, in packed parts. */
export const profileOfParts = (name: ProfileName, read: PartReader, inflate: Inflate): Profile =>
  profileOver(name, openVmlinux(read, inflate));
