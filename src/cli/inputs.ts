import { readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import type { TargetProgram } from '../elf/attach.ts';
import type { Preset } from '../elf/presets.ts';
import { inputKind } from '../library/input_kind.ts';
import type { ObjectImage } from '../program/program.ts';
import { UsageError } from './exit.ts';

/** Larger files than any compiler writes are not read. */
const MAX_FILE_BYTES = 1 << 29;
const INPUT_ENDINGS = ['.o', '.bpf.s', '.bin', '.hex'];

/** What went wrong with a file, without its path and the name of the system call. */
const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    EACCES: 'no permission to read it',
    EISDIR: 'it is a directory',
  };
  return words[code ?? ''] ?? message;
};

const STDIN = 0;
/** Pause before an empty pipe is asked again, in milliseconds. */
const PIPE_PAUSE = 5;

let given: Uint8Array | null = null;

/** The action reads these bytes as standard input. */
export async function withInput<T>(bytes: Uint8Array, action: () => Promise<T>): Promise<T> {
  const before = given;
  given = bytes;
  try {
    return await action();
  } finally {
    given = before;
  }
}

/** All of standard input, also from a pipe that is not set to wait. */
export function readStdin(): Uint8Array {
  if (given !== null) return given;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const piece = Buffer.alloc(1 << 16);
    try {
      const count = readSync(STDIN, piece);
      if (count === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, count));
      size += count;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return Buffer.concat(pieces);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, PIPE_PAUSE);
    }
    if (size > MAX_FILE_BYTES) throw new UsageError('standard input is longer than an input can be');
  }
}

/** The bytes of a file; `-` is standard input. */
export function readInput(path: string): Uint8Array {
  try {
    if (path === '-') return readStdin();
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) throw new UsageError(`${path}: ${size} bytes are more than an input can have`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path}: ${reasonOf(error)}`);
  }
}

/** The files that the arguments name: a directory stands for the inputs in it, at any depth, by name. */
export function expandPaths(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (path === '-') return [path];
    try {
      return statSync(path).isDirectory() ? filesIn(path) : [path];
    } catch (error) {
      throw new UsageError(`${path}: ${reasonOf(error)}`);
    }
  });
}

function filesIn(directory: string): string[] {
  const found: string[] = [];
  const open = [directory];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) open.push(path);
      else if (INPUT_ENDINGS.some((ending) => entry.name.endsWith(ending))) found.push(path);
    }
  }
  return found.sort();
}

export interface LoadChoices {
  readonly profile: Profile;
  readonly presets: readonly Preset[];
  readonly target?: TargetProgram | undefined;
  /** section of raw bytecode */
  readonly section: string;
}

/** Text of a file, which has to be UTF-8. */
export function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Malformed('neither an object file nor UTF-8 text', file);
  }
}

/** Loads an input of any kind. Only the room that its kind needs is loaded as code. */
export async function loadInput(path: string, bytes: Uint8Array, choices: LoadChoices): Promise<ObjectImage> {
  const { profile, presets, target, section } = choices;
  const kind = inputKind(bytes);
  if (kind !== 'object' && presets.length > 0) throw new UsageError(`${path}: presets are for globals of object files`);
  switch (kind) {
    case 'object': {
      const { loadObject } = await import('../elf/load.ts');
      return loadObject(bytes, path, { profile, presets, ...(target === undefined ? {} : { target }) });
    }
    case 'text': {
      const { assemble } = await import('../asm/assemble.ts');
      return assemble(textOf(bytes, path), path, { profile });
    }
    case 'bytecode':
    case 'hex': {
      const { bytesOfHex, rawImage } = await import('../library/raw_program.ts');
      return rawImage(kind === 'hex' ? bytesOfHex(textOf(bytes, path), path) : bytes, path, profile, section);
    }
    default:
      return kind satisfies never;
  }
}

/** Name of an object in filters and tables: the file name without its directories. */
export const objectName = (path: string): string => (path === '-' ? 'stdin' : basename(path));
