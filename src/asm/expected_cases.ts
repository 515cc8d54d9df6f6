import { ERRNO } from '../contracts/errors.ts';
import { type ExpectedCase, type ExpectedRun, RING_NUMBERS, type RingNumber, type Situation } from '../program/expected_case.ts';
import type { Diagnostics } from './diagnostics.ts';
import { quote } from './directive.ts';
import type { ExpectLine } from './outline.ts';

type Draft<T> = { -readonly [K in keyof T]: T[K] };

const VERDICTS: readonly string[] = ['accept', 'reject', 'unknown', 'not-loaded'] satisfies ExpectedRun['verdict'][];
const ANYTHING: ExpectedRun = {
  revisions: [''],
  verdict: null,
  errno: null,
  messages: [],
  unsound: [],
  attach: null,
  returns: null,
  printk: null,
  output: null,
  readError: null,
  fault: null,
  rings: [],
  link: [],
};
const NOWHERE: Situation = { world: null, over: [], through: null, closesLink: false, readSizes: [] };

/** The name of an error number: what the keys take that name one. */
const isErrno = (text: string): boolean => Object.hasOwn(ERRNO, text);

/** `-22`, `0x10` or `-EINVAL`. */
function readResult(text: string): bigint | null {
  if (/^-[A-Z0-9]+$/.test(text) && isErrno(text.slice(1))) return -BigInt(ERRNO[text.slice(1) as keyof typeof ERRNO]);
  const match = /^(-?)(0x[0-9a-fA-F]+|\d+)$/.exec(text);
  return match === null ? null : BigInt(match[2]!) * (match[1] === '' ? 1n : -1n);
}

/**
 * Reads the cases of a program, from its first `.expect case` line on.
 *
 *     .expect case NAME
 *     .expect world FILE | over "KEY=VALUE" | through PID/FD | close_link | read_size N …
 *     .expect with "NAME=REVISION,…" … | base
 *     .expect verdict|errno|message|unsound|attach|return|printk|output|read_error|fault|link VALUE
 *     .expect consumer|producer|wakeups MAP N
 *
 * What stands before the first `with` of a case is expected of the kernel as it is; what stands behind one, under each of its
 * revisions.
 */
export class CaseReader {
  readonly #diagnostics: Diagnostics;
  readonly #cases: { name: string; situation: Draft<Situation>; runs: Draft<ExpectedRun>[] }[] = [];

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  get cases(): readonly ExpectedCase[] {
    return this.#cases.map(({ name, situation, runs }) => ({ name, situation, runs: runs.filter(saysSomething) }));
  }

  take({ key, values, at }: ExpectLine): void {
    const fail = (message: string): void => this.#diagnostics.add(message, at);
    const texts = values.map(({ text }) => text);
    const [first] = texts;
    if (key === 'case') {
      if (texts.length !== 1) fail('.expect case takes a name');
      this.#cases.push({ name: first ?? '', situation: { ...NOWHERE }, runs: [{ ...ANYTHING }] });
      return;
    }
    const current = this.#cases.at(-1);
    if (current === undefined) return fail(`.expect ${key} belongs behind .expect case`);
    if (key === 'close_link' && texts.length === 0) {
      current.situation.closesLink = true;
      return;
    }
    if (first === undefined) return fail(`.expect ${key} takes a value`);
    if (this.#situation(current.situation, key, texts, fail)) return;
    if (key === 'with') {
      current.runs.push({ ...ANYTHING, revisions: texts.map((text) => (text === 'base' ? '' : text)) });
      return;
    }
    const problem = expectOf(current.runs.at(-1)!, key, texts);
    if (problem !== null) fail(problem);
  }

  /** False for a key that says nothing of the situation. */
  #situation(into: Draft<Situation>, key: string, texts: readonly string[], fail: (message: string) => void): boolean {
    const [first] = texts;
    switch (key) {
      case 'world':
        into.world = first!;
        return true;
      case 'over':
        into.over = [...into.over, ...texts];
        return true;
      case 'through':
        into.through = first!;
        return true;
      case 'read_size':
        into.readSizes = texts.map(Number);
        if (into.readSizes.some((size) => !Number.isSafeInteger(size) || size < 1)) fail('a read takes at least 1 byte');
        return true;
      default:
        return false;
    }
  }
}

