import type { LogSink } from '../verifier/log/log.ts';
import type { CollectedLog } from './program_report.ts';

const encoder = new TextEncoder();

const utf8Length = (text: string): number => (/[^\0-\x7f]/.test(text) ? encoder.encode(text).length : text.length);

/** The longest start of a text that is at most `bytes` long in UTF-8. */
function utf8Start(text: string, bytes: number): string {
  if (bytes <= 0) return '';
  const { read } = encoder.encodeInto(text, new Uint8Array(Math.min(bytes, 3 * text.length)));
  return text.slice(0, read);
}

/** Keeps the first `limit` bytes of a log and counts the rest. */
export class LogWindow {
  readonly #limit: number;
  #pieces: string[] = [];
  #kept = 0;
  #size = 0;
  #isFull = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  readonly sink: LogSink = (text) => {
    const bytes = utf8Length(text);
    this.#size += bytes;
    if (this.#isFull) return;
    this.#isFull = this.#kept + bytes > this.#limit;
    this.#pieces.push(this.#isFull ? utf8Start(text, this.#limit - this.#kept) : text);
    this.#kept += bytes;
  };

  /** What was collected. */
  collected(): CollectedLog {
    return { text: this.#pieces.join(''), trueSize: this.#size, truncated: this.#isFull };
  }
}
