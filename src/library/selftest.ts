import { Unmodelled } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { NO_CAPABILITIES } from '../contracts/subject.ts';
import type { Expectation, ObjectImage, Program } from '../program/program.ts';
import { expectedLogLevel, returnFailures, verdictFailures } from '../report/expectation.ts';
import type { ProgramReport } from '../report/program_report.ts';
import { run } from './run_program.ts';
import { verify } from './verify_program.ts';

/** Whether a program does what it says of itself. */
export interface SelftestResult {
  readonly program: string;
  readonly unprivileged: boolean;
  readonly report: ProgramReport;
  /** what differs; empty when nothing does */
  readonly failures: readonly string[];
  /** why the run that was asked for did not take place; null when it did or none was asked for */
  readonly notRun: string | null;
}

const LOG_LIMIT = 1 << 26;

function test(
  object: ObjectImage,
  program: Program,
  expectation: Expectation,
  profile: Profile,
  unprivileged: boolean,
): SelftestResult {
  const report = verify(program, profile, {
    object: object.name,
    logLevel: expectedLogLevel(expectation),
    logLimit: LOG_LIMIT,
    ...(unprivileged ? { capabilities: NO_CAPABILITIES } : {}),
  });
  const failures = verdictFailures(expectation, report);
  let notRun: string | null = null;
  if (expectation.returns !== null && report.verdict === 'accept' && failures.length === 0) {
    try {
      const { fault, result } = run(program, profile, { object });
      if (fault !== null) failures.push(`fault ${fault.reason}: ${fault.message}`);
      else failures.push(...returnFailures(expectation, Number(result & 0xffffffffn)));
    } catch (error) {
      if (!(error instanceof Unmodelled)) throw error;
      notRun = error.message;
    }
  }
  return { program: program.name, unprivileged, report, failures, notRun };
}

/** Verifies a program that carries expectations, and runs it where it names a return value. Nothing for one that expects nothing. */
export function selftest(object: ObjectImage, program: Program, profile: Profile): SelftestResult[] {
  const expectation = object.expectations.get(program.name);
  if (expectation === undefined) return [];
  const results: SelftestResult[] = [];
  const expectsSomething = expectation.verdict !== null || expectation.messages.length > 0 || expectation.returns !== null;
  if (expectsSomething) results.push(test(object, program, expectation, profile, false));
  if (expectation.unprivileged !== null) results.push(test(object, program, expectation.unprivileged, profile, true));
  return results;
}
