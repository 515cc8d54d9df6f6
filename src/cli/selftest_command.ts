import { countResults, resultText, type SelftestResult, selftest } from '../desk/selftest.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, worst } from './exit.ts';
import { expandPaths } from './inputs.ts';
import { colours, print } from './output.ts';
import { reportProblem } from './problem.ts';
import { Progress } from './progress.ts';
import { readQuestion } from './question.ts';
import { sampleSource } from './sample_source.ts';

export interface SelftestCommandOptions extends CommonOptions {
  readonly format: 'text' | 'json';
  readonly verdicts?: boolean;
}

const MARKS = { pass: colours.green, fail: colours.red, skip: colours.yellow } as const;

const verdictLine = ({ verdict, message }: SelftestResult): string =>
  verdict === null ? '' : colours.dim(`    ${verdict}${message === null || message === '' ? '' : `: ${message}`}\n`);

/** `drybpf selftest FILE...`: whether programs do what they say of themselves. */
export async function selftestCommand(paths: readonly string[], options: SelftestCommandOptions): Promise<ExitStatus> {
  const { profile, load, isWanted } = await readQuestion(options);
  const files = expandPaths(paths);
  const progress = new Progress(files.length);
  const results: SelftestResult[] = [];
  let status: ExitStatus = EXIT.good;
  for (const path of files) {
    progress.step(path);
    try {
      const image = await load(path);
      const source = image.cases === undefined ? null : sampleSource(path);
      const choices = source === null ? {} : { source };
      for (const result of selftest(image, profile, (program) => isWanted(path, program), choices)) {
        progress.clear();
        results.push(result);
        if (result.outcome === 'fail') status = worst(status, EXIT.bad);
        if (options.format === 'json') print(`${JSON.stringify(result)}\n`);
        else print(`${MARKS[result.outcome](resultText(result))}\n${options.verdicts === true ? verdictLine(result) : ''}`);
      }
    } catch (error) {
      progress.clear();
      status = worst(status, reportProblem(error, path));
    }
  }
  progress.clear();
  const { pass, fail, skip, unchecked } = countResults(results);
  if (options.format === 'text')
    print(`${pass} pass, ${fail} fail, ${skip} skip; ${unchecked} with parts that are not checked\n`);
  return status;
}
