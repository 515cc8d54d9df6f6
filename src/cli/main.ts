#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { addCommonOptions, wholeNumber } from './common_options.ts';
import { EXIT, type ExitStatus } from './exit.ts';
import { reportProblem } from './problem.ts';
import type { VerifyCommandOptions } from './verify_command.ts';

const FORMATS = ['text', 'table', 'csv', 'json'];
const MAX_LOG_LEVEL = 7;
const MAX_REPEAT = 1_000_000;
const DEFAULT_LOG_LIMIT = 1 << 20;

/** The version that the package says it has. */
function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')).version;
    } catch {}
  }
  return 'unknown';
}

let status: ExitStatus = EXIT.good;

/** Runs a command; what it throws becomes one line and exit status 2. */
const answer =
  <Args extends unknown[]>(command: (...args: Args) => Promise<ExitStatus>) =>
  async (...args: Args): Promise<void> => {
    try {
      status = await command(...args);
    } catch (error) {
      status = reportProblem(error, 'drybpf');
    }
  };

export function buildProgram(): Command {
  const program = new Command('drybpf')
    .description('Verifies and runs Linux BPF programs offline, exactly as Linux would.')
    .version(version(), '-V, --version')
    .exitOverride()
    .showHelpAfterError('(drybpf --help, drybpf COMMAND --help)')
    .helpCommand(true);

  addCommonOptions(
    program
      .command('verify')
      .description('the verdict of each program')
      .argument('<file...>', 'objects, text programs, bytecode, directories'),
  )
    .addOption(
      new Option('-l, --log-level <n>', 'sum of 1 (branches), 2 (every instruction), 4 (statistics)')
        .argParser(wholeNumber(0, MAX_LOG_LEVEL))
        .default(0),
    )
    .addOption(
      new Option('--log-limit <bytes>', 'how much of a log goes into JSON')
        .argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER))
        .default(DEFAULT_LOG_LIMIT),
    )
    .addOption(new Option('--format <format>', 'how results are printed').choices(FORMATS).default('text'))
    .option('-e, --emit <columns>', 'columns of a table or CSV, as veristat names them')
    .option('-s, --sort <columns>', 'order of a table or CSV, as veristat names it')
    .addOption(
      new Option('--repeat <n>', 'verify N times, report the median of the later half')
        .argParser(wholeNumber(1, MAX_REPEAT))
        .default(1),
    )
    .option('--against-kernel', 'ask the running kernel too and show where the logs part')
    .action(
      answer(async (files: string[], options: VerifyCommandOptions) => {
        const { verifyCommand } = await import('./verify_command.ts');
        return verifyCommand(files, options);
      }),
    );
  return program;
}

try {
  await buildProgram().parseAsync();
} catch (error) {
  // commander has printed what it is about
  status = error instanceof CommanderError ? (error.exitCode === 0 ? EXIT.good : EXIT.question) : reportProblem(error, 'drybpf');
}
process.exitCode = status;
