import type { Btf } from '../../src/btf/btf.ts';
import { btfFromC } from '../../src/btf/c_parser.ts';
import type { HostCall, HostState, HostTask, Outcome, PartKey } from '../../src/contracts/host_call.ts';
import type { HostMap } from '../../src/contracts/host_map.ts';
import type { HostPacket, SkbFields } from '../../src/contracts/host_packet.ts';
import type { HostSymbols } from '../../src/contracts/host_symbols.ts';
import { helpers } from '../../src/helpers/index.ts';
import { GuestMemory } from '../../src/kernel/memory.ts';
import { Packet, type PacketShape } from '../../src/kernel/packet.ts';
import { PercpuRegion } from '../../src/kernel/regions.ts';
import { kfuncs } from '../../src/kfuncs/index.ts';
import type { MapDef } from '../../src/program/program.ts';
import { subjectOf } from './subject.ts';

/** A machine without an engine: arguments are numbers, callbacks are functions. */
export class TestHost implements HostCall {
  readonly memory = new GuestMemory({ limit: 4 << 20 });
  readonly percpu = new PercpuRegion(this.memory, 4);
  readonly program = subjectOf({ type: 'xdp' }).program;
  btf: Btf = btfFromC('').btf;
  symbols: HostSymbols = {
    count: 0,
    at() {
      throw new RangeError('there are no symbols');
    },
    find: () => null,
  };
  packet: HostPacket | null = null;
  contextOffset = 0;
  mayWritePacket = true;
  attach = { cookie: 0n, argCount: 0, ip: 0n, kernelStack: [], userStack: [] };
  readonly userBytes = new Map<bigint, Uint8Array>();
  readonly task: HostTask = {
    pid: 1001,
    tgid: 1000,
    uid: 7,
    gid: 8,
    comm: 'worker',
    cgroupId: 99n,
    offset: 0,
    user: {
      read: (lo, hi, size) => this.#user(lo, hi)?.subarray(0, size) ?? null,
      write: () => false,
      readString: (lo, hi, limit) => {
        const bytes = this.#user(lo, hi);
        if (bytes === null) return null;
        const end = bytes.indexOf(0);
        return bytes.slice(0, Math.min(limit, end < 0 ? bytes.length : end + 1));
      },
    },
  };
  readonly state: HostState = {
    rcuDepth: 0,
    preemptDepth: 0,
    migrateDepth: 0,
    irqsDisabled: false,
    inNmi: false,
    inInterrupt: false,
    sleepable: false,
    locks: [],
  };
  retval = 0;
  readonly cpu = 2;
  readonly cpuCount = 4;
  readonly numaNode = 1;
  callbackHi = 0;
  readonly lines: string[] = [];
  readonly outcomes: Outcome[] = [];
  readonly maps = new Map<bigint, HostMap>();
  readonly callbacks = new Map<bigint, (...args: bigint[]) => bigint>();
  allocationFailure = false;
  #args: bigint[] = [];
  #result = 0n;
  #callbackArgs: bigint[] = [];
  readonly #parts = new Map<unknown, unknown>();

