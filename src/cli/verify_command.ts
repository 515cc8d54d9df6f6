import { type VerifyProgramOptions, verify } from '../library/verify_program.ts';
import type { Program } from '../program/program.ts';
import type { ProgramReport } from '../report/program_report.ts';
import { headingText, type Marks, statsText, verdictText } from '../report/verdict_text.ts';
import type { CommonOptions } from './common_options.ts';
import { EXIT, type ExitStatus, UsageError, worst } from './exit.ts';
import { expandPaths, objectName } from './inputs.ts';
import { colours, print, warn } from './output.ts';
import { reportProblem } from './problem.ts';
import { Progress } from './progress.ts';
import { type Question, readQuestion } from './question.ts';

export const FORMATS = ['text', 'table', 'csv', 'json'] as const;

export interface VerifyCommandOptions extends CommonOptions {
  readonly format: (typeof FORMATS)[number];
  readonly logLevel: number;
  readonly logLimit: number;
  readonly repeat: number;
  readonly emit?: string;
  readonly sort?: string;
  readonly againstKernel?: boolean;
}

const marks: Marks = { good: colours.green, bad: colours.red, doubtful: colours.yellow, dim: colours.dim };

/** What becomes of a report as soon as it is known, and of all of them at the end. */
interface Printer {
  /** where the log goes while the program is verified; undefined: into the report */
  readonly sink?: (text: string) => void;
  readonly before: (path: string, program: Program) => void;
  readonly after: (report: ProgramReport) => void;
  readonly end: (counts: Counts) => void;
}

interface Counts {
  files: number;
  programs: number;
  skippedFiles: number;
  skippedPrograms: number;
}

const jsonPrinter: Printer = {
  before: () => {},
  after: (report) => print(`${JSON.stringify(report)}\n`),
  end: () => {},
};

function textPrinter(level: number): Printer {
  let endsLine = true;
  const sink = (text: string): void => {
    print(text);
    endsLine = text.endsWith('\n');
  };
  return {
    sink,
    before(path, program) {
      if (level > 0) print(`${marks.dim(headingText({ object: path, program: program.name, section: program.section }))}\n`);
    },
    after(report) {
      if (!endsLine) print('\n');
      endsLine = true;
      print(`${headingText(report)}: ${verdictText(report, marks)}\n`);
      if (report.verdict !== 'not-loaded') print(`${marks.dim(`  ${statsText(report)}`)}\n`);
    },
    end: () => {},
  };
}

async function tablePrinter({ format, emit, sort }: VerifyCommandOptions): Promise<Printer> {
  const { CSV_COLUMNS, csvText, parseColumns, SORT_COLUMNS, sortReports, TABLE_COLUMNS, tableText } = await import(
    '../report/veristat.ts'
  );
  const columns = (specification: string | undefined, fallback: typeof SORT_COLUMNS): typeof SORT_COLUMNS => {
    const parsed = specification === undefined ? fallback : parseColumns(specification);
    if (typeof parsed === 'string') throw new UsageError(parsed);
    return parsed;
  };
  const shown = columns(emit, format === 'csv' ? CSV_COLUMNS : TABLE_COLUMNS);
  const order = columns(sort, SORT_COLUMNS);
  const reports: ProgramReport[] = [];
  return {
    sink: () => {},
    before: () => {},
    after: (report) => void reports.push(report),
    end(counts) {
      const sorted = sortReports(reports, order);
      print(format === 'csv' ? csvText(sorted, shown) : tableText(sorted, shown, counts));
    },
  };
}

async function printerOf(options: VerifyCommandOptions): Promise<Printer> {
  const { format } = options;
  switch (format) {
    case 'json':
      return jsonPrinter;
    case 'text':
      return textPrinter(options.logLevel);
    case 'table':
    case 'csv':
      return tablePrinter(options);
    default:
      return format satisfies never;
  }
}

const statusOf = ({ verdict }: ProgramReport): ExitStatus => (verdict === 'accept' ? EXIT.good : EXIT.bad);

/** `drybpf verify FILE...` */
export async function verifyCommand(paths: readonly string[], options: VerifyCommandOptions): Promise<ExitStatus> {
  if (options.againstKernel === true) {
    const { againstKernel } = await import('./against_kernel.ts');
    return againstKernel(paths, options);
  }
  const printer = await printerOf(options);
  const question = await readQuestion(options);
  const verifyOptions: VerifyProgramOptions = {
    logLevel: options.logLevel,
    logLimit: options.logLimit,
    repeat: options.repeat,
    capabilities: options.cap,
    flags: options.progFlags,
    ...(printer.sink === undefined ? {} : { log: printer.sink }),
  };
  const counts: Counts = { files: 0, programs: 0, skippedFiles: 0, skippedPrograms: 0 };
  const files = expandPaths(paths);
  const progress = new Progress(files.length);
  let status: ExitStatus = EXIT.good;
  for (const path of files) {
    progress.step(path);
    try {
      status = worst(status, await verifyFile(path, question, printer, verifyOptions, counts, progress));
    } catch (error) {
      progress.clear();
      counts.skippedFiles++;
      status = worst(status, reportProblem(error, path));
    }
  }
  progress.clear();
  printer.end(counts);
  if (counts.programs === 0 && status === EXIT.good) {
    warn(files.length === 0 ? 'drybpf: there is no input in these directories\n' : 'drybpf: no program matches\n');
    return EXIT.question;
  }
  return status;
}

async function verifyFile(
  path: string,
  { profile, load, isWanted }: Question,
  printer: Printer,
  options: VerifyProgramOptions,
  counts: Counts,
  progress: Progress,
): Promise<ExitStatus> {
  const image = await load(path);
  const wanted = image.programs.filter((program) => isWanted(path, program));
  counts.skippedPrograms += image.programs.length - wanted.length;
  if (wanted.length === 0 && image.programs.length > 0) counts.skippedFiles++;
  else counts.files++;
  let status: ExitStatus = EXIT.good;
  for (const program of wanted) {
    progress.clear();
    printer.before(path, program);
    try {
      const report = verify(program, profile, { ...options, object: path });
      counts.programs++;
      printer.after(report);
      status = worst(status, statusOf(report));
    } catch (error) {
      counts.programs++;
      status = worst(status, reportProblem(error, `${objectName(path)}/${program.name}`));
    }
  }
  return status;
}
