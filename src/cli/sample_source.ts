import { dirname, join } from 'node:path';
import type { SampleSource } from '../desk/sample.ts';
import { inputKind } from '../library/input_kind.ts';
import { readInput, textOf } from './inputs.ts';

/** A text program as a file whose worlds stand beside it; null for inputs of other kinds, and for standard input. */
export function sampleSource(path: string): SampleSource | null {
  if (path === '-') return null;
  const bytes = readInput(path);
  if (inputKind(bytes) !== 'text') return null;
  const readBeside = (file: string): { text: string; name: string } => {
    const name = join(dirname(path), file);
    return { text: textOf(readInput(name), name), name };
  };
  return { name: path, text: textOf(bytes, path), readBeside };
}
