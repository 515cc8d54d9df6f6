import { errnoName, never } from '../contracts/errors.ts';
import type { Outcome } from '../contracts/host_call.ts';
import { PROG_TYPE_NAMES } from '../contracts/uapi_numbers.ts';
import type { Program } from '../program/program.ts';
import type { Run } from '../vm/run.ts';
import { type Marks, PLAIN } from './verdict_text.ts';

/** A map's entry as bpftool writes it in JSON. */
export interface ReportedEntry {
  readonly key?: readonly string[];
  readonly value?: readonly string[];
  readonly values?: readonly { readonly cpu: number; readonly value: readonly string[] }[];
}

/** What is told of one run: the line that `run --format json` prints. Bytes are hexadecimal. */
export interface RunReport {
  readonly object: string;
  readonly program: string;
  readonly section: string;
  readonly progType: string;
  /** r0 as BPF_PROG_TEST_RUN gives it: 32 bits, unsigned */
  readonly retval: number;
  /** all of r0 */
  readonly r0: string;
  /** `XDP_PASS`; null where the value has no name */
  readonly returned: string | null;
  readonly fault: {
    readonly reason: string;
    readonly message: string;
    readonly insn: number | null;
    readonly address: string | null;
  } | null;
  readonly instructions: number;
  readonly calls: number;
  /** modelled time */
  readonly nanoseconds: number;
  /** real time of one run, in microseconds; only where it was measured */
  readonly durationUs?: number;
  readonly data: string | null;
  readonly context: string | null;
  readonly printk: readonly string[];
  readonly outcomes: readonly Readonly<Record<string, unknown>>[];
  readonly notes: readonly { readonly text: string; readonly insn: number | null; readonly count: number }[];
  readonly maps: Readonly<Record<string, readonly ReportedEntry[]>>;
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Values that JSON has no word for: bytes as hexadecimal, 64-bit numbers as text. */
const plainValue = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainValue(inner)]));
};

export function runReport(
  object: string,
  program: Program,
  run: Run,
  maps: RunReport['maps'],
  durationUs: number | null = null,
): RunReport {
  const { fault, output, stats } = run;
  return {
    object,
    program: program.name,
    section: program.section,
    progType: PROG_TYPE_NAMES[program.type] ?? String(program.type),
    retval: Number(run.result & 0xffffffffn),
    r0: `0x${run.result.toString(16)}`,
    returned: run.returned,
    fault:
      fault === null
        ? null
        : {
            reason: fault.reason,
            message: fault.message,
            insn: fault.insn,
            address: fault.address === null ? null : `0x${fault.address.toString(16)}`,
          },
    instructions: stats.instructions,
    calls: stats.calls,
    nanoseconds: Number(stats.nanoseconds),
    ...(durationUs === null ? {} : { durationUs }),
    data: output.data === null ? null : hex(output.data),
    context: output.context === null ? null : hex(output.context),
    printk: run.printk,
    outcomes: run.outcomes.map((outcome) => plainValue(outcome) as Record<string, unknown>),
    notes: run.notes.map(({ text, insn, count }) => ({ text, insn, count })),
    maps,
  };
}

