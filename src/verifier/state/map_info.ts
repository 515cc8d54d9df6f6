import type { FieldRecord } from '../../btf/special.ts';
import type { MapType } from '../../contracts/map_type.ts';
import type { MapDef } from '../../program/program.ts';

/** A map as the verifier sees it. One object per map of a program, so that identity means the same map. */
export interface MapInfo {
  readonly def: MapDef;
  readonly type: MapType;
  /** BPF_F_*, with those that the kernel adds when it creates the map: devmaps are read-only for programs */
  readonly flags: number;
  /** special fields of the value, null when there are none (map->record) */
  readonly record: FieldRecord | null;
  /** template of a map-in-map (inner_map_meta) */
  readonly inner: MapInfo | null;
  /** content is a known constant: frozen, BPF_F_RDONLY_PROG and initial bytes (bpf_map_is_rdonly) */
  readonly constant: boolean;
}
