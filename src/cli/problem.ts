import { renderMalformed } from '../asm/diagnostics.ts';
import { BtfError } from '../btf/error.ts';
import { Malformed, Unmodelled } from '../contracts/errors.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { warn } from './output.ts';

/**
 * Says on standard error what was wrong: one line for input that is malformed (with the place and a caret for a text program), and
 * the trace of a bug where `DRYBPF_DEBUG` is set. `about` is the file or program that was looked at; null when none was yet.
 */
export function reportProblem(error: unknown, about: string | null = null): ExitStatus {
  warn(`drybpf: ${problemText(error, about)}\n`);
  return EXIT.question;
}

function problemText(error: unknown, about: string | null): string {
  const prefixed = (file: string | null, text: string): string => (file === null ? text : `${file}: ${text}`);
  if (error instanceof UsageError) return error.message;
  if (error instanceof Malformed) {
    const [first] = error.diagnostics;
    if (first?.line !== null && first?.line !== undefined) return renderMalformed(error);
    return prefixed(error.file ?? about, error.message);
  }
  if (error instanceof BtfError) return prefixed(about, `.BTF: ${error.message}`);
  if (error instanceof Unmodelled) return prefixed(about, `not modelled: ${error.message}`);
  const { name, message, stack } = error instanceof Error ? error : { name: 'Error', message: String(error), stack: undefined };
  const trace = process.env['DRYBPF_DEBUG'] === undefined || stack === undefined ? '' : `\n${stack}`;
  return prefixed(about, `bug in drybpf: ${name}: ${message}${trace}`);
}
