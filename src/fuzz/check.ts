import { ALL_CAPABILITIES, type Capabilities } from '../contracts/subject.ts';
import type { Program } from '../program/program.ts';
import type { Verdict, VerifyOptions } from '../verifier/verdict.ts';
import { verify } from '../verifier/verify.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import { unsoundRuleOf } from './linux_unsound.ts';
import { METAMORPHOSES } from './metamorphic.ts';
import { domainBreach } from './oracle/domain.ts';
import { ExploredGraph } from './oracle/explored.ts';
import { type PrecisionEvidence, precisionEvidence } from './oracle/precision.ts';
import { roomsEntered } from './oracle/rooms.ts';
import { roundTripBreach } from './oracle/round_trip.ts';
import { runOracles } from './oracle/run.ts';
import { ORACLES, type OracleName } from './oracle_names.ts';
import { Random } from './random.ts';

export interface Finding {
  readonly oracle: OracleName | 'crash' | 'kernel';
  /** instruction of `program`, null where it is about the whole */
  readonly insn: number | null;
  readonly message: string;
  /** the program that shows it: the one that was checked, or a changed one */
  readonly program: Program;
}

export interface CheckOptions {
  /** seeds inputs of runs and the changes of metamorphic checks; default 1 */
  readonly seed?: number;
  readonly oracles?: readonly OracleName[];
  /** runs of an accepted program; default 2 */
  readonly runs?: number;
  /** processed instructions after which a program is given up; default 20,000 */
  readonly budget?: number;
  /** instructions of one run; default 20,000 */
  readonly runBudget?: number;
  /** of the loader; default all */
  readonly capabilities?: Capabilities;
  /** stands in for the verifier, in tests of the oracles */
  readonly verifier?: typeof verify;
}

export interface Checked {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly runs: number;
  readonly instructions: number;
  /** what the machine could not run */
  readonly unmodelled: string | null;
  /** rules by which Linux itself accepts a program whose run goes wrong */
  readonly unsound: readonly string[];
  /** why the refusal is likely a limit of precision; null where nothing speaks for it, or it was not asked */
  readonly precision: PrecisionEvidence | null;
  /** rooms of the verifier that the program entered; known with `containment` */
  readonly rooms: ReadonlySet<string>;
}

const PRUNING_BUDGET = 1500;
const DOMAIN_CASES = 4;
const PRECISION_RUNS = 12;
const NO_ROOMS: ReadonlySet<string> = new Set();
/** Refusals that depend on how much was explored, on registers that a change makes readable, on calls that it adds, or on records of places. */
const DEPENDS_ON_SIZE =
  /cannot use helper|line_info|func_info|too large|too complex|infinite loop|is not supported|out of range|^$/;

const DEFAULTS = {
  seed: 1,
  oracles: ORACLES,
  runs: 2,
  budget: 20_000,
  runBudget: 20_000,
  verifier: verify,
  capabilities: ALL_CAPABILITIES,
} as const;

/** Holds one program against the oracles. */
export function checkProgram(program: Program, kernel: FuzzKernel, options: CheckOptions = {}): Checked {
  const { seed, oracles, runs, budget, runBudget, verifier, capabilities } = { ...DEFAULTS, ...options };
  const { profile } = kernel;
  const random = new Random(seed);
  const findings: Finding[] = [];
  const unsound: string[] = [];
  const wants = (oracle: OracleName): boolean => oracles.includes(oracle);
  const find = (oracle: Finding['oracle'], message: string, insn: number | null = null, shown = program): void =>
    void findings.push({ oracle, message, insn, program: shown });
  const judge = (candidate: Program, more: VerifyOptions = {}): Verdict =>
    verifier(candidate, profile, { budget, capabilities, ...more });

  const graph = wants('containment') ? new ExploredGraph() : null;
  const verdict = judge(program, graph === null ? {} : { observer: graph });
  let done = { runs: 0, instructions: 0, unmodelled: null as string | null };
  if (verdict.verdict === 'accept' && (wants('runs') || wants('containment'))) {
    const result = runOracles(program, profile, graph, { seed: random.next(), runs, budget: runBudget, loaded: verdict.loaded });
    for (const found of result.findings) {
      const rule = unsoundRuleOf(program, found);
      if (rule !== null) unsound.push(rule);
      else find(found.oracle === 'fault' ? 'runs' : found.oracle, found.message, found.insn);
    }
    done = { runs: result.runs, instructions: result.instructions, unmodelled: result.unmodelled };
  }
  if (wants('pruning') && verdict.verdict !== 'unknown' && !DEPENDS_ON_SIZE.test(verdict.message ?? 'accept')) {
    const unpruned = judge(program, { prune: false, budget: PRUNING_BUDGET });
    if (unpruned.verdict !== 'unknown' && unpruned.verdict !== verdict.verdict) {
      find('pruning', `${told(verdict)} with pruning, ${told(unpruned)} without`, unpruned.insn);
    }
  }
  if (wants('metamorphic') && verdict.verdict !== 'unknown') {
    const { name, apply, keeps } = random.pick(METAMORPHOSES);
    const changed = apply(random, program);
    if (
      changed !== null &&
      (verdict.verdict === 'accept' || (keeps === 'same' && !DEPENDS_ON_SIZE.test(verdict.message ?? '')))
    ) {
      const now = judge(changed);
      if (now.verdict !== 'unknown' && now.verdict !== verdict.verdict && !DEPENDS_ON_SIZE.test(now.message ?? 'accept')) {
        find('metamorphic', `${name}: ${told(verdict)} before, ${told(now)} after`, now.insn, changed);
      }
    }
  }
  if (wants('round-trip')) {
    const breach = roundTripBreach(program, profile);
    if (breach !== null) find('round-trip', breach);
  }
  for (let i = 0; wants('domain') && i < DOMAIN_CASES; i++) {
    const breach = domainBreach(random);
    if (breach !== null) find('domain', breach);
  }
  const limits = { seed: random.next(), runs: PRECISION_RUNS, budget: runBudget };
  return {
    verdict,
    findings,
    ...done,
    unsound,
    precision: wants('precision') ? precisionEvidence(program, verdict, profile, limits) : null,
    rooms: graph === null ? NO_ROOMS : roomsEntered(program, graph),
  };
}

const told = ({ verdict, message }: Verdict): string => (message ? `${verdict} (${message})` : verdict);
