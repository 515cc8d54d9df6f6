import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { KeptProgram } from '../fuzz/campaign_report.ts';
import type { WorkerAnswer, WorkerOrder, WorkerTask } from './fuzz_worker.ts';

const WORKER_PLACES = ['./fuzz_worker.js', './fuzz_worker.ts'];

/** Code of the workers that is not built yet needs what reads TypeScript. */
const workerFor = (place: string, task: WorkerTask): Worker =>
  place.endsWith('.ts')
    ? new Worker(`import('tsx/esm/api').then(({ register }) => { register(); import(${JSON.stringify(place)}); })`, {
        eval: true,
        workerData: task,
      })
    : new Worker(place, { workerData: task });

/** The workers of a campaign, each with its next order as soon as it has answered. */
export class Crew {
  readonly #workers: readonly Worker[];
  readonly #ready: readonly Promise<unknown>[];

  constructor(task: WorkerTask, jobs: number) {
    const place = WORKER_PLACES.map((path) => fileURLToPath(new URL(path, import.meta.url))).find(existsSync);
    if (place === undefined) throw new Error('the code of the workers is not installed');
    this.#workers = Array.from({ length: jobs }, () => workerFor(place, task));
    this.#ready = this.#workers.map(answerOf);
  }

  /** Gives out the orders of a round until there are none; `told` gets every answer, in the order of the orders. */
  async round(
    kept: readonly KeptProgram[],
    next: () => WorkerOrder | null,
    told: (answer: WorkerAnswer, order: WorkerOrder) => void,
  ): Promise<void> {
    await Promise.all(this.#ready);
    const waiting: { readonly order: WorkerOrder; answer: WorkerAnswer | null }[] = [];
    const tellWhatIsDue = (): void => {
      for (let first = waiting[0]; first !== undefined && first.answer !== null; first = waiting[0]) {
        waiting.shift();
        told(first.answer, first.order);
      }
    };
    const work = async (worker: Worker): Promise<void> => {
      let isFirst = true;
      for (let order = next(); order !== null; order = next()) {
        const place: (typeof waiting)[number] = { order, answer: null };
        waiting.push(place);
        const answer = answerOf(worker);
        worker.postMessage(isFirst ? { ...order, kept } : order);
        isFirst = false;
        place.answer = (await answer) as WorkerAnswer;
        tellWhatIsDue();
      }
    };
    await Promise.all(this.#workers.map(work));
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

const answerOf = (worker: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const settle = (answer: unknown): void => {
      worker.off('error', reject);
      resolve(answer);
    };
    worker.once('message', settle);
    worker.once('error', reject);
  });
