import type { Marks } from '../report/verdict_text.ts';
import type { ComparedScene, Comparison } from './compare.ts';
import { resultText } from './expected_run.ts';
import type { Observation } from './observe.ts';

/** Widest cell; longer text goes on in the next line. */
const CELL = 48;
const LOG_LINES = 3;
/** Lines that tell of states and instructions, not of what is wrong. */
const STATES =
  /^(\d+: |\d+->|from |caller:|callee:|returning |to caller |processed |verification time|stack depth|func#| |mark_precise|frame\d|$)/;
/** Lines that every link has. */
const COMMON_LINK = /^(link_type|link_id|prog_tag|prog_id):/;

/** One thing that was seen, under every revision; null where it did not come about. */
export interface ComparedRow {
  readonly name: string;
  readonly cells: readonly (string | null)[];
  /** not everywhere the same */
  readonly differs: boolean;
}

const logEnd = ({ verdict, log }: Observation): string | null => {
  if (verdict === 'accept') return null;
  const lines = log.split('\n').filter((line) => !STATES.test(line));
  return lines.slice(-LOG_LINES).join('\n') || null;
};

const lines = (texts: readonly string[]): string | null => (texts.length === 0 ? null : texts.join('\n'));

const noteLines = ({ notes }: Observation): string | null =>
  lines(notes.map(({ text, count }) => `${text}${count > 1 ? ` (${count} times)` : ''}`));

const ROWS: readonly (readonly [name: string, of: (seen: Observation) => string | null])[] = [
  ['verdict', ({ verdict, errno }) => (errno === null ? verdict : `${verdict} ${errno}`)],
  ['message', ({ verdict, message }) => (verdict === 'not-loaded' || verdict === 'unknown' ? message : null)],
  ['log', logEnd],
  ['unsound', ({ unsound }) => lines(unsound)],
  ['failed', ({ step }) => step],
  ['result', ({ result }) => (result === null ? null : resultText(result))],
  ['fault', ({ fault }) => fault],
  ['printk', ({ printk }) => lines(printk)],
  ['output', ({ output }) => (output === null || output === '' ? null : output.replace(/\n$/, ''))],
  ['read error', ({ readError }) => readError],
  ['link', ({ link }) => lines(link.filter((line) => !COMMON_LINK.test(line)).map((line) => line.replace('\t', ' ')))],
  ['notes', noteLines],
];

function rowOf(name: string, cells: readonly (string | null)[]): ComparedRow {
  return { name, cells, differs: cells.some((cell) => cell !== cells[0]) };
}

/** What was seen in a scene, thing by thing; what came about nowhere is left out. */
export function comparedRows({ seen }: ComparedScene): readonly ComparedRow[] {
  const rings = new Set(seen.flatMap(({ rings: found }) => [...found.keys()]));
  const ringRows = [...rings].flatMap((ring) =>
    (['wakeups', 'consumer', 'producer'] as const).map((number) =>
      rowOf(
        `${number} of ${ring}`,
        seen.map(({ rings: found }) => found.get(ring)?.[number].toString() ?? null),
      ),
    ),
  );
  const rows = ROWS.map(([name, of]) => rowOf(name, seen.map(of)));
  return [...rows, ...ringRows].filter(({ cells }) => cells.some((cell) => cell !== null));
}

function wrapped(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const out: string[] = [];
    let rest = line;
    while (rest.length > CELL) {
      const space = rest.lastIndexOf(' ', CELL);
      const at = space > CELL / 2 ? space : CELL;
      out.push(rest.slice(0, at));
      rest = rest.slice(at).replace(/^ /, '');
    }
    return [...out, rest];
  });
}

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - text.length));

/** Cells beside each other, each in as many lines as it needs. */
function tableLines(heads: readonly string[], rows: readonly ComparedRow[], marks: Marks): string[] {
  const cells = rows.map((row) => row.cells.map((cell) => wrapped(cell ?? '-')));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => Math.max(...row[column]!.map((line) => line.length)))),
  );
  const first = Math.max(...rows.map(({ name }) => name.length));
  const line = (mark: string, name: string, texts: readonly string[]): string =>
    `${mark} ${pad(name, first)}  ${texts.map((text, column) => pad(text, widths[column]!)).join('  ')}`.trimEnd();
  const body = rows.flatMap((row, index) => {
    const height = Math.max(...cells[index]!.map((cell) => cell.length));
    return Array.from({ length: height }, (_, at) => {
      const text = line(
        row.differs ? '*' : ' ',
        at === 0 ? row.name : '',
        cells[index]!.map((cell) => cell[at] ?? ''),
      );
      return row.differs ? marks.doubtful(text) : text;
    });
  });
  return [marks.dim(line(' ', '', heads)), ...body];
}

/** A comparison for people: lines with a star are not everywhere the same. */
export function comparisonText(comparison: Comparison, marks: Marks): string {
  const { object, program, entry, columns, scenes } = comparison;
  const names = columns.map(({ revision, isBase }) => `${revision.name}${isBase ? ' (merged)' : ''}`);
  const width = Math.max(...names.map((name) => name.length));
  const never = entry.base === null ? ', never merged' : '';
  const legend = columns.map(({ revision }, index) => `  ${pad(names[index]!, width)}  ${revision.summary}`);
  const parts = scenes.map((scene) => {
    const where = scene.world === null || scene.world === scene.name ? '' : ` (${scene.world})`;
    return ['', `${scene.name}${where}`, ...tableLines(names, comparedRows(scene), marks)].join('\n');
  });
  return `${[`${object}/${program}: ${entry.name}${never}`, ...legend, ...parts].join('\n')}\n`;
}

const plain = ({ result, rings, log: _, ...seen }: Observation): Record<string, unknown> => ({
  ...seen,
  result: result === null ? null : resultText(result),
  rings: Object.fromEntries(rings),
});

/** The same for programs; keys are stable, more may be added. */
export const comparisonJson = ({ object, program, entry, columns, scenes }: Comparison): Record<string, unknown> => ({
  object,
  program,
  entry: entry.name,
  base: entry.base,
  revisions: columns.map(({ revision, isBase, revisions }) => ({
    name: revision.name,
    summary: revision.summary,
    isBase,
    with: revisions,
  })),
  scenes: scenes.map((scene) => ({
    name: scene.name,
    world: scene.world,
    differs: comparedRows(scene)
      .filter(({ differs }) => differs)
      .map(({ name }) => name),
    runs: scene.seen.map((seen, index) => ({ revision: columns[index]!.revision.name, ...plain(seen) })),
  })),
});
