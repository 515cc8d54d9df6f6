/**
 * A map as helpers see it while a program runs. Results that are numbers are 0 or a negative errno unless said otherwise; keys
 * and values are passed as offsets into guest memory that the caller has checked for `keySize` and `valueSize` bytes.
 * Source: struct bpf_map_ops, include/linux/bpf.h.
 */
export interface HostMap {
  readonly id: number;
  readonly name: string;
  /** BPF_MAP_TYPE_* */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* it was created with */
  readonly flags: number;
  /** offset of its `struct bpf_map` */
  readonly offset: number;
  /** offset of a special field in its values (`bpf_spin_lock`, `bpf_timer`, …); -1 without one */
  fieldOffset(field: string): number;
  /** the key under which this value stands; null for types without keys */
  keyOf(value: number): Uint8Array | null;
  /** elements counted as bpf_map_sum_elem_count() sees them; 0 for types that do not count */
  readonly elementCount: number;

  /** map_lookup_elem: offset of the value on this CPU (of the inner `struct bpf_map` for map-in-map); 0 for NULL */
  lookup(key: number): number;
  /** map_lookup_percpu_elem */
  lookupPercpu(key: number, cpu: number): number;
  /** map_update_elem with BPF_ANY, BPF_NOEXIST, BPF_EXIST and BPF_F_LOCK */
  update(key: number, value: number, flags: bigint): number;
  delete(key: number): number;
  /** map_push_elem, map_pop_elem and map_peek_elem; values by offset */
  push(value: number, flags: bigint): number;
  pop(value: number): number;
  peek(value: number): number;
  /**
   * map_for_each_callback without its flag check: `visit` gets offsets of key and value, and ends the walk by a non-zero
   * answer. The number of elements visited, or a negative errno.
   */
  forEach(visit: (key: number, value: number) => number): number;
  /** map_redirect's lookup: whether the key names a slot that a frame can go to, and its interface */
  redirectTarget(key: number): { readonly ifindex: number } | null;

  /** ring buffers only */
  readonly ring: HostRing | null;
  /** BPF_MAP_TYPE_PERF_EVENT_ARRAY only */
  readonly perf: HostPerf | null;
  /** BPF_MAP_TYPE_ARENA only */
  readonly arena: HostArena | null;
  /** BPF_MAP_TYPE_STACK_TRACE only */
  readonly stacks: HostStacks | null;
  /** socket, task, inode and cgroup storage only */
  readonly storage: HostStorage | null;
}

/** BPF_MAP_TYPE_RINGBUF. Source: kernel/bpf/ringbuf.c. */
export interface HostRing {
  /** offset of the sample's bytes, or 0 when there is no room (__bpf_ringbuf_reserve) */
  reserve(size: number): number;
  /** ends a reservation, with BPF_RB_NO_WAKEUP or BPF_RB_FORCE_WAKEUP */
  commit(sample: number, flags: bigint, discard: boolean): void;
  /** bpf_ringbuf_output */
  output(data: number, size: number, flags: bigint): number;
  /** bpf_ringbuf_query: BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE, BPF_RB_CONS_POS, BPF_RB_PROD_POS; 0 for others */
  query(flags: bigint): bigint;
}

/** Source: __bpf_perf_event_output, kernel/trace/bpf_trace.c. */
export interface HostPerf {
  /** BPF_F_CURRENT_CPU or an index; the bytes of raw data and context bytes behind it. 0, -E2BIG, -ENOENT, -EINVAL, -EOPNOTSUPP */
  output(flags: bigint, data: Uint8Array): number;
  /** bpf_perf_event_read: counter value, or a negative errno */
  read(flags: bigint): bigint;
}

/** BPF_MAP_TYPE_ARENA; of an address the low half alone counts. Source: kernel/bpf/arena.c. */
export interface HostArena {
  /** maps pages at an address of user space, or anywhere for 0n; the address of the first, 0n when there is no room */
  allocatePages(address: bigint, count: number): bigint;
  freePages(address: bigint, count: number): void;
  /** keeps pages from being allocated: 0 or a negative errno */
  reservePages(address: bigint, count: number): number;
}

/** BPF_MAP_TYPE_STACK_TRACE. Source: kernel/bpf/stackmap.c. */
export interface HostStacks {
  /** keeps a call chain, innermost address first, under BPF_F_* flags; its id or a negative errno */
  keep(chain: readonly bigint[], flags: number): number;
}

/** Storage that hangs on a kernel object; `owner` is the object's offset. */
export interface HostStorage {
  /** offset of the value; 0 for none. `init`: offset of the first value when it is created with BPF_LOCAL_STORAGE_GET_F_CREATE */
  get(owner: number, init: number, create: boolean): number;
  delete(owner: number): number;
}
