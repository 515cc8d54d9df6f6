/**
 * Guest memory as entry code sees it: checked doors, and plain views for what has been checked. Offsets are positions in the one
 * linear memory; a kernel address is an offset under the fixed high half `high`.
 */
export interface HostMemory {
  /** high half of every kernel address, as int32 */
  readonly high: number;
  /** the whole memory; get it anew after anything that may allocate */
  readonly u8: Uint8Array;
  readonly view: DataView;

  /** offset of `size` bytes at a guest address, readable (or writable); else a `Fault` that names the object */
  check(lo: number, hi: number, size: number, write: boolean): number;
  /** the same as a question: -1 where `check` would fault. What a fault-protected copy uses */
  probe(lo: number, hi: number, size: number, write: boolean): number;

  /** zeroed memory, 8-byte aligned (or `align`, a power of two up to 4096), fenced by red zones; 0 when the limit is reached */
  allocate(size: number, what: AllocationInfo): number;
  /** later accesses fault until the space is reused, which quarantine delays */
  free(offset: number): void;
  /** the allocation that holds this offset, freed ones included while they are in quarantine */
  find(offset: number): Allocation | null;

  /** unchecked words at an offset that has been checked */
  loadI32(offset: number): number;
  loadU32(offset: number): number;
  loadU64(offset: number): bigint;
  storeI32(offset: number, value: number): void;
  store64(offset: number, lo: number, hi: number): void;
  storeU64(offset: number, value: bigint): void;
}

/** Memory with one copy for each CPU. A `__percpu` pointer has the high half `high` and names all copies. */
export interface HostPercpu {
  readonly high: number;
  /** zeroed copies; the low half of the pointer, 0 when memory is used up */
  allocate(size: number, what: string): number;
  free(lo: number): void;
  /** offset of what the pointer means on this CPU; 0 when the pointer or the CPU does not exist */
  pointer(lo: number, cpu: number): number;
}

export interface AllocationInfo {
  /** what it is, for reports: `value of map counts`, `task_struct` */
  readonly what: string;
  /** struct in the kernel's BTF that is laid out there */
  readonly btfType?: string | undefined;
  readonly align?: number;
  readonly readOnly?: boolean;
}

export interface Allocation extends AllocationInfo {
  readonly offset: number;
  readonly size: number;
  readonly freed: boolean;
}
