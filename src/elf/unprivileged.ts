import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../isa/constants.ts';
import type { Insn } from '../isa/insn.ts';
import type { MapDef, Program } from '../program/program.ts';

const LD_IMM64 = 0x18;
const CALL = 0x85;
/** libbpf's mark of a map that was not created, tools/lib/bpf/libbpf_internal.h. */
const POISON_LDIMM64_MAP_BASE = 2_001_000_000;
const BPF_F_ZERO_SEED = 1 << 6;

/** Map types that the tests' loader creates without privileges. */
const UNPRIVILEGED_MAPS: ReadonlySet<number> = new Set([
  MAP_TYPES.hash,
  MAP_TYPES.percpu_hash,
  MAP_TYPES.hash_of_maps,
  MAP_TYPES.percpu_cgroup_storage,
  MAP_TYPES.array,
  MAP_TYPES.ringbuf,
  MAP_TYPES.prog_array,
  MAP_TYPES.cgroup_array,
  MAP_TYPES.percpu_array,
  MAP_TYPES.user_ringbuf,
  MAP_TYPES.array_of_maps,
  MAP_TYPES.cgroup_storage,
  MAP_TYPES.perf_event_array,
]);

/** Source: is_unpriv_capable_map, tools/testing/selftests/bpf/test_loader.c. */
const isCreated = (map: MapDef): boolean =>
  UNPRIVILEGED_MAPS.has(map.type) &&
  ((map.type !== MAP_TYPES.hash && map.type !== MAP_TYPES.percpu_hash && map.type !== MAP_TYPES.hash_of_maps) ||
    (map.flags & BPF_F_ZERO_SEED) === 0);

/** A load of the address of a map that is not there becomes two calls of a helper that no kernel has (poison_map_ldimm64). */
function poisoned(insns: readonly Insn[], maps: readonly MapDef[]): readonly Insn[] {
  const out = [...insns];
  for (let i = 0; i < out.length; i++) {
    const { code, src, imm } = out[i]!;
    if (code !== LD_IMM64) continue;
    const map = src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_VALUE ? maps[imm] : undefined;
    if (map !== undefined && !isCreated(map)) {
      const call: Insn = { code: CALL, dst: 0, src: 0, off: 0, imm: POISON_LDIMM64_MAP_BASE + imm };
      out[i] = call;
      out[i + 1] = call;
    }
    i++;
  }
  return out;
}

const bareMaps = new WeakMap<readonly MapDef[], readonly MapDef[]>();

/** Programs of one object go on sharing their maps. */
function withoutBtf(maps: readonly MapDef[]): readonly MapDef[] {
  let bare = bareMaps.get(maps);
  if (bare === undefined)
    bareMaps.set(maps, (bare = maps.map((map) => ({ ...map, btf: null, btfKeyTypeId: 0, btfValueTypeId: 0 }))));
  return bare;
}

/**
 * The program as the loader of tests loads it without privileges: maps that only a privileged loader may create are left out, and
 * without CAP_BPF the kernel takes no BTF, which libbpf then goes without.
 * Source: run_subtest, tools/testing/selftests/bpf/test_loader.c; bpf_object__load, tools/lib/bpf/libbpf.c; bpf_btf_load,
 * kernel/bpf/syscall.c.
 */
export function loadedWithoutPrivileges(program: Program, hasBpf: boolean): Program {
  const insns = poisoned(program.insns, program.maps);
  return hasBpf
    ? { ...program, insns }
    : { ...program, insns, maps: withoutBtf(program.maps), btf: null, funcInfo: [], lineInfo: [] };
}
