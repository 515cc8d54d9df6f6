import { ERRNO } from '../contracts/errors.ts';
import { parseWord64 } from '../isa/word64.ts';
import { type Expectation, PROG_FLAGS } from '../program/program.ts';
import type { Diagnostics } from './diagnostics.ts';
import { readFlags } from './map_table.ts';
import type { ExpectLine } from './outline.ts';

export interface ReadExpectation {
  /** null when nothing is expected */
  readonly expectation: Expectation | null;
  /** PROG_FLAGS that the program is to be loaded with */
  readonly flags: number;
}

type Verdict = NonNullable<Expectation['verdict']>;

const VERDICTS: readonly string[] = ['accept', 'reject', 'unknown', 'not-loaded'] satisfies Verdict[];

interface Draft {
  verdict: Expectation['verdict'];
  readonly messages: string[];
  readonly notMessages: string[];
  errno: string | null;
  logLevel: number;
  returns: number | null;
  description: string;
  isNamed: boolean;
}

const draft = (): Draft => ({
  verdict: null,
  messages: [],
  notMessages: [],
  errno: null,
  logLevel: 0,
  returns: null,
  description: '',
  isNamed: false,
});

const finish = ({ isNamed: _, ...fields }: Draft, unprivileged: Expectation | null): Expectation => ({ ...fields, unprivileged });

/** What `.expect` lines say: `verdict`, `message`, `not_message`, `errno`, `return`, `log_level`, `flags`, `description`. */
export function readExpectation(lines: readonly ExpectLine[], diagnostics: Diagnostics): ReadExpectation {
  const privileged = draft();
  const unprivileged = draft();
  let flags = 0;
  for (const { key, values, isUnprivileged, at } of lines) {
    const into = isUnprivileged ? unprivileged : privileged;
    const value = values.length === 1 ? values[0]!.text : null;
    const fail = (message: string): void => diagnostics.add(message, at);
    if (value === null) {
      fail(`.expect ${key} takes one value`);
      continue;
    }
    into.isNamed = true;
    switch (key) {
      case 'verdict':
        if (VERDICTS.includes(value)) into.verdict = value as Verdict;
        else fail(`no verdict '${value}': ${VERDICTS.join(', ')}`);
        break;
      case 'message':
        into.messages.push(value);
        break;
      case 'not_message':
        into.notMessages.push(value);
        break;
      case 'errno':
        if (Object.hasOwn(ERRNO, value)) into.errno = value;
        else fail(`no error number '${value}'`);
        break;
      case 'return': {
        const word = parseWord64(value);
        if (word === null) fail(`'${value}' is not a number`);
        else into.returns = value.startsWith('-') ? word.lo : word.lo >>> 0;
        break;
      }
      case 'log_level': {
        const level = Number(value);
        if (Number.isInteger(level) && level >= 0 && level <= 7) into.logLevel = level;
        else fail('a log level is from 0 to 7');
        break;
      }
      case 'flags': {
        const { value: bits, unknown } = readFlags(value, PROG_FLAGS);
        if (unknown === null) flags |= bits;
        else fail(`no program flag '${unknown}'`);
        break;
      }
      case 'description':
        into.description = value;
        break;
      default:
        fail(`.expect has no key '${key}'`);
    }
  }
  if (!privileged.isNamed && !unprivileged.isNamed) return { expectation: null, flags };
  const without = unprivileged.isNamed ? finish(unprivileged, null) : null;
  return { expectation: finish(privileged, without), flags };
}
