import { existsSync } from 'node:fs';
import type { Comparison } from '../desk/compare.ts';
import type { WorldText } from '../desk/observe.ts';
import type { SampleSource } from '../desk/sample.ts';
import type { Marks } from '../report/verdict_text.ts';
import { type InstalledSample, sampleNamed, sampleNames } from './bundled_sample.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { readInput, textOf } from './inputs.ts';
import { colours, print } from './output.ts';
import { openKernel } from './question.ts';
import { sampleSource } from './sample_source.ts';

export interface CompareCommandOptions {
  readonly kernel: string;
  readonly btf?: string;
  readonly with: readonly string[];
  readonly entry: readonly string[];
  readonly prog?: string;
  readonly world?: string;
  readonly over: readonly string[];
  readonly format: 'text' | 'json';
}

const marks: Marks = { good: colours.green, bad: colours.red, doubtful: colours.yellow, dim: colours.dim };

/** A sample by path, or by the name that it has among those of the package. */
function installedAs(name: string): InstalledSample {
  if (existsSync(name)) return { name, path: name };
  const found = sampleNamed(name);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) throw new UsageError(`'${name}' can be ${found.map((each) => each.name).join(', ')}`);
  throw new UsageError(`no file and no sample '${name}'; samples are ${sampleNames().join(', ')}`);
}

function sourceOf(name: string, world: string | undefined): SampleSource {
  const sample = installedAs(name);
  const read = sampleSource(sample.path);
  const source = read === null ? null : { ...read, name: sample.name };
  if (source === null) throw new UsageError(`${name}: only text programs can be read anew for another kernel`);
  if (world === undefined) return source;
  const readBeside = (path: string): WorldText => ({ name: path, text: textOf(readInput(path), path) });
  return { ...source, readBeside };
}

/** Some revision takes the program. */
const isAccepted = ({ scenes }: Comparison): boolean =>
  scenes.some(({ seen }) => seen.some(({ verdict }) => verdict === 'accept'));

/** `drybpf compare NAME`: one sample under every revision of an entry, side by side. */
export async function compareCommand(name: string, options: CompareCommandOptions): Promise<ExitStatus> {
  const source = sourceOf(name, options.world);
  const profile = await openKernel({ ...options, with: [] });
  const { compare } = await import('../desk/compare.ts');
  const { comparisonJson, comparisonText } = await import('../desk/compare_text.ts');
  const isSituated = options.world !== undefined || options.over.length > 0;
  const situation = { world: options.world ?? null, over: options.over, through: null, closesLink: false, readSizes: [] };
  const comparisons = compare(source, profile, {
    entries: options.entry,
    revisions: options.with,
    ...(options.prog === undefined ? {} : { program: options.prog }),
    ...(isSituated ? { situation } : {}),
  });
  for (const [index, comparison] of comparisons.entries()) {
    if (options.format === 'json') print(`${JSON.stringify(comparisonJson(comparison))}\n`);
    else print(`${index === 0 ? '' : '\n'}${comparisonText(comparison, marks)}`);
  }
  return comparisons.some(isAccepted) ? EXIT.good : EXIT.bad;
}
