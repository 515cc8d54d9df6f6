/** Map types that are alone in their family. Sources: kernel/bpf/lpm_trie.c, stackmap.c, bpf_struct_ops.c. */

import { MAP_FLAGS } from '../../contracts/uapi_numbers.ts';
import { type Check, KMALLOC_MAX_SIZE, mapType } from './define.ts';
import { ACCESS_MASK, accessOk, flagMask } from './flags.ts';
import { noBtf, structKey } from './value_btf.ts';

const LPM_FLAGS = ACCESS_MASK | flagMask('BPF_F_NO_PREALLOC', 'BPF_F_NUMA_NODE');
/** sizeof(struct bpf_lpm_trie_key_u8): the prefix length before the data */
const LPM_KEY_HEADER = 4;
const LPM_DATA_MAX = 256;
/** sizeof(struct lpm_trie_node) */
const LPM_NODE = 24;
const LPM_VALUE_MAX = KMALLOC_MAX_SIZE - LPM_DATA_MAX - LPM_NODE;

/** trie_alloc */
const trieAlloc: Check = (def) => {
  if (def.maxEntries === 0 || (def.flags & MAP_FLAGS.BPF_F_NO_PREALLOC) === 0) return 'EINVAL';
  if ((def.flags & ~LPM_FLAGS) !== 0 || !accessOk(def.flags)) return 'EINVAL';
  const data = def.keySize - LPM_KEY_HEADER;
  if (data < 1 || data > LPM_DATA_MAX) return 'EINVAL';
  return def.valueSize < 1 || def.valueSize > LPM_VALUE_MAX ? 'EINVAL' : null;
};

export const lpmTrie = mapType({
  id: 11,
  kernelStruct: 'lpm_trie',
  name: 'lpm_trie',
  alloc: trieAlloc,
  creator: 'bpf',
  keyCheck: structKey,
  summary: 'values by longest matching prefix',
});

const STACK_FLAGS = flagMask('BPF_F_NUMA_NODE', 'BPF_F_RDONLY', 'BPF_F_WRONLY', 'BPF_F_STACK_BUILD_ID');
/** sizeof(struct bpf_stack_build_id) */
const STACK_BUILD_ID = 32;
/** kernel.perf_event_max_stack */
const MAX_STACK = 127;

/** stack_map_alloc */
const stackTraceAlloc: Check = (def) => {
  if ((def.flags & ~STACK_FLAGS) !== 0) return 'EINVAL';
  if (def.maxEntries === 0 || def.keySize !== 4 || def.valueSize < 8 || def.valueSize % 8 !== 0) return 'EINVAL';
  const entry = (def.flags & MAP_FLAGS.BPF_F_STACK_BUILD_ID) !== 0 ? STACK_BUILD_ID : 8;
  if (def.valueSize % entry !== 0 || def.valueSize / entry > MAX_STACK) return 'EINVAL';
  return def.maxEntries > 2 ** 31 ? 'E2BIG' : null;
};

export const stackTrace = mapType({
  id: 7,
  kernelStruct: 'bpf_stack_map',
  name: 'stack_trace',
  config: 'CONFIG_PERF_EVENTS',
  alloc: stackTraceAlloc,
  creator: 'bpf',
  keyCheck: noBtf,
  helpers: ['bpf_get_stackid'],
  lookupReturns: 'none',
  summary: 'stack traces by id',
});

const STRUCT_OPS_FLAGS = flagMask('BPF_F_LINK', 'BPF_F_VTYPE_BTF_OBJ_FD');

/** bpf_struct_ops_map_alloc_check. That the value has the size of the kernel's struct is for the loader to see. */
const structOpsCheck: Check = (def) => {
  if (def.keySize !== 4 || def.maxEntries !== 1 || (def.flags & ~STRUCT_OPS_FLAGS) !== 0) return 'EINVAL';
  return def.btfVmlinuxValueTypeId === 0 ? 'EINVAL' : null;
};

export const structOps = mapType({
  id: 26,
  kernelStruct: 'bpf_struct_ops_map',
  name: 'struct_ops',
  allocCheck: structOpsCheck,
  creator: 'bpf',
  lookupReturns: 'none',
  usableInPrograms: false,
  usableAsInner: false,
  summary: "one of the kernel's tables of functions, implemented by programs",
});
