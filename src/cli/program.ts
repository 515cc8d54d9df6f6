import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { AsmCommandOptions, DisasmCommandOptions } from './asm_command.ts';
import { addCommonOptions, addKernelOptions, append, wholeNumber } from './common_options.ts';
import type { CompareCommandOptions } from './compare_command.ts';
import type { CrCommandOptions, CrRestoreOptions } from './cr_command.ts';
import type { ExitStatus } from './exit.ts';
import type { ExplainCommandOptions } from './explain_command.ts';
import { addFuzzOptions, type FuzzOptions } from './fuzz_options.ts';
import type { InspectCommandOptions } from './inspect_command.ts';
import type { IterCommandOptions } from './iter_command.ts';
import { reportProblem } from './problem.ts';
import type { RunCommandOptions } from './run_command.ts';
import type { SelftestCommandOptions } from './selftest_command.ts';
import type { SnapshotCommandOptions } from './snapshot_command.ts';
import type { VerifyCommandOptions } from './verify_command.ts';

const MAX_LOG_LEVEL = 7;
const MAX_PID = 4194304;
const MAX_REPEAT = 1_000_000_000;
const DEFAULT_LOG_LIMIT = 1 << 20;
const DIALECTS = ['kernel', 'ubpf'];
const INPUTS = 'objects, text programs, bytecode; a directory stands for the inputs in it, - for standard input';
const INPUT = 'object, text program or bytecode; - for standard input';

/** The version that the package says it has. */
function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')).version;
    } catch {}
  }
  return 'unknown';
}

const format = (...choices: string[]): Option =>
  new Option('--format <format>', 'how results are printed').choices(choices).default(choices[0]);

const repeat = (text: string): Option => new Option('--repeat <n>', text).argParser(wholeNumber(1, MAX_REPEAT)).default(1);

const addVerifyOptions = (command: Command): Command =>
  command
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
    .addOption(format('text', 'table', 'csv', 'json'))
    .option('-e, --emit <columns>', 'columns of a table or CSV, as veristat names them')
    .option('-s, --sort <columns>', 'order of a table or CSV, as veristat writes it')
    .addOption(repeat('verify N times and report the median of the later half'))
    .option('--against-kernel', 'ask the running kernel too and show where the logs part');

const addRunOptions = (command: Command): Command =>
  command
    .addOption(format('text', 'json'))
    .option('--data <hex>', 'packet, from its link layer header on')
    .option('--data-in <file>', 'packet in a file')
    .option('--ctx-in <file>', 'context as BPF_PROG_TEST_RUN takes it')
    .addOption(
      new Option('--map <name=file>', 'content of a map, JSON as bpftool dumps it (repeatable)')
        .argParser(append<string>)
        .default([], 'empty'),
    )
    .addOption(
      new Option('--prog-array <map[index]=program>', 'program in a slot of a program array (repeatable)')
        .argParser(append<string>)
        .default([], 'as declared'),
    )
    .addOption(repeat('run N times on the same maps and report the last run'))
    .option('--world <file>', 'kernel objects that the program runs among (YAML)')
    .option('--trace', 'print every instruction and the registers it changed')
    .option('--unverified', 'run whatever the verdict is; the checks of the machine stay on')
    .addOption(
      new Option('--seed <n>', 'seed of random numbers and unwritten memory').argParser(wholeNumber(0, 0xffffffff)).default(1),
    )
    .addOption(
      new Option('--wait <nanoseconds>', 'time that passes after the program, in which its timers and work run').argParser(
        wholeNumber(0, Number.MAX_SAFE_INTEGER),
      ),
    );

const overOption = (): Option =>
  new Option(
    '--over <what>',
    'tid=N, pid=N, map=NAME, cgroup=PATH, order=self_only|descendants_pre|descendants_post|ancestors_up, io_uring=PID/FD, epoll=PID/FD (repeatable)',
  )
    .argParser(append<string>)
    .default([], 'everything');

/**
 * The command line. A command's code is loaded when it is called. `done` gets the exit status; what a command throws becomes one
 * line on standard error.
 */
