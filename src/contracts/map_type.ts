import type { MapDef } from '../program/program.ts';
import type { ErrnoName } from './errors.ts';
import type { Capabilities, Subject } from './subject.ts';

/** Special fields of map values: the kernel's enum btf_field_type. */
export type SpecialField =
  | 'BPF_SPIN_LOCK'
  | 'BPF_RES_SPIN_LOCK'
  | 'BPF_TIMER'
  | 'BPF_WORKQUEUE'
  | 'BPF_TASK_WORK'
  | 'BPF_KPTR_UNREF'
  | 'BPF_KPTR_REF'
  | 'BPF_KPTR_PERCPU'
  | 'BPF_UPTR'
  | 'BPF_REFCOUNT'
  | 'BPF_LIST_HEAD'
  | 'BPF_RB_ROOT';

/** A refusal in the kernel's words; the message has no last newline. */
export interface MapRefusal {
  readonly errno: ErrnoName;
  readonly message: string;
}

/** Helpers that a map takes only from some programs (may_update_sockmap). */
export interface ConditionalHelpers {
  /** full names */
  readonly helpers: readonly string[];
  readonly allowed: (helper: string, subject: Subject) => boolean;
  /** log line that precedes "cannot pass map_type …" when such a helper is refused */
  readonly message: string;
}

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
  /** kernel option without which BPF_MAP_CREATE answers EINVAL; absent: always there */
  readonly config?: string;
  /**
   * What BPF_MAP_CREATE answers, in the kernel's order of checks: map_create, map_alloc_check, capabilities, map_alloc, the
   * BTF of key and value. Not among them: the layout of special fields, which the verifier's BTF room knows, and ENOMEM.
   */
  readonly checkCreate: (def: MapDef, caps: Capabilities) => ErrnoName | null;
  /** map_check_btf: whether the BTF of key and value fits; libbpf makes the map without BTF when it does not */
  readonly checkBtf: (def: MapDef) => ErrnoName | null;
  /** flags that the kernel adds on creation (devmaps are read-only for programs) */
  readonly impliedFlags: number;
  /** helpers allowed on this map (map side of check_map_func_compatibility), full names; null: no restriction */
  readonly helpers: readonly string[] | null;
  readonly conditionalHelpers?: ConditionalHelpers;
  /** direct value access by BPF_PSEUDO_MAP_VALUE (map_direct_value_addr exists) */
  readonly directValue: boolean;
  /** map_direct_value_addr for an offset in bytes: null or its errno */
  readonly checkDirectValue: (def: MapDef, off: number) => ErrnoName | null;
  /** lookups return this instead of a map value: inner map, socket kinds */
  readonly lookupReturns: 'value' | 'inner-map' | 'sock' | 'xdp_sock' | 'none';
  /** bpf_map_lookup_elem acquires a reference (is_acquire_function) */
  readonly lookupAcquires: boolean;
  /** special fields its values may hold (map_check_btf) */
  readonly specialFields: readonly SpecialField[];
  /** whether a program may refer to it at all (not struct_ops) */
  readonly usableInPrograms: boolean;
  readonly sleepableOk: boolean;
  /** one map of this type for a program (cgroup storage, arena) */
  readonly onePerProgram: boolean;
  /** bpf_for_each_map_elem works on it */
  readonly forEach: boolean;
  /** per-CPU storage: element pointers are per CPU */
  readonly perCpu: boolean;
  readonly usableAsInner: boolean;
  /** struct in the kernel that a map pointer may be read as (map_btf_id); null for none */
  readonly kernelStruct: string | null;
  /** map_meta_equal: whether `inner` may stand in a slot whose template is `template`, record of special fields apart */
  readonly metaEqual: (template: MapDef, inner: MapDef) => boolean;
  readonly summary: string;
}

/**
 * check_map_prog_compatibility: the first reason why a program may not use a map with these special fields; null when it
 * may. `mapsBefore` are the maps that the program refers to earlier, in the order of its instructions.
 */
export type CheckMapProgCompatibility = (
  def: MapDef,
  fields: ReadonlySet<SpecialField>,
  subject: Subject,
  mapsBefore: readonly MapDef[],
) => MapRefusal | null;
