/** Maps that name where a packet goes. Sources: kernel/bpf/devmap.c, kernel/bpf/cpumap.c, net/xdp/xskmap.c. */

import { MAP_FLAGS } from '../../contracts/uapi_numbers.ts';
import { type Check, mapType } from './define.ts';
import { flagMask } from './flags.ts';
import { noBtf } from './value_btf.ts';

const READ_WRITE_FLAGS = flagMask('BPF_F_NUMA_NODE', 'BPF_F_RDONLY', 'BPF_F_WRONLY');
/** an interface or CPU alone, or with a program: the ends of the fields of struct bpf_devmap_val and bpf_cpumap_val */
const VALUE_SIZES: readonly number[] = [4, 8];
/** CONFIG_NR_CPUS */
const NR_CPUS = 256;

/** dev_map_alloc_check */
const devmapCheck: Check = (def) => {
  if (def.maxEntries === 0 || def.keySize !== 4 || !VALUE_SIZES.includes(def.valueSize)) return 'EINVAL';
  return (def.flags & ~READ_WRITE_FLAGS) !== 0 ? 'EINVAL' : null;
};

const DEVMAP = {
  creator: 'net_admin',
  keyCheck: noBtf,
  impliedFlags: MAP_FLAGS.BPF_F_RDONLY_PROG,
  helpers: ['bpf_redirect_map', 'bpf_map_lookup_elem'],
} as const;

export const devmap = mapType({
  ...DEVMAP,
  id: 14,
  kernelStruct: 'bpf_dtab',
  name: 'devmap',
  allocCheck: devmapCheck,
  summary: 'network devices by index, to redirect frames to',
});

export const devmapHash = mapType({
  ...DEVMAP,
  id: 25,
  kernelStruct: 'bpf_dtab',
  name: 'devmap_hash',
  allocCheck: (def, caps) => devmapCheck(def, caps) ?? (def.maxEntries > 2 ** 31 ? 'EINVAL' : null),
  summary: 'network devices by key, to redirect frames to',
});

/** cpu_map_alloc */
const cpumapAlloc: Check = (def) => {
  if (def.maxEntries === 0 || def.keySize !== 4 || !VALUE_SIZES.includes(def.valueSize)) return 'EINVAL';
  if ((def.flags & ~MAP_FLAGS.BPF_F_NUMA_NODE) !== 0) return 'EINVAL';
  return def.maxEntries > NR_CPUS ? 'E2BIG' : null;
};

export const cpumap = mapType({
  id: 16,
  kernelStruct: 'bpf_cpu_map',
  name: 'cpumap',
  alloc: cpumapAlloc,
  creator: 'bpf',
  keyCheck: noBtf,
  helpers: ['bpf_redirect_map'],
  summary: 'CPUs by index, to redirect frames to',
});

/** xsk_map_alloc */
const xskmapAlloc: Check = (def) => {
  if (def.maxEntries === 0 || def.keySize !== 4 || def.valueSize !== 4) return 'EINVAL';
  return (def.flags & ~READ_WRITE_FLAGS) !== 0 ? 'EINVAL' : null;
};

export const xskmap = mapType({
  id: 17,
  kernelStruct: 'xsk_map',
  name: 'xskmap',
  config: 'CONFIG_XDP_SOCKETS',
  alloc: xskmapAlloc,
  creator: 'net_admin',
  keyCheck: noBtf,
  helpers: ['bpf_redirect_map', 'bpf_map_lookup_elem'],
  lookupReturns: 'xdp_sock',
  summary: 'AF_XDP sockets by index, to redirect frames to',
});
