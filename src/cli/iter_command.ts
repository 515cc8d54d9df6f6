import { Fault } from '../contracts/errors.ts';
import { type IterateResult, iterate } from '../desk/iterate.ts';
import { readOver, readPlace } from '../desk/iterate_over.ts';
import type { Program } from '../program/program.ts';
import { callText } from '../sys/record.ts';
import { openWorld, type World } from '../world/build.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { readInput, textOf } from './inputs.ts';
import { printBytes, warn } from './output.ts';
import { readQuestion } from './question.ts';

export interface IterCommandOptions extends CommonOptions {
  readonly world?: string;
  readonly readSize: number;
  readonly over: readonly string[];
  readonly through?: string;
  readonly closeLink?: boolean;
  readonly linkInfo?: boolean;
  readonly strace?: boolean;
}

function chosenProgram(programs: readonly Program[], path: string): Program {
  const iterators = programs.filter(({ section }) => /^iter(\.s)?\//.test(section));
  const [program] = iterators;
  if (program !== undefined && iterators.length === 1) return program;
  const names = iterators.map(({ name }) => name).join(', ');
  throw new UsageError(
    iterators.length === 0 ? `${path}: there is no iterator program` : `${path}: choose one with --prog: ${names}`,
  );
}

/** `drybpf iter FILE`: what the program writes goes to standard output as it is. */
export async function iterCommand(path: string, options: IterCommandOptions): Promise<ExitStatus> {
  const over = readOver(options.over);
  const { profile, load, isWanted } = await readQuestion(options);
  const image = await load(path);
  const program = chosenProgram(
    image.programs.filter((candidate) => isWanted(path, candidate)),
    path,
  );
  if (program.loadError !== null) {
    warn(`drybpf: ${path}/${program.name}: ${program.loadError}\n`);
    return EXIT.bad;
  }
  const { world: file } = options;
  const world: World = openWorld(file === undefined ? '' : textOf(readInput(file), file), file ?? '', profile, {
    onPrintk: () => world.afterMessage(),
  });
  world.fill(program.maps);
  const name = `${path}/${program.name}`;
  // what it took to make the world is not what was asked about
  world.system.calls.length = 0;
  const walk = (): IterateResult | null => {
    try {
      return iterate(world.system, program, image, over, {
        size: options.readSize,
        closesLink: options.closeLink === true,
        ...(options.through === undefined ? {} : { through: readPlace(options.through) }),
      });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      warn(`drybpf: ${name}: fault ${error.reason}: ${error.message}\n`);
      for (const reason of profile.unsound ?? []) warn(`drybpf: ${name}: unsound: ${reason}\n`);
      return null;
    }
  };
  const result = walk();
  if (options.strace === true) warn(world.system.calls.map((call) => `[pid ${call.pid}] ${callText(call)}\n`).join(''));
  if (result === null) return EXIT.bad;
  if ('refused' in result) {
    const { verdict, errno, message, unmodelled } = result.refused;
    warn(`drybpf: ${path}/${program.name}: ${verdict} ${errno ?? ''} ${message ?? unmodelled.join(', ')}\n`.replace(/ +/g, ' '));
    return EXIT.bad;
  }
  if ('step' in result) {
    warn(`drybpf: ${path}/${program.name}: ${result.step}: ${result.error}\n`);
    return EXIT.bad;
  }
  if (options.linkInfo === true) warn(result.link.map((line) => `${line}\n`).join(''));
  for (const piece of result.pieces) printBytes(piece);
  if (result.error === null) return EXIT.good;
  warn(`drybpf: ${path}/${program.name}: read: ${result.error}\n`);
  return EXIT.bad;
}
