import { ERRNO } from '../contracts/errors.ts';
import { parseWord64 } from '../isa/word64.ts';
import type { ExpectedCase } from '../program/expected_case.ts';
import { type Expectation, PROG_FLAGS } from '../program/program.ts';
import type { Diagnostics } from './diagnostics.ts';
import { CaseReader } from './expected_cases.ts';
import { readFlags } from './map_table.ts';
import type { ExpectLine } from './outline.ts';

export interface ReadExpectation {
  /** null when nothing is expected */
  readonly expectation: Expectation | null;
  /** PROG_FLAGS that the program is to be loaded with */
  readonly flags: number;
  readonly cases: readonly ExpectedCase[];
}

type Verdict = NonNullable<Expectation['verdict']>;

const VERDICTS: readonly string[] = ['accept', 'reject', 'unknown', 'not-loaded'] satisfies Verdict[];

interface Draft {
  verdict: Expectation['verdict'];
  readonly messages: string[];
  readonly notMessages: string[];
  readonly notMessagesAfter: number[];
  errno: string | null;
  logLevel: number;
  flags: number;
  caps: readonly string[];
  returns: number | null;
  unchecked: readonly string[];
  skip: string | null;
  description: string;
  isNamed: boolean;
}

const draft = (): Draft => ({
  verdict: null,
  messages: [],
  notMessages: [],
  notMessagesAfter: [],
  errno: null,
  logLevel: 0,
  flags: 0,
  caps: [],
  returns: null,
  unchecked: [],
  skip: null,
  description: '',
  isNamed: false,
});

const CAPABILITIES: readonly string[] = ['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN'];

const finish = ({ isNamed: _, ...fields }: Draft, unprivileged: Expectation | null): Expectation => ({ ...fields, unprivileged });

/**
 * What `.expect` lines say: `verdict`, `message`, `not_message`, `errno`, `return`, `log_level`, `flags`, `test_flags`,
 * `unchecked`, `skip`, `description`, and `caps` of an unprivileged load. `flags` are those of the program, on either side. From
 * the first `case` on they tell of runs in worlds.
 */
export function readExpectation(lines: readonly ExpectLine[], diagnostics: Diagnostics): ReadExpectation {
  const privileged = draft();
  const unprivileged = draft();
  let flags = 0;
  const cases = new CaseReader(diagnostics);
  const firstCase = lines.findIndex(({ key }) => key === 'case');
  const ofLoad = firstCase < 0 ? lines : lines.slice(0, firstCase);
  for (const line of lines.slice(ofLoad.length)) cases.take(line);
  for (const { key, values, isUnprivileged, at } of ofLoad) {
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
        into.notMessagesAfter.push(into.messages.length);
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
      case 'flags':
      case 'test_flags': {
        const { value: bits, unknown } = readFlags(value, PROG_FLAGS);
        if (unknown !== null) fail(`no program flag '${unknown}'`);
        else if (key === 'flags') flags |= bits;
        else into.flags |= bits;
        break;
      }
      case 'unchecked':
        into.unchecked = [...into.unchecked, value];
        break;
      case 'skip':
        into.skip = value;
        break;
      case 'caps': {
        const names = value.split('|');
        const unknown = names.find((name) => !CAPABILITIES.includes(name));
        if (unknown !== undefined) fail(`no capability '${unknown}': ${CAPABILITIES.join(', ')}`);
        else if (!isUnprivileged) fail('capabilities are kept by unprivileged loads: .expect unprivileged caps');
        else into.caps = names;
        break;
      }
      case 'description':
        into.description = value;
        break;
      default:
        fail(`.expect has no key '${key}'`);
    }
  }
  if (!privileged.isNamed && !unprivileged.isNamed) return { expectation: null, flags, cases: cases.cases };
  const without = unprivileged.isNamed ? finish(unprivileged, null) : null;
  return { expectation: finish(privileged, without), flags, cases: cases.cases };
}
