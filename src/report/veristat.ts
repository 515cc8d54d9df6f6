import type { ProgramReport } from './program_report.ts';

/**
 * The columns of veristat: names and headings as it prints them, so that its scripts read ours.
 * Source: stat_defs, tools/testing/selftests/bpf/veristat.c.
 */
interface Column {
  readonly id: string;
  readonly heading: string;
  /** other names in specifications */
  readonly aliases: readonly string[];
  readonly isText: boolean;
  readonly ascending: boolean;
  readonly value: (report: ProgramReport) => string | number;
}

const text = (
  id: string,
  heading: string,
  aliases: readonly string[],
  ascending: boolean,
  value: (r: ProgramReport) => string,
): Column => ({ id, heading, aliases, isText: true, ascending, value });

const number = (id: string, heading: string, aliases: readonly string[], value: (r: ProgramReport) => number): Column => ({
  id,
  heading,
  aliases,
  isText: false,
  ascending: false,
  value,
});

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** veristat knows success and failure; what is neither here says so. */
const verdictWord = ({ verdict }: ProgramReport): string => {
  switch (verdict) {
    case 'accept':
      return 'success';
    case 'reject':
      return 'failure';
    case 'unknown':
    case 'not-loaded':
      return verdict;
    default:
      return verdict satisfies never;
  }
};

/** veristat sums the stack of all functions. */
const stackBytes = ({ stackDepth }: ProgramReport): number =>
  stackDepth.split('+').reduce((sum, part) => sum + (Number(part) || 0), 0);

const COLUMNS: readonly Column[] = [
  text('file_name', 'File', ['filename', 'file'], true, (r) => baseName(r.object)),
  text('prog_name', 'Program', ['progname', 'prog'], true, (r) => r.program),
  text('verdict', 'Verdict', [], true, verdictWord),
  number('duration', 'Duration (us)', ['dur'], (r) => r.durationUs),
  number('total_insns', 'Insns', ['insns'], (r) => r.insnsProcessed),
  number('total_states', 'States', ['states'], (r) => r.totalStates),
  number('peak_states', 'Peak states', [], (r) => r.peakStates),
  number('max_states_per_insn', 'Max states per insn', [], (r) => r.maxStatesPerInsn),
  number('max_mark_read_len', 'Max mark read length', ['mark_read'], () => 0),
  number('prog_size', 'Program size', [], (r) => r.insns),
  number('prog_size_jited', 'Jited size', [], () => 0),
  number('stack_depth', 'Stack depth', ['stack'], stackBytes),
  text('prog_type', 'Program type', [], false, (r) => r.progType),
  text('attach_type', 'Attach type', [], false, (r) => r.attachType ?? 'N/A'),
  number('mem_peak', 'Peak memory (MiB)', [], () => 0),
];

/** One column of an output or sort specification. */
export interface ColumnSpec {
  readonly column: Column;
  readonly ascending: boolean;
  /** the absolute value is what counts */
  readonly absolute: boolean;
}

const VARIANTS = ['_a', '_b', '_diff', '_pct'];

const columnOf = (name: string): Column | undefined =>
  COLUMNS.find(({ id, aliases }) =>
    [id, ...aliases].some((known) => name === known || VARIANTS.some((variant) => name === known + variant)),
  );

/**
 * Reads `file,prog,insns^`: columns by name, a last `^` sorts upwards, one of `v`, `V`, `.`, `!`, `_` downwards, `|insns|` is the
 * absolute value. A string says what is wrong. Source: parse_stats.
 */
export function parseColumns(specification: string): ColumnSpec[] | string {
  const specs: ColumnSpec[] = [];
  for (const part of specification.split(',').filter((word) => word !== '')) {
    const order = part.length > 1 ? /[\^vV.!_]$/.exec(part)?.[0] : undefined;
    const bare = order === undefined ? part : part.slice(0, -1);
    const absolute = bare.length > 2 && bare.startsWith('|') && bare.endsWith('|');
    const column = columnOf(absolute ? bare.slice(1, -1) : bare);
    if (column === undefined) return `there is no column '${part}': ${COLUMNS.map(({ id }) => id).join(', ')}`;
    specs.push({ column, ascending: order === undefined ? column.ascending : order === '^', absolute });
  }
  return specs.length === 0 ? 'no column is named' : specs;
}

const specsOf = (ids: readonly string[]): ColumnSpec[] =>
  ids.map((id) => {
    const column = columnOf(id) as Column;
    return { column, ascending: column.ascending, absolute: false };
  });

export const TABLE_COLUMNS = specsOf(['file', 'prog', 'verdict', 'duration', 'insns', 'states', 'prog_size', 'prog_size_jited']);
export const CSV_COLUMNS = specsOf([
  'file',
  'prog',
  'verdict',
  'duration',
  'insns',
  'states',
  'peak_states',
  'max_states_per_insn',
  'mark_read',
  'prog_size',
  'prog_size_jited',
  'prog_type',
  'attach_type',
  'stack',
  'mem_peak',
]);
export const SORT_COLUMNS = specsOf(['file', 'prog']);

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function compare(a: ProgramReport, b: ProgramReport, { column, ascending, absolute }: ColumnSpec): number {
  const [left, right] = [column.value(a), column.value(b)];
  // veristat has 0 for failure and 1 for success
  const order =
    column.id === 'verdict'
      ? Number(a.verdict === 'accept') - Number(b.verdict === 'accept')
      : typeof left === 'number' && typeof right === 'number'
        ? absolute
          ? Math.abs(left) - Math.abs(right)
          : left - right
        : byText(String(left), String(right));
  return ascending ? order : -order;
}

/** The reports in the order that a specification asks for; equal ones by file and program. */
export function sortReports(reports: readonly ProgramReport[], specs: readonly ColumnSpec[]): ProgramReport[] {
  const all = [...specs, ...SORT_COLUMNS];
  return [...reports].sort((a, b) => all.reduce((order, spec) => order || compare(a, b, spec), 0));
}

/** How many files and programs were looked at and how many were left out. */
export interface Tally {
  readonly files: number;
  readonly programs: number;
  readonly skippedFiles: number;
  readonly skippedPrograms: number;
}

const SEPARATOR = '  ';

/** The table with its headings and its last line (output_headers, output_stats). */
export function tableText(reports: readonly ProgramReport[], specs: readonly ColumnSpec[], tally: Tally): string {
  const rows = reports.map((report) => specs.map(({ column }) => String(column.value(report))));
  const widths = specs.map(({ column }, i) => Math.max(column.heading.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (specs[i]!.column.isText ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(SEPARATOR);
  const rule = widths.map((width) => '-'.repeat(width)).join(SEPARATOR);
  const { files, programs, skippedFiles, skippedPrograms } = tally;
  const last = `Done. Processed ${files} files, ${programs} programs. Skipped ${skippedFiles} files, ${skippedPrograms} programs.`;
  return [line(specs.map(({ column }) => column.heading)), rule, ...rows.map(line), rule, last, ''].join('\n');
}

/** Text that a CSV reader takes for one field. */
const csvField = (value: string | number): string =>
  typeof value === 'string' && /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value);

export const csvText = (reports: readonly ProgramReport[], specs: readonly ColumnSpec[]): string =>
  [specs.map(({ column }) => column.id), ...reports.map((report) => specs.map(({ column }) => csvField(column.value(report))))]
    .map((fields) => `${fields.join(',')}\n`)
    .join('');
