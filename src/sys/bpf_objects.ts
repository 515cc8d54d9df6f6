import type { HostSymbol } from '../contracts/host_symbols.ts';
import type { IterTarget } from '../contracts/iter_target.ts';
import type { IterLinkInfo, IterObject, IterRegistry, IterRun } from '../contracts/iteration.ts';
import { encodeProgram } from '../isa/codec.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../isa/constants.ts';
import type { KernelObjects } from '../kernel/objects/kernel_objects.ts';
import { PROG_FLAGS, type Program } from '../program/program.ts';
import type { LoadedFacts } from '../verifier/verdict.ts';
import type { Code } from '../vm/engine.ts';
import { sha256 } from './sha256.ts';

const PROG = 'bpf_prog';
const AUX = 'bpf_prog_aux';
const LINK = 'bpf_link';
const LD_IMM64 = 0x18;
const TAG_BYTES = 8;
/** low half of where modules are loaded; the high one is all ones */
const TEXT_BASE = 0xc0000000;
const TEXT_STRIDE = 4096;
/** BPF_LINK_TYPE_ITER */
const LINK_TYPE_ITER = 4;

/** bpf_prog_calc_tag: a digest of the instructions without descriptors of maps. */
export function programTag(program: Program): string {
  const insns = program.insns.map((insn) => ({ ...insn }));
  for (const [slot, insn] of insns.entries()) {
    if (insn.code !== LD_IMM64 || (insn.src !== BPF_PSEUDO_MAP_FD && insn.src !== BPF_PSEUDO_MAP_VALUE)) continue;
    insn.imm = 0;
    const second = insns[slot + 1];
    if (second !== undefined) second.imm = 0;
  }
  const digest = sha256(encodeProgram(insns)).subarray(0, TAG_BYTES);
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A program that was verified and loaded. */
export class LoadedProgram implements IterObject {
  readonly id: number;
  readonly offset: number;
  readonly program: Program;
  readonly code: Code;
  readonly facts: LoadedFacts;
  readonly tag: string;

  constructor(objects: KernelObjects, id: number, program: Program, code: Code, facts: LoadedFacts) {
    this.id = id;
    this.program = program;
    this.code = code;
    this.facts = facts;
    this.tag = programTag(program);
    this.offset = objects.create(PROG, { what: `bpf_prog ${program.name}` });
    const aux = objects.create(AUX, { what: `bpf_prog_aux ${program.name}` });
    objects.field(PROG, 'aux').setPointer(this.offset, aux);
    objects.field(PROG, 'type').set(this.offset, program.type);
    objects.field(PROG, 'expected_attach_type').set(this.offset, program.expectedAttachType);
    objects.field(PROG, 'len').set(this.offset, program.insns.length);
    objects.field(AUX, 'id').set(aux, id);
    objects.field(AUX, 'name').setText(aux, program.name);
    objects.field(AUX, 'attach_btf_id').set(aux, program.attach?.btfId ?? 0);
    objects.field(AUX, 'max_rdonly_access').set(aux, facts.keyAccess);
    objects.field(AUX, 'max_rdwr_access').set(aux, facts.valueAccess);
    const tag = objects.field(PROG, 'tag');
    if (tag.exists) {
      for (let i = 0; i < TAG_BYTES; i++) {
        objects.memory.u8[tag.at(this.offset) + i] = Number.parseInt(this.tag.slice(2 * i, 2 * i + 2), 16);
      }
    }
  }

  /**
   * As /proc/kallsyms names it. Differs from the kernel: functions below the program have no symbols of their own, and the address
   * is a place in the region of modules that the model gives it, for nothing is compiled.
   */
  get symbol(): HostSymbol {
    return { name: `bpf_prog_${this.tag}_${this.program.name}`, lo: (TEXT_BASE + this.id * TEXT_STRIDE) | 0, hi: -1 };
  }

  get isSleepable(): boolean {
    return (this.program.flags & PROG_FLAGS.BPF_F_SLEEPABLE) !== 0;
  }
}

/** A link of an iterator program: the program, the target, and what the target was told to walk. */
export class IterLink implements IterObject {
  readonly id: number;
  readonly offset: number;
  readonly target: IterTarget;
  readonly run: IterRun;
  readonly subject: unknown;
  readonly info: IterLinkInfo;
  readonly #objects: KernelObjects;
  #program: LoadedProgram;

  constructor(objects: KernelObjects, id: number, parts: Pick<IterLink, 'target' | 'run' | 'subject' | 'info' | 'program'>) {
    this.#objects = objects;
    this.id = id;
    this.target = parts.target;
    this.run = parts.run;
    this.subject = parts.subject;
    this.info = parts.info;
    this.#program = parts.program;
    this.offset = objects.create(LINK, { what: `bpf_link ${id} of ${parts.target.name}` });
    objects.field(LINK, 'id').set(this.offset, id);
    objects.field(LINK, 'type').set(this.offset, LINK_TYPE_ITER);
    this.program = parts.program;
  }

  get program(): LoadedProgram {
    return this.#program;
  }

  set program(program: LoadedProgram) {
    this.#program = program;
    this.#objects.field(LINK, 'prog').setPointer(this.offset, program.offset);
  }
}

/** Objects by id, numbered from 1. */
export class Registry<T extends IterObject> implements IterRegistry<T> {
  readonly #byId = new Map<number, T>();
  #last = 0;

  get nextId(): number {
    return this.#last + 1;
  }

  add(object: T): T {
    this.#byId.set(object.id, object);
    this.#last = Math.max(this.#last, object.id);
    return object;
  }

  remove(object: T): void {
    this.#byId.delete(object.id);
  }

  get all(): readonly T[] {
    return [...this.#byId.values()];
  }

  from(id: number): T | null {
    let best: T | null = null;
    for (const object of this.#byId.values()) if (object.id >= id && (best === null || object.id < best.id)) best = object;
    return best;
  }
}
