import { errnoName } from '../contracts/errors.ts';
import type { ExpectedRun } from '../program/expected_case.ts';
import { messageMismatch } from './match_messages.ts';
import type { Observation } from './observe.ts';

const LARGEST_ERROR = 4095n;

/** The low half as a signed number where the program returns an int, all of it where it is an error number. */
export function resultText(result: bigint): string {
  const signed = BigInt.asIntN(64, result);
  if (signed < 0n && signed >= -LARGEST_ERROR) return `${signed} (${errnoName(Number(-signed))})`;
  return String(signed);
}

const shown = (value: unknown): string => (value === null ? 'none' : JSON.stringify(value));

/** How what was seen differs from what is expected of a run; null when it does not. */
export function runMismatch(expected: ExpectedRun, seen: Observation): string | null {
  const why = seen.message === null ? '' : `: ${seen.message}`;
  if (expected.verdict !== null && expected.verdict !== seen.verdict)
    return `${expected.verdict} was expected, but the verdict is ${seen.verdict}${why}`;
  if (expected.errno !== null && expected.errno !== seen.errno)
    return `${expected.errno} was expected, not ${shown(seen.errno)}${why}`;
  const message = messageMismatch(seen.log, { messages: expected.messages, notMessages: [], notMessagesAfter: [] });
  if (message !== null) return message;
  const reason = expected.unsound.find((text) => !seen.unsound.includes(text));
  if (reason !== undefined) return `the verdict was to say that it is unsound: ${reason}`;
  return endMismatch(expected, seen) ?? outputMismatch(expected, seen) ?? numbersMismatch(expected, seen);
}

const happens = ({ attach, returns, printk, output, readError, rings, link }: ExpectedRun): boolean =>
  attach !== null ||
  returns !== null ||
  printk !== null ||
  output !== null ||
  readError !== null ||
  rings.length > 0 ||
  link.length > 0;

/** How a run ended. One of which nothing is said but the verdict may not have ended in a fault or an error either. */
function endMismatch(expected: ExpectedRun, seen: Observation): string | null {
  if (seen.verdict !== 'accept') return happens(expected) ? `a run was expected, but the verdict is ${seen.verdict}` : null;
  if (expected.fault !== null) {
    return seen.fault?.includes(expected.fault) === true
      ? null
      : `a fault was expected, ${expected.fault}, not ${shown(seen.fault)}`;
  }
  if (seen.fault !== null) return `the run ended with a fault: ${seen.fault}`;
  const step = expected.attach === null ? null : `attach: ${expected.attach}`;
  if (step !== seen.step) return `${step ?? 'success'} was expected, not ${seen.step ?? 'success'}`;
  if (expected.readError !== seen.readError)
    return `reads were to end with ${shown(expected.readError)}, not ${shown(seen.readError)}`;
  return null;
}

function outputMismatch({ printk, output, link }: ExpectedRun, seen: Observation): string | null {
  if (output !== null && output !== seen.output) return `${shown(output)} was to be read, not ${shown(seen.output)}`;
  if (printk !== null && printk.join('\n') !== seen.printk.join('\n'))
    return `${shown(printk)} was to be printed, not ${shown(seen.printk)}`;
  const missing = link.find((line) => !seen.link.includes(line));
  return missing === undefined ? null : `the link was to say ${shown(missing)}, not ${shown(seen.link)}`;
}

function numbersMismatch({ returns, rings }: ExpectedRun, seen: Observation): string | null {
  if (returns !== null && (seen.result === null || BigInt.asIntN(32, returns) !== BigInt.asIntN(32, seen.result))) {
    return `${returns} was to be returned, not ${seen.result === null ? 'nothing' : resultText(seen.result)}`;
  }
  for (const { map, number, value } of rings) {
    const got = seen.rings.get(map)?.[number];
    if (got !== value) return `${number} of ${map} was to be ${value}, not ${got ?? 'unknown: there is no such ring'}`;
  }
  return null;
}
