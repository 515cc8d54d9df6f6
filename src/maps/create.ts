import { ERRNO, Unmodelled } from '../contracts/errors.ts';
import type { MapType } from '../contracts/map_type.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import type { MapDef } from '../program/program.ts';
import { ArenaMap } from './arena.ts';
import { ArrayMap, PercpuArrayMap } from './array.ts';
import { BloomFilterMap } from './bloom_filter.ts';
import type { BpfMap } from './bpf_map.ts';
import type { MapEnvironment } from './environment.ts';
import { HashMap } from './hash.ts';
import { LocalStorageMap } from './local_storage.ts';
import { LpmTrieMap } from './lpm_trie.ts';
import { PerfEventArrayMap } from './perf_event_array.ts';
import { QueueStackMap } from './queue_stack.ts';
import { RedirectMap } from './redirect_maps.ts';
import { MapOfMaps, ProgArrayMap } from './reference_maps.ts';
import { RingBufferMap } from './ring_buffer.ts';
import { SocketMap } from './socket_maps.ts';
import { StackTraceMap } from './stack_trace.ts';
import { UserRingBufferMap } from './user_ring_buffer.ts';

type Builder = (environment: MapEnvironment, def: MapDef, id: number, type: MapType) => BpfMap;

const hash: Builder = (environment, def, id) => new HashMap(environment, def, id);
const redirect: Builder = (environment, def, id) => new RedirectMap(environment, def, id);
const socket: Builder = (environment, def, id) => new SocketMap(environment, def, id);
const storage: Builder = (environment, def, id) => new LocalStorageMap(environment, def, id);
const queueStack: Builder = (environment, def, id) => new QueueStackMap(environment, def, id);

const BUILDERS: ReadonlyMap<number, Builder> = new Map([
  [MAP_TYPES.hash, hash],
  [MAP_TYPES.percpu_hash, hash],
  [MAP_TYPES.lru_hash, hash],
  [MAP_TYPES.lru_percpu_hash, hash],
  [MAP_TYPES.array, (environment, def, id) => new ArrayMap(environment, def, id)],
  [MAP_TYPES.percpu_array, (environment, def, id) => new PercpuArrayMap(environment, def, id)],
  [MAP_TYPES.prog_array, (environment, def, id) => new ProgArrayMap(environment, def, id)],
  [MAP_TYPES.perf_event_array, (environment, def, id) => new PerfEventArrayMap(environment, def, id)],
  [MAP_TYPES.lpm_trie, (environment, def, id) => new LpmTrieMap(environment, def, id)],
  [MAP_TYPES.array_of_maps, (environment, def, id, type) => new MapOfMaps(environment, def, id, true, type.metaEqual)],
  [MAP_TYPES.hash_of_maps, (environment, def, id, type) => new MapOfMaps(environment, def, id, false, type.metaEqual)],
  [MAP_TYPES.queue, queueStack],
  [MAP_TYPES.stack, queueStack],
  [MAP_TYPES.bloom_filter, (environment, def, id) => new BloomFilterMap(environment, def, id)],
  [MAP_TYPES.ringbuf, (environment, def, id) => new RingBufferMap(environment, def, id)],
  [MAP_TYPES.user_ringbuf, (environment, def, id) => new UserRingBufferMap(environment, def, id)],
  [MAP_TYPES.devmap, redirect],
  [MAP_TYPES.devmap_hash, redirect],
  [MAP_TYPES.cpumap, redirect],
  [MAP_TYPES.sockmap, socket],
  [MAP_TYPES.sockhash, socket],
  [MAP_TYPES.xskmap, socket],
  [MAP_TYPES.reuseport_sockarray, socket],
  [MAP_TYPES.cgroup_array, socket],
  [MAP_TYPES.stack_trace, (environment, def, id) => new StackTraceMap(environment, def, id)],
  [MAP_TYPES.arena, (environment, def, id) => new ArenaMap(environment, def, id)],
  [MAP_TYPES.sk_storage, storage],
  [MAP_TYPES.inode_storage, storage],
  [MAP_TYPES.task_storage, storage],
  [MAP_TYPES.cgrp_storage, storage],
  [MAP_TYPES.cgroup_storage, storage],
  [MAP_TYPES.percpu_cgroup_storage, storage],
]);

/** Whether maps of this type can be made and used here. */
export const isMapModelled = (type: number): boolean => BUILDERS.has(type);

/**
 * A new map, or a negative errno when there is no memory for it. Whether BPF_MAP_CREATE would take the definition is for the
 * map type's `checkCreate`. Throws `Unmodelled` for types without operations.
 */
export function createMap(environment: MapEnvironment, def: MapDef, id: number, type: MapType): BpfMap | number {
  const build = BUILDERS.get(def.type);
  if (build === undefined) throw new Unmodelled(`running ${type.kernelName}`, `map ${def.name}`);
  const map = build(environment, def, id, type);
  const lacksMemory = map.offset === 0 || ('isAllocated' in map && map.isAllocated === false);
  if (lacksMemory) return -ERRNO.ENOMEM;
  map.frozen = def.frozen;
  return map;
}
