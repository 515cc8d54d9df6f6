import { warn } from './output.ts';

/** Work that takes longer than this says on standard error how far it is, in milliseconds. */
const PATIENCE = 1000;
/** Between two such lines where standard error is no terminal. */
const PAUSE = 5000;

/** How far a walk over many things is. */
export class Progress {
  readonly #total: number;
  readonly #isTerminal = process.stderr.isTTY === true;
  #next = performance.now() + PATIENCE;
  #isShown = false;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** The next thing begins. */
  step(name: string): void {
    this.#done++;
    const now = performance.now();
    if (now < this.#next) return;
    const text = `[${this.#done}/${this.#total}] ${name}`;
    this.#next = now + (this.#isTerminal ? PATIENCE / 10 : PAUSE);
    this.#isShown = true;
    warn(this.#isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
  }

  /** Takes the line back, so that results can be printed. */
  clear(): void {
    if (this.#isShown && this.#isTerminal) warn('\r\x1b[K');
    this.#isShown = false;
  }
}
