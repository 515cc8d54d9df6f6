import type { MapDef } from '../program/program.ts';
import type { ErrnoName } from './errors.ts';
import type { Capabilities } from './subject.ts';

/**
 * A map type as the loader and the verifier see it. The operations that run live in `src/maps`, one file per family,
 * keyed by the same entry.
 */
export interface MapType {
  /** BPF_MAP_TYPE_* */
  readonly id: number;
  /** short name as bpftool prints it: `array`, `percpu_hash` */
  readonly name: string;
  /** kernel spelling: BPF_MAP_TYPE_ARRAY */
  readonly kernelName: string;
  /** what BPF_MAP_CREATE answers: null or the errno (map_alloc_check and the checks of map_create) */
  readonly checkCreate: (def: MapDef, caps: Capabilities) => ErrnoName | null;
  /** helpers allowed on this map (map side of check_map_func_compatibility), full names; null: no restriction */
  readonly helpers: readonly string[] | null;
  /** direct value access by BPF_PSEUDO_MAP_VALUE (map_direct_value_addr) */
  readonly directValue: boolean;
  /** lookups return this instead of a map value: inner map, socket kinds */
  readonly lookupReturns: 'value' | 'inner-map' | 'sock' | 'xdp_sock' | 'none';
  /** special fields its values may hold (kernel words of btf_field_type) */
  readonly specialFields: readonly string[];
  readonly sleepableOk: boolean;
  /** bpf_for_each_map_elem works on it */
  readonly forEach: boolean;
  /** per-CPU storage: element pointers are per CPU */
  readonly perCpu: boolean;
  readonly usableAsInner: boolean;
  readonly summary: string;
}
