import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, EVERY_TYPE, to, WITH_BPF } from './availability.ts';
import {
  forEachMapElem,
  mapDeleteElem,
  mapLookupElem,
  mapLookupPercpuElem,
  mapPeekElem,
  mapPopElem,
  mapPushElem,
  mapUpdateElem,
} from './run/map.ts';
import { anything, arg, constMap, INTEGER, MAP_VALUE_OR_NULL, mapKey, mapValue, proto } from './spec.ts';

/** Helpers on elements of maps. */
export const mapHelpers: readonly Helper[] = [
  {
    id: 1,
    name: 'bpf_map_lookup_elem',
    summary: 'Pointer to the value of a key, or NULL.',
    protos: [
      proto('bpf_map_lookup_elem_proto', [constMap('map'), mapKey('key')], MAP_VALUE_OR_NULL, {
        packetAccess: true,
        run: mapLookupElem,
      }),
    ],
    available: [to(EVERY_TYPE, 'bpf_map_lookup_elem_proto')],
    effects: { acquires: ['sockmap', 'sockhash'], recordsMap: true, neverNullForConstantKey: ['array', 'percpu_array'] },
  },
  {
    id: 2,
    name: 'bpf_map_update_elem',
    summary: 'Stores a value under a key.',
    protos: [
      proto('bpf_map_update_elem_proto', [constMap('map'), mapKey('key'), mapValue('value'), anything('flags')], INTEGER, {
        packetAccess: true,
        run: mapUpdateElem,
      }),
    ],
    available: [to(EVERY_TYPE, 'bpf_map_update_elem_proto')],
    effects: { recordsMap: true, writesMap: true, changesSockmap: 'update' },
  },
  {
    id: 3,
    name: 'bpf_map_delete_elem',
    summary: 'Removes a key.',
    protos: [
      proto('bpf_map_delete_elem_proto', [constMap('map'), mapKey('key')], INTEGER, { packetAccess: true, run: mapDeleteElem }),
    ],
    available: [to(EVERY_TYPE, 'bpf_map_delete_elem_proto')],
    effects: { recordsMap: true, writesMap: true, changesSockmap: 'delete' },
  },
  {
    id: 87,
    name: 'bpf_map_push_elem',
    summary: 'Adds an element to a queue, stack or bloom filter.',
    protos: [
      proto('bpf_map_push_elem_proto', [constMap('map'), mapValue('value'), anything('flags')], INTEGER, {
        packetAccess: true,
        run: mapPushElem,
      }),
    ],
    available: [to(EVERY_TYPE, 'bpf_map_push_elem_proto')],
    effects: { recordsMap: true, writesMap: true },
    maps: ['queue', 'stack', 'bloom_filter'],
  },
  {
    id: 88,
    name: 'bpf_map_pop_elem',
    summary: 'Takes an element from a queue or stack.',
    protos: [
      proto('bpf_map_pop_elem_proto', [constMap('map'), mapValue('value', 'MEM_UNINIT', 'MEM_WRITE')], INTEGER, {
        run: mapPopElem,
      }),
    ],
    available: [to(EVERY_TYPE, 'bpf_map_pop_elem_proto')],
    effects: { recordsMap: true, writesMap: true },
    maps: ['queue', 'stack'],
  },
  {
    id: 89,
    name: 'bpf_map_peek_elem',
    summary: 'Copies the next element of a queue or stack, or asks a bloom filter for one.',
    protos: [
      proto('bpf_map_peek_elem_proto', [constMap('map'), mapValue('value', 'MEM_UNINIT', 'MEM_WRITE')], INTEGER, {
        run: mapPeekElem,
      }),
    ],
    available: [to(EVERY_TYPE, 'bpf_map_peek_elem_proto')],
    effects: { recordsMap: true, bloomFilterValue: true },
    maps: ['queue', 'stack', 'bloom_filter'],
  },
  {
    id: 164,
    name: 'bpf_for_each_map_elem',
    summary: 'Calls a function for each element of a map until it returns 1.',
    protos: [
      proto(
        'bpf_for_each_map_elem_proto',
        [
          constMap('map'),
          arg('callback_fn', 'ARG_PTR_TO_FUNC'),
          arg('callback_ctx', 'ARG_PTR_TO_STACK', 'PTR_MAYBE_NULL'),
          anything('flags'),
        ],
        INTEGER,
        { run: forEachMapElem },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_for_each_map_elem_proto', ...WITH_BPF)],
    effects: { recordsMap: true, callback: { arg: 1, kind: 'sync', enter: 'for_each_map_elem', returns: [0, 1] } },
  },
  {
    id: 195,
    name: 'bpf_map_lookup_percpu_elem',
    summary: 'Pointer to the value that a key has on another CPU, or NULL.',
    protos: [
      proto('bpf_map_lookup_percpu_elem_proto', [constMap('map'), mapKey('key'), anything('cpu')], MAP_VALUE_OR_NULL, {
        packetAccess: true,
        run: mapLookupPercpuElem,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_map_lookup_percpu_elem_proto')],
    effects: { recordsMap: true },
    maps: ['percpu_array', 'percpu_hash', 'lru_percpu_hash'],
  },
];
