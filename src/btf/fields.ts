import type { Btf } from './btf.ts';
import { BtfError } from './error.ts';
import {
  BPF_GRAPH_NODE,
  BPF_GRAPH_ROOT,
  BPF_KPTR,
  BTF_FIELDS_MAX,
  CONTAINS_TAG,
  FIELD_BITS,
  type Field,
  type FieldRecord,
  type FieldType,
  fieldShape,
  type GraphRoot,
  KPTR_TAGS,
  type KptrTarget,
  LOCAL_OBJECT_FIELDS,
  MAP_VALUE_FIELDS,
  SPECIAL_STRUCTS,
} from './special.ts';
import { type BtfType, printedName, type StructType } from './types.ts';

/** What parsing fields must know about the kernel: its types and which of them have a destructor. */
export interface KernelTypes {
  readonly btf: Btf;
  /** Struct name → destructor kfunc (BTF_ID dtor tables of the kernel). */
  readonly destructors: ReadonlyMap<string, string>;
}

/** A field as found, before what it refers to is looked up. Source: struct btf_field_info. */
interface Found {
  readonly type: FieldType;
  readonly offset: number;
  readonly kptrTypeId?: number;
  readonly root?: { readonly valueTypeId: number; readonly nodeName: string };
}

const MAX_RESOLVE_DEPTH = 32;
const PAGE_SIZE = 4096;

const tooMany = (): BtfError => new BtfError(`more than ${BTF_FIELDS_MAX} special fields`, { errno: 'E2BIG' });

/**
 * The pointer field that a type is, if its pointee carries a kptr tag among `mask`; undefined otherwise. Throws where the tag is
 * foreign, doubled or not on a struct. Source: btf_find_kptr.
 */
const findKptr = (btf: Btf, start: BtfType, offset: number, mask: number): Found | undefined => {
  const pointer = start.kind === 'VOLATILE' ? btf.type(start.type) : start;
  if (pointer.kind !== 'PTR') return undefined;
  const tag = btf.type(pointer.type);
  if (tag.kind !== 'TYPE_TAG' || tag.kindFlag) return undefined;
  if (btf.type(tag.type).kind === 'TYPE_TAG') throw new BtfError(`pointer with more than one type tag`, { typeId: pointer.id });
  const type = Object.hasOwn(KPTR_TAGS, tag.name) ? KPTR_TAGS[tag.name] : undefined;
  if (type === undefined) throw new BtfError(`pointer with type tag '${tag.name}' in a value`, { typeId: pointer.id });
  if ((FIELD_BITS[type] & mask) === 0) return undefined;
  const target = btf.skipModifiers(tag.type);
  if (target.kind !== 'STRUCT')
    throw new BtfError(`'${tag.name}' pointer to something else than a struct`, { typeId: pointer.id });
  return { type, offset, kptrTypeId: target.id };
};

/** The one value of a decl tag that begins with `key`. Source: btf_find_decl_tag_value. */
const declTagValue = (btf: Btf, typeId: number, componentIdx: number, key: string): string => {
  const [tag, second] = btf.declTags(typeId).filter((t) => t.componentIdx === componentIdx && t.name.startsWith(key));
  if (tag === undefined || second !== undefined)
    throw new BtfError(`expected one '${key}' tag on a list head or tree root`, { typeId });
  return tag.name.slice(key.length);
};

/** The value type and node that a list head or tree root names. Source: btf_find_graph_root. */
const findGraphRoot = (btf: Btf, holder: BtfType, componentIdx: number, type: FieldType, offset: number): Found => {
  const value = declTagValue(btf, holder.id, componentIdx, CONTAINS_TAG);
  const colon = value.indexOf(':');
  if (colon === -1) throw new BtfError(`'contains' tag names no field: ${value}`, { typeId: holder.id });
  const target = btf.findByName(value.slice(0, colon), 'STRUCT');
  if (target === undefined)
    throw new BtfError(`'contains' tag names no struct: ${value}`, { typeId: holder.id, errno: 'ENOENT' });
  if (colon === value.length - 1) throw new BtfError(`'contains' tag names no field: ${value}`, { typeId: holder.id });
  return { type, offset, root: { valueTypeId: target.id, nodeName: value.slice(colon + 1) } };
};

