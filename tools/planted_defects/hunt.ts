import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Dials } from '../../src/fuzz/dials.ts';
import type { OracleName } from '../../src/fuzz/oracle_names.ts';
import { ROOT } from './bundle.ts';

/** What a worker is asked: programs `from`, `from` + 1, … of a campaign, up to `budget`, until one of the oracles finds something. */
export interface Hunt {
  readonly seed: number;
  readonly from: number;
  readonly budget: number;
  readonly oracles: readonly OracleName[];
  readonly dials: Partial<Dials>;
  readonly mutants: boolean;
}

export interface Catch {
  /** programs that were checked, the one that shows it included */
  readonly programs: number;
  readonly oracle: OracleName;
  readonly message: string;
  /** the program that shows it, made smaller */
  readonly program: string;
}

/** One program, as text, for all oracles. */
export interface Question {
  readonly text: string;
}

export interface Answer {
  readonly verdict: string;
  readonly findings: readonly { readonly oracle: string; readonly message: string }[];
}

/** A bundle in a thread of its own, to which hunts are given one after the other. */
export class Hunter {
  readonly #folder: string;
  readonly #worker: Worker;

  constructor(code: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'drybpf-planted-'));
    const path = join(this.#folder, 'worker.mjs');
    writeFileSync(path, code);
    this.#worker = new Worker(path, { workerData: { root: ROOT } });
  }

  /** What was found first; null where the budget was used up. */
  hunt(hunt: Hunt): Promise<Catch | null> {
    return this.#ask(hunt);
  }

  check(text: string): Promise<Answer> {
    return this.#ask({ text } satisfies Question);
  }

  #ask<T>(order: Hunt | Question): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#worker.once('error', reject);
      this.#worker.once('message', (answer: T) => {
        this.#worker.off('error', reject);
        resolve(answer);
      });
      this.#worker.postMessage(order);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Hunts a defect with one seed. What `control`, the verifier as it is, shows in the same program as well is no catch: the hunt goes
 * on behind it.
 */
export async function huntWithControl(hunter: Hunter, control: Hunter, hunt: Omit<Hunt, 'from'>): Promise<Catch | null> {
  for (let from = 0; from < hunt.budget; ) {
    const caught = await hunter.hunt({ ...hunt, from });
    if (caught === null) return null;
    const { programs } = caught;
    if ((await control.hunt({ ...hunt, from: programs - 1, budget: programs })) === null) return caught;
    from = programs;
  }
  return null;
}
