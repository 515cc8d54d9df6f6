import type { Btf } from '../../btf/btf.ts';
import { btfFromC } from '../../btf/c_parser.ts';
import { MAP_TYPES, type MapTypeName } from '../../contracts/uapi_numbers.ts';
import type { MapDef } from '../../program/program.ts';

const BPF_F_RDONLY_PROG = 1 << 7;
const BPF_F_WRONLY_PROG = 1 << 8;
const BPF_F_NO_PREALLOC = 1;

/** C types of values that hold a lock or a timer. */
export const VALUE_TYPES = `
struct bpf_spin_lock { unsigned int val; };
struct bpf_timer { unsigned long long __opaque[2]; };
struct locked { struct bpf_spin_lock lock; int count; unsigned long long data[3]; };
struct timed { unsigned long long data; struct bpf_timer timer; };
`;

let valueBtf: Btf | null = null;

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

const STRUCT_OF: Readonly<Record<string, string>> = { locked: 'locked', locked_hash: 'locked', timed: 'timed' };

/** A map of the palette with its types in the BTF of a program, which holds VALUE_TYPES. */
export const withBtf = (map: MapDef, btf: Btf): MapDef => ({
  ...map,
  btf,
  btfKeyTypeId: btf.findByName('int', 'INT')?.id ?? 0,
  btfValueTypeId: btf.findByName(STRUCT_OF[map.name] ?? '', 'STRUCT')?.id ?? 0,
});

const typed = (map: MapDef): MapDef => {
  valueBtf ??= btfFromC(VALUE_TYPES).btf;
  return withBtf(map, valueBtf);
};

const INNER = plain('inner', 'array', 4, 16, 4);
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
  | 'stacks';

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
  entry('programs', () => plain('programs', 'prog_array', 4, 4, 4)),
  entry('ring', () => plain('ring', 'ringbuf', 0, 0, 4096)),
  entry('events', () => plain('events', 'perf_event_array', 4, 4, 2)),
  entry('queue', () => plain('queue', 'queue', 0, 8, 8)),
  entry('queue', () => plain('stack', 'stack', 0, 16, 8)),
  entry('bloom', () => plain('bloom', 'bloom_filter', 0, 8, 8)),
  entry('outer', () => ({ ...plain('outer', 'array_of_maps', 4, 4, 4), inner: INNER })),
  entry('outer', () => ({ ...plain('outer_hash', 'hash_of_maps', 4, 4, 4), inner: INNER })),
  entry('stacks', () => plain('stacks', 'stack_trace', 4, 64, 16)),
];
