import { never } from '../contracts/errors.ts';
import {
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
} from '../isa/constants.ts';
import { type Insn, insn } from '../isa/insn.ts';
import type { Diagnostics, Position } from './diagnostics.ts';
import type { Reference } from './statement.ts';
import { POISON_CALL_KFUNC_BASE, type Symbols } from './symbols.ts';
import type { PlacedDraft, PlacedNote, Unit, UnitFunction } from './unit.ts';

export interface LinkedFunction {
  readonly slot: number;
  readonly declared: UnitFunction;
}

/** The instructions of one program with all that it calls. */
export interface LinkedProgram {
  readonly insns: readonly Insn[];
  readonly functions: readonly LinkedFunction[];
  readonly notes: readonly PlacedNote[];
  readonly loadError: string | null;
}

interface Resolved {
  readonly src?: number;
  readonly off?: number;
  readonly imm?: number;
  /** high word of an `ld_imm64` */
  readonly second?: number;
}

/**
 * Puts a program together: its own unit first, then every shared function at its first use, depth first, as libbpf appends
 * subprograms. Source: bpf_object__reloc_code, tools/lib/bpf/libbpf.c.
 */
export class Linker {
  readonly #symbols: Symbols;
  readonly #diagnostics: Diagnostics;
  readonly #owner: ReadonlyMap<string, string>;
  readonly #insns: Insn[] = [];
  readonly #functions: LinkedFunction[] = [];
  readonly #notes: PlacedNote[] = [];
  readonly #bases = new Map<Unit, number>();
  #loadError: string | null = null;

  /** `owner` names the program that each function inside a program belongs to. */
  constructor(symbols: Symbols, owner: ReadonlyMap<string, string>, diagnostics: Diagnostics) {
    this.#symbols = symbols;
    this.#owner = owner;
    this.#diagnostics = diagnostics;
  }

  link(unit: Unit): LinkedProgram {
    this.#place(unit);
    const bySlot = <T extends { readonly slot: number }>(list: readonly T[]): T[] => [...list].sort((a, b) => a.slot - b.slot);
    return {
      insns: this.#insns,
      functions: bySlot(this.#functions),
      notes: bySlot(this.#notes),
      loadError: this.#loadError,
    };
  }

  /** Appends a unit and settles its references; gives where it begins. */
  #place(unit: Unit): number {
    const base = this.#insns.length;
    this.#bases.set(unit, base);
    for (const { draft } of unit.drafts) {
      if (draft.missingField !== undefined) this.#loadError ??= `the kernel has no field ${draft.missingField}`;
      this.#insns.push(draft.insn);
      if (draft.second !== null) this.#insns.push(insn(0, 0, 0, 0, draft.second));
    }
    for (const declared of unit.functions) this.#functions.push({ slot: base + declared.slot, declared });
    for (const { slot, note } of unit.notes) this.#notes.push({ slot: base + slot, note });
    for (const placed of unit.drafts) if (placed.draft.reference !== null) this.#settle(unit, base, placed);
    return base;
  }

  #settle(unit: Unit, base: number, { slot, draft, at }: PlacedDraft): void {
    const place = { line: at.line, column: at.column + draft.column };
    const resolved = this.#resolve(draft.reference!, unit, base, slot, place);
    if (resolved === null) return;
    const { second, ...fields } = resolved;
    const pc = base + slot;
    this.#insns[pc] = { ...this.#insns[pc]!, ...fields };
    if (second !== undefined) this.#insns[pc + 1] = insn(0, 0, 0, 0, second);
  }

