import type { ErrnoName } from '../../contracts/errors.ts';
import type { MapType, SpecialField } from '../../contracts/map_type.ts';
import type { Capabilities } from '../../contracts/subject.ts';
import { MAP_FLAGS } from '../../contracts/uapi_numbers.ts';
import type { MapDef } from '../../program/program.ts';
import { checkKeyAndValue, type KeyCheck } from './value_btf.ts';

export type Check = (def: MapDef, caps: Capabilities) => ErrnoName | null;

/** KMALLOC_MAX_SIZE on x86-64: pages of order 10 */
export const KMALLOC_MAX_SIZE = 1 << 22;
/** PCPU_MIN_UNIT_SIZE, include/linux/percpu.h */
export const PCPU_MIN_UNIT_SIZE = 32 << 10;
export const PAGE_SIZE = 4096;
export const MAX_BPF_STACK = 512;
export const INT_MAX = 0x7fffffff;

export function roundUp8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

const KPTR_FIELDS: readonly SpecialField[] = ['BPF_KPTR_UNREF', 'BPF_KPTR_REF', 'BPF_KPTR_PERCPU', 'BPF_REFCOUNT'];
const LOCK_FIELDS: readonly SpecialField[] = ['BPF_SPIN_LOCK', 'BPF_RES_SPIN_LOCK'];
const ASYNC_FIELDS: readonly SpecialField[] = ['BPF_TIMER', 'BPF_WORKQUEUE', 'BPF_TASK_WORK'];
const GRAPH_FIELDS: readonly SpecialField[] = ['BPF_LIST_HEAD', 'BPF_RB_ROOT'];

/** Groups of special fields that map_check_btf() treats alike. */
export const FIELDS = { kptr: KPTR_FIELDS, lock: LOCK_FIELDS, async: ASYNC_FIELDS, graph: GRAPH_FIELDS } as const;

/** Map types whose attr may carry map_extra. */
const TAKES_MAP_EXTRA = ['bloom_filter', 'arena'];

interface MapTypeSpec
  extends Pick<MapType, 'id' | 'name' | 'kernelStruct' | 'summary'>,
    Partial<
      Pick<
        MapType,
        | 'config'
        | 'impliedFlags'
        | 'helpers'
        | 'conditionalHelpers'
        | 'lookupReturns'
        | 'lookupAcquires'
        | 'specialFields'
        | 'usableInPrograms'
        | 'sleepableOk'
        | 'onePerProgram'
        | 'forEach'
        | 'perCpu'
        | 'usableAsInner'
        | 'metaEqual'
      >
    > {
  /** map_alloc_check */
  readonly allocCheck?: Check;
  /** what map_alloc refuses */
  readonly alloc?: Check;
  /** capability that creation needs */
  readonly creator: 'anyone' | 'bpf' | 'net_admin';
  /** map_check_btf; absent: none */
  readonly keyCheck?: KeyCheck;
  /** map_direct_value_addr; absent: none */
  readonly directValueAt?: (def: MapDef, off: number) => ErrnoName | null;
}

/** The checks of map_create(), kernel/bpf/syscall.c, that come before the map type is asked. */
function checkAttributes(name: string, def: MapDef): ErrnoName | null {
  if (def.btfVmlinuxValueTypeId !== 0) {
    if (name !== 'struct_ops' || def.btfKeyTypeId !== 0 || def.btfValueTypeId !== 0) return 'EINVAL';
  } else if (def.btfKeyTypeId !== 0 && def.btfValueTypeId === 0) {
    return 'EINVAL';
  }
  if (def.mapExtra !== 0n && !TAKES_MAP_EXTRA.includes(name)) return 'EINVAL';
  const both = MAP_FLAGS.BPF_F_RDONLY | MAP_FLAGS.BPF_F_WRONLY;
  return (def.flags & both) === both ? 'EINVAL' : null;
}

function mayCreate(creator: MapTypeSpec['creator'], caps: Capabilities): boolean {
  switch (creator) {
    case 'anyone':
      return true;
    case 'bpf':
      return caps.bpf;
    case 'net_admin':
      return caps.netAdmin;
    default:
      return creator satisfies never;
  }
}

/** bpf_map_meta_equal, kernel/bpf/map_in_map.c, without the comparison of special fields. */
export function sameShape(template: MapDef, inner: MapDef): boolean {
  return (
    template.type === inner.type &&
    template.keySize === inner.keySize &&
    template.valueSize === inner.valueSize &&
    template.flags === inner.flags
  );
}

const PASS: Check = () => null;

/** Fills in what most map types share. */
export function mapType(spec: MapTypeSpec): MapType {
  const { allocCheck = PASS, alloc = PASS, creator, keyCheck = null, directValueAt, ...entry } = spec;
  const checkBtf = (def: MapDef) => checkKeyAndValue(def, keyCheck);
  return {
    kernelName: `BPF_MAP_TYPE_${entry.name.toUpperCase()}`,
    impliedFlags: 0,
    helpers: null,
    lookupReturns: 'value',
    lookupAcquires: false,
    specialFields: [],
    usableInPrograms: true,
    sleepableOk: false,
    onePerProgram: false,
    forEach: false,
    perCpu: false,
    usableAsInner: true,
    metaEqual: sameShape,
    directValue: directValueAt !== undefined,
    checkDirectValue: directValueAt ?? (() => 'EINVAL'),
    ...entry,
    checkBtf,
    checkCreate: (def, caps) =>
      checkAttributes(entry.name, def) ??
      allocCheck(def, caps) ??
      (mayCreate(creator, caps) ? null : 'EPERM') ??
      alloc(def, caps) ??
      checkBtf(def),
  };
}
