import { Malformed, Unmodelled } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { ALL_CAPABILITIES, type Capabilities } from '../contracts/subject.ts';
import { PROG_TYPE_NAMES, PROG_TYPES } from '../contracts/uapi_numbers.ts';
import { loadedWithoutPrivileges } from '../elf/unprivileged.ts';
import type { ExpectedRun, Situation } from '../program/expected_case.ts';
import type { Expectation, ObjectImage, Program } from '../program/program.ts';
import type { Verdict } from '../verifier/verdict.ts';
import { verify } from '../verifier/verify.ts';
import { run, runsOnPacket } from '../vm/run.ts';
import { runMismatch } from './expected_run.ts';
import { messageMismatch } from './match_messages.ts';
import { observe } from './observe.ts';
import { programNamed, revisedProfile, type SampleSource, sampleImage, scenesOf } from './sample.ts';

export type SelftestMode = 'privileged' | 'unprivileged';

/** What became of one expectation. */
export interface SelftestResult {
  readonly object: string;
  readonly program: string;
  readonly description: string;
  readonly mode: SelftestMode;
  /** a run in a world, under which revisions; null for a load */
  readonly case: string | null;
  readonly outcome: 'pass' | 'fail' | 'skip';
  /** why it failed or was passed over; empty for a pass */
  readonly reason: string;
  /** parts of the expectation that nobody looked at: `xlated`, `jited`, `retval: …` */
  readonly unchecked: readonly string[];
  /** as the verifier gave it; `not-loaded` with the loader's message where it was not asked; null where nothing was tried */
  readonly verdict: Verdict['verdict'] | 'not-loaded' | null;
  readonly message: string | null;
}

export interface SelftestOptions {
  /** which loads are tried; default both */
  readonly modes?: readonly SelftestMode[];
  /** whether programs are run that say what they return (default true) */
  readonly runs?: boolean;
  /** instructions that a run may take; a longer one fails */
  readonly runBudget?: number;
  /** the file that the image was read from: what it says of runs in worlds is passed over without it */
  readonly source?: SampleSource;
}

/** The size of the log buffer that tests are loaded with, in bytes. */
const LOG_BYTES = 2 << 20;
/** A return value of this size stands for any (POINTER_VALUE, tools/testing/selftests/bpf/progs/bpf_misc.h). */
const ANY_VALUE = 0xbadcafe;
/** TEST_DATA_LEN: tests run on so many zero bytes. */
const TEST_DATA_BYTES = 64;
const RUN_BUDGET = 500_000_000;

/**
 * Tries every program that says what is to be expected of it, with and without privileges as it asks for, one result at a time.
 * Source: process_subtest and run_subtest, tools/testing/selftests/bpf/test_loader.c.
 */
export function* selftest(
  image: ObjectImage,
  profile: Profile,
  isWanted: (program: Program) => boolean = () => true,
  options: SelftestOptions = {},
): Generator<SelftestResult> {
  for (const program of image.programs) {
    if (isWanted(program)) yield* loads(image, program, profile, options);
    if (isWanted(program) && options.runs !== false) yield* runs(image, program, profile, options);
  }
}

function* loads(image: ObjectImage, program: Program, profile: Profile, options: SelftestOptions): Generator<SelftestResult> {
  const expectation = image.expectations.get(program.name);
  if (expectation !== undefined) {
    const test = (expected: Expectation, mode: SelftestMode): SelftestResult => ({
      object: image.name,
      program: program.name,
      description: expected.description || expectation.description || program.name,
      mode,
      case: null,
      ...guarded(() => attempt(image, program, profile, expected, mode, options)),
    });
    const modes = options.modes ?? ['privileged', 'unprivileged'];
    if (modes.includes('privileged') && saysSomething(expectation)) yield test(expectation, 'privileged');
    if (modes.includes('unprivileged') && expectation.unprivileged !== null) yield test(expectation.unprivileged, 'unprivileged');
  }
}

