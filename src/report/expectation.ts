import type { Expectation } from '../program/program.ts';
import type { ProgramReport } from './program_report.ts';

/** A message as an expectation writes it: text that the log contains, or a regular expression between slashes. */
function find(pattern: string, log: string, from: number): { readonly end: number } | null {
  if (pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/')) {
    const expression = new RegExp(pattern.slice(1, -1), 'gm');
    expression.lastIndex = from;
    const match = expression.exec(log);
    return match === null ? null : { end: match.index + match[0].length };
  }
  const at = log.indexOf(pattern, from);
  return at === -1 ? null : { end: at + pattern.length };
}

/** Log level at which the messages of an expectation are looked for. */
export const expectedLogLevel = (expectation: Expectation): number => (expectation.logLevel === 0 ? 1 : expectation.logLevel);

/**
 * In what a verdict differs from what was expected of it, one line each; empty when in nothing. Messages are looked for in the log,
 * or in the report's message where there is no log, in their order.
 */
export function verdictFailures(expectation: Expectation, report: ProgramReport): string[] {
  const failures: string[] = [];
  const { verdict, errno, messages, notMessages } = expectation;
  const said = report.message === null || report.message === '' ? '' : ` (${report.message})`;
  if (verdict !== null && verdict !== report.verdict) failures.push(`verdict is ${report.verdict}${said}, expected ${verdict}`);
  if (errno !== null && errno !== report.errno) failures.push(`error is ${report.errno ?? 'none'}, expected ${errno}`);
  const log = report.log === undefined || report.log === '' ? (report.message ?? '') : report.log;
  let from = 0;
  for (const message of messages) {
    const found = find(message, log, from);
    if (found === null) failures.push(`the log lacks ${JSON.stringify(message)}${said}`);
    else from = found.end;
  }
  for (const message of notMessages) {
    if (find(message, log, 0) !== null) failures.push(`the log has ${JSON.stringify(message)}`);
  }
  return failures;
}

/** Whether a run returned what was expected: 32 bits, as BPF_PROG_TEST_RUN gives them. */
export function returnFailures({ returns }: Expectation, retval: number): string[] {
  if (returns === null || (returns | 0) === (retval | 0)) return [];
  return [`returned ${retval | 0}, expected ${returns | 0}`];
}
