import { ERRNO } from '../contracts/errors.ts';
import type { HostStorage } from '../contracts/host_map.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { BpfMap } from './bpf_map.ts';

/**
 * Values that hang on kernel objects: BPF_MAP_TYPE_SK_STORAGE, INODE_STORAGE, TASK_STORAGE and CGRP_STORAGE by the offset of
 * their owner (kernel/bpf/bpf_local_storage.c), and CGROUP_STORAGE with one value for the cgroup the program runs in
 * (kernel/bpf/local_storage.c), which always exists.
 */
export class LocalStorageMap extends BpfMap implements HostStorage {
  readonly #values = new Map<number, number>();

  override get storage(): HostStorage {
    return this;
  }

  get(owner: number, init: number, create: boolean): number {
    const known = this.#values.get(owner);
    if (known !== undefined) return known;
    if (!create && !this.#isCgroupStorage) return 0;
    if (!this.#isCgroupStorage && this.environment.allocationFails()) return 0;
    const at = this.memory.allocate(this.valueSize, { what: `value of map ${this.name}` });
    if (at === 0) return 0;
    if (init !== 0) this.layout.copy(at, init);
    this.#values.set(owner, at);
    return at;
  }

  override delete(owner: number): number {
    const at = this.#values.get(owner);
    if (at === undefined) return -ERRNO.ENOENT;
    this.#values.delete(owner);
    this.layout.freeFields(at);
    this.environment.afterRcu(() => this.memory.free(at));
    return 0;
  }

  override ownerGone(owner: number): void {
    if (!this.#isCgroupStorage) this.delete(owner);
  }

  override holdsValue(offset: number): boolean {
    return [...this.#values.values()].some((at) => offset >= at && offset < at + this.valueSize);
  }

  /** Values by owner, for reports. */
  *owned(): Generator<readonly [owner: number, value: Uint8Array]> {
    for (const [owner, at] of this.#values) {
      const value = new Uint8Array(this.valueSize);
      this.layout.copyOut(at, value);
      yield [owner, value];
    }
  }

  get #isCgroupStorage(): boolean {
    return this.type === MAP_TYPES.cgroup_storage || this.type === MAP_TYPES.percpu_cgroup_storage;
  }
}
