import type { Btf } from '../btf/btf.ts';
import type { FieldRecord } from '../btf/special.ts';
import { Fault, Unmodelled } from '../contracts/errors.ts';
import type {
  ActionSetting,
  ClockName,
  HostAttach,
  HostCall,
  HostState,
  HostTask,
  Outcome,
  PartKey,
} from '../contracts/host_call.ts';
import type { HostMap } from '../contracts/host_map.ts';
import type { HostPercpu } from '../contracts/host_memory.ts';
import type { HostPacket } from '../contracts/host_packet.ts';
import type { HostSymbols } from '../contracts/host_symbols.ts';
import { subjectOf } from '../contracts/subject.ts';
import { type GuestMemory, KERNEL_HIGH } from '../kernel/memory.ts';
import type { MapDef, Program } from '../program/program.ts';
import type { Machine } from './machine.ts';

/**
 * A call's frame in guest memory: five arguments and the result, 8 bytes each.
 *
 *     0 r1   8 r2   16 r3   24 r4   32 r5   40 r0   48 (unused)
 */
export const CALL_FRAME_BYTES = 64;
const RESULT = 40;
const STRING_LIMIT = 4096;
const TWO32 = 4294967296;

/** The machine's answers to entry code. There is one; which call it serves is a matter of `frame`. */
export class Host implements HostCall {
  readonly memory: GuestMemory;
  /** offset of the frame of the running call */
  frame = 0;
  callbackHi = 0;
  retval = 0;
  readonly #machine: Machine;
  readonly #callbackArgs = new Int32Array(10);

  constructor(machine: Machine) {
    this.#machine = machine;
    this.memory = machine.memory;
  }

  get program(): Program {
    return this.#machine.program;
  }

  get btf(): Btf {
    return this.#machine.profile.btf;
  }

  get symbols(): HostSymbols {
    return this.#machine.symbols;
  }

  get percpu(): HostPercpu {
    return this.#machine.percpu;
  }

  localFields(typeId: number): FieldRecord | null {
    return this.#machine.localFields(this.program, typeId);
  }

  destroy(destructor: string, object: number): void {
    const kfunc = this.#machine.profile.kfuncs.get(destructor.replace(/_dtor$/, ''));
    if (kfunc?.destroy === undefined) throw new Unmodelled(`running destructor ${destructor}`);
    kfunc.destroy(this, object);
  }

  get packet(): HostPacket | null {
    return this.#machine.context.packet;
  }

  get mayWritePacket(): boolean {
    const { profile } = this.#machine;
    const subject = subjectOf(this.program, profile.btf);
    const { type } = this.program.attach?.program ?? this.program;
    return profile.progTypes.get(type)?.packetAccess(true, subject) === true;
  }

  get contextOffset(): number {
    return this.#machine.context.offset;
  }

  get attach(): HostAttach {
    return this.#machine.attach;
  }

  get task(): HostTask {
    return this.#machine.task;
  }

  get state(): HostState {
    return this.#machine.state;
  }

  get cpu(): number {
    return this.#machine.cpu;
  }

  get cpuCount(): number {
    return this.#machine.cpuCount;
  }

  get numaNode(): number {
    return this.#machine.numaNode;
  }

  argLo(index: number): number {
    return this.memory.view.getInt32(this.frame + 8 * index, true);
  }

  argHi(index: number): number {
    return this.memory.view.getInt32(this.frame + 8 * index + 4, true);
  }

  arg(index: number): bigint {
    return this.memory.view.getBigUint64(this.frame + 8 * index, true);
  }

  argU32(index: number): number {
    return this.memory.view.getUint32(this.frame + 8 * index, true);
  }

  argNumber(index: number): number {
    return this.argHi(index) * TWO32 + this.argU32(index);
  }

  argIsNull(index: number): boolean {
    return (this.argLo(index) | this.argHi(index)) === 0;
  }

  setReturn(lo: number, hi: number): void {
    this.memory.store64(this.frame + RESULT, lo, hi);
  }

