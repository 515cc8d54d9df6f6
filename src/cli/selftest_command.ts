import { countResults, resultText, type SelftestResult, selftest } from '../desk/selftest.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, worst } from './exit.ts';
import { expandPaths } from './inputs.ts';
import { colours, print, warn } from './output.ts';
import { reportProblem } from './problem.ts';
import { Progress } from './progress.ts';
import { type Question, readQuestion } from './question.ts';

export interface SelftestCommandOptions extends CommonOptions {
  readonly format: 'text' | 'json';
}

const PAINT = { pass: colours.green, fail: colours.red, skip: colours.yellow } as const;

const lineOf = (result: SelftestResult): string => {
  const { outcome } = result;
  return `${PAINT[outcome](outcome)}${resultText(result).slice(outcome.length)}\n`;
};

/** `drybpf selftest FILE...`: every program that says what is to be expected of it is tried. */
export async function selftestCommand(paths: readonly string[], options: SelftestCommandOptions): Promise<ExitStatus> {
  const question = await readQuestion(options);
  const files = expandPaths(paths);
  const progress = new Progress(files.length);
  const results: SelftestResult[] = [];
  let status: ExitStatus = EXIT.good;
  for (const path of files) {
    progress.step(path);
    try {
      for (const result of await resultsOf(path, question)) {
        results.push(result);
        progress.clear();
        print(options.format === 'json' ? `${JSON.stringify(result)}\n` : lineOf(result));
      }
    } catch (error) {
      progress.clear();
      status = worst(status, reportProblem(error, path));
    }
  }
  progress.clear();
  if (results.length === 0 && status === EXIT.good) {
    warn('drybpf: no program says what is to be expected of it\n');
    return EXIT.question;
  }
  const { pass, fail, skip, unchecked } = countResults(results);
  if (options.format === 'text') {
    print(`${pass} passed, ${fail} failed, ${skip} skipped; ${unchecked} with expectations that cannot be checked offline\n`);
  }
  return fail > 0 ? worst(status, EXIT.bad) : status;
}

async function resultsOf(path: string, { profile, load, isWanted }: Question): Promise<Generator<SelftestResult>> {
  const image = await load(path);
  return selftest(image, profile, (program) => isWanted(path, program));
}
