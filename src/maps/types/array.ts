/** Arrays by index. Source: kernel/bpf/arraymap.c. */

import { MAP_FLAGS } from '../../contracts/uapi_numbers.ts';
import type { MapDef } from '../../program/program.ts';
import { type Check, FIELDS, INT_MAX, mapType, PCPU_MIN_UNIT_SIZE, roundUp8, sameShape } from './define.ts';
import { ACCESS_MASK, accessOk, flagMask } from './flags.ts';
import { checkInner } from './inner.ts';
import { arrayKey, noBtf } from './value_btf.ts';

const ARRAY = 2;
const PERF_EVENT_ARRAY = 4;
const PERCPU_ARRAY = 6;

const CREATE_FLAGS = ACCESS_MASK | flagMask('BPF_F_NUMA_NODE', 'BPF_F_MMAPABLE', 'BPF_F_PRESERVE_ELEMS', 'BPF_F_INNER_MAP');
const ARRAY_ONLY = flagMask('BPF_F_MMAPABLE', 'BPF_F_INNER_MAP');

/** array_map_alloc_check */
export const arrayAllocCheck: Check = (def) => {
  const perCpu = def.type === PERCPU_ARRAY;
  if (def.maxEntries === 0 || def.keySize !== 4 || def.valueSize === 0) return 'EINVAL';
  if ((def.flags & ~CREATE_FLAGS) !== 0 || !accessOk(def.flags)) return 'EINVAL';
  if (perCpu && (def.flags & MAP_FLAGS.BPF_F_NUMA_NODE) !== 0) return 'EINVAL';
  if (def.type !== ARRAY && (def.flags & ARRAY_ONLY) !== 0) return 'EINVAL';
  if (def.type !== PERF_EVENT_ARRAY && (def.flags & MAP_FLAGS.BPF_F_PRESERVE_ELEMS) !== 0) return 'EINVAL';
  if (def.valueSize > INT_MAX) return 'E2BIG';
  return perCpu && roundUp8(def.valueSize) > PCPU_MIN_UNIT_SIZE ? 'E2BIG' : null;
};

/** array_map_alloc: without CAP_PERFMON the number of entries is rounded up to a power of two, which must fit in 32 bits. */
const arrayAlloc: Check = (def, caps) => (!caps.perfmon && def.maxEntries > 2 ** 31 ? 'E2BIG' : null);

/** fd_array_map_alloc_check */
const descriptorArrayCheck: Check = (def, caps) => {
  if (def.valueSize !== 4) return 'EINVAL';
  if ((def.flags & flagMask('BPF_F_RDONLY_PROG', 'BPF_F_WRONLY_PROG')) !== 0) return 'EINVAL';
  return arrayAllocCheck(def, caps);
};

/** array_map_direct_value_addr */
function directValue(def: MapDef, off: number) {
  if (def.maxEntries !== 1) return 'ENOTSUPP';
  return off >= def.valueSize ? 'EINVAL' : null;
}

/** array_map_meta_equal */
function sameArray(template: MapDef, inner: MapDef): boolean {
  if (!sameShape(template, inner)) return false;
  return (template.flags & MAP_FLAGS.BPF_F_INNER_MAP) !== 0 || template.maxEntries === inner.maxEntries;
}

export const array = mapType({
  id: ARRAY,
  kernelStruct: 'bpf_array',
  name: 'array',
  allocCheck: arrayAllocCheck,
  alloc: arrayAlloc,
  creator: 'anyone',
  keyCheck: arrayKey,
  directValueAt: directValue,
  specialFields: [...FIELDS.lock, ...FIELDS.async, ...FIELDS.kptr, ...FIELDS.graph],
  sleepableOk: true,
  forEach: true,
  metaEqual: sameArray,
  summary: 'values by index, all of them there from the start',
});

export const percpuArray = mapType({
  id: PERCPU_ARRAY,
  kernelStruct: 'bpf_array',
  name: 'percpu_array',
  allocCheck: arrayAllocCheck,
  alloc: arrayAlloc,
  creator: 'anyone',
  keyCheck: arrayKey,
  specialFields: FIELDS.kptr,
  sleepableOk: true,
  forEach: true,
  perCpu: true,
  summary: 'an array with one copy of every value for each CPU',
});

export const progArray = mapType({
  id: 3,
  kernelStruct: 'bpf_array',
  name: 'prog_array',
  allocCheck: descriptorArrayCheck,
  alloc: arrayAlloc,
  creator: 'anyone',
  helpers: ['bpf_tail_call'],
  lookupReturns: 'none',
  usableAsInner: false,
  summary: 'programs by index, for tail calls',
});

export const perfEventArray = mapType({
  id: PERF_EVENT_ARRAY,
  kernelStruct: 'bpf_array',
  name: 'perf_event_array',
  allocCheck: descriptorArrayCheck,
  alloc: arrayAlloc,
  creator: 'anyone',
  keyCheck: noBtf,
  helpers: ['bpf_perf_event_read', 'bpf_perf_event_output', 'bpf_skb_output', 'bpf_perf_event_read_value', 'bpf_xdp_output'],
  lookupReturns: 'none',
  summary: 'perf events by index, mostly one ring for each CPU',
});

export const cgroupArray = mapType({
  id: 8,
  kernelStruct: 'bpf_array',
  name: 'cgroup_array',
  allocCheck: descriptorArrayCheck,
  alloc: arrayAlloc,
  creator: 'anyone',
  keyCheck: noBtf,
  helpers: ['bpf_skb_under_cgroup', 'bpf_current_task_under_cgroup'],
  lookupReturns: 'none',
  summary: 'cgroups by index',
});

export const arrayOfMaps = mapType({
  id: 12,
  kernelStruct: 'bpf_array',
  name: 'array_of_maps',
  allocCheck: descriptorArrayCheck,
  alloc: (def, caps) => checkInner(def) ?? arrayAlloc(def, caps),
  creator: 'anyone',
  keyCheck: noBtf,
  helpers: ['bpf_map_lookup_elem'],
  lookupReturns: 'inner-map',
  sleepableOk: true,
  usableAsInner: false,
  summary: 'maps by index',
});
