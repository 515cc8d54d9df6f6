import { findMember } from '../../btf/place.ts';
import type { BtfType } from '../../btf/types.ts';
import { Unmodelled } from '../../contracts/errors.ts';
import type { Profile } from '../../contracts/profile.ts';
import { subjectOf } from '../../contracts/subject.ts';
import { PROG_TYPES } from '../../contracts/uapi_numbers.ts';
import { BPF_ALU64, BPF_EXIT, BPF_JMP, BPF_K, BPF_MOV } from '../../isa/constants.ts';
import { insn } from '../../isa/insn.ts';
import { KERNEL } from '../../kernel/kernel_model.ts';
import { KERNEL_HIGH } from '../../kernel/memory.ts';
import { SEQ_FILES, SeqFile } from '../../kernel/seq_file.ts';
import type { Program } from '../../program/program.ts';
import { System } from '../../sys/system.ts';
import { baseOf, PTR_TO_PACKET_END, regTypeOf, SCALAR_VALUE } from '../../verifier/state/reg_types.ts';
import type { LoadedFacts } from '../../verifier/verdict.ts';
import { Machine } from '../../vm/machine.ts';
import { runsOnPacket } from '../../vm/run.ts';
import type { Random } from '../random.ts';

/** What a program that is run finds around it: a machine with or without a process, and an input of its kind. */

/** What helpers say that need a current task or other objects of the kernel. */
export const WITHOUT_WORLD = 'kernel objects';

const MEMORY_LIMIT = 8 << 20;
const PID = 41;

/** A machine for one program. With `people`, a process is the current task and kernel objects can be asked for. */
export function openMachine(profile: Profile, seed: number, people: boolean): Machine {
  const options = { seed, memoryLimit: MEMORY_LIMIT };
  if (!people) return new Machine(profile, options);
  const system = new System(profile, options);
  system.enter(system.spawn(PID, 'fuzzed').task);
  return system.machine;
}

const PACKET_BYTES = [14, 34, 42, 60, 64, 128, 200] as const;
const IPV4_LEAST = 34;
const ETHERTYPE = 12;
/** Arguments that a function of the kernel may have, in slots of 8 bytes. */
const LEAST_CONTEXT = 128;

export function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 4) {
    const word = random.chance(0.3) ? 0 : random.chance(0.2) ? random.immediate() : random.next();
    for (let j = 0; j < 4 && i + j < length; j++) bytes[i + j] = word >>> (8 * j);
  }
  return bytes;
}

/** An Ethernet frame; one that says that it holds IPv4 has room for its header. */
export const randomPacket = (random: Random): Uint8Array => {
  const data = randomBytes(random, random.pick(PACKET_BYTES));
  const isIp = data.length >= IPV4_LEAST && random.chance(0.7);
  data[ETHERTYPE] = isIp ? 8 : 0x88;
  data[ETHERTYPE + 1] = isIp ? 0 : 0xb5;
  return data;
};

/** A program of the same kind that does nothing but return a number: what it may return, and any for kinds without a range. */
export function tailCallTarget(random: Random, { profile }: Machine, program: Program): Program {
  const progType = profile.progTypes.get(program.type);
  const range = progType?.returnRange(subjectOf(program, profile.btf)) ?? null;
  const result = range === null ? random.immediate() : typeof range === 'string' ? 0 : random.pick([range.min, range.max]);
  return {
    ...program,
    name: 'target',
    insns: [insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, result), insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)],
    maps: [],
    btf: null,
    funcInfo: [],
    lineInfo: [],
  };
}

/** What a program is to be given for one run. */
export function inputOf(
  random: Random,
  machine: Machine,
  program: Program,
  loaded: LoadedFacts | undefined,
): { data?: Uint8Array; context?: Uint8Array } {
  if (runsOnPacket(program.type)) return { data: randomPacket(random) };
  const length = Math.max(LEAST_CONTEXT, loaded?.contextAccess ?? 0);
  const context = randomBytes(random, length);
  if (loaded === undefined) return { context };
  const view = new DataView(context.buffer);
  if (program.type === PROG_TYPES.raw_tracepoint_writable) {
    const buffer = machine.memory.allocate(Math.max(8, loaded.tracepointAccess), { what: 'buffer of a tracepoint' });
    putPointer(view, 0, buffer);
  }
  for (const { off, points } of contextPointers(program, machine.profile)) {
    if (off + 8 > length) continue;
    const object = machine.memory.allocate(OBJECT_BYTES, { what: 'object of a context' });
    putPointer(view, off, points === 'behind' ? object + OBJECT_BYTES : object);
  }
  if (program.type === PROG_TYPES.lsm) context.fill(0);
  if (loaded.attached !== null) {
    const buffer = random.chance(0.5) ? Math.max(loaded.keyAccess, loaded.valueAccess) : 0;
    new Arguments(machine, loaded.attached.btf, buffer).put(view, loaded.attached);
  }
  return { context };
}

