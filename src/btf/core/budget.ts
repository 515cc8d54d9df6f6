import { BtfError } from '../error.ts';

/** Steps of work that one question may take: far more than real types need, and few enough to end soon. */
export class Budget {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  spend(typeId: number): void {
    if (--this.#left < 0) throw new BtfError('types too large to compare', { typeId });
  }
}
