import { ERRNO } from '../contracts/errors.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { BpfMap, nextIndex } from './bpf_map.ts';

/**
 * BPF_MAP_TYPE_SOCKMAP, SOCKHASH, XSKMAP, REUSEPORT_SOCKARRAY and CGROUP_ARRAY. Their slots hold descriptors of sockets and
 * cgroups, of which there are none here: every slot is empty, and putting a descriptor in answers EBADF.
 * Source: net/core/sock_map.c, net/xdp/xskmap.c, kernel/bpf/reuseport_array.c, kernel/bpf/arraymap.c.
 */
export class SocketMap extends BpfMap {
  override delete(key: number): number {
    return this.deleteForUser(this.memory.u8.slice(key, key + this.keySize));
  }

  protected override readForUser(_key: Uint8Array): Uint8Array | number {
    return this.type === MAP_TYPES.xskmap || this.type === MAP_TYPES.cgroup_array ? -ERRNO.EOPNOTSUPP : -ERRNO.ENOENT;
  }

  protected override writeFromUser(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -ERRNO.EBADF;
  }

  protected override deleteForUser(key: Uint8Array): number {
    if (this.type === MAP_TYPES.sockmap) return -ERRNO.EINVAL;
    if (this.type === MAP_TYPES.sockhash) return -ERRNO.ENOENT;
    const index = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
    if (this.type === MAP_TYPES.xskmap) return index >= this.maxEntries ? -ERRNO.EINVAL : 0;
    return index >= this.maxEntries ? -ERRNO.E2BIG : -ERRNO.ENOENT;
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    return this.type === MAP_TYPES.sockhash ? -ERRNO.ENOENT : nextIndex(key, this.maxEntries);
  }
}
