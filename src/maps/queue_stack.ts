import { ERRNO } from '../contracts/errors.ts';
import { MAP_TYPES } from '../contracts/uapi_numbers.ts';
import { BpfMap } from './bpf_map.ts';
import { BPF_EXIST, BPF_NOEXIST } from './environment.ts';

/** BPF_MAP_TYPE_QUEUE and BPF_MAP_TYPE_STACK. Source: kernel/bpf/queue_stack_maps.c. */
export class QueueStackMap extends BpfMap {
  /** values, the oldest first, from `#head` on */
  #values: Uint8Array[] = [];
  #head = 0;

  get #isStack(): boolean {
    return this.type === MAP_TYPES.stack;
  }

  get #count(): number {
    return this.#values.length - this.#head;
  }

  override push(value: number, flags: bigint): number {
    return this.#push(this.memory.u8.slice(value, value + this.valueSize), flags);
  }

  override pop(value: number): number {
    return this.#get(true, (bytes) => this.#store(value, bytes));
  }

  override peek(value: number): number {
    return this.#get(false, (bytes) => this.#store(value, bytes));
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM: the popped value, or a negative errno. */
  userPop(): Uint8Array | number {
    let popped: Uint8Array | null = null;
    const error = this.#get(true, (bytes) => {
      popped = bytes;
    });
    return error !== 0 || popped === null ? error : popped;
  }

  protected override readForUser(_key: Uint8Array): Uint8Array | number {
    let found: Uint8Array | null = null;
    const error = this.#get(false, (bytes) => {
      found = bytes;
    });
    return error !== 0 || found === null ? error : found;
  }

  protected override writeFromUser(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#push(value.slice(), flags);
  }

  protected override nextKeyForUser(_key: Uint8Array | null): Uint8Array | number {
    return -ERRNO.EINVAL;
  }

  /** Values in the order in which they would be popped; they have no keys. */
  override *entries(): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    const values = this.#values.slice(this.#head);
    if (this.#isStack) values.reverse();
    for (const value of values) yield [new Uint8Array(0), value];
  }

  #push(value: Uint8Array, flags: bigint): number {
    if ((flags & BPF_NOEXIST) !== 0n || flags > BPF_EXIST) return -ERRNO.EINVAL;
    if (this.#count === this.maxEntries) {
      if (flags !== BPF_EXIST) return -ERRNO.E2BIG;
      this.#takeOldest();
    }
    this.#values.push(value);
    return 0;
  }

  /** An empty map gives zeros and ENOENT. */
  #get(take: boolean, give: (bytes: Uint8Array | null) => void): number {
    if (this.#count === 0) {
      give(null);
      return -ERRNO.ENOENT;
    }
    const at = this.#isStack ? this.#values.length - 1 : this.#head;
    give(this.#values[at]!);
    if (take && this.#isStack) this.#values.pop();
    else if (take) this.#takeOldest();
    return 0;
  }

  #takeOldest(): void {
    this.#head++;
    if (this.#head < 1024 || this.#head * 2 < this.#values.length) return;
    this.#values = this.#values.slice(this.#head);
    this.#head = 0;
  }

  #store(at: number, bytes: Uint8Array | null): void {
    if (bytes === null) this.memory.u8.fill(0, at, at + this.valueSize);
    else this.memory.u8.set(bytes, at);
  }
}
