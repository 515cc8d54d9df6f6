import type { Btf } from '../../btf/btf.ts';
import { MAP_TYPES, type MapTypeName } from '../../contracts/uapi_numbers.ts';
import type { MapDef } from '../../program/program.ts';
import { btfOfTypes, localSize, OBJECT_TYPES, STRUCT_OF, VALUE_TYPES } from './object_types.ts';

const BPF_F_RDONLY_PROG = 1 << 7;
const BPF_F_WRONLY_PROG = 1 << 8;
const BPF_F_NO_PREALLOC = 1;
const BPF_F_MMAPABLE = 1 << 10;

const plain = (name: string, type: MapTypeName, keySize: number, valueSize: number, maxEntries: number, flags = 0): MapDef => ({
  name,
  type: MAP_TYPES[type],
  keySize,
  valueSize,
  maxEntries,
  flags,
  mapExtra: 0n,
  btf: null,
  btfKeyTypeId: 0,
  btfValueTypeId: 0,
  btfVmlinuxValueTypeId: 0,
  inner: null,
  initial: null,
  frozen: false,
  slots: [],
  section: null,
});

/** A map of the palette with its types in the BTF of a program, which holds those of its values. */
export const withBtf = (map: MapDef, btf: Btf): MapDef => ({
  ...map,
  btf,
  btfKeyTypeId: map.keySize === 0 ? 0 : (btf.findByName('int', 'INT')?.id ?? 0),
  btfValueTypeId: btf.findByName(STRUCT_OF[map.name] ?? '', 'STRUCT')?.id ?? 0,
});

const typed = (map: MapDef): MapDef => withBtf(map, btfOfTypes(VALUE_TYPES));

/** A map with a struct of OBJECT_TYPES as its value. */
const object = (name: string, type: MapTypeName, maxEntries: number, flags = 0): MapDef =>
  withBtf(plain(name, type, 4, localSize(STRUCT_OF[name] ?? ''), maxEntries, flags), btfOfTypes(OBJECT_TYPES));

/** C types that a program with these maps must have. */
export const typesOf = (maps: readonly MapDef[]): string => {
  if (maps.some(({ btf }) => btf === btfOfTypes(OBJECT_TYPES))) return OBJECT_TYPES;
  return maps.some(({ btf }) => btf !== null) ? VALUE_TYPES : '';
};

const INNER = plain('inner', 'array', 4, 16, 4);
/** Formats and words, each with its end; what follows the last has none. */
const STRINGS = new TextEncoder().encode('%d\0%s %x\0user.name\0plain\0%p %d %q\0%d %d %d %d\0\0no end: %d');
const CONSTANTS = new Uint8Array(64).map((_, i) => (i * 37) & 0xff);

/** What maps are for in a generated program. */
export type MapRole =
  | 'values'
  | 'locked'
  | 'constants'
  | 'programs'
  | 'ring'
  | 'events'
  | 'queue'
  | 'outer'
  | 'write-only'
  | 'bloom'
  | 'timed'
  | 'stacks'
  | 'strings'
  | 'graph'
  | 'kept'
  | 'working'
  | 'tasked'
  | 'patient'
  | 'storage'
  | 'arena'
  | 'sockets'
  | 'redirect'
  | 'rare';

export interface PaletteMap {
  readonly role: MapRole;
  readonly make: () => MapDef;
}

const once = (make: () => MapDef): (() => MapDef) => {
  let made: MapDef | null = null;
  return () => (made ??= make());
};

const entry = (role: MapRole, make: () => MapDef): PaletteMap => ({ role, make: once(make) });

