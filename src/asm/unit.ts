import type { Insn } from '../isa/insn.ts';
import type { Diagnostics, Position } from './diagnostics.ts';
import type { SourceNote } from './scan.ts';
import type { Draft } from './statement.ts';

/** A function that begins inside a unit. */
export interface UnitFunction {
  readonly name: string;
  readonly slot: number;
  /** C prototype as written, or null */
  readonly prototype: { readonly text: string; readonly at: Position } | null;
  /** id of its FUNC in the `.btf` of the file, or null */
  readonly typeId: number | null;
  readonly at: Position;
}

export interface PlacedDraft {
  readonly slot: number;
  readonly draft: Draft;
  readonly text: string;
  readonly at: Position;
}

export interface PlacedNote {
  readonly slot: number;
  readonly note: SourceNote;
}

/**
 * Code that stays together: a program with the functions written after it, or one function that several programs share.
 * Labels are known inside it only.
 */
export class Unit {
  readonly kind: 'program' | 'shared';
  readonly name: string;
  readonly at: Position;
  readonly drafts: PlacedDraft[] = [];
  readonly labels = new Map<string, number>();
  readonly functions: UnitFunction[] = [];
  readonly notes: PlacedNote[] = [];
  readonly #diagnostics: Diagnostics;
  readonly #bySlot = new Map<number, PlacedDraft>();
  /** numeric labels may be defined again and again: name → slots, ascending */
  readonly #nearby = new Map<string, number[]>();
  /** labels that hold where the text defines none of that name */
  readonly #implied = new Map<string, number>();
  #pending: ((slot: number) => void)[] = [];
  #numbered: boolean | null = null;
  #end = 0;

  constructor(kind: Unit['kind'], name: string, at: Position, diagnostics: Diagnostics) {
    this.kind = kind;
    this.name = name;
    this.at = at;
    this.#diagnostics = diagnostics;
  }

  /** Number of slots so far. */
  get length(): number {
    return this.#end;
  }

  get isEmpty(): boolean {
    return this.drafts.length === 0;
  }

  label(name: string, at: Position): void {
    this.#pending.push((slot) => {
      if (/^\d+$/.test(name)) {
        this.#nearby.set(name, [...(this.#nearby.get(name) ?? []), slot]);
      } else if (this.labels.has(name) && this.labels.get(name) !== slot) {
        this.#diagnostics.add(`label '${name}' is defined twice`, at);
      } else {
        this.labels.set(name, slot);
      }
    });
  }

  /** The next instruction has this name, unless a label or an earlier instruction has it. */
  imply(name: string): void {
    this.#pending.push((slot) => {
      if (!this.#implied.has(name)) this.#implied.set(name, slot);
    });
  }

  function(name: string, prototype: UnitFunction['prototype'], typeId: number | null, at: Position): void {
    this.#pending.push((slot) => {
      this.functions.push({ name, slot, prototype, typeId, at });
    });
    this.label(name, at);
  }

  note(note: SourceNote): void {
    this.#pending.push((slot) => {
      const last = this.notes.at(-1);
      if (last?.slot !== slot) this.notes.push({ slot, note });
    });
  }

  /** Takes one instruction; `slot` is the number that a pasted log shows, in which each may occur many times. */
  add(draft: Draft, text: string, at: Position, slot: number | null): void {
    const isNumbered = slot !== null;
    if (this.#numbered !== null && this.#numbered !== isNumbered) {
      this.#diagnostics.add('instructions with and without a slot number cannot be mixed', at);
      return;
    }
    this.#numbered = isNumbered;
    const place = slot ?? this.#end;
    for (const settle of this.#pending) settle(place);
    this.#pending = [];
    const known = this.#bySlot.get(place);
    if (known !== undefined) {
      if (known.text !== text)
        this.#diagnostics.add(`slot ${place} is shown with another instruction on line ${known.at.line}`, at);
      return;
    }
    const placed = { slot: place, draft, text, at };
    this.#bySlot.set(place, placed);
    this.drafts.push(placed);
    this.#end = Math.max(this.#end, place + (draft.second === null ? 1 : 2));
  }

  raw(insn: Insn, at: Position): void {
    this.add({ insn, second: null, reference: null, column: 0 }, '', at, null);
  }

  /** Orders what a log showed and settles what stands at the end. */
  close(): void {
    for (const settle of this.#pending) settle(this.#end);
    this.#pending = [];
    if (this.#numbered !== true) return;
    this.drafts.sort((a, b) => a.slot - b.slot);
    const first = this.drafts[0]!.slot;
    let next = first;
    for (const { slot, draft, at } of this.drafts) {
      if (slot !== next) this.#diagnostics.add(`slot ${next} is not in this listing`, at);
      next = slot + (draft.second === null ? 1 : 2);
    }
    if (first === 0) return;
    // a listing of one function of an object may start anywhere
    for (const [i, placed] of this.drafts.entries()) this.drafts[i] = { ...placed, slot: placed.slot - first };
    for (const [name, slot] of this.labels) this.labels.set(name, slot - first);
    for (const [i, entry] of this.functions.entries()) this.functions[i] = { ...entry, slot: entry.slot - first };
    for (const [i, entry] of this.notes.entries()) this.notes[i] = { ...entry, slot: entry.slot - first };
    this.#end -= first;
  }

  /** The slot that a label names as seen from `from`: `3f` is the next `3:`, `3b` the last one. */
  slotOf(target: string, from: number): number | null {
    const nearby = /^(\d+)([fb])$/.exec(target);
    if (nearby === null) return this.labels.get(target) ?? this.#implied.get(target) ?? null;
    const slots = this.#nearby.get(nearby[1]!) ?? [];
    const found = nearby[2] === 'f' ? slots.find((slot) => slot > from) : slots.findLast((slot) => slot <= from);
    return found ?? null;
  }
}
