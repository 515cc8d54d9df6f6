import { MAP_TYPES } from '../../contracts/uapi_numbers.ts';
import { insn } from '../../isa/insn.ts';
import type { MapDef, Program } from '../../program/program.ts';
import type { Dials } from '../dials.ts';
import type { Random } from '../random.ts';
import { Emitter } from './emitter.ts';
import { btfOfFunctions, type PlannedFunction } from './functions.ts';
import type { FuzzKernel, SectionFacts, UsedMap } from './kernel.ts';
import { OBJECT_TYPES } from './object_types.ts';
import { type MapRole, PALETTE, typesOf, withBtf } from './palette.ts';
import { type Kind, Scope, STACK_BYTES, scalarUpTo, UNKNOWN_SCALAR } from './scope.ts';

export const FP = 10;

const OTHER_LICENSES = ['Proprietary', '', 'Dual MIT/GPL'] as const;

/** A program holds one map of these types at most. */
const SINGLE: ReadonlySet<number> = new Set([MAP_TYPES.arena, MAP_TYPES.cgroup_storage, MAP_TYPES.percpu_cgroup_storage]);

/** Steps of one function that is being written. */
export interface Step {
  readonly name: string;
  readonly feature: keyof Dials['features'];
  /** relative to the other steps of its feature */
  readonly weight: number;
  /** whether the step makes sense here; absent: always */
  readonly ready?: (g: Generator) => boolean;
  readonly emit: (g: Generator) => void;
}

/** What the code at a place is within. */
export interface Surroundings {
  /** a lock is held: no calls */
  readonly locked: boolean;
  /** depth of loops and callbacks: no more beyond a few */
  readonly nesting: number;
  /** an early exit would leave something behind */
  readonly owes: boolean;
}

/** One program while it is written: the code so far, what is known at its end, and what may still come. */
export class Generator {
  readonly random: Random;
  readonly dials: Dials;
  readonly kernel: FuzzKernel;
  readonly section: SectionFacts;
  readonly code = new Emitter();
  readonly maps: UsedMap[] = [];
  readonly functions: PlannedFunction[] = [];
  scope = new Scope();
  around: Surroundings = { locked: false, nesting: 0, owes: false };
  current: PlannedFunction | null = null;
  /** the program allocates objects, and needs their types */
  allocates = false;
  /** the function that catches what the program throws */
  catcher: string | null = null;
  /** instructions after which no step begins */
  readonly #limit: number;
  readonly #steps: readonly Step[];
  readonly #weights: readonly number[];

  constructor(random: Random, dials: Dials, kernel: FuzzKernel, steps: readonly Step[], section: string) {
    this.random = random;
    this.dials = dials;
    this.kernel = kernel;
    this.section = kernel.section(section);
    this.#limit = Math.max(3, Math.round(dials.size * (0.4 + random.below(120) / 100)));
    this.#steps = steps;
    const totals = new Map<string, number>();
    for (const step of steps) totals.set(step.feature, (totals.get(step.feature) ?? 0) + step.weight);
    this.#weights = steps.map((step) => ((dials.features[step.feature] ?? 0) * step.weight) / totals.get(step.feature)!);
  }

  /** Instructions that may still be written. */
  get room(): number {
    return this.#limit - this.code.length;
  }

  get depth(): number {
    return this.current?.depth ?? 0;
  }

  /** Whether this choice is to be made wrong. */
  wrong(): boolean {
    return this.random.chance(this.dials.wrong);
  }

  /** The same for what is wrong in a way of its own, which few programs come to: as many times more often. */
  wrongMoreOften(times: number): boolean {
    return this.random.chance(Math.min(0.5, times * this.dials.wrong));
  }