/** Fields that may be repeated as elements of an array. Source: btf_repeat_fields. */
const REPEATABLE = BPF_KPTR | FIELD_BITS.BPF_UPTR | BPF_GRAPH_ROOT;

/** The fields `nelems` times, an element apart. Source: btf_repeat_fields. */
const repeat = (found: readonly Found[], nelems: number, elemSize: number, room: number): Found[] => {
  const alone = found.find((field) => (FIELD_BITS[field.type] & REPEATABLE) === 0);
  if (alone !== undefined) throw new BtfError(`${alone.type} in an array`);
  if (found.length * nelems > room) throw tooMany();
  return Array.from({ length: nelems }, (_, i) =>
    found.map((field) => ({ ...field, offset: field.offset + i * elemSize })),
  ).flat();
};

/** One walk through a type in search of fields of `mask`. */
class FieldSearch {
  readonly btf: Btf;
  readonly mask: number;
  /** Structs known to hold nothing; a struct is `open` while it is looked into. */
  readonly #structs = new Map<number, 'open' | 'empty'>();

  constructor(btf: Btf, mask: number) {
    this.btf = btf;
    this.mask = mask;
  }

  /**
   * The kind of field a member's type can be, by its name: a special struct, or (any type but a struct) a tagged pointer.
   * `seen` collects the types that may occur once. Source: btf_get_field_type.
   */
  fieldType(type: BtfType, seen: Set<FieldType>): FieldType | undefined {
    const named = SPECIAL_STRUCTS.get(printedName(type.name));
    if (named?.field !== undefined && (FIELD_BITS[named.field] & this.mask) !== 0) {
      if (named.unique) {
        if (seen.has(named.field)) throw new BtfError(`more than one ${type.name}`, { errno: 'E2BIG', typeId: type.id });
        seen.add(named.field);
      }
      return named.field;
    }
    const pointers = BPF_KPTR | FIELD_BITS.BPF_UPTR;
    return (this.mask & pointers) !== 0 && type.kind !== 'STRUCT' ? 'BPF_KPTR_REF' : undefined;
  }

  /** The fields of one member or variable. `expectedSize` 0: not known from outside. Source: btf_find_field_one. */
  one(
    holder: BtfType,
    memberType: number,
    componentIdx: number,
    offset: number,
    expectedSize: number,
    seen: Set<FieldType>,
    room: number,
    level: number,
  ): Found[] {
    const { btf } = this;
    let type = btf.type(memberType);
    let nelems = 1;
    let depth = 0;
    for (; depth < MAX_RESOLVE_DEPTH && type.kind === 'ARRAY'; depth++) {
      nelems = Math.imul(nelems, type.nelems) >>> 0;
      type = btf.type(type.elem);
    }
    if (depth === MAX_RESOLVE_DEPTH) throw new BtfError('arrays nested too deeply', { errno: 'E2BIG' });
    if (nelems === 0) return [];
    const fieldType = this.fieldType(type, seen);
    if (fieldType === undefined) {
      if (type.kind !== 'STRUCT' || (expectedSize !== 0 && expectedSize !== type.size * nelems)) return [];
      return this.nested(type, offset, nelems, room, level);
    }
    const { size, align } = fieldShape(fieldType);
    if ((expectedSize !== 0 && expectedSize !== size * nelems) || offset % align !== 0) return [];
    const found = this.single(holder, type, componentIdx, fieldType, offset, size);
    if (found === undefined) return [];
    if (room === 0) throw tooMany();
    return nelems > 1 ? repeat([found], nelems, size, room) : [found];
  }

