import type { Btf } from './btf.ts';

/**
 * Fields with a meaning of their own, and their bits in field masks. Source: enum btf_field_type, include/linux/bpf.h.
 */
export const FIELD_BITS = {
  BPF_SPIN_LOCK: 1 << 0,
  BPF_TIMER: 1 << 1,
  BPF_KPTR_UNREF: 1 << 2,
  BPF_KPTR_REF: 1 << 3,
  BPF_KPTR_PERCPU: 1 << 4,
  BPF_LIST_HEAD: 1 << 5,
  BPF_LIST_NODE: 1 << 6,
  BPF_RB_ROOT: 1 << 7,
  BPF_RB_NODE: 1 << 8,
  BPF_REFCOUNT: 1 << 9,
  BPF_WORKQUEUE: 1 << 10,
  BPF_UPTR: 1 << 11,
  BPF_RES_SPIN_LOCK: 1 << 12,
  BPF_TASK_WORK: 1 << 13,
} as const;

export type FieldType = keyof typeof FIELD_BITS;

const bits = (...types: FieldType[]): number => types.reduce((mask, type) => mask | FIELD_BITS[type], 0);

export const BPF_KPTR = bits('BPF_KPTR_UNREF', 'BPF_KPTR_REF', 'BPF_KPTR_PERCPU');
export const BPF_GRAPH_NODE = bits('BPF_RB_NODE', 'BPF_LIST_NODE');
export const BPF_GRAPH_ROOT = bits('BPF_RB_ROOT', 'BPF_LIST_HEAD');

/** Fields that a map value may hold. Source: map_check_btf, kernel/bpf/syscall.c. */
export const MAP_VALUE_FIELDS =
  BPF_KPTR |
  bits('BPF_SPIN_LOCK', 'BPF_RES_SPIN_LOCK', 'BPF_TIMER', 'BPF_LIST_HEAD', 'BPF_RB_ROOT') |
  bits('BPF_REFCOUNT', 'BPF_WORKQUEUE', 'BPF_UPTR', 'BPF_TASK_WORK');

/** Fields that a struct allocated by a program may hold. Source: btf_parse_struct_metas, kernel/bpf/btf.c. */
export const LOCAL_OBJECT_FIELDS =
  BPF_KPTR | BPF_GRAPH_ROOT | BPF_GRAPH_NODE | bits('BPF_SPIN_LOCK', 'BPF_RES_SPIN_LOCK', 'BPF_REFCOUNT');

export interface SpecialStruct {
  /** Undefined: no field of map values and local objects; it lives on the stack. */
  readonly field: FieldType | undefined;
  readonly size: number;
  readonly align: number;
  /** At most one directly in a struct. */
  readonly unique: boolean;
  /** A program's struct that has such a member can be an allocated object. Source: alloc_obj_fields. */
  readonly marksLocalObject: boolean;
}

const special = (
  field: FieldType | undefined,
  size: number,
  align: number,
  unique: boolean,
  marksLocalObject: boolean,
): SpecialStruct => ({ field, size, align, unique, marksLocalObject });

/**
 * The structs with special meaning, by name. The order is the one in which the kernel compares names.
 * Source: btf_get_field_type, kernel/bpf/btf.c; include/uapi/linux/bpf.h.
 */
export const SPECIAL_STRUCTS: ReadonlyMap<string, SpecialStruct> = new Map([
  ['bpf_spin_lock', special('BPF_SPIN_LOCK', 4, 4, true, true)],
  ['bpf_res_spin_lock', special('BPF_RES_SPIN_LOCK', 4, 4, true, false)],
  ['bpf_timer', special('BPF_TIMER', 16, 8, true, false)],
  ['bpf_wq', special('BPF_WORKQUEUE', 16, 8, true, false)],
  ['bpf_task_work', special('BPF_TASK_WORK', 8, 8, true, false)],
  ['bpf_list_head', special('BPF_LIST_HEAD', 16, 8, false, true)],
  ['bpf_list_node', special('BPF_LIST_NODE', 24, 8, false, true)],
  ['bpf_rb_root', special('BPF_RB_ROOT', 16, 8, false, true)],
  ['bpf_rb_node', special('BPF_RB_NODE', 32, 8, false, true)],
  ['bpf_refcount', special('BPF_REFCOUNT', 4, 4, false, true)],
  ['bpf_dynptr', special(undefined, 16, 8, false, false)],
]);

/** Type tags that make a pointer member a kernel or user pointer field. Source: btf_find_kptr. */
export const KPTR_TAGS: Readonly<Record<string, FieldType>> = {
  kptr_untrusted: 'BPF_KPTR_UNREF',
  kptr: 'BPF_KPTR_REF',
  percpu_kptr: 'BPF_KPTR_PERCPU',
  uptr: 'BPF_UPTR',
};

