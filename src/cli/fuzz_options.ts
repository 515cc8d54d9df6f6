import { type Command, InvalidArgumentError, Option } from 'commander';
import { ORACLES, type OracleName } from '../fuzz/oracle_names.ts';
import { wholeNumber } from './common_options.ts';

/** Options of `drybpf fuzz`, as commander hands them over. */
export interface FuzzOptions {
  /** milliseconds */
  readonly time?: number;
  readonly runs?: number;
  readonly seed?: number;
  readonly oracle: readonly OracleName[];
  readonly againstKernel?: boolean;
  readonly shard: Shard;
  readonly out?: string;
  readonly check?: string;
  readonly corpus?: string;
  readonly jobs?: number;
  readonly size?: number;
  readonly wrong?: number;
  readonly mutants?: number;
  readonly format: string;
}

export interface Shard {
  readonly index: number;
  readonly count: number;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const MAX_SEED = 2 ** 20 - 1;
const MAX_RUNS = 2 ** 31;
const MAX_JOBS = 256;

/** `90s`, `10m`, `1h` in milliseconds. */
export function parseTime(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('A time such as 90s, 10m or 1h.');
  return Number(digits) * UNITS[unit ?? 's']!;
}

export function parseOracles(text: string): readonly OracleName[] {
  const words = text.split(',');
  const unknown = words.find((word) => !(ORACLES as readonly string[]).includes(word));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no '${unknown}': ${ORACLES.join(', ')}.`);
  return words as OracleName[];
}

/** `2/8`: the second of eight parts. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (index === undefined || Number(index) < 1 || Number(index) > Number(count)) {
    throw new InvalidArgumentError('A part such as 2/8, the second of eight.');
  }
  return { index: Number(index) - 1, count: Number(count) };
}

const parseShare = (text: string): number => {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('A number from 0 to 1.');
  return value;
};

export const addFuzzOptions = (command: Command): Command =>
  command
    .addOption(new Option('--time <time>', 'how long: 90s, 10m, 1h').argParser(parseTime))
    .addOption(new Option('--runs <n>', 'how many programs').argParser(wholeNumber(1, MAX_RUNS)))
    .addOption(
      new Option('--seed <n>', 'the same seed gives the same programs; a fresh one is printed').argParser(
        wholeNumber(0, MAX_SEED),
      ),
    )
    .addOption(
      new Option('--oracle <list>', `what programs are held against: ${ORACLES.join(', ')}`)
        .argParser(parseOracles)
        .default(ORACLES, 'all'),
    )
    .option('--against-kernel', 'compare with the running kernel; programs are only loaded there')
    .addOption(
      new Option('--shard <i/n>', 'only the i-th of n parts').argParser(parseShard).default({ index: 0, count: 1 }, 'all'),
    )
    .option('--out <dir>', 'where report.json and the programs of findings go; a report that is there goes on')
    .option('--corpus <path>', 'objects or text programs of which mutants are made too')
    .option('--check <file>', 'hold the programs of one input against all oracles')
    .addOption(new Option('--jobs <n>', 'worker threads').argParser(wholeNumber(1, MAX_JOBS)))
    .addOption(new Option('--size <n>', 'instructions of a program, about').argParser(wholeNumber(3, 4000)))
    .addOption(new Option('--wrong <share>', 'how often a choice is made wrong on purpose').argParser(parseShare))
    .addOption(new Option('--mutants <share>', 'how many are mutants of the corpus and of what was kept').argParser(parseShare))
    .addOption(new Option('--format <format>', 'how the report is printed').choices(['text', 'json']).default('text'));
