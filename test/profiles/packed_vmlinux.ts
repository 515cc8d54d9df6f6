import { readFileSync } from 'node:fs';
import type { PackedPart } from '../../src/btf/packed_source.ts';

/** Reads the parts of the BTF that the base profile is shipped with. */
export function readVmlinuxPart(part: PackedPart): Uint8Array {
  return readFileSync(new URL(`../../src/profiles/linux_6_18/btf/${part}.bin`, import.meta.url));
}
