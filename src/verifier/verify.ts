import { type ErrnoName, Reject, Unmodelled } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import type { ProgType } from '../contracts/prog_type.ts';
import { ALL_CAPABILITIES, type Capabilities, type Subject } from '../contracts/subject.ts';
import { PROG_FLAGS, type Program } from '../program/program.ts';
import { verifyMain, verifySubprogs } from './enter.ts';
import { Env } from './env.ts';
import { LOG_LEVEL1, Log } from './log/log.ts';
import { printStats, statsOf } from './log/stats.ts';
import {
  addDefaultExceptionCallback,
  addLoopStack,
  checkFunctionAddresses,
  fixUpFunctions,
  removeDeadFunctions,
} from './program/after.ts';
import { checkAttachTarget } from './program/attach.ts';
import { checkBtfInfo, checkBtfInfoEarly } from './program/btf_info.ts';
import { checkCfg, computePostorder } from './program/cfg.ts';
import { markFastcallPatterns, removeFastcallSpillsFills } from './program/fastcall.ts';
import { computeLiveRegs } from './program/live_regs.ts';
import { checkLoadAttributes, effectiveAttachType } from './program/load.ts';
import { loadedFacts } from './program/loaded_facts.ts';
import { resolvePseudoLdImm64 } from './program/resolve.ts';
import { computeScc } from './program/scc.ts';
import { checkMaxStackDepth } from './program/stack_depth.ts';
import { addSubprogsAndKfuncs, checkSubprogs } from './program/subprogs.ts';
import { type TargetFunction, targetFunctions } from './program/target.ts';
import { initLiveness } from './prune/liveness.ts';
import type { Verdict, VerifierStats, VerifyOptions } from './verdict.ts';

const BPF_PROG_TYPE_EXT = 28;
const BPF_PROG_TYPE_STRUCT_OPS = 27;

/** The program type that rules ask for: of a replacement that of the program it replaces (resolve_prog_type). */
const resolvedProgram = (program: Program): Program =>
  program.type === BPF_PROG_TYPE_EXT && program.attach?.program ? program.attach.program : program;

function structOpsMember(program: Program, profile: Profile): string | null {
  if (program.type !== BPF_PROG_TYPE_STRUCT_OPS || !program.attach) return null;
  const struct = profile.btf.typeOrUndefined(program.attach.btfId);
  return struct?.kind === 'STRUCT' ? (struct.members[program.expectedAttachType]?.name ?? null) : null;
}

function subjectOf(program: Program, profile: Profile, progType: ProgType, flags: number, caps: Capabilities): Subject {
  const resolved = resolvedProgram(program);
  return {
    type: resolved.type,
    attachType: effectiveAttachType(progType, resolved.expectedAttachType),
    attachName: resolved.attach?.name ?? null,
    structOpsMember: structOpsMember(program, profile),
    sleepable: (flags & PROG_FLAGS.BPF_F_SLEEPABLE) !== 0,
    caps,
    program,
  };
}

/** The order of bpf_check(): what is cheap and needs no exploration first. */
function check(env: Env): void {
  checkBtfInfoEarly(env);
  addSubprogsAndKfuncs(env);
  checkSubprogs(env);
  checkBtfInfo(env);
  resolvePseudoLdImm64(env);
  checkCfg(env);
  computePostorder(env);
  initLiveness(env);
  checkAttachTarget(env);
  computeScc(env);
  computeLiveRegs(env);
  markFastcallPatterns(env);
  verifyMain(env);
  verifySubprogs(env);
  removeFastcallSpillsFills(env);
  checkMaxStackDepth(env);
  addLoopStack(env);
  removeDeadFunctions(env);
  fixUpFunctions(env);
  addDefaultExceptionCallback(env);
  checkFunctionAddresses(env);
}

type Outcome = Omit<Verdict, 'stats'>;

const ACCEPT: Outcome = { verdict: 'accept', errno: null, message: null, insn: null, unmodelled: [] };

const refusal = (errno: ErrnoName, message: string, insn: number | null): Outcome => ({
  verdict: 'reject',
  errno,
  message,
  insn,
  unmodelled: [],
});

const unknown = ({ message, feature }: Unmodelled, insn: number | null): Outcome => ({
  verdict: 'unknown',
  errno: null,
  message,
  insn,
  unmodelled: [feature],
});

/** A line of the log that is statistics or the dump of a state, not a message. */
const isNoMessage = (line: string): boolean =>
  line === '' || /^(verification time \d|stack depth [\d+]*$|processed \d+ insns|cur state:|old state:)/.test(line);

