import type { Btf } from '../btf/btf.ts';
import { parseStructMetas } from '../btf/fields.ts';
import type { Field, FieldRecord } from '../btf/special.ts';
import { Fault } from '../contracts/errors.ts';
import type { ActionSetting, HostAttach, HostCall, HostState, HostTask, Outcome, PartKey } from '../contracts/host_call.ts';
import type { Profile } from '../contracts/profile.ts';
import { Agenda } from '../kernel/agenda.ts';
import { Clock, type ClockOptions } from '../kernel/clock.ts';
import type { RunContext } from '../kernel/context.ts';
import { LOCAL_OBJECTS, type LocalObjects } from '../kernel/local_objects.ts';
import { GuestMemory, KERNEL_HIGH } from '../kernel/memory.ts';
import { freeField } from '../kernel/object_life.ts';
import { emptyContext } from '../kernel/plain_context.ts';
import { RandomNumbers } from '../kernel/random.ts';
import { PercpuRegion } from '../kernel/regions.ts';
import { SOCKETS, type Sockets } from '../kernel/sockets.ts';
import { KernelSymbols } from '../kernel/symbols.ts';
import { UserMemory } from '../kernel/user_space.ts';
import { ProgArrayMap } from '../maps/reference_maps.ts';
import { PROG_FLAGS, type Program } from '../program/program.ts';
import { ConstantPool } from './constant_pool.ts';
import type { Code, Engine, EngineHost, StepHook } from './engine.ts';
import { exceptionCallback } from './exception_callback.ts';
import { describeField } from './field_names.ts';
import { CALL_FRAME_BYTES, Host, Unwound } from './host.ts';
import { Interpreter } from './interpreter.ts';
import { Loader, type LoadOptions } from './loader.ts';
import { MapRegistry, type RegistryHost } from './map_registry.ts';
import { RunReport } from './run_report.ts';

/** Calls of helpers within callbacks of helpers, and so on. */
const NESTING_LIMIT = 64;
/** Instructions that one action of the agenda may take. */
const ACTION_BUDGET = 500_000_000;
const NETWORK_HEADER_BASE = -0x100000;
const LINK_HEADER_BASE = -0x200000;

export interface MachineOptions {
  /** seeds random numbers, unwritten stack bytes and map hashes; default 1 */
  readonly seed?: number;
  /** bytes of guest memory, default 256 MiB */
  readonly memoryLimit?: number;
  /** default 2 */
  readonly cpuCount?: number;
  /** the CPU that programs run on; default 0 */
  readonly cpu?: number;
  /** modelled time: where it starts, and how fast it passes */
  readonly clock?: ClockOptions;
  readonly task?: Partial<Omit<HostTask, 'offset' | 'user'>>;
  readonly attach?: Partial<HostAttach>;
  /** says whether allocation number n (from 0) fails; default none does */
  readonly failAllocation?: (attempt: number) => boolean;
}

/** One program run within a machine, as `Machine.execute` is asked for it. */
export interface Execution {
  readonly code: Code;
  readonly context: RunContext;
  readonly report: RunReport;
  readonly budget: number;
  readonly step: StepHook | null;
  readonly retval: number;
}

export interface Executed {
  readonly lo: number;
  readonly hi: number;
  readonly fault: Fault | null;
  readonly instructions: number;
  readonly calls: number;
}

/** A modelled kernel with one processor that runs programs: memory, maps, time, and what entry code shares. Lives through many runs. */
export class Machine implements EngineHost, RegistryHost {
  readonly profile: Profile;
  readonly memory: GuestMemory;
  readonly engine: Engine;
  readonly maps: MapRegistry;
  readonly symbols: KernelSymbols;
  readonly percpu: PercpuRegion;
  readonly clock: Clock;
  readonly random: RandomNumbers;
  readonly agenda = new Agenda<(call: HostCall) => void>();
  readonly task: HostTask;
  readonly attach: HostAttach;
  readonly user = new UserMemory();
  readonly cpuCount: number;
  readonly numaNode = 0;
  cpu: number;
  state: HostState = newState(false);
  context: RunContext = emptyContext;
  report: RunReport;
  rcuEpoch = 0;
  resultLo = 0;
  wideHi = 0;
  arenaUserHigh = 0;
  readonly #loader: Loader;
  readonly #host: Host;
  readonly #callFrames: number;
  #nesting = 0;
  #calls = 0;
  #allocations = 0;
  readonly #failAllocation: (attempt: number) => boolean;
  #afterRcu: (() => void)[] = [];
  readonly #parts = new Map<PartKey<unknown>, unknown>();
  readonly #structMetas = new Map<Btf, ReadonlyMap<number, FieldRecord>>();