/** What a program says of runs of its own in worlds: each under each of its revisions. */
function* runs(image: ObjectImage, program: Program, profile: Profile, { source }: SelftestOptions): Generator<SelftestResult> {
  for (const { name, situation, runs: expected } of image.cases?.get(program.name) ?? []) {
    const about = { object: image.name, program: program.name, description: name, mode: 'privileged' as const };
    if (source === undefined) {
      const reason = 'its world cannot be read here';
      yield { ...about, case: name, outcome: 'skip', reason, unchecked: [], verdict: null, message: null };
      continue;
    }
    for (const run of expected) {
      for (const revisions of run.revisions) {
        const sizes = situation.readSizes.length > 1 ? situation.readSizes.map((size) => `, reads of ${size}`) : [''];
        for (const [index, size] of sizes.entries()) {
          const full = `${name}${revisions === '' ? '' : ` with ${revisions}`}${size}`;
          yield {
            ...about,
            case: full,
            ...guarded(() => watched(source, program.name, revisedProfile(profile, revisions), run, situation, index)),
          };
        }
      }
    }
  }
}

function watched(
  source: SampleSource,
  name: string,
  profile: Profile,
  expected: ExpectedRun,
  situation: Situation,
  index: number,
): Attempt {
  const image = sampleImage(source, profile);
  const seen = observe(image, programNamed(image, name), profile, scenesOf(source, situation)[index]!);
  const mismatch = runMismatch(expected, seen);
  const { verdict, message } = seen;
  return { outcome: mismatch === null ? 'pass' : 'fail', reason: mismatch ?? '', unchecked: [], verdict, message };
}

/** An expectation of the unprivileged load alone has no verdict of its own; what it says is said there. */
const saysSomething = ({ verdict, messages, notMessages, errno, returns, unprivileged }: Expectation): boolean =>
  verdict !== null ||
  (unprivileged === null && (messages.length > 0 || notMessages.length > 0 || errno !== null || returns !== null));

/** A defect of ours in one program is the failure of its test, and the others go on. */
function guarded(action: () => Attempt): Attempt {
  try {
    return action();
  } catch (error) {
    if (error instanceof Malformed) {
      return { outcome: 'fail', reason: error.message, unchecked: [], verdict: null, message: null };
    }
    const reason = `bug in drybpf: ${error instanceof Error ? error.message : String(error)}`;
    return { outcome: 'fail', reason, unchecked: [], verdict: null, message: null };
  }
}

type Attempt = Pick<SelftestResult, 'outcome' | 'reason' | 'unchecked' | 'verdict' | 'message'>;

/** What CAP_* words allow; CAP_SYS_ADMIN allows everything (bpf_capable, perfmon_capable, bpf_net_capable). */
function capabilities(words: readonly string[]): Capabilities {
  const sysAdmin = words.includes('CAP_SYS_ADMIN');
  return {
    bpf: sysAdmin || words.includes('CAP_BPF'),
    perfmon: sysAdmin || words.includes('CAP_PERFMON'),
    netAdmin: sysAdmin || words.includes('CAP_NET_ADMIN'),
    sysAdmin,
  };
}

function attempt(
  image: ObjectImage,
  program: Program,
  profile: Profile,
  expected: Expectation,
  mode: SelftestMode,
  { runBudget = RUN_BUDGET, runs = true }: SelftestOptions,
): Attempt {
  const passedOver: Attempt = { outcome: 'skip', reason: expected.skip ?? '', unchecked: [], verdict: null, message: null };
  if (expected.skip !== null) return passedOver;
  const caps = mode === 'privileged' ? ALL_CAPABILITIES : capabilities(expected.caps);
  const subject = mode === 'privileged' ? program : loadedWithoutPrivileges(program, caps.bpf);
  const loaded = load(subject, profile, expected, caps);
  const { verdict, message } = loaded;
  const done = (reason: string | null, unchecked: readonly string[] = expected.unchecked): Attempt => ({
    outcome: reason === null ? 'pass' : 'fail',
    reason: reason ?? '',
    unchecked,
    verdict,
    message,
  });
  const mismatch = verdictMismatch(loaded, expected) ?? messageMismatch(loaded.log, expected);
  if (mismatch !== null || verdict !== 'accept' || expected.returns === null) return done(mismatch);
  if (!runs) return done(null, [...expected.unchecked, 'retval']);
  const ran = testRunMismatch(image, program, profile, expected.returns, runBudget);
  return ran.unchecked === null ? done(ran.mismatch) : done(null, [...expected.unchecked, `retval: ${ran.unchecked}`]);
}

interface Loaded {
  readonly verdict: Verdict['verdict'] | 'not-loaded';
  readonly errno: string | null;
  readonly message: string | null;
  readonly log: string;
}

/** The end of a log that is longer than the buffer (bpf_verifier_vlog): what was printed last is kept. */
class LogEnd {
  #pieces: string[] = [];
  #kept = 0;
  size = 0;