/** Bytes of an object of which only a part is known to the verifier. */
const OBJECT_BYTES = 4096;

/** Fields of a context that hold pointers: to an object, or behind the end of one. */
interface PointerField {
  readonly off: number;
  readonly points: 'at' | 'behind';
}

const pointersByKind = new Map<string, readonly PointerField[]>();

/** Fields that the verifier takes for pointers, in contexts whose layout the program type gives. */
function contextPointers(program: Program, profile: Profile): readonly PointerField[] {
  const kind = `${program.type} ${program.expectedAttachType}`;
  const known = pointersByKind.get(kind);
  if (known !== undefined) return known;
  const progType = profile.progTypes.get(program.type);
  const found: PointerField[] = [];
  const subject = subjectOf(program, profile.btf);
  const size = progType === undefined || progType.contextKind === 'btf-args' ? 0 : progType.contextSize;
  for (let off = 0; off + 8 <= size; off += 8) {
    const answer = progType!.access({ off, size: 8, write: false, signExtend: false }, subject);
    const base = answer === null ? SCALAR_VALUE : baseOf(regTypeOf(answer.reg));
    if (base !== SCALAR_VALUE) found.push({ off, points: base === PTR_TO_PACKET_END ? 'behind' : 'at' });
  }
  pointersByKind.set(kind, found);
  return found;
}

const putPointer = (view: DataView, at: number, offset: number): void => {
  view.setUint32(at, offset, true);
  view.setInt32(at + 4, offset === 0 ? 0 : KERNEL_HIGH, true);
};

/** Objects for the arguments of a function of the kernel: all zero, but that pointers which are never NULL point to another one. */
class Arguments {
  readonly #machine: Machine;
  readonly #btf: NonNullable<LoadedFacts['attached']>['btf'];

  /** bytes behind pointers to something without a size; 0: they are NULL */
  readonly #buffer: number;
  readonly #made = new Map<string, number>();

  constructor(machine: Machine, btf: NonNullable<LoadedFacts['attached']>['btf'], buffer: number) {
    this.#machine = machine;
    this.#btf = btf;
    this.#buffer = buffer;
  }

  put(view: DataView, { protoId, skipFirstArg }: NonNullable<LoadedFacts['attached']>): void {
    const proto = this.#btf.type(protoId);
    if (proto.kind !== 'FUNC_PROTO') return;
    let at = 0;
    for (const param of skipFirstArg ? proto.params.slice(1) : proto.params) {
      const type = this.#btf.skipModifiers(param.type);
      const size = Math.ceil((this.#btf.sizeOf(type.id) ?? 8) / 8) * 8;
      if (at + 8 > view.byteLength) return;
      const object = this.#behind(type);
      if (object !== null) putPointer(view, at, object);
      at += size;
    }
  }

  /** What a pointer is to point to; null for other types. */
  #behind(type: BtfType): number | null {
    if (type.kind !== 'PTR') return null;
    const target = this.#btf.skipModifiers(type.type);
    if (target.kind === 'STRUCT' || target.kind === 'UNION') return this.#object(target.name, target.size);
    return this.#buffer === 0 ? 0 : this.#machine.memory.allocate(this.#buffer, { what: 'buffer' });
  }

  #sequence(): number {
    const { model } = this.#machine.part(KERNEL);
    if (model === null) throw new Unmodelled(WITHOUT_WORLD, 'a seq_file');
    const { objects } = model;
    const seq = new SeqFile(objects, 0);
    seq.allocateBuffer();
    this.#machine.part(SEQ_FILES).set(seq.offset, seq);
    return seq.offset;
  }

  /** One object of each struct: what points to its own kind points to itself. */
  #object(name: string, size: number): number {
    const { memory, task, profile } = this.#machine;
    if (name === 'task_struct' && task.offset !== 0) return task.offset;
    const made = this.#made.get(name);
    if (made !== undefined) return made;
    if (name === 'seq_file') return this.#sequence();
    // what is passed may be the first member of something larger, as a socket is
    const offset = memory.allocate(Math.max(OBJECT_BYTES, size), { what: name, btfType: name });
    if (offset === 0) throw new Unmodelled('arguments', `an object of ${size} bytes`);
    this.#made.set(name, offset);
    const struct = this.#btf.findByName(name, 'STRUCT');
    const { safeFields } = profile.facts;
    const never = ['__safe_trusted', '__safe_rcu'].flatMap((list) => safeFields.get(list)?.get(name) ?? []);
    for (const path of never) {
      const found = struct?.kind === 'STRUCT' ? findMember(this.#btf, struct, path) : null;
      const target = found === null ? null : this.#behind(this.#btf.skipModifiers(found.member.type));
      if (found === null || target === null) continue;
      memory.store64(offset + (found.base + found.member.bitOffset) / 8, target, KERNEL_HIGH);
    }
    return offset;
  }
}
