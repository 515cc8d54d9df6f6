import { Bug, Reject } from '../contracts/errors.ts';
import { ARG_BASES } from '../contracts/type_words.ts';
import { prepareFuncArgs } from './call/global_args.ts';
import type { Env, SubprogArg } from './env.ts';
import { explore } from './explore.ts';
import { constDynptrReg, DYNPTR_LOCAL } from './objects/dynptr.ts';
import { acquireReference } from './objects/references.ts';
import { initialFrame } from './paths.ts';
import { subprogName } from './program/subprogs.ts';
import { freeStates } from './prune/visited.ts';
import { markRegUnknown, setRegTo } from './state/access.ts';
import type { Frame } from './state/frame.ts';
import { NO_CALLSITE } from './state/frame.ts';
import { pointerReg, type Reg } from './state/reg.ts';
import {
  BASE_MASK,
  MEM_RDONLY,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_CTX,
  PTR_TO_MEM,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
} from './state/reg_types.ts';
import { State } from './state/state.ts';

const BPF_PROG_TYPE_EXT = 28;
const BPF_PROG_TYPE_STRUCT_OPS = 27;

const pointerArg = (env: Env, arg: SubprogArg): Reg => {
  const isMem = ARG_BASES[arg.argType & BASE_MASK] === 'ARG_PTR_TO_MEM';
  const kept = PTR_MAYBE_NULL | PTR_UNTRUSTED | (isMem ? MEM_RDONLY : PTR_TRUSTED);
  const type = (isMem ? PTR_TO_MEM : PTR_TO_BTF_ID) | (arg.argType & kept);
  const reg = isMem ? pointerReg(type, null, arg.memSize) : pointerReg(type, env.profile.btf, arg.btfId);
  if (!isMem || (arg.argType & PTR_MAYBE_NULL) !== 0) reg.id = env.newId();
  return reg;
};

/** Gives the argument register of a global function what its prototype promises. */
function enterArg(env: Env, frame: Frame, regno: number, arg: SubprogArg): void {
  const base = ARG_BASES[arg.argType & BASE_MASK];
  switch (base) {
    case 'ARG_PTR_TO_CTX':
      return frame.setReg(regno, pointerReg(PTR_TO_CTX));
    case 'ARG_ANYTHING':
    // a caller may pass an arena pointer or a number
    case 'ARG_PTR_TO_ARENA':
      return markRegUnknown(env, frame, regno);
    case 'ARG_PTR_TO_DYNPTR':
      return frame.setReg(regno, constDynptrReg(DYNPTR_LOCAL, env.newId()));
    case 'ARG_PTR_TO_MEM':
    case 'ARG_PTR_TO_BTF_ID':
      return setRegTo(env, frame, regno, pointerArg(env, arg));
    default:
      throw new Bug(`unhandled arg#${regno - 1} type ${arg.argType}`);
  }
}

/** Registers of a function that is verified for any arguments its prototype allows. */
function enterGlobalFunction(env: Env, frame: Frame, subprogno: number): void {
  const sub = env.subprogs[subprogno]!;
  env.verbose(`Validating ${subprogName(env, subprogno)}() func#${subprogno}...\n`);
  prepareFuncArgs(env, subprogno);
  if (sub.isExceptionCallback) {
    frame.inExceptionCallback = true;
    if (sub.args.length !== 1 || ARG_BASES[sub.args[0]!.argType] !== 'ARG_ANYTHING')
      env.reject('EINVAL', 'exception cb only supports single integer argument');
  }
  sub.args.forEach((arg, i) => {
    enterArg(env, frame, i + 1, arg);
  });
}

/** The main program gets its context; BTF that says otherwise is marked unreliable instead of refused. */
function enterMain(env: Env, frame: Frame): void {
  const sub = env.subprogs[0]!;
  if (env.program.funcInfo.length > 0 && sub.btfTypeId !== 0) {
    try {
      prepareFuncArgs(env, 0);
      sub.unreliable = sub.args.length !== 1 || ARG_BASES[sub.args[0]!.argType] !== 'ARG_PTR_TO_CTX' || sub.unreliable;
    } catch (error) {
      if (!(error instanceof Reject)) throw error;
      sub.unreliable = true;
    }
  }
  frame.setReg(1, pointerReg(PTR_TO_CTX));
}

/** Verifies one function from a fresh state (do_check_common). */
export function verifyFunction(env: Env, subprogno: number): void {
  env.prevLineInfo = null;
  env.passCount++;
  const state = new State();
  state.branches = 1;
  state.inSleepable = env.subject.sleepable;
  const frame = initialFrame(env, NO_CALLSITE, 0, subprogno);
  state.frames[0] = frame;
  state.firstInsnIdx = env.subprogs[subprogno]!.start;
  state.lastInsnIdx = -1;
  env.cur = state;
  if (subprogno !== 0 || env.program.type === BPF_PROG_TYPE_EXT) enterGlobalFunction(env, frame, subprogno);
  else enterMain(env, frame);
  if (subprogno === 0 && env.program.type === BPF_PROG_TYPE_STRUCT_OPS)
    for (const arg of env.contextArgs) arg.refObjId = arg.refcounted ? acquireReference(env, 0) : 0;
  explore(env);
  if (!env.log.tracesAll) env.log.resetTo(0);
  freeStates(env);
}

/** The main program (do_check_main). */
export function verifyMain(env: Env): void {
  env.insnIdx = 0;
  verifyFunction(env, 0);
}

/**
 * Every global function that verified code calls, each once, for any arguments that match its prototype (do_check_subprogs).
 * A function verified later may call others, so the walk repeats until it finds nothing new.
 */
export function verifySubprogs(env: Env): void {
  if (env.program.funcInfo.length === 0) return;
  if (env.exceptionCallbackSubprog !== 0) env.subprogs[env.exceptionCallbackSubprog]!.called = true;
  for (let found = true; found; ) {
    found = false;
    for (let n = 1; n < env.subprogs.length; n++) {
      const sub = env.subprogs[n]!;
      if (!sub.isGlobal || !sub.called || sub.verified) continue;
      env.insnIdx = sub.start;
      verifyFunction(env, n);
      if (env.log.traces) env.verbose(`Func#${n} ('${subprogName(env, n)}') is safe for any args that match its prototype\n`);
      sub.verified = true;
      found = true;
    }
  }
}