/** What a program asked the kernel for, in one line. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'redirect': {
      const target = outcome.map === null ? `interface ${outcome.target}` : `${outcome.map}[${outcome.target}]`;
      return `${outcome.helper} to ${target}${outcome.data === null ? '' : `: ${hex(outcome.data)}`}`;
    }
    case 'perf-output':
      return `perf event on CPU ${outcome.cpu} of ${outcome.map}: ${hex(outcome.data)}`;
    case 'ringbuf-output':
      return `ring buffer ${outcome.map}: ${hex(outcome.data)}`;
    case 'signal':
      return `signal ${outcome.signal} to ${outcome.thread ? 'thread' : 'process'} ${outcome.pid}`;
    case 'event':
      return `${outcome.name} ${JSON.stringify(plainValue(outcome.detail))}`;
    default:
      return never(outcome, 'outcome');
  }
}

const SHOWN_ENTRIES = 64;
const BYTES_A_LINE = 16;

const dumpLines = (bytes: string): string[] =>
  (bytes.match(new RegExp(`.{1,${2 * BYTES_A_LINE}}`, 'g')) ?? []).map(
    (row, i) => `    ${(i * BYTES_A_LINE).toString(16).padStart(4, '0')}  ${(row.match(/../g) ?? []).join(' ')}`,
  );

const bare = (bytes: readonly string[] | undefined): string => (bytes ?? []).map((byte) => byte.replace(/^0x/, '')).join(' ');

const isZero = (bytes: readonly string[] | undefined): boolean => (bytes ?? []).every((byte) => Number(byte) === 0);
const isZeroEntry = ({ value, values }: ReportedEntry): boolean =>
  values === undefined ? isZero(value) : values.every((one) => isZero(one.value));

/** Entries of a map; those that are all zero, as most of a fresh array is, are only counted. */
function mapLines(name: string, all: readonly ReportedEntry[]): string[] {
  const entries = all.filter((entry) => !isZeroEntry(entry));
  const shown = entries.slice(0, SHOWN_ENTRIES).flatMap(({ key, value, values }) => {
    const left = key === undefined ? '' : `${bare(key)} → `;
    return values === undefined
      ? [`    ${left}${bare(value)}`]
      : values.map((one) => `    ${left}cpu ${one.cpu}: ${bare(one.value)}`);
  });
  const left = entries.length - SHOWN_ENTRIES;
  const rest = left > 0 ? [`    and ${left} more`] : [];
  const zero = all.length - entries.length;
  const count = `${all.length} ${all.length === 1 ? 'entry' : 'entries'}${zero === 0 ? '' : `, ${zero} of them zero`}`;
  return [`  map ${name}: ${count}`, ...shown, ...rest];
}

/** What went into a run. */
export interface RunInput {
  readonly data: Uint8Array | null;
  readonly context: Uint8Array | null;
}

const outputLines = (what: string, input: Uint8Array | null, output: string): string[] =>
  input !== null && hex(input) === output
    ? [`  ${what}: unchanged`]
    : [`  ${what}: ${output.length / 2} bytes`, ...dumpLines(output)];

const LARGEST_ERROR = 4095;

/** `2 (XDP_PASS)`, `-22 (EINVAL)` for what can be an error number, all of R0 and its lower half where there is more. */
function resultText({ r0, retval, returned }: RunReport): string {
  const all = BigInt(r0);
  const signed = Number(BigInt.asIntN(64, all));
  if (signed < 0 && signed >= -LARGEST_ERROR) return `${signed} (${returned ?? errnoName(-signed)})`;
  const value = all === BigInt(retval) ? `${retval}` : `${r0}, as 32 bits ${retval}`;
  return returned === null ? value : `${value} (${returned})`;
}

/** What a run gave, for people. */
export function runText(report: RunReport, input: RunInput, outcomes: readonly Outcome[], marks: Marks = PLAIN): string {
  const { fault, maps } = report;
  const lines = [
    fault === null
      ? `${report.object}/${report.program} [${report.section}]: ${marks.good('returned')} ${resultText(report)}`
      : `${report.object}/${report.program} [${report.section}]: ${marks.bad('fault')} ${fault.reason}` +
        `${fault.insn === null ? '' : ` at insn ${fault.insn}`}: ${fault.message}`,
    marks.dim(
      `  ${report.instructions} instructions, ${report.calls} calls` +
        `${report.durationUs === undefined ? '' : `, ${report.durationUs.toFixed(2)} us a run`}`,
    ),
    ...report.printk.map((text) => `  printk: ${text}`),
    ...outcomes.map((outcome) => `  ${outcomeText(outcome)}`),
    ...report.notes.map(
      ({ text, insn, count }) =>
        `  note${insn === null ? '' : ` (insn ${insn})`}: ${text}${count > 1 ? ` (${count} times)` : ''}`,
    ),
  ];
  if (report.data !== null && input.data !== null) lines.push(...outputLines('packet', input.data, report.data));
  if (report.context !== null && input.context !== null) lines.push(...outputLines('context', input.context, report.context));
  for (const [map, entries] of Object.entries(maps)) lines.push(...mapLines(map, entries));
  return `${lines.join('\n')}\n`;
}
