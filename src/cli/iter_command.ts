import { CGROUP_ORDERS, type CgroupOrder, type IterateOver, iterate } from '../desk/iterate.ts';
import type { Program } from '../program/program.ts';
import { openWorld } from '../world/build.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { readInput, textOf } from './inputs.ts';
import { printBytes, warn } from './output.ts';
import { readQuestion } from './question.ts';

export interface IterCommandOptions extends CommonOptions {
  readonly world?: string;
  readonly readSize: number;
  readonly over: readonly string[];
}

function number(text: string, key: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`--over ${key}=N takes a number, not '${text}'`);
  return Number(text);
}

function place(text: string, key: string): { readonly pid: number; readonly fd: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  if (match === null) throw new UsageError(`--over ${key}=PID/FD, not '${text}'`);
  return { pid: Number(match[1]), fd: Number(match[2]) };
}

function readOver(texts: readonly string[]): IterateOver {
  let over: IterateOver = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    const key = text.slice(0, Math.max(equals, 0));
    const value = text.slice(equals + 1);
    switch (key) {
      case 'tid':
      case 'pid':
        over = { ...over, [key]: number(value, key) };
        break;
      case 'map':
      case 'cgroup':
        over = { ...over, [key]: value };
        break;
      case 'order':
        if (!(CGROUP_ORDERS as readonly string[]).includes(value)) {
          throw new UsageError(`no order '${value}': ${CGROUP_ORDERS.join(', ')}`);
        }
        over = { ...over, order: value as CgroupOrder };
        break;
      case 'io_uring':
        over = { ...over, ioUring: place(value, key) };
        break;
      case 'epoll':
        over = { ...over, epoll: place(value, key) };
        break;
      default:
        throw new UsageError(`--over is KEY=VALUE with tid, pid, map, cgroup, order, io_uring or epoll, not '${text}'`);
    }
  }
  return over;
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
  const world = openWorld(file === undefined ? '' : textOf(readInput(file), file), file ?? '', profile);
  world.fill(program.maps);
  const result = iterate(world.system, program, image, over, options.readSize);
  if ('refused' in result) {
    const { verdict, errno, message, unmodelled } = result.refused;
    warn(`drybpf: ${path}/${program.name}: ${verdict} ${errno ?? ''} ${message ?? unmodelled.join(', ')}\n`.replace(/ +/g, ' '));
    return EXIT.bad;
  }
  if ('step' in result) {
    warn(`drybpf: ${path}/${program.name}: ${result.step}: ${result.error}\n`);
    return EXIT.bad;
  }
  for (const piece of result.pieces) printBytes(piece);
  if (result.error === null) return EXIT.good;
  warn(`drybpf: ${path}/${program.name}: read: ${result.error}\n`);
  return EXIT.bad;
}
