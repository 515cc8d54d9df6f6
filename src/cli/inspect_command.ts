import { objectReport, objectText } from '../report/object_report.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, worst } from './exit.ts';
import { expandPaths } from './inputs.ts';
import { print } from './output.ts';
import { reportProblem } from './problem.ts';
import { readQuestion } from './question.ts';

export interface InspectCommandOptions extends CommonOptions {
  readonly format: 'text' | 'json';
  readonly types?: boolean;
}

/** `drybpf inspect FILE...`: programs, maps, externs and BTF of objects. */
export async function inspectCommand(paths: readonly string[], options: InspectCommandOptions): Promise<ExitStatus> {
  const { load, isWanted } = await readQuestion(options);
  let status: ExitStatus = EXIT.good;
  for (const path of expandPaths(paths)) {
    try {
      const image = await load(path);
      const report = objectReport({ ...image, programs: image.programs.filter((program) => isWanted(path, program)) });
      if (options.format === 'json') {
        print(`${JSON.stringify(report)}\n`);
        continue;
      }
      const printer = options.types === true && image.btf !== null ? await import('../btf/print/printer.ts') : null;
      print(objectText(report, printer === null ? null : printer.printC(image.btf!)));
    } catch (error) {
      status = worst(status, reportProblem(error, path));
    }
  }
  return status;
}
