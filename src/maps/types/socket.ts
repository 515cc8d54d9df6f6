/** Maps of sockets. Sources: net/core/sock_map.c, kernel/bpf/reuseport_array.c. */
import { ATTACH_TYPES } from '../../contracts/attach_types.ts';
import type { ConditionalHelpers } from '../../contracts/map_type.ts';
import type { Subject } from '../../contracts/subject.ts';
import { arrayAllocCheck } from './array.ts';
import { type Check, MAX_BPF_STACK, mapType } from './define.ts';
import { flagMask } from './flags.ts';
import { noBtf } from './value_btf.ts';

const CREATE_FLAGS = flagMask('BPF_F_NUMA_NODE', 'BPF_F_RDONLY', 'BPF_F_WRONLY');
/** a descriptor on update, a cookie on look-up */
const VALUE_SIZES: readonly number[] = [4, 8];

/** socket_filter, sched_cls, sched_act, xdp, sk_reuseport, flow_dissector, sk_lookup */
const UPDATERS: readonly number[] = [1, 3, 4, 6, 21, 22, 30];
const SOCK_OPS = 13;
const TRACING = 26;

/** may_update_sockmap, kernel/bpf/verifier.c: where no socket that the program reaches can be locked. */
function mayUpdate(helper: string, subject: Subject): boolean {
  if (subject.type === TRACING) return subject.attachType === ATTACH_TYPES.BPF_TRACE_ITER;
  if (subject.type === SOCK_OPS) return helper === 'bpf_map_delete_elem';
  return UPDATERS.includes(subject.type);
}

const conditionalHelpers: ConditionalHelpers = {
  helpers: ['bpf_map_update_elem', 'bpf_map_delete_elem'],
  allowed: mayUpdate,
  message: 'cannot update sockmap in this context',
};

const SOCKETS = {
  config: 'CONFIG_INET',
  creator: 'net_admin',
  keyCheck: noBtf,
  conditionalHelpers,
  lookupReturns: 'sock',
  lookupAcquires: true,
} as const;

/** sock_map_alloc */
const sockmapAlloc: Check = (def) => {
  if (def.maxEntries === 0 || def.keySize !== 4 || !VALUE_SIZES.includes(def.valueSize)) return 'EINVAL';
  return (def.flags & ~CREATE_FLAGS) !== 0 ? 'EINVAL' : null;
};

export const sockmap = mapType({
  ...SOCKETS,
  id: 15,
  kernelStruct: 'bpf_stab',
  name: 'sockmap',
  alloc: sockmapAlloc,
  helpers: [
    'bpf_sk_redirect_map',
    'bpf_sock_map_update',
    'bpf_msg_redirect_map',
    'bpf_sk_select_reuseport',
    'bpf_map_lookup_elem',
  ],
  summary: 'sockets by index',
});

/** sock_hash_alloc */
const sockhashAlloc: Check = (def) => {
  if (def.maxEntries === 0 || def.keySize === 0 || !VALUE_SIZES.includes(def.valueSize)) return 'EINVAL';
  if ((def.flags & ~CREATE_FLAGS) !== 0) return 'EINVAL';
  if (def.keySize > MAX_BPF_STACK) return 'E2BIG';
  return def.maxEntries > MAX_BUCKETS ? 'EINVAL' : null;
};

/** U32_MAX / sizeof(struct bpf_shtab_bucket), rounded down to a power of two */
const MAX_BUCKETS = 2 ** 27;

export const sockhash = mapType({
  ...SOCKETS,
  id: 18,
  kernelStruct: 'bpf_shtab',
  name: 'sockhash',
  alloc: sockhashAlloc,
  helpers: [
    'bpf_sk_redirect_hash',
    'bpf_sock_hash_update',
    'bpf_msg_redirect_hash',
    'bpf_sk_select_reuseport',
    'bpf_map_lookup_elem',
  ],
  summary: 'sockets by key',
});

export const reuseportSockarray = mapType({
  id: 20,
  kernelStruct: 'reuseport_array',
  name: 'reuseport_sockarray',
  config: 'CONFIG_INET',
  allocCheck: (def, caps) => (VALUE_SIZES.includes(def.valueSize) ? arrayAllocCheck(def, caps) : 'EINVAL'),
  creator: 'bpf',
  helpers: ['bpf_sk_select_reuseport'],
  lookupReturns: 'none',
  summary: 'sockets of SO_REUSEPORT groups by index',
});