  constructor(profile: Profile, options: MachineOptions = {}) {
    const seed = options.seed ?? 1;
    this.profile = profile;
    this.memory = new GuestMemory({ seed, ...(options.memoryLimit === undefined ? {} : { limit: options.memoryLimit }) });
    this.cpuCount = options.cpuCount ?? 2;
    this.cpu = options.cpu ?? 0;
    this.random = new RandomNumbers(seed);
    this.percpu = new PercpuRegion(this.memory, this.cpuCount);
    this.memory.addRegion(this.percpu);
    const constants = new ConstantPool();
    this.engine = new Interpreter(this.memory, constants, this);
    this.clock = new Clock(options.clock ?? {}, () => this.engine.executed);
    this.maps = new MapRegistry(this.memory, profile, this.random, this);
    this.symbols = new KernelSymbols(this.memory, this.percpu, profile.btf);
    this.#loader = new Loader(profile, this.maps, this.symbols, constants);
    this.#failAllocation = options.failAllocation ?? (() => false);
    this.#callFrames = this.memory.allocate(CALL_FRAME_BYTES * NESTING_LIMIT, { what: 'call frames of the machine' });
    this.task = { pid: 1, tgid: 1, uid: 0, gid: 0, comm: 'drybpf', cgroupId: 1n, ...options.task, offset: 0, user: this.user };
    this.attach = { cookie: 0n, argCount: 0, ip: 0n, kernelStack: [], userStack: [], ...options.attach };
    this.report = this.newReport(null);
    this.memory.onUnwrittenRead = () => this.report.note('reads stack bytes that were never written');
    this.memory.describeField = (type, offset) => describeField(profile.btf, type, offset);
    this.#host = new Host(this);
  }

  get program(): Program {
    return this.engine.code!.program;
  }

  newReport(onPrintk: ((text: string) => void) | null): RunReport {
    return new RunReport(() => this.memory.site, onPrintk);
  }

  load(program: Program, options: LoadOptions = {}): Code {
    return this.#loader.load(program, options);
  }

  /**
   * Gives the machine's memory back. Optional; worth it where many machines are made, as the next one then costs microseconds.
   * The machine and its maps must not be used any more.
   */
  release(): void {
    this.memory.release();
  }

  /** Runs a program to its end, and gives back what nobody can see any more. Everything but a `Fault` of the program is thrown. */
  execute(execution: Execution): Executed {
    const { code, context } = execution;
    this.context = context;
    this.report = execution.report;
    this.state = newState((code.program.flags & PROG_FLAGS.BPF_F_SLEEPABLE) !== 0);
    this.#host.retval = execution.retval;
    this.#calls = 0;
    const before = this.engine.executed;
    this.engine.setBudget(execution.budget);
    this.engine.setStepHook(execution.step);
    const R = this.engine.registers;
    R.fill(0, 0, 22);
    R[2] = context.offset;
    R[3] = context.offset === 0 ? 0 : KERNEL_HIGH;
    const fault = this.#guarded(() => this.#callProgram(code)) ?? this.#leftOver();
    return { lo: R[0]!, hi: R[1]!, fault, instructions: this.engine.executed - before, calls: this.#calls };
  }

  /** Lets time pass, running what becomes due, each with so many instructions at most. Answers the first fault. */
  advance(nanoseconds: bigint, budget = ACTION_BUDGET): Fault | null {
    const end = this.clock.nanoseconds + nanoseconds;
    for (let at = this.agenda.next; at !== null && at <= end; at = this.agenda.next) {
      const now = this.clock.nanoseconds;
      if (at > now) this.clock.advance(at - now);
      const action = this.agenda.takeDue(this.clock.nanoseconds)!;
      this.context = emptyContext;
      this.enter({});
      this.engine.setBudget(budget);
      const fault = this.#guarded(() => {
        this.#host.frame = this.#callFrames;
        action(this.#host);
      });
      if (fault !== null) return fault;
      const left = this.#leftOver();
      if (left !== null) return left;
    }
    const now = this.clock.nanoseconds;
    if (end > now) this.clock.advance(end - now);
    this.#endRcu();
    return null;
  }

