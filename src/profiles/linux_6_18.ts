/** The base profile: Linux 6.18 on x86-64, as distributions build it, without modules. */
import type { Btf } from '../btf/btf.ts';
import type { Profile } from '../contracts/profile.ts';
import { helpers, selectProtoWith } from '../helpers/index.ts';
import { ITER_TARGETS } from '../iterators/index.ts';
import { kfuncAllowed, kfuncs } from '../kfuncs/index.ts';
import { MAP_TYPES } from '../maps/types/index.ts';
import { checkMapProgCompatibility } from '../maps/types/prog_compatibility.ts';
import { checkStructWrite, PROG_TYPES_BY_ID, pointerStructAccess, STRUCT_OPS_TYPES } from '../progtypes/index.ts';
import { FACTS } from './linux_6_18/facts.ts';
import { kconfigOfLinux618 } from './linux_6_18/kconfig.ts';

export const LINUX_6_18 = 'linux-6.18' as const;

/** As the machine has that the profile's recorded logs come from. */
const CPU_COUNT = 2;

/** The profile over a BTF: the kernel's own, or another that programs are to be relocated and checked against. */
export function linux_6_18(btf: Btf): Profile {
  const kconfig = kconfigOfLinux618();
  return {
    name: LINUX_6_18,
    version: [6, 18, 44],
    cpuCount: CPU_COUNT,
    btf,
    helpers,
    selectProto: selectProtoWith(new Set(kconfig.keys())),
    kfuncs,
    kfuncAllowed,
    mapTypes: MAP_TYPES,
    checkMapProgCompatibility,
    progTypes: PROG_TYPES_BY_ID,
    pointerStructAccess,
    checkStructWrite: (rule, struct, off, size) => checkStructWrite(rule, btf, struct, off, size),
    iterTargets: ITER_TARGETS,
    structOps: STRUCT_OPS_TYPES,
    facts: FACTS,
    kconfig,
    isBuilt: (entry) => entry.config === undefined || kconfig.has(entry.config),
  };
}
