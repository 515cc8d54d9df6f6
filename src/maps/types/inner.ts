import type { ErrnoName } from '../../contracts/errors.ts';
import type { MapDef } from '../../program/program.ts';

/** BPF_MAP_TYPE_* without a map_meta_equal operation: they cannot stand in a map of maps. */
const NEVER_INNER: readonly number[] = [3, 12, 13, 19, 21, 26];
const MAP_IN_MAP: readonly number[] = [12, 13];

/**
 * bpf_map_meta_alloc, kernel/bpf/map_in_map.c: what the template of the inner map must be. Without a template the
 * descriptor is 0, which is no map.
 */
export function checkInner(def: MapDef): ErrnoName | null {
  if (def.inner === null) return 'EINVAL';
  if (MAP_IN_MAP.includes(def.inner.type)) return 'EINVAL';
  return NEVER_INNER.includes(def.inner.type) ? 'ENOTSUPP' : null;
}
