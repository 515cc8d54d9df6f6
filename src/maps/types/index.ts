/** Every map type, by its id. */
import type { MapType } from '../../contracts/map_type.ts';
import { array, arrayOfMaps, cgroupArray, percpuArray, perfEventArray, progArray } from './array.ts';
import { hash, hashOfMaps, lruHash, lruPercpuHash, percpuHash } from './hash.ts';
import { arena, bloomFilter, queue, ringbuf, stack, userRingbuf } from './queue.ts';
import { cpumap, devmap, devmapHash, xskmap } from './redirect.ts';
import { reuseportSockarray, sockhash, sockmap } from './socket.ts';
import { lpmTrie, stackTrace, structOps } from './special.ts';
import { cgroupStorage, cgrpStorage, inodeStorage, percpuCgroupStorage, skStorage, taskStorage } from './storage.ts';

const ENTRIES: readonly MapType[] = [
  hash,
  array,
  progArray,
  perfEventArray,
  percpuHash,
  percpuArray,
  stackTrace,
  cgroupArray,
  lruHash,
  lruPercpuHash,
  lpmTrie,
  arrayOfMaps,
  hashOfMaps,
  devmap,
  sockmap,
  cpumap,
  xskmap,
  sockhash,
  cgroupStorage,
  reuseportSockarray,
  percpuCgroupStorage,
  queue,
  stack,
  skStorage,
  devmapHash,
  structOps,
  ringbuf,
  inodeStorage,
  taskStorage,
  bloomFilter,
  userRingbuf,
  cgrpStorage,
  arena,
];

export const MAP_TYPES: ReadonlyMap<number, MapType> = new Map(ENTRIES.map((entry) => [entry.id, entry]));
