import { ERRNO } from '../contracts/errors.ts';
import type { HostArena } from '../contracts/host_map.ts';
import { SparseRegion } from '../kernel/regions.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap } from './bpf_map.ts';
import type { MapEnvironment } from './environment.ts';

const PAGE_SHIFT = 12;
const PAGE_BYTES = 1 << PAGE_SHIFT;
/** Where user space has the arena when it asks for no place: any address will do, page 0 of a 4 GiB range reads well. */
const DEFAULT_USER_START = 0x7000_0000_0000n;
const LOW = 0xffffffffn;

/**
 * BPF_MAP_TYPE_ARENA: up to 4 GiB of pages that programs and user space share. A program reaches them with pointers whose low
 * half alone counts; the high half is 0 (cast to the kernel's address space) or user space's. Unmapped pages read as 0.
 * Source: kernel/bpf/arena.c.
 */
export class ArenaMap extends BpfMap implements HostArena {
  /** address of the first byte in user space */
  readonly userStart: bigint;
  readonly #pages: SparseRegion;
  readonly #taken = new Set<number>();

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    this.userStart = def.mapExtra === 0n ? DEFAULT_USER_START : def.mapExtra;
    this.#pages = new SparseRegion(this.memory, 0, `arena ${def.name}`, true);
    this.memory.addRegion(this.#pages);
    this.memory.addRegion(this.#pages.under(this.userHigh));
    if (def.initial === null) return;
    const count = Math.ceil(def.initial.length / PAGE_BYTES);
    if (this.allocatePages(0n, count) !== 0n) this.#pages.write(Number(this.userStart & LOW), def.initial);
  }

  /** high half of user space's addresses */
  get userHigh(): number {
    return Number(BigInt.asIntN(32, this.userStart >> 32n));
  }

  override get arena(): HostArena {
    return this;
  }

  /** Maps pages at a user address, or anywhere for 0n; the user address of the first, 0n when there is no room. */
  allocatePages(address: bigint, count: number): bigint {
    if (count <= 0 || count > this.maxEntries || (address & 0xfffn) !== 0n) return 0n;
    const first = address === 0n ? this.#findFree(count) : this.#pageOf(address);
    if (first < 0 || first > this.maxEntries - count) return 0n;
    for (let page = first; page < first + count; page++) if (this.#taken.has(page)) return 0n;
    for (let page = first; page < first + count; page++) {
      if (!this.#pages.map(this.#low(page) >>> PAGE_SHIFT)) {
        this.#unmap(first, page);
        return 0n;
      }
      this.#taken.add(page);
    }
    return (this.userStart & ~LOW) | BigInt(this.#low(first));
  }

  freePages(address: bigint, count: number): void {
    const first = this.#pageOf(address);
    this.#unmap(first, Math.min(first + count, this.maxEntries));
  }

  reservePages(address: bigint, count: number): number {
    if ((address & 0xfffn) !== 0n) return 0;
    const first = this.#pageOf(address);
    if (first + count > this.maxEntries) return -ERRNO.EINVAL;
    for (let page = first; page < first + count; page++) if (this.#taken.has(page)) return -ERRNO.EBUSY;
    for (let page = first; page < first + count; page++) this.#taken.add(page);
    return 0;
  }

  /** Copies bytes out as user space would read them; unmapped ones as 0. */
  read(offset: number, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    this.#pages.read((Number(this.userStart & LOW) + offset) >>> 0, bytes);
    return bytes;
  }

  protected override readForUser(_key: Uint8Array): Uint8Array | number {
    return -ERRNO.EINVAL;
  }

  protected override writeFromUser(_key: Uint8Array, _value: Uint8Array, _flags: bigint): number {
    return -ERRNO.EOPNOTSUPP;
  }

  protected override deleteForUser(_key: Uint8Array): number {
    return -ERRNO.EOPNOTSUPP;
  }

  protected override nextKeyForUser(_key: Uint8Array | null): Uint8Array | number {
    return -ERRNO.EOPNOTSUPP;
  }

  #low(page: number): number {
    return (Number(this.userStart & LOW) + page * PAGE_BYTES) >>> 0;
  }

  #pageOf(address: bigint): number {
    return Number(BigInt.asUintN(32, address - this.userStart) >> BigInt(PAGE_SHIFT));
  }

  #findFree(count: number): number {
    let run = 0;
    for (let page = 0; page < this.maxEntries; page++) {
      run = this.#taken.has(page) ? 0 : run + 1;
      if (run === count) return page - count + 1;
    }
    return -1;
  }

  #unmap(from: number, to: number): void {
    for (let page = from; page < to; page++) {
      this.#taken.delete(page);
      this.#pages.unmap(this.#low(page) >>> PAGE_SHIFT);
    }
  }
}
