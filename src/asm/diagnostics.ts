import { type Diagnostic, Malformed } from '../contracts/errors.ts';

/** Where something stands in the text; both 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** After so many errors the rest of the text is not looked at. */
const MAX_DIAGNOSTICS = 50;

/** Collects the errors of one text, so that several are reported at once; throws them when they become too many. */
export class Diagnostics {
  readonly file: string;
  readonly #lines: readonly string[];
  readonly #found: Diagnostic[] = [];

  constructor(file: string, lines: readonly string[]) {
    this.file = file;
    this.#lines = lines;
  }

  add(message: string, { line, column }: Position): void {
    if (this.#found.some((known) => known.line === line && known.column === column && known.message === message)) return;
    this.#found.push({ message, line, column, sourceLine: this.#lines[line - 1] ?? '' });
    if (this.#found.length >= MAX_DIAGNOSTICS) this.throwIfAny();
  }

  /** Throws `Malformed` with everything found, in the order of the text, when there is anything. */
  throwIfAny(): void {
    if (this.#found.length === 0) return;
    const sorted = [...this.#found].sort((a, b) => a.line! - b.line! || a.column! - b.column!);
    const first = sorted[0]!;
    const more = sorted.length > 1 ? ` (and ${sorted.length - 1} more)` : '';
    throw new Malformed(`${this.file}:${first.line}:${first.column}: ${first.message}${more}`, this.file, sorted);
  }
}

const MAX_SHOWN_LINE = 200;
/** What is shown of a long line in front of the place. */
const SHOWN_BEFORE = 100;
const MAX_SHOWN = 20;

/** One diagnostic as a compiler prints it: place and message, the line (of a long one what is around the place), a caret below. */
export function renderDiagnostic(file: string | null, diagnostic: Diagnostic): string {
  const { message, line, column, sourceLine } = diagnostic;
  const place = [file ?? '<input>', line, column].filter((part) => part !== null).join(':');
  if (sourceLine === undefined || column === null) return `${place}: ${message}`;
  const from = column <= MAX_SHOWN_LINE ? 0 : column - 1 - SHOWN_BEFORE;
  const shown = sourceLine.slice(from, from + MAX_SHOWN_LINE);
  const indent = shown.slice(0, column - 1 - from).replace(/[^\t]/g, ' ');
  return `${place}: ${message}\n    ${shown}\n    ${indent}^`;
}

/** The diagnostics of an error, one below the other; of very many the first. */
export function renderMalformed({ file, diagnostics }: Malformed): string {
  const shown = diagnostics.slice(0, MAX_SHOWN).map((diagnostic) => renderDiagnostic(file, diagnostic));
  const left = diagnostics.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('\n');
}
