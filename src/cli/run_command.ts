import { Fault, Unmodelled } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { insnText } from '../isa/print.ts';
import { bytesOfHex } from '../library/raw_program.ts';
import { type ProgArraySlot, type RunProgramOptions, run } from '../library/run_program.ts';
import { verify } from '../library/verify_program.ts';
import type { ObjectImage, Program } from '../program/program.ts';
import { runReport, runText } from '../report/run_report.ts';
import type { Marks } from '../report/verdict_text.ts';
import { headingText, verdictText } from '../report/verdict_text.ts';
import type { StepHook } from '../vm/engine.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { readInput, textOf } from './inputs.ts';
import { colours, print, warn } from './output.ts';
import { readQuestion } from './question.ts';

export interface RunCommandOptions extends CommonOptions {
  readonly format: 'text' | 'json';
  readonly data?: string;
  readonly dataIn?: string;
  readonly ctxIn?: string;
  readonly map: readonly string[];
  readonly progArray: readonly string[];
  readonly repeat: number;
  readonly trace?: boolean;
  readonly unverified?: boolean;
  readonly seed: number;
  readonly wait?: number;
  readonly world?: string;
}

const marks: Marks = { good: colours.green, bad: colours.red, doubtful: colours.yellow, dim: colours.dim };

/** The one program that is meant. */
function chosenProgram(path: string, image: ObjectImage, isWanted: (path: string, program: Program) => boolean): Program {
  const wanted = image.programs.filter((program) => isWanted(path, program));
  const [program] = wanted;
  if (program !== undefined && wanted.length === 1) return program;
  const names = image.programs.map(({ name }) => name).join(', ');
  throw new UsageError(`${path}: choose one program with --prog: ${names}`);
}

/** `NAME=FILE` into the parsed JSON of the file. */
function readMapContent(text: string): [name: string, content: unknown] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new UsageError(`--map is NAME=FILE, not '${text}'`);
  const file = text.slice(equals + 1);
  try {
    return [text.slice(0, equals), JSON.parse(new TextDecoder().decode(readInput(file)))];
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${file}: no JSON: ${error.message}`);
    throw error;
  }
}

function readSlot(text: string): ProgArraySlot {
  const match = /^([^[\]]+)\[(\d+)\]=(.+)$/.exec(text);
  if (match === null) throw new UsageError(`--prog-array is MAP[INDEX]=PROGRAM, not '${text}'`);
  return { map: match[1]!, index: Number(match[2]), program: match[3]! };
}

const REGISTERS = 11;

const registerText = (registers: Int32Array, n: number): string => {
  const value = (BigInt(registers[2 * n + 1]! >>> 0) << 32n) | BigInt(registers[2 * n]! >>> 0);
  return `r${n}=0x${value.toString(16)}`;
};

/** Prints each instruction with the registers that the one before it changed. */
function tracer(): StepHook {
  const before = new Int32Array(2 * REGISTERS);
  return ({ program }, slot, registers, depth) => {
    const changed = [];
    for (let n = 0; n < REGISTERS; n++) {
      if (before[2 * n] === registers[2 * n] && before[2 * n + 1] === registers[2 * n + 1]) continue;
      changed.push(registerText(registers, n));
    }
    before.set(registers.subarray(0, 2 * REGISTERS));
    if (changed.length > 0) print(`${' '.repeat(12)}${colours.dim(changed.join(' '))}\n`);
    const insn = program.insns[slot];
    const text = insn === undefined ? '' : insnText(program.insns, slot);
    print(`${'  '.repeat(depth)}${String(slot).padStart(5)}: ${text}\n`);
  };
}

function runOptionsOf(options: RunCommandOptions, object: ObjectImage): RunProgramOptions {
  if (options.data !== undefined && options.dataIn !== undefined) throw new UsageError('give --data or --data-in, not both');
  const data =
    options.dataIn !== undefined
      ? readInput(options.dataIn)
      : options.data !== undefined
        ? bytesOfHex(options.data, '--data')
        : undefined;
  return {
    object,
    maps: Object.fromEntries(options.map.map(readMapContent)),
    progArrays: options.progArray.map(readSlot),
    repeat: options.repeat,
    settings: { seed: options.seed },
    ...(data === undefined ? {} : { data }),
    ...(options.ctxIn === undefined ? {} : { context: readInput(options.ctxIn) }),
    ...(options.wait === undefined ? {} : { wait: BigInt(options.wait) }),
    ...(options.trace === true ? { trace: tracer() } : {}),
  };
}

/** The machine of a world, with the program's maps filled as the world says; nothing without `--world`. */
async function worldOf(
  { world: path }: RunCommandOptions,
  program: Program,
  image: ObjectImage,
  profile: Profile,
): Promise<Pick<RunProgramOptions, 'machine' | 'onPrintk'>> {
  if (path === undefined) return {};
  const { openWorld } = await import('../world/build.ts');
  const { fillSlots } = await import('../vm/run.ts');
  const world = openWorld(textOf(readInput(path), path), path, profile);
  const { machine } = world.system;
  world.fill(program.maps);
  fillSlots(machine, program, image);
  return { machine, onPrintk: () => world.afterMessage() };
}

/** `drybpf run FILE` */
export async function runCommand(path: string, options: RunCommandOptions): Promise<ExitStatus> {
  const { profile, load, isWanted } = await readQuestion(options);
  const image = await load(path);
  const program = chosenProgram(path, image, isWanted);
  let facts: Pick<RunProgramOptions, 'probeLoads' | 'reached'> = {};
  const report = verify(program, profile, {
    object: path,
    capabilities: options.cap,
    flags: options.progFlags,
    onLoaded: ({ probeLoads, reached }) => {
      facts = { probeLoads, reached };
    },
  });
  if (report.verdict !== 'accept') {
    const mayRun = options.unverified === true && report.verdict !== 'not-loaded';
    if (!mayRun && options.format === 'json') print(`${JSON.stringify(report)}\n`);
    else warn(`${headingText(report)}: ${verdictText(report)}\n`);
    if (!mayRun) return EXIT.bad;
  }
  const runOptions = { ...runOptionsOf(options, image), ...facts, ...(await worldOf(options, program, image, profile)) };
  try {
    const start = performance.now();
    const result = run(program, profile, runOptions);
    const micros = options.repeat > 1 ? ((performance.now() - start) * 1000) / options.repeat : null;
    const told = runReport(path, program, result, result.maps, micros);
    print(
      options.format === 'json'
        ? `${JSON.stringify(told)}\n`
        : runText(told, { data: runOptions.data ?? null, context: runOptions.context ?? null }, result.outcomes, marks),
    );
    if (result.fault === null) return EXIT.good;
    for (const reason of profile.unsound ?? []) warn(`drybpf: ${path}/${program.name}: unsound: ${reason}\n`);
    return EXIT.bad;
  } catch (error) {
    // a fault outside of the program: the kernel would not create a map, or not take this input for a test run
    if (error instanceof Fault) throw new UsageError(`${path}/${program.name}: ${error.message}`);
    if (!(error instanceof Unmodelled)) throw error;
    warn(`drybpf: ${path}/${program.name} cannot be run: not modelled: ${error.message}\n`);
    return EXIT.bad;
  }
}