  /** Distance from the slot after `slot` to a function of this unit or a shared one; null for an unknown name. */
  #distance(target: string, unit: Unit, base: number, slot: number): number | null {
    const local = unit.slotOf(target, slot);
    if (local !== null) return local - slot - 1;
    const shared = this.#symbols.shared.get(target);
    if (shared === undefined) return null;
    const start = this.#bases.get(shared) ?? this.#place(shared);
    return start - (base + slot) - 1;
  }

  #resolve(reference: Reference, unit: Unit, base: number, slot: number, at: Position): Resolved | null {
    switch (reference.kind) {
      case 'jump': {
        const target = unit.slotOf(reference.target, slot);
        if (target === null) return this.#fail(`no label '${reference.target}'`, at);
        const distance = target - slot - 1;
        if (reference.field === 'off' && (distance < -0x8000 || distance > 0x7fff)) {
          return this.#fail(`'${reference.target}' is ${distance} slots away, too far for 16 bits; use gotol`, at);
        }
        return { [reference.field]: distance };
      }
      case 'call':
        return this.#call(reference, unit, base, slot, at);
      case 'address':
        return this.#address(reference, unit, base, slot, at);
      case 'value': {
        const index = this.#symbols.mapIndex.get(reference.target);
        if (index === undefined) return this.#fail(`no map '${reference.target}'`, at);
        return { src: BPF_PSEUDO_MAP_VALUE, imm: index, second: reference.offset };
      }
      default:
        return never(reference, 'Linker.#resolve');
    }
  }

  #call({ target, only }: Reference & { kind: 'call' }, unit: Unit, base: number, slot: number, at: Position): Resolved | null {
    const distance = this.#distance(target, unit, base, slot);
    if (distance !== null) return { src: BPF_PSEUDO_CALL, imm: distance };
    if (only === 'local') return this.#fail(`no function '${target}'`, at);
    const helper = this.#symbols.helperId(target);
    if (helper !== null) return { src: 0, imm: helper };
    const kfunc = this.#symbols.kfunc(target);
    switch (kfunc?.kind) {
      case 'btf':
        return { src: BPF_PSEUDO_KFUNC_CALL, imm: kfunc.id };
      case 'missing':
        return { src: 0, imm: POISON_CALL_KFUNC_BASE + this.#symbols.externs.get(target)!.index };
      default:
        return this.#unknown(target, 'function, helper or kfunc', at);
    }
  }

  #address(
    { target, addend }: Reference & { kind: 'address' },
    unit: Unit,
    base: number,
    slot: number,
    at: Position,
  ): Resolved | null {
    const symbols = this.#symbols;
    const variable = symbols.variables.get(target);
    if (variable !== undefined) {
      const imm = symbols.sectionIndex.get(variable.section)!;
      return { src: BPF_PSEUDO_MAP_VALUE, imm, second: (variable.offset + addend) | 0 };
    }
    if (addend !== 0) return this.#fail(`'${target}' is no variable: nothing can be added to it`, at);
    const map = symbols.mapIndex.get(target);
    if (map !== undefined) return { src: BPF_PSEUDO_MAP_FD, imm: map, second: 0 };
    const distance = this.#distance(target, unit, base, slot);
    if (distance !== null) return { src: BPF_PSEUDO_FUNC, imm: distance, second: 0 };
    const ksym = symbols.ksym(target);
    switch (ksym?.kind) {
      case 'btf':
        return { src: BPF_PSEUDO_BTF_ID, imm: ksym.id, second: 0 };
      case 'address':
        return { src: 0, imm: ksym.address.lo, second: ksym.address.hi };
      case 'error':
        this.#loadError ??= ksym.message;
        return { src: 0, imm: 0, second: 0 };
      default:
        return this.#unknown(target, 'map, variable, function or extern', at);
    }
  }

  #unknown(target: string, what: string, at: Position): null {
    const owner = this.#owner.get(target);
    if (owner === undefined) return this.#fail(`no ${what} '${target}'`, at);
    return this.#fail(`'${target}' is inside program '${owner}'; functions that programs share go into .section ".text"`, at);
  }

  #fail(message: string, at: Position): null {
    this.#diagnostics.add(message, at);
    return null;
  }
}