  setReturnNumber(value: number): void {
    this.memory.store64(this.frame + RESULT, value | 0, Math.floor(value / TWO32) | 0);
  }

  setReturnBigint(value: bigint): void {
    this.memory.storeU64(this.frame + RESULT, value);
  }

  setReturnPointer(offset: number): void {
    this.memory.store64(this.frame + RESULT, offset, offset === 0 ? 0 : KERNEL_HIGH);
  }

  readable(index: number, size: number): number {
    return this.memory.check(this.argLo(index), this.argHi(index), size, false);
  }

  writable(index: number, size: number): number {
    return this.memory.check(this.argLo(index), this.argHi(index), size, true);
  }

  bytes(index: number, size: number): Uint8Array {
    const offset = this.readable(index, size);
    return this.memory.u8.subarray(offset, offset + size);
  }

  writableBytes(index: number, size: number): Uint8Array {
    const offset = this.writable(index, size);
    return this.memory.u8.subarray(offset, offset + size);
  }

  cstring(index: number, limit = STRING_LIMIT): string {
    const lo = this.argLo(index);
    const hi = this.argHi(index);
    let text = '';
    for (let i = 0; i < limit; i++) {
      const byte = this.memory.u8[this.memory.check((lo + i) | 0, hi, 1, false)]!;
      if (byte === 0) break;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  map(index: number): HostMap {
    const map = this.argHi(index) === KERNEL_HIGH ? this.#machine.maps.at(this.argU32(index)) : null;
    if (map === null) throw new Fault('bad-call', `argument ${index + 1} is no map`, this.arg(index));
    return map;
  }

  mapOf(def: MapDef): HostMap {
    return this.#machine.maps.of(def);
  }

  mapOfValue(offset: number): HostMap | null {
    return this.#machine.maps.holding(offset);
  }

  setCallbackArg(index: number, lo: number, hi: number): void {
    this.#callbackArgs[2 * index] = lo;
    this.#callbackArgs[2 * index + 1] = hi;
  }

  setCallbackPointer(index: number, offset: number): void {
    this.setCallbackArg(index, offset, offset === 0 ? 0 : KERNEL_HIGH);
  }

  invoke(index: number): number {
    return this.invokeAt(this.argLo(index), this.argHi(index));
  }

  invokeAt(lo: number, hi: number): number {
    const args = this.#callbackArgs.slice();
    this.#callbackArgs.fill(0);
    this.callbackHi = this.#machine.callFunction(lo, hi, args);
    return this.#machine.resultLo;
  }

  unwind(lo: number, hi: number): never {
    throw new Unwound(lo, hi);
  }

  now(clock: ClockName): bigint {
    return this.#machine.clock.read(clock);
  }

  jiffies(): bigint {
    return this.#machine.clock.jiffies();
  }

  spend(nanoseconds: bigint): void {
    this.#machine.clock.advance(nanoseconds);
  }

  random(): number {
    return this.#machine.random.next();
  }

  allocationFails(): boolean {
    return this.#machine.allocationFails();
  }

  printk(text: string): void {
    this.#machine.report.printk(text);
  }

  record(outcome: Outcome): void {
    this.#machine.report.record(outcome);
  }

  note(text: string): void {
    this.#machine.report.note(text);
  }

  part<T>(key: PartKey<T>): T {
    return this.#machine.part(key);
  }

  schedule(at: bigint, action: (call: HostCall) => void, setting: ActionSetting = {}): number {
    return this.#machine.agenda.add(at, (call) => {
      this.#machine.enter(setting);
      action(call);
    });
  }

  cancel(ticket: number): boolean {
    return this.#machine.agenda.cancel(ticket);
  }

  afterRcu(action: () => void): void {
    this.#machine.afterRcu(action);
  }
}

/** Leaves the whole program with a value (bpf_throw). Caught by the machine, never seen outside. */
export class Unwound extends Error {
  readonly lo: number;
  readonly hi: number;

  constructor(lo: number, hi: number) {
    super('program unwound');
    this.name = 'Unwound';
    this.lo = lo;
    this.hi = hi;
  }
}
