import { Fault, Unmodelled } from '../contracts/errors.ts';
import type { HostCall } from '../contracts/host_call.ts';
import type { Profile } from '../contracts/profile.ts';
import { type Subject, subjectOf } from '../contracts/subject.ts';
import {
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
} from '../isa/constants.ts';
import type { Insn } from '../isa/insn.ts';
import { opcodeOf } from '../isa/opcodes.ts';
import { KERNEL_HIGH } from '../kernel/memory.ts';
import { TEXT_HIGH } from '../kernel/regions.ts';
import type { KernelSymbols } from '../kernel/symbols.ts';
import { ArenaMap } from '../maps/arena.ts';
import type { MapDef, Program } from '../program/program.ts';
import type { ConstantPool } from './constant_pool.ts';
import type { Code } from './engine.ts';
import { exceptionCallback } from './exception_callback.ts';
import type { MapRegistry } from './map_registry.ts';
import { predecode, type Resolver } from './predecode.ts';

/** Where BPF functions stand: the module area of the address space, under TEXT_HIGH. */
const FIRST_TEXT = 0xc0000000;
const LAST_TEXT = 0xff000000;
const SLOT_STRIDE = 8;

/** Code that a call runs. */
export interface HostEntry {
  readonly name: string;
  readonly run: (call: HostCall) => void;
}

export interface LoadOptions {
  /** slots of loads that the verifier made fault-protected (loads through BTF pointers) */
  readonly probeLoads?: ReadonlySet<number>;
  /** slots that can be reached, if the verifier has said so; else every slot that control flow leads to */
  readonly reached?: ReadonlySet<number>;
}

/** Turns programs into code: resolves maps, functions, symbols, helpers and kfuncs. */
export class Loader {
  readonly entries: HostEntry[] = [];
  readonly #profile: Profile;
  readonly #maps: MapRegistry;
  readonly #symbols: KernelSymbols;
  readonly #constants: ConstantPool;
  readonly #entryOf = new Map<(call: HostCall) => void, number>();
  readonly #codes: Code[] = [];
  readonly #byProgram = new Map<Program, Code>();
  #nextText = FIRST_TEXT;

  constructor(profile: Profile, maps: MapRegistry, symbols: KernelSymbols, constants: ConstantPool) {
    this.#profile = profile;
    this.#maps = maps;
    this.#symbols = symbols;
    this.#constants = constants;
  }