/** Structs of open-coded iterators begin with this. Source: btf_check_iter_kfuncs, kernel/bpf/btf.c. */
export const ITER_STRUCT_PREFIX = 'bpf_iter_';

/** Decl tag of a list head or tree root: `contains:STRUCT:FIELD`. */
export const CONTAINS_TAG = 'contains:';

/** A struct has at most this many special fields. Source: BTF_FIELDS_MAX. */
export const BTF_FIELDS_MAX = 11;

/** The name the kernel prints for a field. Source: btf_field_type_name, include/linux/bpf.h. */
export const fieldTypeName = (type: FieldType): string => FIELD_NAMES[type];

const FIELD_NAMES: Readonly<Record<FieldType, string>> = {
  BPF_SPIN_LOCK: 'bpf_spin_lock',
  BPF_RES_SPIN_LOCK: 'bpf_res_spin_lock',
  BPF_TIMER: 'bpf_timer',
  BPF_WORKQUEUE: 'bpf_wq',
  BPF_KPTR_UNREF: 'kptr',
  BPF_KPTR_REF: 'kptr',
  BPF_KPTR_PERCPU: 'percpu_kptr',
  BPF_UPTR: 'uptr',
  BPF_LIST_HEAD: 'bpf_list_head',
  BPF_LIST_NODE: 'bpf_list_node',
  BPF_RB_ROOT: 'bpf_rb_root',
  BPF_RB_NODE: 'bpf_rb_node',
  BPF_REFCOUNT: 'bpf_refcount',
  BPF_TASK_WORK: 'bpf_task_work',
};

/** Size and alignment in bytes; a pointer field's are 8. Source: btf_field_type_size, btf_field_type_align. */
export const fieldShape = (type: FieldType): { readonly size: number; readonly align: number } =>
  SPECIAL_STRUCTS.get(FIELD_NAMES[type]) ?? { size: 8, align: 8 };

/** What a kptr field points to. */
export interface KptrTarget {
  /** The kernel's BTF, or the program's own when the kernel has no such type: then the pointer is to a local object. */
  readonly btf: Btf;
  readonly typeId: number;
  /** The kernel kfunc that destroys it; undefined for local objects and other kinds of kptr. */
  readonly destructor: string | undefined;
}

/** What a list head or tree root holds. */
export interface GraphRoot {
  readonly btf: Btf;
  readonly valueTypeId: number;
  /** Of the node inside the value, in bytes. */
  readonly nodeOffset: number;
}

/** One special field. Source: struct btf_field. */
export interface Field {
  readonly type: FieldType;
  readonly offset: number;
  readonly size: number;
  readonly kptr?: KptrTarget;
  readonly graphRoot?: GraphRoot;
}

/** The special fields of a map value or local object. Source: struct btf_record. */
export interface FieldRecord {
  /** By ascending offset. */
  readonly fields: readonly Field[];
  /** `FIELD_BITS` of all. */
  readonly mask: number;
  /** Offset of the field of each unique type, in bytes; undefined where there is none. */
  readonly spinLockOff: number | undefined;
  readonly resSpinLockOff: number | undefined;
  readonly timerOff: number | undefined;
  readonly wqOff: number | undefined;
  readonly refcountOff: number | undefined;
  readonly taskWorkOff: number | undefined;
}

/** Whether the record has a field of one of these bits. Source: btf_record_has_field. */
export const recordHas = (record: FieldRecord | null | undefined, mask: number): boolean =>
  record !== null && record !== undefined && (record.mask & mask) !== 0;

/** The field that begins at this byte and is of one of these bits. Source: btf_record_find. */
export const recordFind = (record: FieldRecord | null | undefined, offset: number, mask: number): Field | undefined =>
  record?.fields.find((field) => field.offset === offset && (FIELD_BITS[field.type] & mask) !== 0);

const sameField = (a: Field, b: Field): boolean =>
  a.type === b.type &&
  a.offset === b.offset &&
  a.kptr?.btf === b.kptr?.btf &&
  a.kptr?.typeId === b.kptr?.typeId &&
  a.graphRoot?.btf === b.graphRoot?.btf &&
  a.graphRoot?.valueTypeId === b.graphRoot?.valueTypeId &&
  a.graphRoot?.nodeOffset === b.graphRoot?.nodeOffset;

/** Whether two values have the same special fields at the same places. Source: btf_record_equal, kernel/bpf/syscall.c. */
export const recordsEqual = (a: FieldRecord | null, b: FieldRecord | null): boolean => {
  if (a === null || b === null) return a === b;
  return a === b || (a.fields.length === b.fields.length && a.fields.every((field, i) => sameField(field, b.fields[i]!)));
};
