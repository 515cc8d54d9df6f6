import { type Command, InvalidArgumentError, Option } from 'commander';
import { ALL_CAPABILITIES, type Capabilities, NO_CAPABILITIES } from '../contracts/subject.ts';
import { PROG_FLAGS } from '../program/program.ts';
import { type NameFilter, parseFilter } from './filter.ts';

/** Options that every command with an input file has, as commander hands them over. */
export interface CommonOptions {
  readonly prog: readonly string[];
  readonly filter: readonly NameFilter[];
  readonly kernel: string;
  readonly btf?: string;
  readonly with: readonly string[];
  readonly cap: Capabilities;
  readonly progFlags: number;
  readonly preset: readonly string[];
  readonly target?: string;
  readonly section: string;
}

export const append = <T>(value: T, known: readonly T[]): readonly T[] => [...known, value];

const CAPABILITY_WORDS: Readonly<Record<string, Partial<Capabilities>>> = {
  all: ALL_CAPABILITIES,
  none: {},
  bpf: { bpf: true },
  perfmon: { perfmon: true },
  net_admin: { netAdmin: true },
  sys_admin: ALL_CAPABILITIES,
};

/** `bpf,perfmon`: the sum of what the words stand for. */
export function parseCapabilities(text: string): Capabilities {
  let sum = NO_CAPABILITIES;
  for (const word of text.split(',')) {
    const more = Object.hasOwn(CAPABILITY_WORDS, word) ? CAPABILITY_WORDS[word] : undefined;
    if (more === undefined) {
      throw new InvalidArgumentError(`There is no '${word}': ${Object.keys(CAPABILITY_WORDS).join(', ')}.`);
    }
    sum = { ...sum, ...more };
  }
  return sum;
}

/** `BPF_F_STRICT_ALIGNMENT,0x8`: flags of BPF_PROG_LOAD by name (the prefix may be missing) or number. */
export function parseProgFlags(text: string): number {
  let sum = 0;
  for (const word of text.split(/[,|]/)) {
    const name = word.toUpperCase();
    const flag = (PROG_FLAGS as Readonly<Record<string, number>>)[name.startsWith('BPF_F_') ? name : `BPF_F_${name}`];
    const value = flag ?? (/^(0x[0-9a-fA-F]+|\d+)$/.test(word) ? Number(word) : undefined);
    if (value === undefined || value > 0xffffffff) {
      throw new InvalidArgumentError(`There is no flag '${word}': ${Object.keys(PROG_FLAGS).join(', ')}.`);
    }
    sum = (sum | value) >>> 0;
  }
  return sum;
}

/** A whole number from `min` to `max`. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`A number from ${min} to ${max}.`);
    return value;
  };

/** Adds the options that choose a kernel. */
export function addKernelOptions(command: Command): Command {
  return command
    .option('--kernel <name>', 'the kernel that is asked', 'linux-6.18')
    .option('--btf <file>', 'another vmlinux BTF, as /sys/kernel/btf has it')
    .addOption(
      new Option('--with <name=revision>', 'a revision of an entry (repeatable)')
        .argParser(append<string>)
        .default([], 'as merged'),
    );
}

/** Adds the common options to a command. */
export function addCommonOptions(command: Command): Command {
  return addKernelOptions(command)
    .addOption(new Option('--prog <name>', 'only this program (repeatable)').argParser(append<string>).default([], 'all'))
    .addOption(
      new Option('-f, --filter <glob>', 'only OBJECT/PROGRAM that match; a leading ! denies (repeatable)')
        .argParser((text, known: readonly NameFilter[]) => append(parseFilter(text), known))
        .default([], 'all'),
    )
    .addOption(
      new Option('--cap <list>', 'capabilities of the loader: all, none, bpf, perfmon, net_admin')
        .argParser(parseCapabilities)
        .default(ALL_CAPABILITIES, 'all'),
    )
    .addOption(
      new Option('--prog-flags <list>', 'flags of BPF_PROG_LOAD to add, by name or number')
        .argParser(parseProgFlags)
        .default(0, 'none'),
    )
    .addOption(
      new Option('-G, --preset <assignment>', 'value of a global: "name = value" (repeatable)')
        .argParser(append<string>)
        .default([], 'none'),
    )
    .option('--target <object:func>', 'what an freplace program replaces')
    .option('--section <name>', 'section of raw bytecode: its program type', 'socket');
}