  readonly sink = (text: string): void => {
    this.#pieces.push(text);
    this.#kept += text.length;
    this.size += text.length;
    if (this.#kept < 2 * LOG_BYTES) return;
    this.#pieces = [this.text];
    this.#kept = this.#pieces[0]!.length;
  };

  get text(): string {
    return this.#pieces.join('').slice(-LOG_BYTES);
  }
}

/** At level 0 a program that loads has no log, and one that does not is loaded again at level 1 (bpf_object_load_prog, libbpf). */
function load(program: Program, profile: Profile, expected: Expectation, caps: Capabilities): Loaded {
  if (program.loadError !== null) return { verdict: 'not-loaded', errno: null, message: program.loadError, log: '' };
  const log = new LogEnd();
  const { verdict, errno, message } = verify(program, profile, {
    logLevel: expected.logLevel || 1,
    flags: expected.flags,
    capabilities: caps,
    log: log.sink,
  });
  if (verdict !== 'accept') return { verdict, errno, message, log: log.text };
  if (expected.logLevel === 0) return { verdict, errno, message, log: '' };
  if (log.size <= LOG_BYTES) return { verdict, errno, message, log: log.text };
  return { verdict: 'reject', errno: 'ENOSPC', message: `the log is longer than ${LOG_BYTES} bytes`, log: log.text };
}

/** A test that expects a failure takes that of the loader for one too. */
function verdictMismatch({ verdict, errno, message }: Loaded, expected: Expectation): string | null {
  const isAsExpected =
    expected.verdict === null || expected.verdict === verdict || (expected.verdict === 'reject' && verdict === 'not-loaded');
  const why = message === null || message === '' ? '' : `: ${message}`;
  if (!isAsExpected) return `${expected.verdict} was expected, but the verdict is ${verdict}${why}`;
  if (expected.errno !== null && expected.errno !== errno) return `${expected.errno} was expected, not ${errno ?? 'none'}${why}`;
  return null;
}

interface RunComparison {
  readonly mismatch: string | null;
  /** why the program was not run; null when it was */
  readonly unchecked: string | null;
}

/** Source: do_prog_test_run, tools/testing/selftests/bpf/test_loader.c. */
function testRunMismatch(
  image: ObjectImage,
  program: Program,
  profile: Profile,
  expected: number,
  budget: number,
): RunComparison {
  const type = program.type === PROG_TYPES.ext ? (program.attach?.program?.type ?? program.type) : program.type;
  const onPacket = runsOnPacket(type);
  if (!onPacket && type !== PROG_TYPES.syscall) {
    return { mismatch: null, unchecked: `a test run of ${PROG_TYPE_NAMES[type] ?? type} programs is not modelled` };
  }
  try {
    const data = onPacket ? { data: new Uint8Array(TEST_DATA_BYTES) } : {};
    const { result, fault } = run(program, profile, { ...data, budget, object: image });
    if (fault !== null) return { mismatch: `the run ended with a fault: ${fault.message}`, unchecked: null };
    const returned = Number(BigInt.asIntN(32, result));
    const isAny = expected === ANY_VALUE;
    return {
      mismatch: isAny || returned === (expected | 0) ? null : `${expected} was to be returned, not ${returned}`,
      unchecked: null,
    };
  } catch (error) {
    if (error instanceof Unmodelled) return { mismatch: null, unchecked: error.message };
    throw error;
  }
}

export interface SelftestCounts {
  readonly pass: number;
  readonly fail: number;
  readonly skip: number;
  /** results of which some part was not looked at */
  readonly unchecked: number;
}

/** One line for a result: `pass`, `fail` or `skip`, which program, and why. */
export function resultText({ object, program, mode, case: inCase, outcome, reason, unchecked }: SelftestResult): string {
  const name = `${object}/${program}${mode === 'unprivileged' ? ' @unpriv' : ''}${inCase === null ? '' : ` (${inCase})`}`;
  const details = [reason, unchecked.length === 0 ? '' : `unchecked: ${unchecked.join(', ')}`].filter((part) => part !== '');
  return `${outcome} ${name}${details.length === 0 ? '' : `: ${details.join('; ')}`}`;
}

export function countResults(results: readonly SelftestResult[]): SelftestCounts {
  const of = (outcome: SelftestResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  return {
    pass: of('pass'),
    fail: of('fail'),
    skip: of('skip'),
    unchecked: results.filter((r) => r.unchecked.length > 0).length,
  };
}