  /**
   * The code of a program; the same each time. Throws `Unmodelled` when it can reach a helper, kfunc or map that cannot run.
   * What is merely wrong faults when it is reached.
   */
  load(program: Program, options: LoadOptions = {}): Code {
    const known = this.#byProgram.get(program);
    if (known !== undefined) return known;
    const textBase = this.#nextText;
    if (textBase + (program.insns.length + 1) * SLOT_STRIDE > LAST_TEXT) throw new Fault('bad-call', 'too many programs');
    const subject = subjectOf(program, this.#profile.btf);
    const reached = options.reached ?? reachable(program.insns, [0, exceptionCallback(program) ?? 0]);
    const resolver: Resolver = {
      wide: (insn, next, pc) => this.#wide(program, insn, next, pc, textBase, reached.has(pc)),
      helper: (id) => this.#helper(id, subject),
      kfunc: (insn) => this.#kfunc(insn),
      isReached: (pc) => reached.has(pc),
      isProbe: (pc) => options.probeLoads?.has(pc) === true,
    };
    const code: Code = {
      program,
      ...predecode(program.insns, resolver, this.#constants),
      slots: program.insns.length,
      textBase,
    };
    this.#nextText = textBase + (program.insns.length + 2) * SLOT_STRIDE;
    this.#codes.push(code);
    this.#byProgram.set(program, code);
    return code;
  }

  /** The code that holds a function address, or null. */
  codeAt(lo: number, hi: number): Code | null {
    if (hi !== TEXT_HIGH) return null;
    const at = lo >>> 0;
    return this.#codes.find((code) => at >= code.textBase && at < code.textBase + code.slots * SLOT_STRIDE) ?? null;
  }

  #wide(program: Program, insn: Insn, next: Insn, pc: number, textBase: number, reached: boolean) {
    switch (insn.src) {
      case 0:
        return { lo: insn.imm, hi: next.imm };
      case BPF_PSEUDO_MAP_FD:
      case BPF_PSEUDO_MAP_IDX: {
        const def = program.maps[insn.imm];
        return def === undefined ? `no map ${insn.imm}` : this.#mapAddress(def, reached);
      }
      case BPF_PSEUDO_MAP_VALUE:
      case BPF_PSEUDO_MAP_IDX_VALUE: {
        const def = program.maps[insn.imm];
        if (def === undefined) return `no map ${insn.imm}`;
        if (!reached) return 'not reached';
        const map = this.#maps.of(def);
        if (map instanceof ArenaMap) return { lo: (Number(map.userStart & 0xffffffffn) + next.imm) | 0, hi: map.userHigh };
        const value = map.directValue();
        return value === 0 ? `map ${def.name} has no direct value` : { lo: (value + next.imm) | 0, hi: KERNEL_HIGH };
      }
      case BPF_PSEUDO_BTF_ID:
        return reached ? this.#symbols.address(insn.imm) : 'not reached';
      case BPF_PSEUDO_FUNC:
        return { lo: (textBase + (pc + 1 + insn.imm) * SLOT_STRIDE) | 0, hi: TEXT_HIGH };
      default:
        return `ld_imm64 of kind ${insn.src}`;
    }
  }

  #mapAddress(def: MapDef, reached: boolean): { lo: number; hi: number } | string {
    return reached ? { lo: this.#maps.of(def).offset, hi: KERNEL_HIGH } : 'not reached';
  }

  #helper(id: number, subject: Subject): number | string {
    const helper = this.#profile.helpers[id];
    if (helper === undefined) return `invalid func unknown#${id}`;
    const proto = this.#profile.selectProto(helper, subject);
    if (proto === null) return `program of this type cannot use helper ${helper.name}#${id}`;
    if (proto.run === undefined) throw new Unmodelled(`running helper ${helper.name}`);
    return this.#entry(helper.name, proto.run);
  }

  #kfunc(insn: Insn): number | string {
    const type = this.#profile.btf.typeOrUndefined(insn.imm);
    if (type?.kind !== 'FUNC') return `kernel btf_id ${insn.imm} is not a function`;
    const kfunc = this.#profile.kfuncs.get(type.name);
    if (kfunc === undefined) return `calling kernel function ${type.name} is not allowed`;
    if (kfunc.run === undefined) throw new Unmodelled(`running kfunc ${type.name}`);
    return this.#entry(type.name, kfunc.run);
  }

  #entry(name: string, run: (call: HostCall) => void): number {
    const known = this.#entryOf.get(run);
    if (known !== undefined && this.entries[known]!.name === name) return known;
    const index = this.entries.push({ name, run }) - 1;
    this.#entryOf.set(run, index);
    return index;
  }
}

/** Slots that control flow can lead to from the entries, functions that are called or passed on included. */
export function reachable(insns: readonly Insn[], entries: readonly number[] = [0]): ReadonlySet<number> {
  const seen = new Set<number>();
  const work = [...entries];
  for (let pc = work.pop(); pc !== undefined; pc = work.pop()) {
    const insn = insns[pc];
    if (insn === undefined || seen.has(pc)) continue;
    seen.add(pc);
    const kind = opcodeOf(insn)?.kind;
    switch (kind) {
      case 'exit':
      case undefined:
        break;
      case 'ja':
        work.push(pc + 1 + insn.off);
        break;
      case 'gotol':
        work.push(pc + 1 + insn.imm);
        break;
      case 'jump':
      case 'may_goto':
        work.push(pc + 1, pc + 1 + insn.off);
        break;
      case 'call_subprog':
        work.push(pc + 1, pc + 1 + insn.imm);
        break;
      case 'ld_imm64':
        seen.add(pc + 1);
        work.push(pc + 2);
        if (insn.src === BPF_PSEUDO_FUNC) work.push(pc + 1 + insn.imm);
        break;
      default:
        work.push(pc + 1);
    }
  }
  return seen;
}
