import { ERRNO, Unmodelled } from '../contracts/errors.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { VM_FLAGS } from '../kernel/objects/mm.ts';
import { BpfMap } from '../maps/bpf_map.ts';
import { BPF_F_RDONLY_PROG } from '../maps/environment.ts';
import type { Process } from './process.ts';

/** mmap of ring buffer maps, and what becomes of the mappings. Source: bpf_map_mmap, kernel/bpf/syscall.c; kernel/bpf/ringbuf.c. */

export const PROT = { NONE: 0, READ: 1, WRITE: 2, EXEC: 4 } as const;

const PAGE_BYTES = 4096;
const BPF_F_MMAPABLE = 1 << 10;
/** Pages in front of the data that user space sees: the positions of consumer and producer. */
const POSITION_PAGES = 2;
/** Where the model puts mappings: below the stack, as mmap does. */
const FIRST_MAPPING = 0x7f00_0000_0000;

export interface MapMapping {
  readonly process: Process;
  readonly map: BpfMap;
  readonly start: number;
  readonly length: number;
  /** in pages */
  readonly offset: number;
  protection: number;
  /** protections that mprotect may still give */
  readonly allowed: number;
}

export interface MmapRequest {
  readonly length: number;
  /** PROT_* */
  readonly protection: number;
  /** bytes */
  readonly offset?: number;
  /** MAP_SHARED; else MAP_PRIVATE */
  readonly shared?: boolean;
}

const isUserRing = (map: BpfMap): boolean => map.type === MAP_TYPES.user_ringbuf;

/** What the map type says of a mapping: a ring has one position that only the kernel writes. */
function checkWritable(map: BpfMap, page: number, length: number): number {
  if (isUserRing(map)) return page === 0 ? -ERRNO.EPERM : 0;
  return page !== 0 || length !== PAGE_BYTES ? -ERRNO.EPERM : 0;
}

function check(map: BpfMap, request: MmapRequest): number {
  const { length, protection, offset = 0, shared = true } = request;
  const isWritable = (protection & PROT.WRITE) !== 0;
  if (length <= 0 || offset % PAGE_BYTES !== 0) return -ERRNO.EINVAL;
  if (!shared) return -ERRNO.EINVAL;
  if (isWritable && map.frozen) return -ERRNO.EPERM;
  if (isWritable && (map.flags & BPF_F_RDONLY_PROG) !== 0) return -ERRNO.EACCES;
  const page = offset / PAGE_BYTES;
  const rounded = Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
  if (isWritable) {
    const refused = checkWritable(map, page, rounded);
    if (refused !== 0) return refused;
  }
  const all = POSITION_PAGES * PAGE_BYTES + 2 * map.maxEntries;
  return offset + rounded > all ? -ERRNO.EINVAL : 0;
}

/** Maps of other types: arrays that were made for it can be mapped too, an arena can, and no others. Source: array_map_mmap. */
function refuseOther(map: BpfMap): number {
  const isArray = map.type === MAP_TYPES.array;
  if (map.type === MAP_TYPES.arena || (isArray && (map.flags & BPF_F_MMAPABLE) !== 0))
    throw new Unmodelled('mmap of this map', map.name);
  return isArray ? -ERRNO.EINVAL : -ERRNO.ENOTSUPP;
}

/** Maps a ring buffer; the mapping, or a negative error number. */
export function mmapRing(process: Process, mapFd: number, request: MmapRequest): MapMapping | number {
  const map = process.mapOf(mapFd);
  if (typeof map === 'number') return map === -ERRNO.EINVAL ? -ERRNO.ENODEV : map;
  if (!(map instanceof BpfMap)) return -ERRNO.ENOTSUPP;
  const refused = isUserRing(map) || map.type === MAP_TYPES.ringbuf ? 0 : refuseOther(map);
  if (refused !== 0) return refused;
  let mapping: MapMapping | number = -ERRNO.EINVAL;
  process.call('mmap', `NULL, ${request.length}, ${request.protection}, MAP_SHARED, ${mapFd}, ${request.offset ?? 0}`, () => {
    const refused = check(map, request);
    if (refused !== 0) {
      mapping = refused;
      return refused;
    }
    const mm = process.task.mm!;
    const last = mm.areas.findLast(({ start }) => start >= FIRST_MAPPING);
    const start = last === undefined ? FIRST_MAPPING : last.end + PAGE_BYTES;
    const length = Math.ceil(request.length / PAGE_BYTES) * PAGE_BYTES;
    const isWritable = (request.protection & PROT.WRITE) !== 0;
    const flags = (isWritable ? VM_FLAGS.VM_WRITE : 0) | VM_FLAGS.VM_READ | VM_FLAGS.VM_SHARED | VM_FLAGS.VM_MAYSHARE;
    mm.add({ start, end: start + length, flags, pageOffset: (request.offset ?? 0) / PAGE_BYTES, file: process.file(mapFd) });
    mapping = {
      process,
      map,
      start,
      length,
      offset: (request.offset ?? 0) / PAGE_BYTES,
      protection: request.protection,
      allowed: isWritable ? PROT.READ | PROT.WRITE : PROT.READ,
    };
    return start;
  });
  return mapping;
}

/** VM_MAYEXEC is taken from every mapping of a map, VM_MAYWRITE from those that were not made writable. */
export const mprotect = (mapping: MapMapping, protection: number): number =>
  mapping.process.call('mprotect', `0x${mapping.start.toString(16)}, ${mapping.length}, ${protection}`, () => {
    if ((protection & ~mapping.allowed) !== 0) return -ERRNO.EACCES;
    mapping.protection = protection;
    return 0;
  });

/** Mappings of maps do not grow. */
export const mremap = (mapping: MapMapping, length: number): number =>
  mapping.process.call('mremap', `0x${mapping.start.toString(16)}, ${mapping.length}, ${length}`, () =>
    length > mapping.length ? -ERRNO.EFAULT : mapping.start,
  );

export function munmap(mapping: MapMapping): void {
  const mm = mapping.process.task.mm!;
  const area = mm.find(mapping.start);
  if (area !== null) mm.remove(area);
}
