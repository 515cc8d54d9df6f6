import { ERRNO } from '../contracts/errors.ts';
import type { HostStacks } from '../contracts/host_map.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap, indexKey, indexOf } from './bpf_map.ts';
import type { MapEnvironment } from './environment.ts';
import { jhash } from './jhash.ts';

export const BPF_F_SKIP_FIELD_MASK = 0xff;
export const BPF_F_FAST_STACK_CMP = 1 << 9;
export const BPF_F_REUSE_STACKID = 1 << 10;

/** BPF_MAP_TYPE_STACK_TRACE without build ids: call chains by their hash. Source: kernel/bpf/stackmap.c. */
export class StackTraceMap extends BpfMap implements HostStacks {
  readonly #buckets = new Map<number, { readonly hash: number; readonly bytes: Uint8Array }>();
  readonly #bucketCount: number;

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    let count = 1;
    while (count < def.maxEntries) count *= 2;
    this.#bucketCount = count;
  }

  override get stacks(): HostStacks {
    return this;
  }

  /** Keeps a call chain, innermost address first; its id, or a negative errno. Source: __bpf_get_stackid. */
  keep(chain: readonly bigint[], flags: number): number {
    const skip = flags & BPF_F_SKIP_FIELD_MASK;
    if (chain.length <= skip) return -ERRNO.EFAULT;
    const depth = Math.min(chain.length, skip + this.valueSize / 8);
    const bytes = new Uint8Array((depth - skip) * 8);
    const view = new DataView(bytes.buffer);
    for (let i = skip; i < depth; i++) view.setBigUint64((i - skip) * 8, chain[i]!, true);
    const hash = jhash(bytes, 0);
    const id = (hash & (this.#bucketCount - 1)) >>> 0;
    const known = this.#buckets.get(id);
    if (known !== undefined) {
      const sameHash = known.hash === hash;
      if (sameHash && (flags & BPF_F_FAST_STACK_CMP) !== 0) return id;
      if (sameHash && known.bytes.length === bytes.length && known.bytes.every((byte, i) => byte === bytes[i])) return id;
      if ((flags & BPF_F_REUSE_STACKID) === 0) return -ERRNO.EEXIST;
    }
    if (known === undefined && this.#buckets.size >= this.maxEntries) return -ERRNO.ENOMEM;
    this.#buckets.set(id, { hash, bytes });
    return id;
  }

  override delete(key: number): number {
    return this.#drop(this.memory.loadU32(key));
  }

  protected override readForUser(key: Uint8Array): Uint8Array | number {
    const bucket = this.#buckets.get(indexOf(key));
    if (bucket === undefined) return -ERRNO.ENOENT;
    const value = new Uint8Array(this.valueSize);
    value.set(bucket.bytes);
    return value;
  }

  protected override deleteForUser(key: Uint8Array): number {
    return this.#drop(indexOf(key));
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    const from = key === null || !this.#buckets.has(indexOf(key)) ? 0 : indexOf(key) + 1;
    const next = [...this.#buckets.keys()].filter((id) => id >= from).sort((a, b) => a - b)[0];
    return next === undefined ? -ERRNO.ENOENT : indexKey(next);
  }

  #drop(id: number): number {
    if (id >= this.#bucketCount) return -ERRNO.E2BIG;
    return this.#buckets.delete(id) ? 0 : -ERRNO.ENOENT;
  }
}