  /** Runs a helper's prototype (the first one when not named) and answers its result as a signed number. */
  run(name: string, args: readonly (number | bigint)[], protoName?: string): bigint {
    const helper = helpers.find((entry) => entry?.name === name)!;
    const proto = protoName ? helper.protos.find((entry) => entry.name === protoName) : helper.protos[0];
    this.#args = args.map((arg) => BigInt.asUintN(64, BigInt(arg)));
    this.#result = 0xdeadn;
    proto!.run!(this);
    return BigInt.asIntN(64, this.#result);
  }

  /** Runs a kfunc and answers its result as a signed number. */
  runKfunc(name: string, args: readonly (number | bigint)[]): bigint {
    this.#args = args.map((arg) => BigInt.asUintN(64, BigInt(arg)));
    this.#result = 0xdeadn;
    kfuncs.get(name)!.run!(this);
    return BigInt.asIntN(64, this.#result);
  }

  /** Puts bytes into guest memory; their address. */
  place(bytes: Uint8Array | string): bigint {
    const data = typeof bytes === 'string' ? Uint8Array.from(`${bytes}\0`, (char) => char.charCodeAt(0)) : bytes;
    const offset = this.memory.allocate(Math.max(data.length, 8), { what: 'test bytes' });
    this.memory.u8.set(data, offset);
    return this.addressOf(offset);
  }

  room(size: number): bigint {
    return this.place(new Uint8Array(size).fill(0xaa));
  }

  at(address: bigint, size: number): Uint8Array {
    const offset = Number(BigInt.asUintN(32, address));
    return this.memory.u8.slice(offset, offset + size);
  }

  addressOf(offset: number): bigint {
    return (BigInt(this.memory.high >>> 0) << 32n) | BigInt(offset);
  }

  setPacket(shape: Partial<PacketShape> & { data: Uint8Array; kind: 'xdp' | 'skb' }, skb: Partial<SkbFields> = {}): Packet {
    const packet = new Packet(this.memory, { headroom: 64, tailroom: 128, maxLength: 65535, ...shape });
    if (shape.kind === 'skb') packet.skb = { ...SKB, ...skb };
    else {
      packet.xdp = {
        ingressIfindex: 1,
        rxQueueIndex: 0,
        egressIfindex: 0,
        get hasFrags() {
          return packet.hasFragments;
        },
      };
    }
    this.packet = packet;
    return packet;
  }

  argLo = (index: number): number => Number(BigInt.asIntN(32, this.#args[index]!));
  argHi = (index: number): number => Number(BigInt.asIntN(32, this.#args[index]! >> 32n));
  arg = (index: number): bigint => this.#args[index]!;
  argU32 = (index: number): number => Number(BigInt.asUintN(32, this.#args[index]!));
  argNumber = (index: number): number => Number(BigInt.asIntN(64, this.#args[index]!));
  argIsNull = (index: number): boolean => this.#args[index] === 0n;
  setReturn = (lo: number, hi: number): void => {
    this.#result = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  };
  setReturnNumber = (value: number): void => {
    this.#result = BigInt.asUintN(64, BigInt(value));
  };
  setReturnBigint = (value: bigint): void => {
    this.#result = BigInt.asUintN(64, value);
  };
  setReturnPointer = (offset: number): void => {
    this.#result = offset === 0 ? 0n : this.addressOf(offset);
  };
  readable = (index: number, size: number): number => this.memory.check(this.argLo(index), this.argHi(index), size, false);
  writable = (index: number, size: number): number => this.memory.check(this.argLo(index), this.argHi(index), size, true);
  bytes(index: number, size: number): Uint8Array {
    const offset = this.readable(index, size);
    return this.memory.u8.subarray(offset, offset + size);
  }
  writableBytes(index: number, size: number): Uint8Array {
    const offset = this.writable(index, size);
    return this.memory.u8.subarray(offset, offset + size);
  }
  cstring(index: number): string {
    const offset = this.readable(index, 1);
    return String.fromCharCode(...this.memory.u8.subarray(offset, this.memory.u8.indexOf(0, offset)));
  }
  map = (index: number): HostMap => this.maps.get(this.#args[index]!)!;
  mapOf = (_def: MapDef): HostMap => [...this.maps.values()][0]!;
  mapOfValue = (): HostMap | null => null;
  setCallbackArg(index: number, lo: number, hi: number): void {
    this.#callbackArgs[index] = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  }
  setCallbackPointer(index: number, offset: number): void {
    this.#callbackArgs[index] = offset === 0 ? 0n : this.addressOf(offset);
  }
  invoke(index: number): number {
    const result = BigInt.asUintN(64, this.callbacks.get(this.#args[index]!)!(...this.#callbackArgs));
    this.#callbackArgs = [];
    this.callbackHi = Number(BigInt.asIntN(32, result >> 32n));
    return Number(BigInt.asIntN(32, result));
  }
  invokeAt = (): number => 0;
  unwind = (): never => {
    throw new Error('unwound');
  };
  now = (clock: string): bigint => ({ monotonic: 100n, boottime: 200n, coarse: 96n, tai: 300n, realtime: 400n })[clock]!;
  jiffies = (): bigint => 4_295_000_000n;
  spent = 0n;
  spend = (nanoseconds: bigint): void => {
    this.spent += nanoseconds;
  };
  random = (): number => 0xfedcba98;
  allocationFails = (): boolean => this.allocationFailure;
  printk = (text: string): void => void this.lines.push(text);
  record = (outcome: Outcome): void => void this.outcomes.push(outcome);
  note = (): void => {};
  part<T>(key: PartKey<T>): T {
    if (!this.#parts.has(key)) this.#parts.set(key, key.create(this));
    return this.#parts.get(key) as T;
  }
  localFields = (): null => null;
  destroy = (): void => {};
  schedule = (): number => 0;
  cancel = (): boolean => false;
  afterRcu = (action: () => void): void => action();

  #user(lo: number, hi: number): Uint8Array | null {
    return this.userBytes.get((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)) ?? null;
  }
}

const SKB: SkbFields = {
  pktType: 0,
  mark: 0,
  queueMapping: 0,
  protocol: 0x0800,
  vlanPresent: false,
  vlanTci: 0,
  vlanProto: 0,
  priority: 0,
  ingressIfindex: 1,
  ifindex: 1,
  tcIndex: 0,
  cb: new Uint32Array(5),
  hash: 0,
  hashValid: false,
  tcClassid: 0,
  napiId: 0,
  tstamp: 0n,
  tstampType: 0,
  hwtstamp: 0n,
  wireLen: 0,
  gsoSegs: 0,
  gsoSize: 0,
  gsoType: 0,
  ipSummed: 0,
  csum: 0,
  csumLevel: 0,
  macHeader: 0,
  networkHeader: 14,
  transportHeader: 34,
  macLen: 14,
  encapsulation: false,
  sk: 0,
  routeRealm: 0,
  cgroupClassid: 0,
  cgroupId: 0n,
  tunnelKey: null,
  tunnelOptions: null,
};