  single(
    holder: BtfType,
    type: BtfType,
    componentIdx: number,
    fieldType: FieldType,
    offset: number,
    size: number,
  ): Found | undefined {
    if ((FIELD_BITS[fieldType] & (BPF_KPTR | FIELD_BITS.BPF_UPTR)) !== 0) return findKptr(this.btf, type, offset, this.mask);
    if (type.kind !== 'STRUCT' || type.size !== size) return undefined;
    if ((FIELD_BITS[fieldType] & BPF_GRAPH_ROOT) !== 0) return findGraphRoot(this.btf, holder, componentIdx, fieldType, offset);
    return { type: fieldType, offset };
  }

  /** Source: btf_find_nested_struct. */
  nested(type: StructType, offset: number, nelems: number, room: number, level: number): Found[] {
    if (level + 1 >= MAX_RESOLVE_DEPTH) throw new BtfError('structs nested too deeply', { errno: 'E2BIG' });
    const state = this.#structs.get(type.id);
    if (state === 'empty') return [];
    if (state === 'open') throw new BtfError('Loop detected', { errno: 'EEXIST', typeId: type.id });
    this.#structs.set(type.id, 'open');
    const inner = this.inStruct(type, room, level + 1).map((field) => ({ ...field, offset: field.offset + offset }));
    if (inner.length === 0) this.#structs.set(type.id, 'empty');
    else this.#structs.delete(type.id);
    return nelems > 1 && inner.length > 0 ? repeat(inner, nelems, type.size, room) : inner;
  }

  /** Source: btf_find_struct_field. */
  inStruct(type: StructType, room: number, level: number): Found[] {
    const found: Found[] = [];
    const seen = new Set<FieldType>();
    type.members.forEach((member, index) => {
      if (member.bitOffset % 8 !== 0) throw new BtfError(`bitfield '${member.name}' in a value with BTF`, { typeId: type.id });
      found.push(...this.one(type, member.type, index, member.bitOffset / 8, 0, seen, room - found.length, level));
    });
    return found;
  }

  /** Source: btf_find_datasec_var. */
  inDatasec(type: BtfType & { kind: 'DATASEC' }): Found[] {
    const found: Found[] = [];
    const seen = new Set<FieldType>();
    for (const entry of type.vars) {
      const variable = this.btf.type(entry.type);
      const typeId = variable.kind === 'VAR' ? variable.type : 0;
      found.push(...this.one(variable, typeId, -1, entry.offset, entry.size, seen, BTF_FIELDS_MAX - found.length, 0));
    }
    return found;
  }
}

/**
 * The kernel type that a kptr is to: by name in the kernel's BTF, else the program's own. A `kptr` to a kernel type needs a
 * destructor. Source: btf_parse_kptr.
 */
const kptrTarget = (btf: Btf, found: Found, kernel: KernelTypes): KptrTarget => {
  const typeId = found.kptrTypeId!;
  const { name } = btf.type(typeId);
  const inKernel = kernel.btf.findByName(name, 'STRUCT');
  if (inKernel === undefined) return { btf, typeId, destructor: undefined };
  const destructor = found.type === 'BPF_KPTR_REF' ? kernel.destructors.get(name) : undefined;
  if (found.type === 'BPF_KPTR_REF' && destructor === undefined)
    throw new BtfError(`kptr to struct ${name}, which has no destructor`, { errno: 'ENOENT', typeId });
  return { btf: kernel.btf, typeId: inKernel.id, destructor };
};