/** What is wrong with a line; null when it is not. */
function expectOf(run: Draft<ExpectedRun>, key: string, texts: readonly string[]): string | null {
  const [value, second] = texts as [string, ...string[]];
  if ((RING_NUMBERS as readonly string[]).includes(key)) {
    const number = Number(second);
    if (texts.length !== 2 || !/^\d+$/.test(second ?? '')) return `.expect ${key} takes the name of a map and a number`;
    run.rings = [...run.rings, { map: value, number: key as RingNumber, value: number }];
    return null;
  }
  if (texts.length !== 1) return `.expect ${key} takes one value`;
  switch (key) {
    case 'verdict':
      run.verdict = value as ExpectedRun['verdict'];
      return VERDICTS.includes(value) ? null : `no verdict '${value}': ${VERDICTS.join(', ')}`;
    case 'errno':
    case 'attach':
    case 'read_error':
      run[key === 'read_error' ? 'readError' : key] = value;
      return isErrno(value) ? null : `no error number '${value}'`;
    case 'message':
      run.messages = [...run.messages, value];
      return null;
    case 'unsound':
      run.unsound = [...run.unsound, value];
      return null;
    case 'link':
      run.link = [...run.link, value];
      return null;
    case 'printk':
      run.printk = [...(run.printk ?? []), value];
      return null;
    case 'output':
      run.output = (run.output ?? '') + value;
      return null;
    case 'fault':
      run.fault = value;
      return null;
    case 'return':
      run.returns = readResult(value);
      return run.returns === null ? `'${value}' is neither a number nor the name of an error` : null;
    default:
      return `.expect has no key '${key}' in a case`;
  }
}

const saysSomething = ({ revisions: _, ...said }: ExpectedRun): boolean =>
  Object.values(said).some((value) => value !== null && !(Array.isArray(value) && value.length === 0));

/** The lines that `CaseReader` reads back. */
export function caseLines({ name, situation, runs }: ExpectedCase): string[] {
  const { world, over, through, closesLink, readSizes } = situation;
  const lines = [
    `case ${quote(name)}`,
    ...(world === null ? [] : [`world ${quote(world)}`]),
    ...over.map((text) => `over ${quote(text)}`),
    ...(through === null ? [] : [`through ${quote(through)}`]),
    ...(closesLink ? ['close_link'] : []),
    ...(readSizes.length === 0 ? [] : [`read_size ${readSizes.join(' ')}`]),
    ...runs.flatMap(runLines),
  ];
  return lines.map((line) => `.expect ${line}`);
}

const runLines = (run: ExpectedRun): string[] => [
  `with ${run.revisions.map((list) => (list === '' ? 'base' : quote(list))).join(' ')}`,
  ...(run.verdict === null ? [] : [`verdict ${run.verdict}`]),
  ...(run.errno === null ? [] : [`errno ${run.errno}`]),
  ...run.messages.map((text) => `message ${quote(text)}`),
  ...run.unsound.map((text) => `unsound ${quote(text)}`),
  ...(run.attach === null ? [] : [`attach ${run.attach}`]),
  ...(run.returns === null ? [] : [`return ${run.returns}`]),
  ...(run.printk ?? []).map((text) => `printk ${quote(text)}`),
  ...(run.output === null ? [] : [`output ${quote(run.output)}`]),
  ...(run.readError === null ? [] : [`read_error ${run.readError}`]),
  ...(run.fault === null ? [] : [`fault ${quote(run.fault)}`]),
  ...run.rings.map(({ map, number, value }) => `${number} ${map} ${value}`),
  ...run.link.map((text) => `link ${quote(text)}`),
];
