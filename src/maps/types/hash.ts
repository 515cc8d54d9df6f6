/** Hash tables. Source: kernel/bpf/hashtab.c. */

import { MAP_FLAGS } from '../../contracts/uapi_numbers.ts';
import { type Check, FIELDS, KMALLOC_MAX_SIZE, mapType, PCPU_MIN_UNIT_SIZE, roundUp8 } from './define.ts';
import { ACCESS_MASK, accessOk, flagMask } from './flags.ts';
import { checkInner } from './inner.ts';
import { noBtf } from './value_btf.ts';

const PERCPU_HASH = 5;
const LRU_HASH = 9;
const LRU_PERCPU_HASH = 10;
const PER_CPU: readonly number[] = [PERCPU_HASH, LRU_PERCPU_HASH];
const LRU: readonly number[] = [LRU_HASH, LRU_PERCPU_HASH];

const CREATE_FLAGS = ACCESS_MASK | flagMask('BPF_F_NO_PREALLOC', 'BPF_F_NO_COMMON_LRU', 'BPF_F_NUMA_NODE', 'BPF_F_ZERO_SEED');

/** sizeof(struct htab_elem) */
const ELEM_HEADER = 48;
/** n_buckets * sizeof(struct bucket) must fit in 32 bits */
const BUCKET_BYTES = 16;
const U32_MAX = 0xffffffff;

function powerOfTwo(atLeast: number): number {
  let power = 1;
  while (power < atLeast) power *= 2;
  return power;
}

/** htab_map_alloc_check */
const hashAllocCheck: Check = (def, caps) => {
  const perCpu = PER_CPU.includes(def.type);
  const lru = LRU.includes(def.type);
  const perCpuLru = (def.flags & MAP_FLAGS.BPF_F_NO_COMMON_LRU) !== 0;
  if ((def.flags & MAP_FLAGS.BPF_F_ZERO_SEED) !== 0 && !caps.sysAdmin) return 'EPERM';
  if ((def.flags & ~CREATE_FLAGS) !== 0 || !accessOk(def.flags)) return 'EINVAL';
  if (!lru && perCpuLru) return 'EINVAL';
  if (lru && (def.flags & MAP_FLAGS.BPF_F_NO_PREALLOC) !== 0) return 'ENOTSUPP';
  if ((def.flags & MAP_FLAGS.BPF_F_NUMA_NODE) !== 0 && (perCpu || perCpuLru)) return 'EINVAL';
  if (def.maxEntries === 0 || def.keySize === 0 || def.valueSize === 0) return 'EINVAL';
  if (def.keySize + def.valueSize >= KMALLOC_MAX_SIZE - ELEM_HEADER) return 'E2BIG';
  return perCpu && roundUp8(def.valueSize) > PCPU_MIN_UNIT_SIZE ? 'E2BIG' : null;
};

/** htab_map_alloc */
const hashAlloc: Check = (def) => {
  if (def.maxEntries > 2 ** 31) return 'E2BIG';
  return powerOfTwo(def.maxEntries) > Math.floor(U32_MAX / BUCKET_BYTES) ? 'E2BIG' : null;
};

const HASH = { allocCheck: hashAllocCheck, alloc: hashAlloc, sleepableOk: true, forEach: true } as const;

export const hash = mapType({
  ...HASH,
  id: 1,
  kernelStruct: 'bpf_htab',
  name: 'hash',
  creator: 'anyone',
  specialFields: [...FIELDS.lock, ...FIELDS.async, ...FIELDS.kptr, ...FIELDS.graph],
  summary: 'values by key',
});

export const percpuHash = mapType({
  ...HASH,
  id: PERCPU_HASH,
  kernelStruct: 'bpf_htab',
  name: 'percpu_hash',
  creator: 'anyone',
  specialFields: FIELDS.kptr,
  perCpu: true,
  summary: 'a hash with one copy of every value for each CPU',
});

export const lruHash = mapType({
  ...HASH,
  id: LRU_HASH,
  kernelStruct: 'bpf_htab',
  name: 'lru_hash',
  creator: 'bpf',
  specialFields: [...FIELDS.async, ...FIELDS.kptr, ...FIELDS.graph],
  summary: 'a hash that drops what was least recently used when it is full',
});

export const lruPercpuHash = mapType({
  ...HASH,
  id: LRU_PERCPU_HASH,
  kernelStruct: 'bpf_htab',
  name: 'lru_percpu_hash',
  creator: 'bpf',
  specialFields: FIELDS.kptr,
  perCpu: true,
  summary: 'a least-recently-used hash with one copy of every value for each CPU',
});

export const hashOfMaps = mapType({
  id: 13,
  kernelStruct: 'bpf_htab',
  name: 'hash_of_maps',
  allocCheck: (def, caps) => (def.valueSize !== 4 ? 'EINVAL' : hashAllocCheck(def, caps)),
  alloc: (def, caps) => checkInner(def) ?? hashAlloc(def, caps),
  creator: 'anyone',
  keyCheck: noBtf,
  helpers: ['bpf_map_lookup_elem'],
  lookupReturns: 'inner-map',
  sleepableOk: true,
  usableAsInner: false,
  summary: 'maps by key',
});
