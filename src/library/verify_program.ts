import type { Profile } from '../contracts/profile.ts';
import type { Program } from '../program/program.ts';
import { LogWindow } from '../report/log_window.ts';
import { notLoadedReport, type ProgramReport, verifiedReport } from '../report/program_report.ts';
import type { LoadedFacts, VerifyOptions } from '../verifier/verdict.ts';
import { verify as verifyOnce } from '../verifier/verify.ts';

const DEFAULT_LOG_LIMIT = 1 << 20;

export interface VerifyProgramOptions extends Omit<VerifyOptions, 'clock'> {
  /** name of the file that the program came from, for the report */
  readonly object?: string;
  /** verifications in a row: `durationUs` is the median of the later half, `coldUs` the first (default 1) */
  readonly repeat?: number;
  /** bytes of the log that the report keeps where `logLevel` is above 0 and no sink takes it (default 1 MiB) */
  readonly logLimit?: number;
  /** told what an accepted program is to be run with */
  readonly onLoaded?: (facts: LoadedFacts) => void;
}

const micros = (): number => performance.now() * 1000;

/**
 * What Linux would say of a program: verdict, message, statistics, log. A program that its loader could not finish is
 * `not-loaded`. Throws only `Bug` and `BtfError`.
 */
export function verify(program: Program, profile: Profile, options: VerifyProgramOptions = {}): ProgramReport {
  const { object = '', repeat = 1, logLimit = DEFAULT_LOG_LIMIT, log, onLoaded, ...rest } = options;
  if (program.loadError !== null) return notLoadedReport(object, program, program.loadError);
  const window = (options.logLevel ?? 0) > 0 && log === undefined ? new LogWindow(logLimit) : null;
  const first = window?.sink ?? log ?? (() => {});
  const runs: number[] = [];
  const timed = (sink: (text: string) => void) => {
    const start = micros();
    const verdict = verifyOnce(program, profile, { ...rest, log: sink, clock: micros });
    runs.push(micros() - start);
    return verdict;
  };
  const verdict = timed(first);
  for (let i = 1; i < repeat; i++) timed(() => {});
  if (verdict.loaded !== undefined) onLoaded?.(verdict.loaded);
  const report = verifiedReport(object, program, verdict, runs, window?.collected() ?? null);
  const { unsound } = profile;
  return unsound === undefined || verdict.verdict !== 'accept' ? report : { ...report, unsound };
}