  /** Writes steps until `instructions` are written, the budget is used up, or the path has ended. */
  body(instructions: number): void {
    const end = Math.min(this.code.length + instructions, this.#limit);
    let misses = 0;
    while (!this.scope.isEnded && this.code.length < end && misses < 20) {
      const step = this.#choose();
      if (step === null || step.ready?.(this) === false) {
        misses++;
        continue;
      }
      step.emit(this);
    }
  }

  #choose(): Step | null {
    let total = 0;
    for (const weight of this.#weights) total += weight;
    let at = (this.random.below(0x40000000) / 0x40000000) * total;
    for (let i = 0; i < this.#weights.length; i++) {
      at -= this.#weights[i]!;
      if (at < 0) return this.#steps[i]!;
    }
    return null;
  }

  /** Writes code that is within something more than the code around it. */
  within(around: Partial<Surroundings>, write: () => void): void {
    const outer = this.around;
    this.around = { ...outer, ...around };
    write();
    this.around = outer;
  }

  /** Writes code during which steps leave a register alone. */
  pinning(reg: number, write: () => void): void {
    const was = this.scope.isPinned(reg);
    this.scope.pinned |= 1 << reg;
    write();
    if (!was) this.scope.pinned &= ~(1 << reg);
  }

  /** A register that a step may overwrite. */
  target(): number {
    for (let tries = 0; tries < 20; tries++) {
      const reg = this.random.below(10);
      if (!this.scope.isPinned(reg)) return reg;
    }
    return 0;
  }

  /** A register that is not pinned and not in the list. */
  targetBeside(...taken: readonly number[]): number {
    for (let tries = 0; tries < 20; tries++) {
      const reg = this.target();
      if (!taken.includes(reg)) return reg;
    }
    for (let reg = 0; reg < 10; reg++) if (!taken.includes(reg) && !this.scope.isPinned(reg)) return reg;
    return 9;
  }

  /** A register that calls leave alone and that may be overwritten; null where all are pinned. */
  keeper(): number | null {
    const free = [6, 7, 8, 9].filter((reg) => !this.scope.isPinned(reg));
    return free.length === 0 ? null : this.random.pick(free);
  }

  /** Registers of a kind. */
  having(kind: Kind['kind']): number[] {
    const found: number[] = [];
    for (let reg = 0; reg < 10; reg++) if (this.scope.regs[reg]?.kind === kind) found.push(reg);
    return found;
  }

  kindOf<K extends Kind['kind']>(reg: number, kind: K): Extract<Kind, { kind: K }> | null {
    const found = this.scope.regs[reg];
    return found?.kind === kind ? (found as Extract<Kind, { kind: K }>) : null;
  }

  /** A scalar register; makes one where there is none. */
  scalar(): number {
    const scalars = this.having('scalar');
    if (scalars.length > 0) return this.wrong() ? this.random.below(10) : this.random.pick(scalars);
    return this.newScalar(this.target());
  }

  /** A scalar register beside one that is still needed. */
  scalarBeside(reg: number): number {
    let found = reg;
    this.pinning(reg, () => {
      found = this.scalar();
    });
    return found;
  }

  /** Puts a scalar in a register: a constant or something unknown. */
  newScalar(reg: number): number {
    const { code, random, scope } = this;
    const spilled = [...scope.spills].filter(([, kind]) => kind.kind === 'scalar');
    if (spilled.length > 0 && random.chance(0.2)) {
      const [off, kind] = random.pick(spilled);
      code.load(8, reg, FP, off);
      scope.regs[reg] = kind;
      return reg;
    }
    const value = random.immediate();
    if (random.chance(0.15)) {
      code.wide(reg, 0, value, random.pick([0, -1, random.immediate()]));
      scope.regs[reg] = UNKNOWN_SCALAR;
      return reg;
    }
    const wide = random.chance(0.7);
    code.movK(reg, value, wide);
    scope.regs[reg] = value >= 0 ? scalarUpTo(value) : wide ? UNKNOWN_SCALAR : scalarUpTo(value >>> 0);
    return reg;
  }

  /** A scalar that the verifier knows nothing of, in this register. */
  unknown(reg: number): number {
    const { code, scope } = this;
    const ctx = this.having('ctx')[0];
    const field = this.section.readable.find(({ reg: type, size }) => type === undefined && size === 4);
    const memory = this.having('memory').find((candidate) => this.kindOf(candidate, 'memory')!.size >= 8);
    if (memory !== undefined && this.random.chance(0.6)) {
      const kind = this.kindOf(memory, 'memory')!;
      if (kind.off === 0) {
        const size = this.random.pick([1, 2, 4, 8]);
        code.load(size, reg, memory, 0);
        scope.regs[reg] = size === 8 ? UNKNOWN_SCALAR : scalarUpTo(2 ** (8 * size) - 1);
        return reg;
      }
    }
    if (ctx !== undefined && field !== undefined && this.random.chance(0.6)) {
      code.load(4, reg, ctx, field.off);
      scope.regs[reg] = scalarUpTo(0xffffffff);
      return reg;
    }
    if (this.around.locked) return this.newScalar(reg);
    this.saveCallerRegisters();
    code.callHelper(this.kernel.helper(this.random.pick(['bpf_get_prandom_u32', 'bpf_ktime_get_ns'])));
    scope.called(UNKNOWN_SCALAR);
    if (reg !== 0) {
      code.movX(reg, 0);
      scope.regs[reg] = UNKNOWN_SCALAR;
    }
    return reg;
  }

  /** Moves what r1 to r5 hold and later steps may want to where a call leaves it. */
  saveCallerRegisters(): void {
    const { scope, code } = this;
    for (let reg = 1; reg <= 5; reg++) {
      const kind = scope.regs[reg];
      if (kind === null || kind === undefined || kind.kind === 'scalar' || kind.kind === 'stack' || kind.kind === 'map') continue;
      if (scope.regs.some((other, at) => at >= 6 && other?.kind === kind.kind)) continue;
      const keeper = this.keeper();
      if (keeper === null || (scope.regs[keeper] !== null && scope.regs[keeper]?.kind !== 'scalar')) continue;
      code.movX(keeper, reg);
      scope.regs[keeper] = kind;
    }
  }

  /** A map for a role: one that the program has, or a new one. */
  map(role: MapRole): UsedMap {
    const candidates = PALETTE.filter((entry) => entry.role === role);
    const fitting = this.wrong() ? candidates : candidates.filter(({ make }) => this.mayUse(make()));
    return this.addMap(this.random.pick(fitting.length === 0 ? candidates : fitting).make());
  }

  /** Whether a map of the role may be held; sometimes also where it may not. */
  mayMap(role: MapRole): boolean {
    return this.wrongMoreOften(3) || PALETTE.some((entry) => entry.role === role && this.mayUse(entry.make()));
  }

  anyMap(): UsedMap {
    return this.addMap(this.random.pick(PALETTE).make());
  }

  /** A map whose value can be addressed without a lookup. */
  directMap(): UsedMap {
    const arrays = PALETTE.filter(({ role }) => role === 'values' || role === 'constants').map(({ make }) => make());
    return this.addMap(this.random.pick(arrays.filter(({ type, maxEntries }) => type === MAP_TYPES.array && maxEntries === 1)));
  }

  /** Whether programs of the section may hold a map (check_map_prog_compatibility), of some types beside those they have. */
  mayUse(def: MapDef): boolean {
    if (SINGLE.has(def.type) && this.maps.some((used) => used.def !== def && used.def.type === def.type)) return false;
    return this.kernel.mayHold(this.section, def);
  }

  addMap(def: MapDef): UsedMap {
    const found = this.maps.find((used) => used.def === def);
    if (found !== undefined) return found;
    const used = { index: this.maps.length, def };
    this.maps.push(used);
    return used;
  }

  loadMap(reg: number, map: UsedMap): void {
    this.code.wide(reg, 1, map.index, 0);
    this.scope.regs[reg] = { kind: 'map', map: map.index };
  }

  /** Writes data to `size` bytes of stack and answers their offset. */
  stackData(size: number): number {
    const { random, scope } = this;
    const off = this.stackSpace(size, random.chance(0.98) ? 8 : 1);
    if (scope.isData(off, size)) return off;
    if (this.wrong()) return off;
    for (let at = 0; at < size; ) {
      const step = size - at >= 8 && (off + at) % 8 === 0 ? 8 : size - at >= 4 && (off + at) % 4 === 0 ? 4 : 1;
      if (random.chance(0.5) && this.having('scalar').length > 0) {
        this.code.store(step, FP, off + at, random.pick(this.having('scalar')));
      } else this.code.storeImm(step, FP, off + at, random.immediate());
      scope.write(off + at, step, null);
      at += step;
    }
    return off;
  }

  /** Offset of stack bytes that may be written. */
  stackSpace(size: number, alignment = 8): number {
    const { random, scope } = this;
    const reach = random.chance(0.8) ? 64 : random.pick([16, 128, 256, 512]);
    for (let tries = 0; tries < 12; tries++) {
      const slots = Math.max(1, Math.floor((Math.max(reach, size) - size) / alignment) + 1);
      const off = -(size + alignment * random.below(slots));
      const aligned = alignment === 8 ? -Math.ceil(-off / 8) * 8 : off;
      if (aligned >= -STACK_BYTES && scope.isFree(aligned, size)) return aligned;
    }
    for (let off = -8 * Math.ceil(size / 8); off >= -STACK_BYTES; off -= 8) if (scope.isFree(off, size)) return off;
    return -STACK_BYTES;
  }

  /** A register that points to the stack at `off`. */
  stackPointer(reg: number, off: number): void {
    this.code.movX(reg, FP);
    this.code.aluK(0x00, reg, this.wrong() ? off + this.random.between(-16, 16) : off);
    this.scope.regs[reg] = { kind: 'stack', off };
  }

  /** Leaves the function, with a result that its callers take. */
  exit(): void {
    const { code, scope, random } = this;
    const limit = this.current === null ? this.mainResultLimit() : this.current.maxResult;
    const kind = scope.regs[0];
    if (this.wrongMoreOften(0.5)) code.movX(0, random.chance(0.5) ? FP : random.pick([1, 6, 7, 8, 9]));
    const fits = kind?.kind === 'scalar' && kind.max <= limit;
    if (!fits && !this.wrong()) {
      if (kind?.kind === 'scalar' && limit >= 1 && random.chance(0.4)) code.aluK(0x50, 0, 1);
      else code.movK(0, limit >= 1 && random.chance(0.5) ? 1 : 0, random.chance(0.7));
    }
    code.exit();
    scope.isEnded = true;
  }

  mainResultLimit(): number {
    const range = this.section.progType.returnRange(this.section.subject);
    if (range === null || typeof range === 'string') return Number.POSITIVE_INFINITY;
    return range.min <= 0 && range.max >= 0 ? range.max : 0;
  }

  /** The program as it stands. */
  finish(name: string, flags: number): Program {
    const { kind, section } = this.section;
    const insns = this.code.finish();
    const described = (this.functions.length > 0 || this.allocates) && !this.wrongMoreOften(4);
    const context = this.section.progType.contextStruct;
    const tag = this.catcher === null ? '' : ` __attribute__((btf_decl_tag("exception_callback:${this.catcher}")))`;
    const main = `int ${name}(${context === null ? 'void' : `struct ${context}`} *ctx)${tag}`;
    const functions = this.functions.map(({ prototype, role }) => (role === 'global' ? prototype : `static ${prototype}`));
    const types = this.allocates ? OBJECT_TYPES : typesOf(this.maps.map(({ def }) => def));
    const btf = described || types !== '' ? btfOfFunctions(types, described ? [main, ...functions] : [], context) : null;
    const typeOf = (wanted: string): number => btf?.findByName(wanted, 'FUNC')?.id ?? 0;
    return {
      name,
      section,
      type: kind.type,
      expectedAttachType: kind.expectedAttachType,
      hasAttachType: kind.hasAttachType,
      attach: kind.attach,
      flags: kind.flags | flags,
      license: this.wrong() ? this.random.pick(OTHER_LICENSES) : 'GPL',
      insns: insns.length === 0 ? [insn(0x95, 0, 0, 0, 0)] : insns,
      maps: this.maps.map(({ def }) => (def.btf === null || btf === null ? def : withBtf(def, btf))),
      btf,
      funcInfo: described
        ? [
            { insn: 0, typeId: typeOf(name) },
            ...this.functions.map((func) => ({ insn: func.label.at, typeId: typeOf(func.name) })),
          ]
        : [],
      lineInfo: [],
      loadError: null,
    };
  }
}
