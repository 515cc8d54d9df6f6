import { never } from '../contracts/errors.ts';
import type { ProgramReport } from './program_report.ts';

/** How a text is marked on a terminal; the identity elsewhere. */
export type Mark = (text: string) => string;
export interface Marks {
  readonly good: Mark;
  readonly bad: Mark;
  readonly doubtful: Mark;
  readonly dim: Mark;
}

const plain: Mark = (text) => text;
export const PLAIN: Marks = { good: plain, bad: plain, doubtful: plain, dim: plain };

/** `prog.bpf.o/count [xdp]`: what the log that follows is about. */
export const headingText = ({ object, program, section }: ProgramReport | { object: string; program: string; section: string }) =>
  `${object}/${program} [${section}]`;

/** The verdict in one line, behind the heading. */
export function verdictText(report: ProgramReport, marks: Marks = PLAIN): string {
  const { verdict, errno, message, insn, unmodelled, unsound = [] } = report;
  const at = insn === null ? '' : ` at insn ${insn}`;
  const words = message === null || message === '' ? '' : `: ${message}`;
  switch (verdict) {
    case 'accept':
      return marks.good('accept') + unsound.map((reason) => `, ${marks.doubtful('unsound')}: ${reason}`).join('');
    case 'reject':
      return `${marks.bad(`reject ${errno ?? ''}`.trimEnd())}${at}${words}`;
    case 'unknown':
      return `${marks.doubtful('unknown')}${at}: not modelled: ${unmodelled.join(', ')}`;
    case 'not-loaded':
      return `${marks.bad('not loaded')}${words}`;
    default:
      return never(verdict, 'verdict');
  }
}

/** What the verifier counted, in one line. */
export const statsText = ({ insns, insnsProcessed, totalStates, peakStates, stackDepth, durationUs }: ProgramReport): string =>
  `${insnsProcessed} insns processed (${insns} in the program), ${totalStates} states (peak ${peakStates}), ` +
  `stack ${stackDepth}, ${durationUs} us`;