export function buildProgram(done: (status: ExitStatus) => void): Command {
  const answer =
    <Args extends unknown[]>(command: (...args: Args) => Promise<ExitStatus>) =>
    async (...args: Args): Promise<void> => {
      try {
        done(await command(...args));
      } catch (error) {
        done(reportProblem(error));
      }
    };
  const program = new Command('drybpf')
    .description('Verifies and runs Linux BPF programs offline, exactly as Linux would.')
    .version(version(), '-V, --version')
    .exitOverride()
    .showHelpAfterError('(see drybpf --help and drybpf COMMAND --help)');

  addVerifyOptions(addCommonOptions(program.command('verify')))
    .description('the verdict of each program')
    .argument('<file...>', INPUTS)
    .action(
      answer(async (files: string[], options: VerifyCommandOptions) =>
        (await import('./verify_command.ts')).verifyCommand(files, options),
      ),
    );
  addRunOptions(addCommonOptions(program.command('run')))
    .description('verify a program, then run it in a modelled kernel')
    .argument('<file>', INPUT)
    .action(
      answer(async (file: string, options: RunCommandOptions) => (await import('./run_command.ts')).runCommand(file, options)),
    );
  addCommonOptions(program.command('iter'))
    .description('read a seq-file iterator program over a world to the end')
    .argument('<file>', INPUT)
    .option('--world <file>', 'kernel objects to walk (YAML)')
    .addOption(new Option('--read-size <n>', 'bytes of a read').argParser(wholeNumber(1, 1 << 30)).default(65536))
    .addOption(overOption())
    .option('--through <pid/fd>', 'let this io_uring ring of the world submit the reads')
    .option('--close-link', 'close the link, and the descriptor that is walked, before the first read')
    .option('--link-info', 'say on standard error what the kernel tells of the link')
    .option('--strace', 'show the system calls on standard error')
    .action(
      answer(async (file: string, options: IterCommandOptions) => (await import('./iter_command.ts')).iterCommand(file, options)),
    );
  addKernelOptions(program.command('compare'))
    .description('one sample under every revision of an entry, side by side')
    .argument('<name>', 'text program, by path or by the name of a sample such as user_ringbuf/drain')
    .addOption(
      new Option('--entry <name>', 'the entry whose revisions are compared (repeatable)')
        .argParser(append<string>)
        .default([], 'those that the sample names or uses'),
    )
    .option('--prog <name>', 'the program, where there are several')
    .option('--world <file>', "kernel objects (YAML) instead of the sample's own")
    .addOption(overOption())
    .addOption(format('text', 'json'))
    .action(
      answer(async (name: string, options: CompareCommandOptions) =>
        (await import('./compare_command.ts')).compareCommand(name, options),
      ),
    );
  addKernelOptions(program.command('explain'))
    .description('what is known of a helper, kfunc, map type, program type, iterator target, register type or message')
    .argument('<word...>', 'its name, or the words of a message of the verifier')
    .addOption(format('text', 'json'))
    .action(
      answer(async (words: string[], options: ExplainCommandOptions) =>
        (await import('./explain_command.ts')).explainCommand(words, options),
      ),
    );
  const cr = program.command('cr').description('the sample that writes down an io_uring instance and makes it again');
  const addCrOptions = (command: Command): Command =>
    addKernelOptions(command)
      .option('--world <file>', 'instead of the world of the sample')
      .option('--strace', 'show its system calls on standard error');
  addCrOptions(cr.command('app'))
    .description('make the rings of the sample')
    .action(answer(async (options: CrCommandOptions) => (await import('./cr_command.ts')).crAppCommand(options)));
  addCrOptions(cr.command('dump'))
    .description('write the image of a ring to standard output')
    .argument('<pid>', 'process')
    .argument('<fd>', 'descriptor of the ring in that process')
    .action(
      answer(async (pid: string, fd: string, options: CrCommandOptions) =>
        (await import('./cr_command.ts')).crDumpCommand(pid, fd, options),
      ),
    );
  addCrOptions(cr.command('restore'))
    .description('read an image from standard input, print it, and make its rings')
    .option('--dry-run', 'only print it')
    .addOption(
      new Option('--order <order>', "as the sample's comparison sorts, or as it was meant to")
        .choices(['as-written', 'intended'])
        .default('as-written'),
    )
    .action(answer(async (options: CrRestoreOptions) => (await import('./cr_command.ts')).crRestoreCommand(options)));
  program
    .command('snapshot')
    .description("a world with this machine's tasks, from its /proc")
    .addOption(
      new Option('--pid <n>', 'only this process (repeatable)')
        .argParser((text: string, before: number[]) => [...before, wholeNumber(1, MAX_PID)(text)])
        .default([], 'all'),
    )
    .option('-o, --out <file>', 'where it goes')
    .action(answer(async (options: SnapshotCommandOptions) => (await import('./snapshot_command.ts')).snapshotCommand(options)));
  addCommonOptions(program.command('asm'))
    .description('the bytecode of a text program')
    .argument('<file>', 'text program; - for standard input')
    .addOption(new Option('--dialect <name>', 'of the text; told by its content else').choices(DIALECTS))
    .addOption(format('hex', 'bin'))
    .option('-o, --output <file>', 'where it goes')
    .action(
      answer(async (file: string, options: AsmCommandOptions) => (await import('./asm_command.ts')).asmCommand(file, options)),
    );
  addCommonOptions(program.command('disasm'))
    .description('text that assembles to the same programs')
    .argument('<file>', INPUT)
    .addOption(new Option('--dialect <name>', 'of the text').choices(DIALECTS).default('kernel'))
    .option('-o, --output <file>', 'where it goes')
    .action(
      answer(async (file: string, options: DisasmCommandOptions) =>
        (await import('./asm_command.ts')).disasmCommand(file, options),
      ),
    );
  addCommonOptions(program.command('inspect'))
    .description('programs, maps, externs and types of objects')
    .argument('<file...>', INPUTS)
    .addOption(format('text', 'json'))
    .option('--types', 'print the BTF as C too')
    .action(
      answer(async (files: string[], options: InspectCommandOptions) =>
        (await import('./inspect_command.ts')).inspectCommand(files, options),
      ),
    );
  addCommonOptions(program.command('selftest'))
    .description('whether programs do what they say of themselves')
    .argument('<file...>', INPUTS)
    .addOption(format('text', 'json'))
    .option('--verdicts', 'print the verdict and the message of each too')
    .action(
      answer(async (files: string[], options: SelftestCommandOptions) =>
        (await import('./selftest_command.ts')).selftestCommand(files, options),
      ),
    );
  const fuzz = addFuzzOptions(program.command('fuzz'))
    .description('generate programs and hold verifier and machine against each other')
    .action(answer(async (options: FuzzOptions) => (await import('./fuzz_command.ts')).fuzzCommand(options)));
  fuzz
    .command('merge')
    .description('reports of the parts of a campaign as one')
    .argument('<report...>', 'report.json, or a directory that --out named')
    .action(
      answer(async (reports: string[], _options: unknown, command: Command) =>
        (await import('./fuzz_command.ts')).fuzzMergeCommand(reports, command.optsWithGlobals<FuzzOptions>()),
      ),
    );
  program
    .command('conformance')
    .description('plugin of the public ISA conformance runner: program as hexadecimal on standard input')
    .argument('[memory]', 'memory that r1 points to, hexadecimal')
    .option('--elf', 'the input is an object with function main in section .text')
    .action(
      answer(async (memory: string | undefined, options: { elf?: boolean }) =>
        (await import('./conformance_command.ts')).conformanceCommand(memory, options),
      ),
    );
  program
    .command('completion')
    .description('a completion script for bash, zsh or fish')
    .argument('<shell>', 'bash, zsh or fish')
    .action(answer(async (shell: string) => (await import('./completion_command.ts')).completionCommand(shell, program)));
  return program;
}