/** Statistics begin in the line of a message that has no end of its own. */
const withoutStats = (line: string): string => line.replace(/(verification time \d+ usec|processed \d+ insns \(limit .*)$/, '');

/** The last line of a log that is a message. */
const lastMessage = (log: string): string => withoutStats(log.split('\n').findLast((line) => !isNoMessage(line)) ?? '');

function outcomeOf(env: Env): Outcome {
  try {
    check(env);
    return ACCEPT;
  } catch (error) {
    if (error instanceof Unmodelled) return unknown(error, env.insnIdx);
    if (!(error instanceof Reject)) throw error;
    // a refusal with words of its own ends the log with them
    const message = error.message === '' ? '' : lastMessage(env.log.lastMessage);
    return refusal(error.errno, message, error.insn ?? env.insnIdx);
  }
}

const NO_STATS: VerifierStats = { insnsProcessed: 0, totalStates: 0, peakStates: 0, maxStatesPerInsn: 0, stackDepth: '' };

/** What a verification starts from, or the error that BPF_PROG_LOAD answers before it. */
function open(program: Program, profile: Profile, options: VerifyOptions): Env | ErrnoName {
  const { logLevel = 0, log: sink = () => {}, capabilities: caps = ALL_CAPABILITIES } = options;
  const flags = program.flags | (options.flags ?? 0);
  const progType = profile.progTypes.get(resolvedProgram(program).type);
  const ownType = profile.progTypes.get(program.type);
  if (!progType || !ownType) return 'EINVAL';
  try {
    checkLoadAttributes(program, ownType, profile, flags, caps);
  } catch (error) {
    if (error instanceof Reject) return error.errno;
    throw error;
  }
  const target = program.attach?.program ? load(program.attach.program, profile) : [];
  if (target === null) return 'EINVAL';
  const has = (flag: number): boolean => (flags & flag) !== 0;
  return new Env({
    profile,
    program,
    progType,
    subject: subjectOf(program, profile, progType, flags, caps),
    flags: {
      strictAlignment: has(PROG_FLAGS.BPF_F_STRICT_ALIGNMENT) && !has(PROG_FLAGS.BPF_F_ANY_ALIGNMENT),
      testStateFreq: caps.bpf && has(PROG_FLAGS.BPF_F_TEST_STATE_FREQ),
      testRegInvariants: has(PROG_FLAGS.BPF_F_TEST_REG_INVARIANTS),
    },
    log: new Log(logLevel, sink),
    budget: options.budget ?? Number.POSITIVE_INFINITY,
    observer: options.observer,
    prune: options.prune,
    target,
  });
}

/** Loads the program that another attaches to; null when the kernel refuses it, so that there is nothing to attach to. */
function load(program: Program, profile: Profile): readonly TargetFunction[] | null {
  if (program.loadError !== null) return null;
  const env = open(program, profile, {});
  if (!(env instanceof Env)) return null;
  const { verdict, unmodelled } = outcomeOf(env);
  if (verdict === 'unknown') throw new Unmodelled(unmodelled[0] ?? 'target program');
  return verdict === 'accept' ? targetFunctions(env) : null;
}

function run(program: Program, profile: Profile, options: VerifyOptions): Verdict {
  const started = options.clock?.() ?? 0;
  const env = opened(program, profile, options);
  if (!(env instanceof Env)) return { ...env, stats: NO_STATS };
  const outcome = outcomeOf(env);
  if ((options.logLevel ?? 0) !== 0) printStats(env, Math.round((options.clock?.() ?? 0) - started));
  env.log.finish();
  const stats = statsOf(env);
  return outcome.verdict === 'accept' ? { ...outcome, stats, loaded: loadedFacts(env) } : { ...outcome, stats };
}

function opened(program: Program, profile: Profile, options: VerifyOptions): Env | Outcome {
  try {
    const env = open(program, profile, options);
    return env instanceof Env ? env : refusal(env, '', null);
  } catch (error) {
    if (error instanceof Unmodelled) return unknown(error, null);
    throw error;
  }
}

/**
 * Verifies a program as BPF_PROG_LOAD of the profile's kernel would. The log goes to `options.log` at `options.logLevel`.
 * Throws only `Bug` and what is wrong with the program's BTF (`BtfError`).
 *
 * The message of a refusal without words of its own is the line of the instruction it happened at. Only a log has that line, so
 * such a program is verified once more with one.
 */
export function verify(program: Program, profile: Profile, options: VerifyOptions = {}): Verdict {
  const verdict = run(program, profile, options);
  if (verdict.verdict !== 'reject' || verdict.message !== '' || verdict.stats === NO_STATS) return verdict;
  const pieces: string[] = [];
  run(program, profile, { ...options, logLevel: LOG_LEVEL1, log: (text) => pieces.push(text) });
  return { ...verdict, message: lastMessage(pieces.join('')) };
}
