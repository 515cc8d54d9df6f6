import type { Outcome } from '../contracts/host_call.ts';

/** A remark of the machine on a run, and how often it was made. */
export interface Note {
  readonly text: string;
  /** slot of the instruction; null where none is to blame */
  readonly insn: number | null;
  count: number;
}

/** What others see of a run while it happens. */
export class RunReport {
  readonly printed: string[] = [];
  readonly outcomes: Outcome[] = [];
  readonly #notes = new Map<string, Note>();
  readonly #onPrintk: ((text: string) => void) | null;
  readonly #site: () => number;

  constructor(site: () => number, onPrintk: ((text: string) => void) | null) {
    this.#site = site;
    this.#onPrintk = onPrintk;
  }

  get notes(): readonly Note[] {
    return [...this.#notes.values()];
  }

  printk(text: string): void {
    this.printed.push(text);
    this.#onPrintk?.(text);
  }

  record(outcome: Outcome): void {
    this.outcomes.push(outcome);
  }

  note(text: string): void {
    const site = this.#site();
    const key = `${site} ${text}`;
    const known = this.#notes.get(key);
    if (known !== undefined) known.count++;
    else this.#notes.set(key, { text, insn: site < 0 ? null : site, count: 1 });
  }
}