/** The node inside the value type that a root names. Source: btf_parse_graph_root. */
const graphRoot = (btf: Btf, found: Found): GraphRoot => {
  const { valueTypeId, nodeName } = found.root!;
  const nodeStruct = found.type === 'BPF_LIST_HEAD' ? 'bpf_list_node' : 'bpf_rb_node';
  const value = btf.type(valueTypeId) as StructType;
  const [member, second] = value.members.filter(({ name }) => printedName(name) === nodeName);
  const where = { typeId: valueTypeId };
  if (member === undefined) throw new BtfError(`struct ${value.name} has no member ${nodeName}`, { ...where, errno: 'ENOENT' });
  if (second !== undefined) throw new BtfError(`struct ${value.name} has two members ${nodeName}`, where);
  const node = btf.type(member.type);
  if (node.kind !== 'STRUCT' || node.name !== nodeStruct)
    throw new BtfError(`${value.name}.${nodeName} is no ${nodeStruct}`, where);
  const { align } = SPECIAL_STRUCTS.get(nodeStruct)!;
  if (member.bitOffset % (8 * align) !== 0) throw new BtfError(`${value.name}.${nodeName} is not aligned`, where);
  return { btf, valueTypeId, nodeOffset: member.bitOffset / 8 };
};

const toField = (btf: Btf, found: Found, kernel: KernelTypes): Field => {
  const plain = { type: found.type, offset: found.offset, size: fieldShape(found.type).size };
  if (found.kptrTypeId !== undefined) return { ...plain, kptr: kptrTarget(btf, found, kernel) };
  if (found.root !== undefined) return { ...plain, graphRoot: graphRoot(btf, found) };
  return plain;
};

/**
 * The special fields of a struct or data section, restricted to `mask`; null when it has none. `valueSize` is the size of the
 * memory that holds it. Throws `BtfError` with the kernel's error number. Source: btf_parse_fields.
 */
export const parseFields = (
  btf: Btf,
  typeId: number,
  mask: number,
  valueSize: number,
  kernel: KernelTypes,
): FieldRecord | null => {
  const type = btf.type(typeId);
  const search = new FieldSearch(btf, mask);
  let found: Found[];
  if (type.kind === 'STRUCT') found = search.inStruct(type, BTF_FIELDS_MAX, 0);
  else if (type.kind === 'DATASEC') found = search.inDatasec(type);
  else throw new BtfError(`no struct: ${type.kind}`, { typeId });
  if (found.length === 0) return null;

  const fields: Field[] = [];
  let nextOffset = 0;
  for (const one of found) {
    const { size } = fieldShape(one.type);
    if (one.offset + size > valueSize) throw new BtfError(`${one.type} outside of the value`, { errno: 'EFAULT', typeId });
    if (one.offset < nextOffset) throw new BtfError(`${one.type} overlaps another field`, { errno: 'EEXIST', typeId });
    nextOffset = one.offset + size;
    fields.push(toField(btf, one, kernel));
  }
  const lastOf = (wanted: FieldType): number | undefined => fields.findLast((field) => field.type === wanted)?.offset;
  const record: FieldRecord = {
    fields: fields.sort((a, b) => a.offset - b.offset),
    mask: fields.reduce((all, field) => all | FIELD_BITS[field.type], 0),
    spinLockOff: lastOf('BPF_SPIN_LOCK'),
    resSpinLockOff: lastOf('BPF_RES_SPIN_LOCK'),
    timerOff: lastOf('BPF_TIMER'),
    wqOff: lastOf('BPF_WORKQUEUE'),
    refcountOff: lastOf('BPF_REFCOUNT'),
    taskWorkOff: lastOf('BPF_TASK_WORK'),
  };
  const locks = (record.spinLockOff === undefined ? 0 : 1) + (record.resSpinLockOff === undefined ? 0 : 1);
  if (locks === 2) throw new BtfError('both bpf_spin_lock and bpf_res_spin_lock', { typeId });
  if (locks === 0 && (record.mask & BPF_GRAPH_ROOT) !== 0)
    throw new BtfError('list head or tree root without a lock', { typeId });
  if (record.refcountOff === undefined && (record.mask & BPF_GRAPH_NODE) === BPF_GRAPH_NODE)
    throw new BtfError('list node and tree node without a bpf_refcount', { typeId });
  return record;
};