  /** A new piece of work begins on this CPU, in these circumstances. */
  enter({ sleepable = false, inInterrupt = false }: ActionSetting): void {
    this.state = newState(sleepable, inInterrupt);
  }

  call(index: number, registers: Int32Array): void {
    const entry = this.#loader.entries[index]!;
    const host = this.#host;
    const { memory } = this;
    if (this.#nesting >= NESTING_LIMIT) throw new Fault('stack-overflow', 'calls are nested too deeply');
    const frame = this.#callFrames + CALL_FRAME_BYTES * this.#nesting;
    const outer = host.frame;
    const before = memory.view;
    for (let i = 0; i < 10; i++) before.setInt32(frame + 4 * i, registers[2 + i]!, true);
    memory.store64(frame + 40, 0, 0);
    this.#nesting++;
    this.#calls++;
    host.frame = frame;
    try {
      entry.run(host);
    } catch (error) {
      if (error instanceof Fault && error.insn === null) error.message = `${entry.name}: ${error.message}`;
      throw error;
    }
    const after = memory.view;
    registers[0] = after.getInt32(frame + 40, true);
    registers[1] = after.getInt32(frame + 44, true);
    this.#nesting--;
    host.frame = outer;
  }

  /** Calls a BPF function with r1 to r5; answers the high half of r0, and leaves the low one in `resultLo`. */
  callFunction(lo: number, hi: number, args: Int32Array): number {
    const code = this.codeAt(lo, hi);
    const slot = code === null ? 0 : ((lo >>> 0) - code.textBase) / 8;
    if (code === null || !Number.isInteger(slot)) throw new Fault('bad-call', 'callback is no BPF function');
    const R = this.engine.registers;
    R.set(args, 2);
    const { site } = this.memory;
    this.engine.call(code, slot);
    this.memory.site = site;
    this.resultLo = R[0]!;
    return R[1]!;
  }

  codeAt(lo: number, hi: number): Code | null {
    return this.#loader.codeAt(lo, hi);
  }

  entryOf(_lo: number, _hi: number): number | null {
    return null;
  }

  tailCall(address: { lo: number; hi: number }, index: number): Code | null {
    const map = address.hi === KERNEL_HIGH ? this.maps.at(address.lo >>> 0) : null;
    if (!(map instanceof ProgArrayMap)) throw new Fault('bad-call', 'tail call through something that is no program array');
    const program = map.programAt(index);
    return program === null ? null : this.load(program);
  }

  loadContext(offset: number, size: number): number {
    const { accessor } = this.context;
    const value = accessor?.load(offset - this.context.offset, size) ?? null;
    if (accessor === null || value === null) {
      throw new Fault('out-of-bounds', `the context has no field of ${size} bytes at ${offset - this.context.offset}`);
    }
    this.wideHi = accessor.wideHi;
    return value;
  }

  storeContext(offset: number, size: number, lo: number, hi: number): void {
    if (this.context.accessor?.store(offset - this.context.offset, size, lo, hi) === true) return;
    throw new Fault('read-only', `context field of ${size} bytes at ${offset - this.context.offset} cannot be stored to`);
  }

  /** Negative positions are relative to the network or link header. Source: bpf_internal_load_pointer_neg_helper, kernel/bpf/core.c. */
  packetBytes(position: number, size: number): Uint8Array | null {
    const { packet } = this.context;
    if (packet?.skb == null) throw new Fault('bad-instruction', 'packet load without an skb');
    if (position >= 0) return packet.read(position, size);
    if (position < LINK_HEADER_BASE) return null;
    const isNetwork = position >= NETWORK_HEADER_BASE;
    const start = isNetwork ? packet.skb.networkHeader : packet.skb.macHeader;
    const at = start + position - (isNetwork ? NETWORK_HEADER_BASE : LINK_HEADER_BASE);
    if (at >= 0) return packet.linear(at, size) === 0 ? null : packet.read(at, size);
    const offset = packet.dataOffset + at;
    return -at <= packet.headroom ? this.memory.u8.slice(offset, offset + size) : null;
  }

  nanoseconds(): number {
    return Number(this.clock.nanoseconds);
  }

  allocationFails(): boolean {
    return this.#failAllocation(this.#allocations++);
  }

  note(text: string): void {
    this.report.note(text);
  }

  record(outcome: Outcome): void {
    this.report.record(outcome);
  }

  freeField(field: Field, offset: number): void {
    freeField(this.#host, field, offset);
  }

  /** Special fields of a struct of a program's BTF; null without. */
  localFields(program: Program, typeId: number): FieldRecord | null {
    const { btf } = program;
    if (btf === null) return null;
    let metas = this.#structMetas.get(btf);
    if (metas === undefined) {
      metas = parseStructMetas(btf, { btf: this.profile.btf, destructors: this.profile.facts.destructors });
      this.#structMetas.set(btf, metas);
    }
    return metas.get(typeId) ?? null;
  }

  part<T>(key: PartKey<T>): T {
    if (!this.#parts.has(key)) this.#parts.set(key, key.create(this.#host));
    return this.#parts.get(key) as T;
  }

  afterRcu(action: () => void): void {
    this.#afterRcu.push(action);
  }

  /**
   * Runs a program from its start. An exception leaves all its functions, and its callback's result becomes the program's; without a
   * callback the cookie does. Source: bpf_throw, kernel/bpf/helpers.c; add_hidden_subprog callers in kernel/bpf/verifier.c.
   */
  #callProgram(code: Code): void {
    try {
      this.engine.call(code, 0);
    } catch (error) {
      if (!(error instanceof Unwound)) throw error;
      const thrower = this.engine.code ?? code;
      this.engine.unwind();
      this.#nesting = 0;
      const R = this.engine.registers;
      R[0] = error.lo;
      R[1] = error.hi;
      const callback = exceptionCallback(thrower.program);
      if (callback === null) return;
      R.fill(0, 2, 22);
      R[2] = error.lo;
      R[3] = error.hi;
      this.engine.call(thrower, callback);
    }
  }

  /** A program that has ended holds no lock and owns no object; to leave one behind is a fault. */
  #leftOver(): Fault | null {
    const objects = this.#parts.get(LOCAL_OBJECTS) as LocalObjects | undefined;
    const sockets = this.#parts.get(SOCKETS) as Sockets | undefined;
    if (this.state.locks.length > 0) return new Fault('deadlock', 'the program ended while it held a lock');
    if (objects === undefined && sockets === undefined) return null;
    const leaked = [...(objects?.takeHeld() ?? []), ...(sockets?.takeHeld() ?? [])];
    return leaked.length === 0 ? null : new Fault('leak', `the program ended while it had references to ${leaked.join(', ')}`);
  }

  /** Runs program code; a fault or an exception of it ends here, and the RCU section with it. */
  #guarded(action: () => void): Fault | null {
    try {
      action();
      return null;
    } catch (error) {
      if (error instanceof Unwound) {
        this.engine.registers[0] = error.lo;
        this.engine.registers[1] = error.hi;
        return null;
      }
      if (error instanceof Fault) return error;
      throw error;
    } finally {
      this.engine.unwind();
      this.#nesting = 0;
      this.memory.site = -1;
      this.#endRcu();
    }
  }

  #endRcu(): void {
    this.rcuEpoch++;
    const actions = this.#afterRcu;
    this.#afterRcu = [];
    for (const action of actions) action();
  }
}

const newState = (sleepable: boolean, inInterrupt = false): HostState => ({
  rcuDepth: 0,
  preemptDepth: 0,
  migrateDepth: 0,
  irqsDisabled: false,
  inNmi: false,
  inInterrupt,
  sleepable,
  locks: [],
});
