/** Maps without keys. Sources: kernel/bpf/queue_stack_maps.c, bloom_filter.c, ringbuf.c, arena.c. */

import { MAP_FLAGS } from '../../contracts/uapi_numbers.ts';
import type { MapDef } from '../../program/program.ts';
import { type Check, KMALLOC_MAX_SIZE, mapType, PAGE_SIZE } from './define.ts';
import { ACCESS_MASK, accessOk, flagMask } from './flags.ts';
import { anyBtf, noKey } from './value_btf.ts';

const QUEUE_FLAGS = ACCESS_MASK | flagMask('BPF_F_NUMA_NODE');

/** queue_stack_map_alloc_check */
const queueCheck: Check = (def) => {
  if (def.maxEntries === 0 || def.keySize !== 0 || def.valueSize === 0) return 'EINVAL';
  if ((def.flags & ~QUEUE_FLAGS) !== 0 || !accessOk(def.flags)) return 'EINVAL';
  return def.valueSize > KMALLOC_MAX_SIZE ? 'E2BIG' : null;
};

const QUEUE = {
  allocCheck: queueCheck,
  creator: 'bpf',
  helpers: ['bpf_map_peek_elem', 'bpf_map_pop_elem', 'bpf_map_push_elem'],
  lookupReturns: 'none',
  sleepableOk: true,
} as const;

export const queue = mapType({
  ...QUEUE,
  id: 22,
  name: 'queue',
  kernelStruct: 'bpf_queue_stack',
  summary: 'values, first in first out',
});

export const stack = mapType({
  ...QUEUE,
  id: 23,
  name: 'stack',
  kernelStruct: 'bpf_queue_stack',
  summary: 'values, last in first out',
});

const BLOOM_FLAGS = QUEUE_FLAGS | MAP_FLAGS.BPF_F_ZERO_SEED;
/** the low four bits of map_extra are the number of hash functions */
const BLOOM_EXTRA = 0xfn;

/** bloom_map_alloc */
const bloomAlloc: Check = (def) => {
  if (def.keySize !== 0 || def.valueSize === 0 || def.maxEntries === 0) return 'EINVAL';
  if ((def.flags & ~BLOOM_FLAGS) !== 0 || !accessOk(def.flags)) return 'EINVAL';
  return (def.mapExtra & ~BLOOM_EXTRA) !== 0n ? 'EINVAL' : null;
};

export const bloomFilter = mapType({
  id: 30,
  kernelStruct: 'bpf_bloom_filter',
  name: 'bloom_filter',
  allocCheck: (def) => (def.valueSize > KMALLOC_MAX_SIZE ? 'E2BIG' : null),
  alloc: bloomAlloc,
  creator: 'bpf',
  keyCheck: noKey,
  helpers: ['bpf_map_peek_elem', 'bpf_map_push_elem'],
  lookupReturns: 'none',
  summary: 'a set that may say yes to what is not in it',
});

/** ringbuf_map_alloc: the size in bytes is a power of two and a whole number of pages. */
const ringbufAlloc: Check = (def) => {
  if ((def.flags & ~MAP_FLAGS.BPF_F_NUMA_NODE) !== 0) return 'EINVAL';
  if (def.keySize !== 0 || def.valueSize !== 0 || def.maxEntries === 0) return 'EINVAL';
  const isPowerOfTwo = (def.maxEntries & (def.maxEntries - 1)) === 0;
  return isPowerOfTwo && def.maxEntries % PAGE_SIZE === 0 ? null : 'EINVAL';
};

const RINGBUF = { alloc: ringbufAlloc, creator: 'anyone', lookupReturns: 'none', sleepableOk: true } as const;

export const ringbuf = mapType({
  ...RINGBUF,
  id: 27,
  kernelStruct: 'bpf_ringbuf_map',
  name: 'ringbuf',
  helpers: [
    'bpf_ringbuf_output',
    'bpf_ringbuf_reserve',
    'bpf_ringbuf_query',
    'bpf_ringbuf_reserve_dynptr',
    'bpf_ringbuf_submit_dynptr',
    'bpf_ringbuf_discard_dynptr',
  ],
  summary: 'a ring of records from programs to user space',
});

export const userRingbuf = mapType({
  ...RINGBUF,
  id: 31,
  kernelStruct: 'bpf_ringbuf_map',
  name: 'user_ringbuf',
  helpers: ['bpf_user_ringbuf_drain'],
  summary: 'a ring of records from user space to programs',
});

const ARENA_FLAGS = flagMask('BPF_F_SEGV_ON_FAULT', 'BPF_F_MMAPABLE', 'BPF_F_NO_USER_CONV');
const FOUR_GIB = 2 ** 32;

/** arena_map_alloc */
const arenaAlloc: Check = (def) => {
  if (def.keySize !== 0 || def.valueSize !== 0 || def.maxEntries === 0) return 'EINVAL';
  if ((def.flags & MAP_FLAGS.BPF_F_MMAPABLE) === 0 || (def.flags & ~ARENA_FLAGS) !== 0) return 'EINVAL';
  if (def.mapExtra % BigInt(PAGE_SIZE) !== 0n) return 'EINVAL';
  const bytes = def.maxEntries * PAGE_SIZE;
  if (bytes > FOUR_GIB) return 'E2BIG';
  const last = BigInt.asUintN(64, def.mapExtra + BigInt(bytes) - 1n);
  return def.mapExtra >> 32n === last >> 32n ? null : 'ERANGE';
};

/** arena_map_direct_value_addr, for an arena that user space has mapped, as libbpf does before it loads programs. */
function arenaDirectValue(def: MapDef, off: number) {
  return off > def.maxEntries * PAGE_SIZE ? 'ERANGE' : null;
}

export const arena = mapType({
  id: 33,
  kernelStruct: 'bpf_arena',
  name: 'arena',
  alloc: arenaAlloc,
  creator: 'bpf',
  keyCheck: anyBtf,
  directValueAt: arenaDirectValue,
  lookupReturns: 'none',
  sleepableOk: true,
  onePerProgram: true,
  summary: 'memory shared by programs and user space, up to 4 GiB',
});
