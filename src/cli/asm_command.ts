import { writeFileSync } from 'node:fs';
import type { DialectName } from '../asm/dialect.ts';
import { encodeProgram } from '../isa/codec.ts';
import type { Program } from '../program/program.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { readInput, textOf } from './inputs.ts';
import { print } from './output.ts';
import { readQuestion } from './question.ts';

export interface AsmCommandOptions extends CommonOptions {
  readonly dialect?: DialectName;
  readonly format: 'hex' | 'bin';
  readonly output?: string;
}

const SLOT_DIGITS = /.{16}/g;

/** One instruction slot a line, as `run` and `verify` read it back. */
const hexLines = (program: Program): string[] =>
  Buffer.from(encodeProgram(program.insns)).toString('hex').match(SLOT_DIGITS) ?? [];

/** `drybpf asm FILE`: the bytecode of a text program. */
export async function asmCommand(path: string, options: AsmCommandOptions): Promise<ExitStatus> {
  const { profile, isWanted } = await readQuestion(options);
  const { assemble } = await import('../asm/assemble.ts');
  const image = assemble(textOf(readInput(path), path), path, {
    profile,
    ...(options.dialect === undefined ? {} : { dialect: options.dialect }),
  });
  const programs = image.programs.filter((program) => isWanted(path, program));
  const [program] = programs;
  if (program === undefined) throw new UsageError(`${path}: no program matches`);
  if (programs.length > 1) {
    const names = programs.map(({ name }) => name).join(', ');
    throw new UsageError(`${path}: bytecode is of one program; choose it with --prog: ${names}`);
  }
  if (options.format === 'bin') {
    if (options.output === undefined) throw new UsageError('bytes go into a file: give --output');
    writeFileSync(options.output, encodeProgram(program.insns));
  } else {
    const text = `${hexLines(program).join('\n')}\n`;
    if (options.output === undefined) print(text);
    else writeFileSync(options.output, text);
  }
  return EXIT.good;
}

export interface DisasmCommandOptions extends CommonOptions {
  readonly dialect: DialectName;
  readonly output?: string;
}

/** `drybpf disasm FILE`: text that `asm` turns into the same programs. */
export async function disasmCommand(path: string, options: DisasmCommandOptions): Promise<ExitStatus> {
  const { profile, load, isWanted } = await readQuestion(options);
  const { disassemble } = await import('../asm/disassemble.ts');
  const image = await load(path);
  const programs = image.programs.filter((program) => isWanted(path, program));
  if (programs.length === 0) throw new UsageError(`${path}: no program matches`);
  const text = disassemble({ ...image, programs }, { profile, dialect: options.dialect });
  if (options.output === undefined) print(text);
  else writeFileSync(options.output, text);
  return EXIT.good;
}
