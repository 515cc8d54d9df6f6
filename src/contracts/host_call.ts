import type { Btf } from '../btf/btf.ts';
import type { FieldRecord } from '../btf/special.ts';
import type { MapDef, Program } from '../program/program.ts';
import type { HostMap } from './host_map.ts';
import type { HostMemory, HostPercpu } from './host_memory.ts';
import type { HostPacket } from './host_packet.ts';
import type { HostSymbols } from './host_symbols.ts';

/**
 * What entry code (a helper, kfunc or iterator) may ask of the machine while it runs. Implemented by `src/vm`.
 *
 * There is one `HostCall` per running machine, not one per call: arguments and result live in a small frame of guest memory and
 * are decoded when they are asked for. Nothing obtained from it may be kept beyond the `run` function, except
 * `HostMap`, `HostPacket` and parts, which live as long as the machine.
 *
 * 64-bit values travel as two int32 halves (`lo`, `hi`) or, off the hot path, as `bigint`. A *guest address* is such a pair. An
 * *offset* is the low half of a kernel address as an unsigned number: where the byte stands in guest memory. 0 is never a valid
 * offset, so functions that return an offset return 0 for NULL.
 *
 * Errors: an errno is a negative number in the result (`call.setReturnNumber(-ERRNO.EINVAL)`). `Fault` is only thrown when the
 * kernel itself would have crashed, `Unmodelled` when the answer is not known.
 */
export interface HostCall {
  /** halves of argument `index` (0 to 4) */
  argLo(index: number): number;
  argHi(index: number): number;
  /** the argument as an unsigned 64-bit number */
  arg(index: number): bigint;
  /** the low half as an unsigned number: a `u32` argument */
  argU32(index: number): number;
  /** the argument as a signed double: exact below 2^53 */
  argNumber(index: number): number;
  /** all 64 bits are zero */
  argIsNull(index: number): boolean;
  setReturn(lo: number, hi: number): void;
  /** returns a signed number (an errno is negative) sign-extended to 64 bits; exact below 2^53 */
  setReturnNumber(value: number): void;
  setReturnBigint(value: bigint): void;
  /** returns the kernel address of this offset; 0 returns NULL */
  setReturnPointer(offset: number): void;

  readonly memory: HostMemory;
  readonly percpu: HostPercpu;
  /** offset of the memory that argument `index` points to, once `size` bytes are readable there; else a `Fault` */
  readable(index: number, size: number): number;
  /** offset of the memory that argument `index` points to, once `size` bytes are writable there; else a `Fault` */
  writable(index: number, size: number): number;
  /** view of the readable bytes; valid until something is allocated or a callback runs */
  bytes(index: number, size: number): Uint8Array;
  /** view of the writable bytes; they count as written from now on */
  writableBytes(index: number, size: number): Uint8Array;
  /** the zero-terminated string, at most `limit` bytes (default 4096), as Latin-1 text */
  cstring(index: number, limit?: number): string;

  /** the map whose `struct bpf_map` argument `index` points to; a `Fault` when it does not point to one */
  map(index: number): HostMap;
  /** the map of a definition of the running program */
  mapOf(def: MapDef): HostMap;
  /** the map that owns this value pointer (timers, spin locks, kptrs); null when none does */
  mapOfValue(offset: number): HostMap | null;

  /** sets argument `index` (0 to 4) of the next `invoke`; arguments not set are 0 */
  setCallbackArg(index: number, lo: number, hi: number): void;
  /** passes the kernel address of an offset (0: NULL) */
  setCallbackPointer(index: number, offset: number): void;
  /** calls the BPF function that argument `index` of this call points to; the low half of its r0, the high one in `callbackHi` */
  invoke(index: number): number;
  /** calls a BPF function by address */
  invokeAt(lo: number, hi: number): number;
  /** high half of the last callback's r0 */
  readonly callbackHi: number;
  /** ends the whole program with this cookie, without returning to it (bpf_throw) */
  unwind(lo: number, hi: number): never;

  readonly program: Program;
  /** types of the kernel */
  readonly btf: Btf;
  readonly symbols: HostSymbols;
  /** special fields of a struct of the running program's BTF; null without */
  localFields(typeId: number): FieldRecord | null;
  /** drops a reference to a kernel object, as the destructor of this name does for a pointer that a map held */
  destroy(destructor: string, object: number): void;
  /** the packet of the current context: XDP frame or skb; null for other contexts */
  readonly packet: HostPacket | null;
  /** programs of this type may write to packet data (may_access_direct_pkt_data) */
  readonly mayWritePacket: boolean;
  /** offset of the context object; 0 without context */
  readonly contextOffset: number;
  /** BPF attach cookie (bpf_get_attach_cookie); number of traced arguments (bpf_get_func_arg_cnt); traced ip */
  readonly attach: HostAttach;
  readonly task: HostTask;
  readonly state: HostState;
  /** return value that cgroup hooks pass along (bpf_get_retval, bpf_set_retval) */
  retval: number;

