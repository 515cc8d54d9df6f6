import { comparableLog, whereLogsPart } from '../../report/comparable_log.ts';
import type { Verdict } from '../../verifier/verdict.ts';

/** What a kernel answered. The log is that of levels 2 and 4. */
export interface KernelSaid {
  readonly verdict: 'accept' | 'reject';
  readonly errno: string | null;
  readonly log: string;
}

/** How many of the programs that were asked agree, by what is compared; each line counts those that agree in all lines above it. */
export interface AgreementCounts {
  readonly asked: number;
  readonly verdict: number;
  readonly message: number;
  readonly processed: number;
  readonly states: number;
  readonly log: number;
}

export const NO_AGREEMENT: AgreementCounts = { asked: 0, verdict: 0, message: 0, processed: 0, states: 0, log: 0 };

export const addAgreement = (a: AgreementCounts, b: AgreementCounts): AgreementCounts => ({
  asked: a.asked + b.asked,
  verdict: a.verdict + b.verdict,
  message: a.message + b.message,
  processed: a.processed + b.processed,
  states: a.states + b.states,
  log: a.log + b.log,
});

const STATISTICS = /processed (\d+) insns \(limit \d+\) max_states_per_insn (\d+) total_states (\d+) peak_states (\d+)/;
const NO_MESSAGE = /^(verification time \d|stack depth [\d+]*$|processed \d+ insns|cur state:|old state:|$)/;

/** The last line of a log that is a message, without the statistics that may stand behind it. */
export const lastMessage = (log: string): string =>
  (log.split('\n').findLast((line) => !NO_MESSAGE.test(line)) ?? '').replace(
    /(verification time \d+ usec|processed \d+ insns \(limit .*)$/,
    '',
  );

/** A message may stand behind an instruction whose line the log has not ended. */
const isSameMessage = (ours: string, log: string, kernel: string): boolean =>
  ours === kernel || (ours !== '' && kernel.endsWith(ours) && kernel === lastMessage(log));

/** Compares what we say with what a kernel said; `difference` is the first thing that differs, null where all is equal. */
export function compareWithKernel(
  ours: Verdict,
  log: string,
  kernel: KernelSaid,
): { readonly counts: AgreementCounts; readonly difference: string | null } {
  let counts: AgreementCounts = { ...NO_AGREEMENT, asked: 1 };
  const differ = (difference: string) => ({ counts, difference });
  const message = kernel.verdict === 'reject' ? lastMessage(kernel.log) : '';
  if (ours.verdict !== kernel.verdict) {
    return differ(`verdict: kernel ${kernel.verdict} (${message || kernel.errno}), ours ${ours.verdict} (${ours.message ?? ''})`);
  }
  counts = { ...counts, verdict: 1 };
  if (!isSameMessage(ours.message ?? '', log, message)) return differ(`message: kernel '${message}', ours '${ours.message}'`);
  counts = { ...counts, message: 1 };
  const [, processed, perInsn, total, peak] = (STATISTICS.exec(kernel.log) ?? []).map(Number);
  const { stats } = ours;
  if (processed !== undefined && processed !== stats.insnsProcessed) {
    return differ(`processed: kernel ${processed}, ours ${stats.insnsProcessed}`);
  }
  counts = { ...counts, processed: 1 };
  const isSameStates = perInsn === stats.maxStatesPerInsn && total === stats.totalStates && peak === stats.peakStates;
  if (processed !== undefined && !isSameStates) {
    return differ(
      `states: kernel ${perInsn} ${total} ${peak}, ours ${stats.maxStatesPerInsn} ${stats.totalStates} ${stats.peakStates}`,
    );
  }
  counts = { ...counts, states: 1 };
  const parting = whereLogsPart(comparableLog(log), comparableLog(kernel.log));
  if (parting !== null) return differ(`log line ${parting.line}: kernel '${parting.theirs ?? ''}', ours '${parting.ours ?? ''}'`);
  return { counts: { ...counts, log: 1 }, difference: null };
}
