/** What is to happen at a time: timers, work queues, irq work. Actions of the same time run in the order in which they were added. */
export class Agenda<Action> {
  readonly #entries: { readonly at: bigint; readonly ticket: number; readonly action: Action }[] = [];
  #tickets = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** Time of the next action; null when there is none. */
  get next(): bigint | null {
    return this.#entries[0]?.at ?? null;
  }

  /** Answers a ticket, a positive number. */
  add(at: bigint, action: Action): number {
    const ticket = ++this.#tickets;
    let index = this.#entries.length;
    while (index > 0 && this.#entries[index - 1]!.at > at) index--;
    this.#entries.splice(index, 0, { at, ticket, action });
    return ticket;
  }

  /** False when the action has run or never was. */
  cancel(ticket: number): boolean {
    const index = this.#entries.findIndex((entry) => entry.ticket === ticket);
    if (index < 0) return false;
    this.#entries.splice(index, 1);
    return true;
  }

  /** Takes the first action that is due; null when none is. */
  takeDue(now: bigint): Action | null {
    const first = this.#entries[0];
    if (first === undefined || first.at > now) return null;
    this.#entries.shift();
    return first.action;
  }
}