/**
 * The special fields of a map's value. A value whose fields the kernel cannot parse, or that is no struct, has none: that does
 * not stop the map from being created, unlike what `checkOwnership` refuses. Source: map_check_btf, kernel/bpf/syscall.c.
 */
export const mapValueRecord = (btf: Btf, valueTypeId: number, valueSize: number, kernel: KernelTypes): FieldRecord | null => {
  try {
    return parseFields(btf, btf.skipModifiers(valueTypeId).id, MAP_VALUE_FIELDS, valueSize, kernel);
  } catch (error) {
    if (error instanceof BtfError) return null;
    throw error;
  }
};

/** Whether the kernel would take this type for a kptr when it looks for allocatable structs; its errors are not errors there. */
const isKptr = (btf: Btf, type: BtfType): boolean => {
  try {
    return findKptr(btf, type, 0, BPF_KPTR) !== undefined;
  } catch (error) {
    if (error instanceof BtfError) return false;
    throw error;
  }
};

/**
 * The records of all structs of a program's BTF that have special fields, by type id. Source: btf_parse_struct_metas followed
 * by btf_check_and_fixup_fields, kernel/bpf/btf.c.
 */
export const parseStructMetas = (btf: Btf, kernel: KernelTypes): ReadonlyMap<number, FieldRecord> => {
  const marks = new Set<number>();
  for (const [name, entry] of SPECIAL_STRUCTS) {
    const id = entry.marksLocalObject ? btf.findByName(name, 'STRUCT')?.id : undefined;
    if (id !== undefined) marks.add(id);
  }
  for (const type of btf.types()) {
    if (isKptr(btf, type)) marks.add(type.id);
  }
  const metas = new Map<number, FieldRecord>();
  if (marks.size === 0) return metas;
  for (const type of btf.types()) {
    if (type.kind !== 'STRUCT' || !type.members.some((member) => marks.has(member.type))) continue;
    const record = parseFields(btf, type.id, LOCAL_OBJECT_FIELDS, type.size, kernel);
    if (record === null) throw new BtfError(`no special field in struct ${type.name}`, { errno: 'EFAULT', typeId: type.id });
    metas.set(type.id, record);
  }
  for (const record of metas.values()) checkOwnership(record, metas, kernel);
  return metas;
};

/**
 * Refuses ownership that could form a cycle (a type that is owned and owns a type that owns) and `uptr` targets that are the
 * kernel's or larger than a page. `metas` are the records of the BTF that holds the record. Source: btf_check_and_fixup_fields.
 */
export const checkOwnership = (
  record: FieldRecord | null,
  metas: ReadonlyMap<number, FieldRecord>,
  kernel: KernelTypes,
): void => {
  for (const field of record?.fields ?? []) {
    if (field.type === 'BPF_UPTR' && field.kptr !== undefined) {
      const { btf, typeId } = field.kptr;
      if (btf === kernel.btf) throw new BtfError('uptr to a kernel struct', { typeId });
      const size = btf.sizeOf(typeId) ?? 0;
      if (size === 0) throw new BtfError('uptr to an empty struct', { typeId });
      if (size > PAGE_SIZE) throw new BtfError('uptr to a struct larger than a page', { errno: 'E2BIG', typeId });
      continue;
    }
    if (field.graphRoot === undefined) continue;
    const typeId = field.graphRoot.valueTypeId;
    const value = metas.get(typeId);
    if (value === undefined) throw new BtfError('list or tree of a struct without special fields', { errno: 'EFAULT', typeId });
    if ((record!.mask & BPF_GRAPH_NODE) !== 0 && (value.mask & BPF_GRAPH_ROOT) !== 0)
      throw new BtfError('ownership of lists or trees could form a cycle', { errno: 'ELOOP', typeId });
  }
};
