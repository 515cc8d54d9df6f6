import { ERRNO, Fault } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import type { HostStorage } from '../../contracts/host_map.ts';
import { MAP_TYPES } from '../../contracts/uapi_numbers.ts';
import { KERNEL } from '../../kernel/kernel_model.ts';
import { SOCKETS } from '../../kernel/sockets.ts';

/** Values that hang on kernel objects. Source: kernel/bpf/bpf_*_storage.c, net/core/bpf_sk_storage.c. */

const BPF_LOCAL_STORAGE_GET_F_CREATE = 1n;

/** The owner behind argument 1, as an offset; 0 for none. */
type OwnerOf = (call: HostCall) => number;

const object: OwnerOf = (call) => call.argU32(1);
/** all shapes of a socket own the same value */
const socket: OwnerOf = (call) => call.part(SOCKETS).at(call.argU32(1))?.offset ?? call.argU32(1);

function storageOf(call: HostCall): HostStorage {
  const { storage } = call.map(0);
  if (storage === null) throw new Fault('bad-call', 'argument 1 is no storage map', call.arg(0));
  return storage;
}

/** map, owner, value, flags: `isAlive` says whether the owner is one that may get a new value */
const getting =
  (ownerOf: OwnerOf, isAlive: (call: HostCall, owner: number) => boolean = () => true) =>
  (call: HostCall): void => {
    const flags = call.arg(3);
    const owner = ownerOf(call);
    if ((flags & ~BPF_LOCAL_STORAGE_GET_F_CREATE) !== 0n || owner === 0) return call.setReturnPointer(0);
    const init = call.argIsNull(2) ? 0 : call.readable(2, call.map(0).valueSize);
    const create = flags === BPF_LOCAL_STORAGE_GET_F_CREATE && isAlive(call, owner);
    call.setReturnPointer(storageOf(call).get(owner, init, create));
  };

/** map, owner */
const deleting =
  (ownerOf: OwnerOf) =>
  (call: HostCall): void => {
    const owner = ownerOf(call);
    call.setReturnNumber(owner === 0 ? -ERRNO.EINVAL : storageOf(call).delete(owner));
  };

const isTaskAlive = (call: HostCall, owner: number): boolean => call.part(KERNEL).model?.tasks.at(owner)?.references !== 0;
const isCgroupAlive = (call: HostCall, owner: number): boolean =>
  call.part(KERNEL).model?.cgroups.ofObject(owner)?.isDead !== true;

export const skStorageGet = getting(socket);
export const skStorageDelete = deleting(socket);
export const inodeStorageGet = getting(object);
export const inodeStorageDelete = deleting(object);
export const taskStorageGet = getting(object, isTaskAlive);
export const taskStorageDelete = deleting(object);
export const cgrpStorageGet = getting(object, isCgroupAlive);
export const cgrpStorageDelete = deleting(object);

/** map, flags: the value of the cgroup that the program is attached to, or this CPU's; made when the program was attached */
export function getLocalStorage(call: HostCall): void {
  const isPercpu = call.map(0).type === MAP_TYPES.percpu_cgroup_storage;
  const at = storageOf(call).get(isPercpu ? call.cpu : 0, 0, true);
  if (at === 0) throw new Fault('out-of-bounds', 'no memory for the storage of the cgroup');
  call.setReturnPointer(at);
}