  /** nanoseconds of a clock; every reading moves the modelled clock on by its step */
  now(clock: ClockName): bigint;
  jiffies(): bigint;
  /** lets time pass in which the kernel only waits */
  spend(nanoseconds: bigint): void;
  /** next number of the seeded generator, 32 bits, unsigned */
  random(): number;
  readonly cpu: number;
  readonly cpuCount: number;
  readonly numaNode: number;
  /** the next allocation fails when this says so (allocation-failure switch of the run); each call counts as one attempt */
  allocationFails(): boolean;

  /** one message to the trace pipe, without final newline */
  printk(text: string): void;
  /** records what the kernel would do after or beside the program */
  record(outcome: Outcome): void;
  /** not a fault, but worth telling */
  note(text: string): void;
  /** the modelled part of the kernel with this key; built when first asked for */
  part<T>(key: PartKey<T>): T;
  /** runs `action` when the clock reaches `at` (boot nanoseconds), with a call of its own; answers a ticket for `cancel` */
  schedule(at: bigint, action: (call: HostCall) => void, setting?: ActionSetting): number;
  /** false when the ticket has run or is unknown */
  cancel(ticket: number): boolean;
  /** runs `action` once the current RCU section is over (freeing what readers may still see) */
  afterRcu(action: () => void): void;
}

export type ClockName = 'monotonic' | 'boottime' | 'coarse' | 'tai' | 'realtime';

/** In what an action of the agenda runs; absent means no. */
export interface ActionSetting {
  readonly sleepable?: boolean;
  readonly inInterrupt?: boolean;
}

export interface HostTask {
  pid: number;
  tgid: number;
  uid: number;
  gid: number;
  /** at most 15 characters */
  comm: string;
  cgroupId: bigint;
  /** offset of its `task_struct` in guest memory; 0 while it has none */
  offset: number;
  user: UserSpace;
}

/** User memory of one process, reached only by the helpers that read and write it. */
export interface UserSpace {
  /** copies `size` bytes out; null when any byte is not readable (EFAULT) */
  read(lo: number, hi: number, size: number): Uint8Array | null;
  /** false when any byte is not writable; then nothing is written */
  write(lo: number, hi: number, bytes: Uint8Array): boolean;
  /** the zero-terminated string at an address, at most `limit` bytes with the zero; null when it runs into unreadable memory */
  readString(lo: number, hi: number, limit: number): Uint8Array | null;
}

/** What the modelled processor and the locks of the running program are at. Entry code reads and changes it. */
export interface HostState {
  rcuDepth: number;
  preemptDepth: number;
  migrateDepth: number;
  irqsDisabled: boolean;
  inNmi: boolean;
  inInterrupt: boolean;
  /** the program may sleep */
  readonly sleepable: boolean;
  /** `bpf_spin_lock` and `bpf_res_spin_lock` words that are held, by offset, the last one taken last */
  readonly locks: HeldLock[];
}

export interface HeldLock {
  readonly at: number;
  /** a bpf_spin_lock, which keeps interrupts off */
  readonly disablesInterrupts: boolean;
}

export interface HostAttach {
  readonly cookie: bigint;
  /** number of arguments that precede the return value in a traced function's context */
  readonly argCount: number;
  readonly ip: bigint;
  /** kernel and user return addresses for stack helpers, innermost first */
  readonly kernelStack: readonly bigint[];
  readonly userStack: readonly bigint[];
}

/** A modelled part of the kernel that entries share without the machine knowing it. */
export interface PartKey<T> {
  readonly name: string;
  readonly create: (call: HostCall) => T;
}

/** What a program asked the kernel to do, in the order in which it asked. */
export type Outcome =
  | {
      readonly kind: 'redirect';
      /** helper that asked: bpf_redirect, bpf_redirect_map, bpf_clone_redirect, bpf_redirect_peer, bpf_redirect_neigh, … */
      readonly helper: string;
      /** interface, or key in `map` */
      readonly target: number;
      readonly map: string | null;
      readonly flags: bigint;
      /** bytes sent at once (clone_redirect); null when the program's own packet goes there after it returns */
      readonly data: Uint8Array | null;
    }
  | {
      readonly kind: 'perf-output';
      readonly map: string;
      readonly cpu: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'ringbuf-output'; readonly map: string; readonly data: Uint8Array; readonly wakeup: boolean }
  | { readonly kind: 'signal'; readonly pid: number; readonly signal: number; readonly thread: boolean }
  | { readonly kind: 'event'; readonly name: string; readonly detail: Readonly<Record<string, string | number | bigint>> };
