import { errorText } from '../../sys/record.ts';

/** What a command of the sample leaves behind. */
export interface CrOutcome {
  /** exit status as the sample's main() gives it */
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Collects what a command prints. */
export class CrOutput {
  #stdout: Uint8Array[] = [];
  #stderr = '';

  print(text: string): void {
    this.#stdout.push(new TextEncoder().encode(text));
  }

  write(bytes: Uint8Array): number {
    this.#stdout.push(bytes);
    return bytes.length;
  }

  /** A line on standard error; `error`, a negative error number, is what `%m` says. */
  fail(text: string, error?: number): void {
    this.#stderr += error === undefined ? `${text}\n` : `${text}: ${errorText(-error)}\n`;
  }

  done(status: number): CrOutcome {
    const size = this.#stdout.reduce((sum, piece) => sum + piece.length, 0);
    const stdout = new Uint8Array(size);
    let at = 0;
    for (const piece of this.#stdout) {
      stdout.set(piece, at);
      at += piece.length;
    }
    return { status: status & 0xff, stdout, stderr: this.#stderr };
  }
}
