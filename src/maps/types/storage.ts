/** Storage that belongs to an object of the kernel. Sources: kernel/bpf/bpf_local_storage.c, kernel/bpf/local_storage.c. */

import { MAP_FLAGS } from '../../contracts/uapi_numbers.ts';
import { type Check, FIELDS, KMALLOC_MAX_SIZE, MAX_BPF_STACK, mapType, PCPU_MIN_UNIT_SIZE } from './define.ts';
import { ACCESS_MASK, accessOk, flagMask } from './flags.ts';
import { cgroupStorageKey, int32Key } from './value_btf.ts';

const CREATE_FLAGS = flagMask('BPF_F_NO_PREALLOC', 'BPF_F_CLONE');
/** sizeof(struct bpf_local_storage_elem) */
const ELEM = 128;
/** BPF_LOCAL_STORAGE_MAX_VALUE_SIZE, include/linux/bpf_local_storage.h */
const MAX_VALUE = Math.min(KMALLOC_MAX_SIZE - MAX_BPF_STACK - ELEM, 0xffff - ELEM);

/** bpf_local_storage_map_alloc_check */
const localStorageCheck: Check = (def) => {
  if ((def.flags & ~CREATE_FLAGS) !== 0 || (def.flags & MAP_FLAGS.BPF_F_NO_PREALLOC) === 0) return 'EINVAL';
  if (def.maxEntries !== 0 || def.keySize !== 4 || def.valueSize === 0) return 'EINVAL';
  if (def.btfKeyTypeId === 0 || def.btfValueTypeId === 0) return 'EINVAL';
  return def.valueSize > MAX_VALUE ? 'E2BIG' : null;
};

const LOCAL = {
  allocCheck: localStorageCheck,
  creator: 'bpf',
  keyCheck: int32Key,
  specialFields: [...FIELDS.lock, ...FIELDS.kptr],
  sleepableOk: true,
} as const;

function storageHelpers(object: string): readonly string[] {
  return [`bpf_${object}_storage_get`, `bpf_${object}_storage_delete`, 'bpf_kptr_xchg'];
}

export const skStorage = mapType({
  ...LOCAL,
  id: 24,
  kernelStruct: 'bpf_local_storage_map',
  name: 'sk_storage',
  helpers: storageHelpers('sk'),
  summary: 'a value for each socket',
});

export const inodeStorage = mapType({
  ...LOCAL,
  id: 28,
  kernelStruct: 'bpf_local_storage_map',
  name: 'inode_storage',
  config: 'CONFIG_BPF_LSM',
  helpers: storageHelpers('inode'),
  summary: 'a value for each inode',
});

export const taskStorage = mapType({
  ...LOCAL,
  id: 29,
  kernelStruct: 'bpf_local_storage_map',
  name: 'task_storage',
  helpers: storageHelpers('task'),
  specialFields: [...FIELDS.lock, ...FIELDS.kptr, 'BPF_UPTR'],
  summary: 'a value for each task',
});

export const cgrpStorage = mapType({
  ...LOCAL,
  id: 32,
  kernelStruct: 'bpf_local_storage_map',
  name: 'cgrp_storage',
  config: 'CONFIG_CGROUPS',
  helpers: storageHelpers('cgrp'),
  summary: 'a value for each cgroup',
});

/** Keys of cgroup storage: the cgroup's id, or struct bpf_cgroup_storage_key. */
const CGROUP_KEY_SIZES: readonly number[] = [8, 16];
const CGROUP_FLAGS = ACCESS_MASK | flagMask('BPF_F_NUMA_NODE');

/** cgroup_storage_map_alloc */
function cgroupStorageAlloc(maxValue: number): Check {
  return (def) => {
    if (!CGROUP_KEY_SIZES.includes(def.keySize) || def.valueSize === 0) return 'EINVAL';
    if (def.valueSize > maxValue) return 'E2BIG';
    if ((def.flags & ~CGROUP_FLAGS) !== 0 || !accessOk(def.flags)) return 'EINVAL';
    return def.maxEntries === 0 ? null : 'EINVAL';
  };
}

const CGROUP = {
  config: 'CONFIG_CGROUP_BPF',
  creator: 'anyone',
  keyCheck: cgroupStorageKey,
  helpers: ['bpf_get_local_storage'],
  onePerProgram: true,
  usableAsInner: false,
} as const;

export const cgroupStorage = mapType({
  ...CGROUP,
  id: 19,
  kernelStruct: 'bpf_cgroup_storage_map',
  name: 'cgroup_storage',
  alloc: cgroupStorageAlloc(MAX_VALUE),
  specialFields: FIELDS.lock,
  summary: 'a value for each cgroup that the program is attached to',
});

export const percpuCgroupStorage = mapType({
  ...CGROUP,
  id: 21,
  kernelStruct: 'bpf_cgroup_storage_map',
  name: 'percpu_cgroup_storage',
  alloc: cgroupStorageAlloc(Math.min(MAX_VALUE, PCPU_MIN_UNIT_SIZE)),
  perCpu: true,
  summary: 'cgroup storage with one copy of the value for each CPU',
});