/** The maps that generated programs choose from. A map is always the same object, so that a kernel need make it only once. */
export const PALETTE: readonly PaletteMap[] = [
  entry('values', () => plain('array', 'array', 4, 48, 8)),
  entry('values', () => plain('hash', 'hash', 8, 32, 16)),
  entry('values', () => plain('hash_small', 'hash', 4, 4, 4, BPF_F_NO_PREALLOC)),
  entry('values', () => plain('percpu', 'percpu_array', 4, 16, 2)),
  entry('values', () => plain('lru', 'lru_hash', 16, 64, 8)),
  entry('values', () => plain('array_big', 'array', 4, 4096, 2)),
  entry('values', () => plain('array_one', 'array', 4, 13, 1)),
  entry('values', () => plain('trie', 'lpm_trie', 8, 8, 8, BPF_F_NO_PREALLOC)),
  entry('values', () => plain('read_only', 'array', 4, 24, 4, BPF_F_RDONLY_PROG)),
  entry('write-only', () => plain('write_only', 'array', 4, 24, 4, BPF_F_WRONLY_PROG)),
  entry('constants', () => ({
    ...plain('.rodata', 'array', 4, 64, 1, BPF_F_RDONLY_PROG),
    initial: CONSTANTS,
    frozen: true,
    section: '.rodata',
  })),
  entry('locked', () => typed(plain('locked', 'array', 4, 32, 4))),
  entry('locked', () => typed(plain('locked_hash', 'hash', 4, 32, 4))),
  entry('timed', () => typed(plain('timed', 'array', 4, 24, 4))),
  entry('timed', () => typed(plain('timed_hash', 'hash', 4, 24, 4))),
  entry('programs', () => plain('programs', 'prog_array', 4, 4, 4)),
  entry('ring', () => plain('ring', 'ringbuf', 0, 0, 4096)),
  entry('events', () => plain('events', 'perf_event_array', 4, 4, 2)),
  entry('queue', () => plain('queue', 'queue', 0, 8, 8)),
  entry('queue', () => plain('stack', 'stack', 0, 16, 8)),
  entry('bloom', () => plain('bloom', 'bloom_filter', 0, 8, 8)),
  entry('outer', () => ({ ...plain('outer', 'array_of_maps', 4, 4, 4), inner: INNER })),
  entry('outer', () => ({ ...plain('outer_hash', 'hash_of_maps', 4, 4, 4), inner: INNER })),
  entry('stacks', () => plain('stacks', 'stack_trace', 4, 64, 16)),
  entry('strings', () => ({
    ...plain('.rodata.str', 'array', 4, STRINGS.length, 1, BPF_F_RDONLY_PROG),
    initial: STRINGS,
    frozen: true,
    section: '.rodata.str',
  })),
  entry('strings', () => ({ ...plain('thawed', 'array', 4, 32, 1, BPF_F_RDONLY_PROG), initial: STRINGS.slice(0, 32) })),
  entry('graph', () => object('graphs', 'array', 1)),
  entry('graph', () => object('graphs_hash', 'hash', 4)),
  entry('kept', () => object('kept', 'array', 1)),
  entry('kept', () => object('kept_hash', 'hash', 4)),
  entry('working', () => object('working', 'array', 1)),
  entry('working', () => object('working_hash', 'hash', 4)),
  entry('tasked', () => object('tasked', 'hash', 4)),
  entry('patient', () => object('patient', 'array', 1)),
  entry('patient', () => object('patient_hash', 'hash', 2)),
  entry('timed', () => object('both', 'array', 1)),
  entry('storage', () => object('of_socket', 'sk_storage', 0, BPF_F_NO_PREALLOC)),
  entry('storage', () => object('of_task', 'task_storage', 0, BPF_F_NO_PREALLOC)),
  entry('storage', () => object('of_inode', 'inode_storage', 0, BPF_F_NO_PREALLOC)),
  entry('storage', () => object('of_cgroup', 'cgrp_storage', 0, BPF_F_NO_PREALLOC)),
  entry('arena', () => plain('arena', 'arena', 0, 0, 16, BPF_F_MMAPABLE)),
  entry('rare', () => plain('arena_too', 'arena', 0, 0, 4, BPF_F_MMAPABLE)),
  entry('sockets', () => plain('sockets', 'sockmap', 4, 4, 4)),
  entry('sockets', () => plain('sockets_hash', 'sockhash', 4, 8, 4)),
  entry('sockets', () => plain('reuse', 'reuseport_sockarray', 4, 8, 4)),
  entry('redirect', () => plain('devices', 'devmap', 4, 4, 4)),
  entry('redirect', () => plain('devices_hash', 'devmap_hash', 4, 4, 4)),
  entry('redirect', () => plain('processors', 'cpumap', 4, 4, 2)),
  entry('redirect', () => plain('frames', 'xskmap', 4, 4, 4)),
  entry('rare', () => plain('of_groups', 'cgroup_array', 4, 4, 2)),
  entry('rare', () => plain('group_store', 'cgroup_storage', 8, 16, 0)),
  entry('rare', () => plain('group_store_too', 'cgroup_storage', 8, 8, 0)),
  entry('rare', () => plain('group_store_each', 'percpu_cgroup_storage', 8, 16, 0)),
  entry('rare', () => plain('from_user', 'user_ringbuf', 0, 0, 4096)),
  entry('rare', () => plain('percpu_hash', 'percpu_hash', 4, 16, 4)),
];
