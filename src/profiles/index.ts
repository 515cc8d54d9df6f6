/** The kernels that can be asked, by name. */
import type { Btf } from '../btf/btf.ts';
import type { PartReader } from '../btf/packed_source.ts';
import type { Profile } from '../contracts/profile.ts';
import { openVmlinux } from './linux_6_18/btf/vmlinux.ts';
import { LINUX_6_18, linux_6_18 } from './linux_6_18.ts';

export { linux_6_18 };

export const PROFILE_NAMES = [LINUX_6_18] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

export function isProfileName(name: string): name is ProfileName {
  return (PROFILE_NAMES as readonly string[]).includes(name);
}

/**
 * Opens a profile. `vmlinux` is where its BTF comes from: a reader of the packed parts that are shipped with the profile, or
 * a BTF of the caller's own.
 */
export function openProfile(name: ProfileName, vmlinux: PartReader | Btf): Profile {
  const btf = typeof vmlinux === 'function' ? openVmlinux(vmlinux) : vmlinux;
  switch (name) {
    case LINUX_6_18:
      return linux_6_18(btf);
    default:
      return name satisfies never;
  }
}
